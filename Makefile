# SPDX-License-Identifier: Apache-2.0
#
# make            build everything into build/
# make run        set up, build, start this machine's node        (README.md)
# make demo       two clinics on this machine that talk
# make test       everything that proves it works
# make bench      how fast, as ratios to floors measured in the same run
# make check      style and structure, under a minute
# make MODE=san   the same build under ASan and UBSan (also: clang, tsan, fuzz)
#
# The tree reads left to right; each layer is compiled with a view of itself
# and what is left of it, so that an upward include does not build.

.DEFAULT_GOAL := all

LAYERS := proto crypto store federation node tools
MODE ?= plain
B := build/$(MODE)

# ---------------------------------------------------------------- compilers
WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion \
  -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef \
  -Wvla -Wformat=2 -Wswitch-enum -Wnull-dereference -Wdouble-promotion \
  -Wimplicit-fallthrough
WARN_GCC := -Wjump-misses-init -Wunused-macros -Wduplicated-cond \
  -Wduplicated-branches -Wlogical-op
HARDEN := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

ifeq ($(MODE),plain)
CC := gcc
MODEFLAGS := -Werror $(WARN_GCC) $(HARDEN) -ftrivial-auto-var-init=zero
else ifeq ($(MODE),clang)
CC := clang
MODEFLAGS := -Werror $(subst -D_FORTIFY_SOURCE=3,-D_FORTIFY_SOURCE=2,$(HARDEN))
else ifeq ($(MODE),san)
CC := clang
MODEFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
  -fno-sanitize-recover=all -fPIE
LINK := -pie -fsanitize=address,undefined -Wl,--as-needed
else ifeq ($(MODE),tsan)
CC := clang
MODEFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -fPIE
LINK := -pie -fsanitize=thread -Wl,--as-needed
else ifeq ($(MODE),fuzz)
CC := clang
MODEFLAGS := -O1 -g -fno-omit-frame-pointer \
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fPIE
LINK := -pie -fsanitize=address,undefined -Wl,--as-needed
else
$(error MODE is plain, clang, san, tsan or fuzz)
endif

# Vendor libraries, each with the layer that may use it.
LIBS_proto := -lmsgpackc
LIBS_crypto := -lsodium -lssl -lcrypto
LIBS_store := -llmdb
LIBS_federation := -lnng
LIBS_node := -ljansson -lqrencode -lpng
LIBS_tools :=
VENDOR = $(LIBS_tools) $(LIBS_node) $(LIBS_federation) $(LIBS_store) \
  $(LIBS_crypto) $(LIBS_proto) -lpthread
# What our readers of HTTP and WebSocket are compared with.
ORACLES := -lwslay -lhttp_parser

# -------------------------------------------------------------------- views
VIEWS := build/view/.done

$(VIEWS): Makefile
	@rm -rf build/view; seen=; for l in $(LAYERS); do \
	  seen="$$seen $$l"; mkdir -p build/view/$$l build/view/tests-$$l; \
	  ln -s ../../../tests build/view/tests-$$l/tests; \
	  for s in $$seen; do ln -s ../../../$$s build/view/$$l/$$s; \
	    ln -s ../../../$$s build/view/tests-$$l/$$s; done; \
	done; touch $@

# The view a source compiles with: its layer's; for tests/<layer>/, that
# layer's and tests/; for other tests, everything.
first = $(firstword $(subst /, ,$(1)))
second = $(word 2,$(subst /, ,$(1)))
layer_of = $(if $(filter tests,$(call first,$(1))),$(or $(filter \
  $(LAYERS),$(call second,$(1))),$(if $(filter support,$(call \
  second,$(1))),proto,tools)),$(call first,$(1)))
view = build/view/$(if $(filter tests,$(call first,$(1))),tests-)$(call \
  layer_of,$(1))

# ------------------------------------------------------------------ sources
find = $(shell find $(1) -name node_modules -prune -o -name '$(2)' -print \
  2>/dev/null | LC_ALL=C sort)
# wasm-only sources end in _wasm.c and are built by `make wasm`
SRC := $(filter-out %_wasm.c,$(call find,$(LAYERS),*.c))
MAINS := $(call find,$(LAYERS) tests,*_main.c)
LIBSRC := $(filter-out $(MAINS),$(SRC))
TESTS := $(call find,tests,*_test.c)
FUZZ := $(call find,tests/fuzz,*_fuzz.c)
SUPPORT := $(filter-out $(MAINS) $(TESTS) $(FUZZ) %_wasm.c %_lib.c,$(call find,tests,*.c))
SUPPORT_LOW := $(filter tests/support/%,$(SUPPORT))
SUPPORT_HIGH := $(filter-out tests/support/%,$(SUPPORT))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
libs_for = $(foreach l,tools node federation store crypto proto,$(if $(filter \
  $(l),$(wordlist 1,$(call index,$(1)),$(LAYERS))),$(B)/lib/$(l).a))
index = $(words $(call upto,$(1),$(LAYERS)))
upto = $(if $(2),$(firstword $(2)) $(if $(filter-out $(1),$(firstword \
  $(2))),$(call upto,$(1),$(wordlist 2,99,$(2)))))

bin_of = $(B)/bin/$(subst _,-,$(patsubst %_main.c,%,$(notdir $(1))))
test_of = $(patsubst tests/%_test.c,$(B)/test/%,$(1))
fuzz_of = $(patsubst tests/fuzz/%_fuzz.c,$(B)/fuzz/%,$(1))

BINS := $(foreach m,$(MAINS),$(call bin_of,$(m)))
TESTBINS := $(foreach t,$(TESTS),$(call test_of,$(t)))
FUZZBINS := $(foreach f,$(FUZZ),$(call fuzz_of,$(f)))

.PHONY: all libs tests bins fuzz
all: bins
bins: $(BINS)
tests: $(TESTBINS)
fuzz: $(FUZZBINS)
libs: $(foreach l,$(LAYERS),$(B)/lib/$(l).a)

# -------------------------------------------------------------------- rules
# make V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %s %s\n' '$(1)' '$(2)')

# crypto/ also clears used registers on return (gcc only).
EXTRA_crypto = $(if $(filter plain,$(MODE)),-fzero-call-used-regs=used-gpr)

$(B)/obj/%.o: %.c $(VIEWS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WARN) $(MODEFLAGS) $(EXTRA_$(call first,$*)) $(CFLAGS) \
	  -I$(call view,$*) -ffile-prefix-map=$(call view,$*)/= -MD -MP -c $< -o $@

define layer_lib
$(B)/lib/$(1).a: $(call obj,$(filter $(1)/%,$(LIBSRC)))
	@mkdir -p $$(@D); rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_lib,$(l))))

$(B)/lib/support.a: $(call obj,$(SUPPORT_LOW))
	@mkdir -p $(@D); rm -f $@
	$(Q)ar rcs $@ $^
$(B)/lib/support_high.a: $(call obj,$(SUPPORT_HIGH))
	@mkdir -p $(@D); rm -f $@
	$(Q)ar rcs $@ $^

high_for = $(if $(filter tests,$(call first,$(1))),$(if $(filter \
  $(LAYERS),$(call second,$(1))),,$(B)/lib/support_high.a) $(B)/lib/support.a)

define program
$(2): $(call obj,$(1)) $(call high_for,$(1)) $(call libs_for,$(call \
  layer_of,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $(LINK) $(3) $$^ $$(VENDOR) $(4) -o $$@
endef
$(foreach m,$(MAINS),$(eval $(call program,$(m),$(call bin_of,$(m)))))
$(foreach t,$(TESTS),$(eval $(call program,$(t),$(call test_of,$(t)))))
$(foreach f,$(FUZZ),$(eval $(call program,$(f),$(call \
  fuzz_of,$(f)),-fsanitize=fuzzer,$(ORACLES))))

# build/bin/NAME is the plain build
ifeq ($(MODE),plain)
bins: build/bin
build/bin:
	@mkdir -p build && ln -sfn plain/bin build/bin
endif

ALLOBJ := $(call obj,$(SRC) $(SUPPORT) $(TESTS) $(FUZZ) $(MAINS))
-include $(ALLOBJ:.o=.d)

# ------------------------------------------------------------ what people run
# Data that a test may need and a user's machine does not have.
export BALSAM_SHARED ?= $(abspath $(wildcard ../shared))

.PHONY: setup setup-test check test unit clean
setup:
	@tools/setup build
setup-test:
	@tools/setup build test

# Unit tests under the sanitizers; make unit TEST=tests/proto runs some.
unit:
	@$(MAKE) --no-print-directory MODE=san tests
	@tests/run --unit

check: setup-test
	@$(MAKE) --no-print-directory MODE=plain bins tests
	@$(MAKE) --no-print-directory MODE=clang bins
	@tools/check/all

# Everything: build with gcc, build under sanitizers, every suite.
test: setup-test
	@$(MAKE) --no-print-directory MODE=plain bins
	@$(MAKE) --no-print-directory MODE=san bins tests
	@$(MAKE) --no-print-directory MODE=fuzz fuzz
	@tests/run

clean:
	rm -rf build

# Parts with a folder of their own bring their rules with them.
-include $(sort $(wildcard crypto/*.mk node/*.mk tools/*.mk tests/*.mk))
