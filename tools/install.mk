# SPDX-License-Identifier: Apache-2.0
#
# make install [PREFIX=/usr/local] [DESTDIR=]: programs, man pages, completion
# and a service for systemd, with the user that it runs as.

PREFIX ?= /usr/local
INSTALL := install

.PHONY: install
install: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/man/man8 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)/lib/systemd/system $(DESTDIR)/usr/lib/sysusers.d \
	  $(DESTDIR)/usr/lib/tmpfiles.d
	$(INSTALL) -m 755 build/plain/bin/balsam build/plain/bin/balsamd \
	  build/plain/bin/balsam-paper build/plain/bin/balsam-patient \
	  $(DESTDIR)$(PREFIX)/bin
	build/plain/bin/balsam man > $(DESTDIR)$(PREFIX)/share/man/man1/balsam.1
	build/plain/bin/balsam-patient man \
	  > $(DESTDIR)$(PREFIX)/share/man/man1/balsam-patient.1
	$(INSTALL) -m 644 tools/service/balsamd.8 \
	  $(DESTDIR)$(PREFIX)/share/man/man8
	build/plain/bin/balsam completion \
	  > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/balsam
	build/plain/bin/balsam-patient completion \
	  > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/balsam-patient
	sed 's|/usr/local|$(PREFIX)|' tools/service/balsam.service \
	  > $(DESTDIR)/lib/systemd/system/balsam.service
	$(INSTALL) -m 644 tools/service/sysusers.conf \
	  $(DESTDIR)/usr/lib/sysusers.d/balsam.conf
	$(INSTALL) -m 644 tools/service/tmpfiles.conf \
	  $(DESTDIR)/usr/lib/tmpfiles.d/balsam.conf
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
	  systemd-sysusers balsam.conf && systemd-tmpfiles --create balsam.conf \
	    && systemctl daemon-reload; fi
	@echo "What comes next: man balsamd, AS A SERVICE"
