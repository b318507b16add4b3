/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of an answer; what has no memory is left out. */
#ifndef TOOLS_PATIENT_DESCRIBE_H
#define TOOLS_PATIENT_DESCRIBE_H

#include "tools/patient/patient.h"

void tool_put_view(json_t *o, const char *key, struct view v);
void tool_put_num(json_t *o, const char *key, uint64_t n);
void tool_put_bool(json_t *o, const char *key, bool b);
void tool_put_word(json_t *o, const char *key, const char *word);
void tool_put_hex(json_t *o, const char *key, struct view id);

/* Whoever has this id, by name. */
void tool_patient_put_name(struct tool_patient *p, json_t *o, const char *key,
                           const uint8_t who[32]);

/*
 * Show words and the code that says the same, and free both; or say why e, the
 * call that made them, failed.
 */
enum tool_exit tool_patient_words(struct tool_patient *p, enum err e,
                                  struct bytes *words, struct bytes *qr);

#endif
