/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of `balsam-patient` share.  Each opens the app's folder,
 * takes what came, does one thing, and ends when the clinic has it durably or
 * the time is up; what is left goes with the next command.  An answer is one
 * JSON object, shown as it is or as lines for people.
 */
#ifndef TOOLS_PATIENT_PATIENT_H
#define TOOLS_PATIENT_PATIENT_H

#include "federation/app/consent.h"
#include "federation/native/run.h"
#include "tools/common/args.h"
#include "tools/common/say.h"

#include <jansson.h>

/* One run of the program. */
struct tool_patient {
    struct tool_args args;
    struct fed_run *run;
    struct fed_app *app;
    uint64_t wait_ms;
    bool json;
    bool offline;
    bool watching;
    uint64_t file_end; /* enum fed_app_file_end of the last file that ended */
    bool ended;        /* a clinic has ended the connection meanwhile */
    bool proof_came;   /* the clinic said whether it can prove a message */
    json_t *out;       /* the answer */
};

/* Say why a call of the app failed; e is not OK. */
enum tool_exit tool_patient_failed(const struct tool_patient *p, enum err e);

/* Whether it is written as a day is: 1980-02-29. */
bool tool_patient_is_day(const char *s);

/*
 * Fetch what is new, as far as the clinics answer in time; nothing when
 * --offline.  What could not be reached is said, and is no failure.
 */
enum tool_exit tool_patient_sync(struct tool_patient *p);

/* Make durable what was changed and wait until the clinics have it; extra (may
   be NULL) has to be true as well. */
enum tool_exit
tool_patient_finish(struct tool_patient *p,
                    bool (*extra)(void *ctx, struct fed_app *app), void *ctx);

/* A clinic by number, name (or how it begins) or id.  Says what is wrong. */
enum tool_exit tool_patient_clinic(struct tool_patient *p, const char *word,
                                   struct clinic_id *out);
/* What came is taken; then the thread that the command's first word means: a
   number, a title, the name of a clinic in it, or what people call it. */
enum tool_exit tool_patient_thread(struct tool_patient *p,
                                   struct thread_id *out);
enum tool_exit tool_patient_number(const char *word, uint64_t *out);

/* The recovery code from standard input; secret, freed by the caller. */
enum tool_exit tool_patient_read_code(struct bytes *out);
/* What is wrong with a code that was typed. */
enum tool_exit tool_patient_bad_code(const struct tool_patient *p, enum err e,
                                     unsigned bad_word);

/* describe.c: rows of the answer. */
json_t *tool_patient_clinic_row(struct tool_patient *p,
                                const struct fed_app_clinic *c);
json_t *tool_patient_thread_row(struct tool_patient *p,
                                const struct fed_app_thread *t);
json_t *tool_patient_message_row(struct tool_patient *p,
                                 const struct fed_app_message *m);
json_t *tool_patient_consent_row(struct tool_patient *p,
                                 const struct fed_app_consent *c);
/* Who is called what: ourselves, a clinic's name, or how its id begins. */
void tool_patient_name(struct tool_patient *p, const struct subject_id *who,
                       struct bytes *out);

/* stopped.c: what is to be done about a conversation that stopped, by its row;
   and which a clinic has stopped by ending the connection (told to whom it
   happens while a command runs). */
enum {
    TOOL_WAY_MAX = 1024
};
void tool_patient_way(const json_t *thread, char out[TOOL_WAY_MAX]);
void tool_patient_put_stopped(struct tool_patient *p);

/* cmd_block.c: which conversations the patient leaves when this clinic, which
   orders them, may not be in them any more. */
void tool_patient_say_left(struct tool_patient *p,
                           const struct clinic_id *root);

/* show.c: the answer as lines. */
void tool_patient_show(const struct tool_patient *p, enum tool_exit code);
void tool_patient_show_event(const json_t *event);
void tool_patient_show_consent(const json_t *row);

/* The commands. */
enum tool_exit tool_patient_join(struct tool_patient *p);
enum tool_exit tool_patient_threads(struct tool_patient *p);
enum tool_exit tool_patient_show_thread(struct tool_patient *p);
enum tool_exit tool_patient_send(struct tool_patient *p);
enum tool_exit tool_patient_edit(struct tool_patient *p);
enum tool_exit tool_patient_delete(struct tool_patient *p);
enum tool_exit tool_patient_react(struct tool_patient *p);
enum tool_exit tool_patient_save(struct tool_patient *p);
enum tool_exit tool_patient_members(struct tool_patient *p);
enum tool_exit tool_patient_report(struct tool_patient *p);
enum tool_exit tool_patient_leave(struct tool_patient *p);
enum tool_exit tool_patient_continue(struct tool_patient *p);
enum tool_exit tool_patient_settle(struct tool_patient *p);
enum tool_exit tool_patient_watch(struct tool_patient *p);
enum tool_exit tool_patient_only_sync(struct tool_patient *p);
enum tool_exit tool_patient_clinics(struct tool_patient *p);
enum tool_exit tool_patient_clinics_show(struct tool_patient *p);
enum tool_exit tool_patient_compare(struct tool_patient *p);
enum tool_exit tool_patient_part(struct tool_patient *p);
enum tool_exit tool_patient_block(struct tool_patient *p);
enum tool_exit tool_patient_unblock(struct tool_patient *p);
enum tool_exit tool_patient_home(struct tool_patient *p);
enum tool_exit tool_patient_consents(struct tool_patient *p);
enum tool_exit tool_patient_consent_accept(struct tool_patient *p);
enum tool_exit tool_patient_consent_refuse(struct tool_patient *p);
enum tool_exit tool_patient_consent_withdraw(struct tool_patient *p);
enum tool_exit tool_patient_devices(struct tool_patient *p);
enum tool_exit tool_patient_device_add(struct tool_patient *p);
enum tool_exit tool_patient_device_remove(struct tool_patient *p);
enum tool_exit tool_patient_code_show(struct tool_patient *p);
enum tool_exit tool_patient_code_confirm(struct tool_patient *p);
enum tool_exit tool_patient_code_recover(struct tool_patient *p);
enum tool_exit tool_patient_status(struct tool_patient *p);

#endif
