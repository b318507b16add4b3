# SPDX-License-Identifier: Apache-2.0
#
# make install [PREFIX=/usr/local] [DESTDIR=]: programs, man pages, completion
# and a service for systemd.

PREFIX ?= /usr/local
INSTALL := install

.PHONY: install
install: setup
	@$(MAKE) --no-print-directory MODE=plain bins
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/man/man8 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)/lib/systemd/system
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
