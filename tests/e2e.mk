# SPDX-License-Identifier: Apache-2.0
#
# A library that moves the wall clock of a daemon under test, for any MODE.
build/lib/moved_clock.so: tests/e2e/moved_clock_lib.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)gcc $(WARN) -O2 -shared -fPIC $< -o $@

bins: build/lib/moved_clock.so
