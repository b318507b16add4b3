# SPDX-License-Identifier: Apache-2.0
#
# A library that moves the wall clock of a daemon under test, for any MODE.
build/lib/moved_clock.so: tests/e2e/moved_clock_lib.c tests/e2e/moved_clock.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)gcc $(WARN) -O2 -shared -fPIC -Wl,--version-script=$(word 2,$^) $< -o $@

bins: build/lib/moved_clock.so

# And one that notes what a daemon says inside TLS.
build/lib/frames.so: tests/e2e/frames_lib.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)gcc $(WARN) -D_GNU_SOURCE -O2 -shared -fPIC $< -o $@

bins: build/lib/frames.so

# And one whose disk can be held.
build/lib/held_disk.so: tests/e2e/held_disk_lib.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)gcc $(WARN) -D_GNU_SOURCE -O2 -shared -fPIC $< -o $@

bins: build/lib/held_disk.so

# A daemon that lies about what it sends: tests/e2e/liar.c.
$(B)/bin/balsamd-liar: $(call obj,node/balsamd_main.c tests/e2e/liar.c) \
  $(call libs_for,node)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK) -Wl,--wrap=fed_net_send,--wrap=fed_net_start $^ $(VENDOR) -o $@

bins: $(B)/bin/balsamd-liar

# A command line that takes any name: tests/e2e/rude.c.
$(B)/bin/balsam-rude: $(call obj,tools/cli/balsam_main.c tests/e2e/rude.c) \
  $(call libs_for,tools)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK) -Wl,--wrap=node_plain $^ $(VENDOR) -o $@

bins: $(B)/bin/balsam-rude

# A patient's app that forges what it reports: tests/e2e/forger.c.
$(B)/bin/balsam-patient-forger: \
  $(call obj,tools/patient/balsam_patient_main.c tests/e2e/forger.c) \
  $(call libs_for,tools)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LINK) -Wl,--wrap=fed_stream_put -Wl,--wrap=fed_report_seal \
	  $^ $(VENDOR) -o $@

bins: $(B)/bin/balsam-patient-forger
