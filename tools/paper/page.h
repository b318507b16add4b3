/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that is handed to a patient with an invitation: one side of A4 with
 * the clinic's name, a QR code, and words that say what to do.  It says
 * nothing about why somebody is a patient.
 *
 * Pango and Cairo draw it: names are in any script.  They are behind this
 * file, in a program of its own, so that the command line and the node stay
 * without them.
 */
#ifndef TOOLS_PAPER_PAGE_H
#define TOOLS_PAPER_PAGE_H

#include "proto/base/bytes.h"

#include <jansson.h>

/*
 * A PDF with a page for each of answer's "invitations", as the node answers
 * `balsam invite`.
 *
 * ERR_MISSING      no fonts are installed
 * ERR_INVALID      not such an answer
 * ERR_UNSUPPORTED  the PDF could not be made
 */
MUST_CHECK enum err tool_page_pdf(const struct mem *mem, const json_t *answer,
                                  struct bytes *out);

#endif
