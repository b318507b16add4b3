# SPDX-License-Identifier: Apache-2.0
#
# make wasm   the same C sources for the browser: build/wasm/balsam.wasm (MLS)
#             and build/wasm/app.wasm (a patient's app)
#
# X_wasm.c stands in for X_native.c; crypto/tls is left out, federation/core and
# federation/app come in when they are there.  The module imports what
# crypto/prim/import_wasm.h and the api files name, and nothing of WASI's.

WASM_CC := clang
WASM_FLAGS := --target=wasm32-wasi --sysroot=/usr -O2 -g0 $(WARN) -Werror \
  -ffunction-sections -fdata-sections
WASM_LINK := --target=wasm32-wasi --sysroot=/usr -nostartfiles -Wl,--no-entry \
  -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=262144

WASM_SRC := $(filter-out %_native.c %_main.c,$(call find,proto crypto \
  federation/core federation/app,*.c))
WASM_SRC := $(filter-out crypto/tls/%,$(WASM_SRC))
# what only balsam.wasm has: its interface, and no WASI
WASM_API := $(filter crypto/mls/api% proto/base/wasi_wasm.c,$(WASM_SRC))
WASM_APP := $(filter federation/app/api% proto/base/wasi_wasm.c,$(WASM_SRC))
WASM_LIBSRC := $(filter-out $(WASM_API) $(WASM_APP),$(WASM_SRC))
wasm_obj = $(patsubst %.c,build/wasm/obj/%.o,$(1))

build/wasm/obj/%.o: %.c $(VIEWS)
	@mkdir -p $(@D)
	$(call say,WASM,$<)
	$(Q)$(WASM_CC) $(WASM_FLAGS) -I$(call view,$*) $(WASM_EXTRA) \
	  -MD -MP -c $< -o $@

build/wasm/core.a: $(call wasm_obj,$(WASM_LIBSRC))
	@rm -f $@
	$(Q)llvm-ar rcs $@ $^

build/wasm/balsam.wasm: $(call wasm_obj,$(WASM_API)) build/wasm/core.a
	$(call say,LINK,$@)
	$(Q)$(WASM_CC) $(WASM_LINK) $^ -o $@

build/wasm/app.wasm: $(call wasm_obj,$(WASM_APP)) build/wasm/core.a
	$(call say,LINK,$@)
	$(Q)$(WASM_CC) $(WASM_LINK) $^ -o $@

.PHONY: wasm
wasm: build/wasm/balsam.wasm build/wasm/app.wasm

-include $(patsubst %.o,%.d,$(call wasm_obj,$(WASM_SRC)))
