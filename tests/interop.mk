# SPDX-License-Identifier: Apache-2.0
# make interop         everything alive: matrix, random runs, core-crypto
# make interop-long    random runs for longer, and with 22 to 40 members
.PHONY: interop interop-deps interop-long
interop-deps:
	@tests/interop/prepare

interop: bins interop-deps
	@tests/run tests/interop

SEEDS ?= 200
OPS ?= 60
interop-long: bins interop-deps
	@cd tests/interop && for s in 1 3; do \
	  ./node random.mjs $$s --seeds $(SEEDS) --ops $(OPS) && \
	  ./node random.mjs $$s --seeds 10 --fresh 10 --ops $(OPS) --min 22 \
	    --max 40 || exit 1; done
