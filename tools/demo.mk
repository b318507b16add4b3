# SPDX-License-Identifier: Apache-2.0
#
# make run: this clinic's node, made on the first run.
# make demo: two clinics on this machine that talk; demo-once ends by itself.

BALSAM_DATA ?= $(HOME)/.balsam

.PHONY: run demo demo-once
run: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	@tools/demo/node "$(BALSAM_DATA)"

demo: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	@tools/demo/run

demo-once: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	@tools/demo/run once
