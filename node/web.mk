# SPDX-License-Identifier: Apache-2.0
#
# The pages are part of the daemon: node/web_pages.c takes them in as they are.
$(B)/obj/node/web_pages.o: $(wildcard node/web/link/link.*)
