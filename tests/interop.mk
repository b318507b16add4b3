# SPDX-License-Identifier: Apache-2.0
# make interop         everything alive: matrix, random runs, core-crypto
# make interop-long    the same for longer: SEEDS=200 OPS=60 by default
.PHONY: interop interop-deps interop-long
interop-deps:
	@tests/interop/prepare

interop: bins interop-deps
	@tests/run tests/interop

SEEDS ?= 200
OPS ?= 60
interop-long: bins interop-deps
	@cd tests/interop && for s in 1 3; do \
	  ./node random.mjs $$s --seeds $(SEEDS) --ops $(OPS) || exit 1; done
