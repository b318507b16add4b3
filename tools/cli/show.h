/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that show answers share. */
#ifndef TOOLS_CLI_SHOW_H
#define TOOLS_CLI_SHOW_H

#include "tools/common/safe.h"

#include <jansson.h>

/* A field's text, or "". */
const char *tool_text(const json_t *o, const char *key);
/* A field's number, or 0. */
long long tool_number(const json_t *o, const char *key);
/* Local time to the minute; nothing for 0. */
void tool_print_time(long long ms);

/* One message of a conversation. */
void tool_show_message(const json_t *m);

/* "doubts" of a conversation, each a line behind before. */
void tool_show_doubts(const json_t *of, const char *before);
/* "changes" of a conversation behind message number after (0: before all). */
void tool_show_changes(const json_t *of, long long after);
void tool_show_settled(const json_t *answer);
/* "maybe_same" of an answer, each a line behind before. */
void tool_show_twins(const json_t *of, const char *before);
/* "cut_off" of who is to be disconnected: what they lose. */
void tool_show_cut_off(const json_t *of);
void tool_show_contact(const json_t *answer);
void tool_show_contacts(const json_t *answer);
void tool_show_invited(const json_t *answer);
void tool_show_reports(const json_t *a);
void tool_show_invites(const json_t *answer);
void tool_show_invite(const json_t *answer);
void tool_show_patients(const json_t *answer);
void tool_show_devices(const json_t *answer);
void tool_show_compare(const json_t *answer);
void tool_show_consents(const json_t *answer);
void tool_show_asked(const json_t *answer);
void tool_show_members(const json_t *answer);
/* One message of a conversation that is about a consent, on one line. */
void tool_show_consent(const json_t *message);
void tool_show_profile(const json_t *answer);
/* Its "picture", if there is one, as a line behind before. */
void tool_show_picture(const json_t *answer, const char *before);
void tool_show_audit(const json_t *answer);
void tool_show_doctor(const json_t *answer);

/* What is carried for another clinic, and what that clinic does now. */
void tool_show_spliced(const json_t *a);

#endif
