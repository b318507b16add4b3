# SPDX-License-Identifier: Apache-2.0
#
# Only the pages to print see Pango and Cairo.

PAPER_H = $(subst -I,-isystem ,$(shell pkg-config --cflags-only-I pangocairo))
$(B)/obj/tools/paper/%.o: CFLAGS += $(PAPER_H)
$(B)/obj/tests/tools/paper/%.o: CFLAGS += $(PAPER_H)
PAPER_LIBS := -lpangocairo-1.0 -lpango-1.0 -lgobject-2.0 -lglib-2.0 -lcairo
$(B)/bin/balsam-paper $(B)/test/tools/paper/page: LIBS_tools += $(PAPER_LIBS)
