# SPDX-License-Identifier: Apache-2.0
#
# make bench: JSON lines, each figure beside its floor of the same run.

.PHONY: bench
bench: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	@build/plain/bin/mls-bench
	@tools/bench/run
