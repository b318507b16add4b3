# SPDX-License-Identifier: Apache-2.0
#
# What tests/web needs: the vector runner and mls-peer as wasm (build/wasm), the
# typed binding as JavaScript (build/web/shared).  mls-peer is a WASI program.

comma := ,
VECTOR_SRC := $(filter-out %_main.c,$(call find,tests/vectors,*.c)) \
  tests/web/wasm/vectors_wasm.c
$(call wasm_obj,$(VECTOR_SRC)): WASM_EXTRA := -Itests/web/wasm

PEER_SRC := $(call find,tests/interop,*.c) tests/support/fail_mem.c
$(call wasm_obj,$(PEER_SRC)): WASM_EXTRA := -Itests/web/wasm

build/wasm/vectors.wasm: $(call wasm_obj,$(VECTOR_SRC) \
  proto/base/wasi_wasm.c) build/wasm/core.a
	$(call say,LINK,$@)
	$(Q)$(WASM_CC) $(WASM_LINK) $^ -o $@

build/wasm/mls-peer.wasm: $(call wasm_obj,$(PEER_SRC)) build/wasm/core.a
	$(call say,LINK,$@)
	$(Q)$(WASM_CC) $(filter-out -nostartfiles -Wl$(comma)--no-entry,\
	  $(WASM_LINK)) -Wl,--export=malloc $^ -o $@

node/web/node_modules/.package-lock.json: node/web/package-lock.json
	$(Q)cd node/web && npm ci --silent >/dev/null

WEB_SHARED := $(call find,node/web/shared,*.ts)
build/web/shared/.done: $(WEB_SHARED) node/web/shared/tsconfig.json \
  node/web/node_modules/.package-lock.json
	@mkdir -p $(@D)
	$(Q)node/web/node_modules/.bin/tsc -b node/web/shared
	$(Q)ln -sfn ../../node/web/node_modules build/web/node_modules
	$(Q)echo '{ "type": "module" }' >build/web/package.json
	$(Q)touch $@

.PHONY: web-tests
web-tests: build/wasm/balsam.wasm build/wasm/app.wasm \
  build/wasm/vectors.wasm \
  build/wasm/mls-peer.wasm build/web/shared/.done

-include $(patsubst %.o,%.d,$(call wasm_obj,$(VECTOR_SRC) $(PEER_SRC)))
