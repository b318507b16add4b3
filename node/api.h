/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask of the node, as one JSON object in and one out:
 *
 *     {"do": "link create", "args": [...], "flags": {"label": "...", ...}}
 *     {"ok": true, ...}
 *     {"ok": false, "error": "missing", "say": "There is no link ..."}
 *
 * Commands have the names, arguments and flags of the command line.  Files
 * come as descriptors beside the request.  Each rule behind them is in
 * node/clinic; here they are named, checked and put into words.
 */
#ifndef NODE_API_H
#define NODE_API_H

#include "node/clinic/event.h"
#include "node/config.h"
#include "node/news.h"
#include "node/runner.h"
#include "node/sandbox.h"
#include "node/sysclock.h"
#include "node/vault.h"
#include "proto/msg/addr.h"
#include "proto/msg/link.h"
#include "store/audit.h"
#include "store/clinic.h"
#include "store/contact.h"
#include "store/conv.h"
#include "store/invite.h"
#include "store/link.h"
#include "store/member.h"
#include "store/msg.h"
#include "store/patient.h"
#include "store/writer.h"

#include <jansson.h>
#include <pthread.h>

enum {
    NODE_API_FILES = 16,
    NODE_LINK_DAYS = 14, /* of one-time links; public ones stay */
    NODE_API_ADDRS = PROTO_LINK_ADDRS_MAX
};

/* The daemon as its requests see it. */
struct node_api {
    const struct mem *mem;
    const struct log *log;
    const struct node_config *config;
    struct store *store;
    struct node_runner *runner;
    struct node_vault *vault;
    struct member_id member; /* whoever may open the socket acts as this one */
    struct phi member_name;  /* goes into what they write */
    struct proto_addr addrs[NODE_API_ADDRS];
    size_t addrs_len;
    uint64_t started_ms;
    struct node_sandbox sandbox;

    pthread_mutex_t identity_mx; /* one change of the two at a time */
    /* Whoever holds a transaction reads the profile under this one instead:
       a change waits for the writer under identity_mx, the writer for
       readers.  Never held across anything that waits. */
    pthread_mutex_t self_mx;
    struct clinic_id root;         /* ours; set once, before anybody asks */
    struct node_identity identity; /* under identity_mx */
    struct node_profile profile;

    _Atomic uint64_t renewal_failed; /* tries to renew the certificate */
    _Atomic int hook_ended; /* how the last run of --on-event did; 0: well */

    pthread_mutex_t journal_mx; /* `watch` waits for new rows here */
    pthread_cond_t journal_cond;
    uint64_t journal_seq;
    struct node_news news;
    bool stopping;
};

/* One request being answered. */
struct node_call {
    struct node_api *api;
    json_t *args;  /* array of strings */
    json_t *flags; /* object */
    json_t *out;   /* object, filled by the command */
    json_t *say;   /* string: what went wrong and what to do; or NULL */
    int files[NODE_API_FILES];
    size_t files_len;
    /* Send one line now, for what goes on; false: nobody listens any more.
       NULL sends nothing and only asks that. */
    bool (*emit)(void *ctx, json_t *line);
    void *emit_ctx;
};

/* jansson frees through wiping memory from now on: once, before all else. */
void node_json_init(void);

/* Answer one request; the result is owned by the caller, NULL: no memory. */
json_t *node_api_answer(struct node_api *api, const json_t *request,
                        const int *files, size_t files_len,
                        bool (*emit)(void *ctx, json_t *line), void *emit_ctx);

/* Wake whoever watches: something was committed, or the end is near. */
void node_api_journal(struct node_api *api, uint64_t seq, bool stopping);

/* ---------------------------------------------------------- for the commands
 */

/* Argument i, or an empty view. */
struct view node_call_arg(const struct node_call *c, size_t i);
/* A flag's text, or an empty view. */
struct view node_call_flag(const struct node_call *c, const char *name);
bool node_call_has(const struct node_call *c, const char *name);
/* A flag's number; otherwise when it is not given.  ERR_INVALID, said. */
MUST_CHECK enum err node_call_number(struct node_call *c, const char *name,
                                     uint64_t otherwise, uint64_t *out);

/* Wait until the journal is behind after, a second at most; false: the node
   stops. */
bool node_api_wait(struct node_api *api, uint64_t after);

/* --limit, from 1 to most.  ERR_INVALID, ERR_LIMIT, said. */
MUST_CHECK enum err node_call_limit(struct node_call *c, uint64_t otherwise,
                                    uint64_t most, uint64_t *out);

/* Say why; the sentence replaces an earlier one.  Returns e. */
enum err node_call_fail(struct node_call *c, enum err e, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* The answer: c->out with "ok", or why not.  The caller's; NULL: no memory. */
json_t *node_call_reply(struct node_call *c, enum err e);

/* Put into objects.  Words that are not UTF-8 become "?".  Failures of memory
   show as a missing field. */
void node_json_view(json_t *o, const char *key, struct view text);
void node_json_hex(json_t *o, const char *key, struct view id);
void node_json_num(json_t *o, const char *key, uint64_t n);
void node_json_bool(json_t *o, const char *key, bool b);
/* "picture": what it is. */
void node_json_picture(json_t *o, const struct proto_picture *p);
/* A new object at the end of array, or NULL. */
json_t *node_json_item(json_t *array);
/* A new array in o. */
json_t *node_json_array(json_t *o, const char *key);
/* What this clinic is called now. */
void node_json_own_name(json_t *o, const char *key, struct node_api *api);

/* --------------------------------------------- finding what people call so */

/*
 * By a prefix (4 digits or more) of its id, by its name, or by the beginning
 * of its name if only one begins so.
 * ERR_MISSING, ERR_INVALID (several)  said
 */
MUST_CHECK enum err node_find_clinic(struct node_call *c, struct store_txn *txn,
                                     struct view ref, struct store_clinic *out);
MUST_CHECK enum err node_find_link(struct node_call *c, struct store_txn *txn,
                                   struct view ref, struct store_link *out);
MUST_CHECK enum err node_find_invite(struct node_call *c, struct store_txn *txn,
                                     struct view ref, struct store_invite *out);
MUST_CHECK enum err node_find_contact(struct node_call *c,
                                      struct store_txn *txn, struct view ref,
                                      struct store_contact *out);
/* Also by its number in the inbox. */
MUST_CHECK enum err node_find_conv(struct node_call *c, struct store_txn *txn,
                                   struct view ref, struct store_conv *out);
/* A message by its number. */
MUST_CHECK enum err node_find_msg(struct node_call *c, struct store_txn *txn,
                                  struct view ref, struct store_msg *out);

MUST_CHECK enum err node_find_patient(struct node_call *c,
                                      struct store_txn *txn, struct view ref,
                                      struct store_patient *out);

/* Somebody outside, a clinic or a patient. */
struct node_who {
    bool patient;
    struct clinic_id id; /* or the patient's, which is as long */
    struct phi name;     /* what they are called here; freed by the holder */
};
MUST_CHECK enum err node_find_who(struct node_call *c, struct store_txn *txn,
                                  struct view ref, struct node_who *out);

/* Write: the desk keeps a patient as blocked, or as ended again. */
MUST_CHECK enum err node_block_patient(struct store_txn *txn,
                                       const struct clinic_id *who,
                                       bool blocked);

/* What to call a patient. */
void node_patient_label(struct store_txn *txn, const struct store_patient *p,
                        struct phi *out);
/* How a key was learned, in words. */
const char *node_learned_word(enum store_learned l);

/* What to call a clinic, a conversation; empty without memory. */
void node_clinic_label(struct store_txn *txn, const struct store_clinic *c,
                       struct phi *out);
void node_conv_label(struct store_txn *txn, const struct store_conv *conv,
                     struct phi *out);

/* The text of a link as it is given out; has its secret. */
MUST_CHECK enum err node_link_text(const struct node_api *api,
                                   const struct store_link *l,
                                   struct bytes *out);
/* What the protocol has to know of it; forward is borrowed. */
void node_link_core(const struct store_link *l, struct view forward,
                    struct fed_link *out);
const char *node_link_state(const struct store_link *l, uint64_t now_ms);
/* --expires: 30d, 12h, 90m or 2027-01-31.  ERR_INVALID, said */
MUST_CHECK enum err node_call_expiry(struct node_call *c, uint64_t now_ms,
                                     uint64_t *out);

/* The words of a question or a consent that speaker's clinic said. */
void node_json_consent(struct node_call *c, const struct clinic_id *speaker,
                       const struct proto_content *content, json_t *o);

/* Whether the flags of a question to a patient are right.  ERR_INVALID, said */
MUST_CHECK enum err node_thread_asked_flags(struct node_call *c);

/* Add a clinic to a thread with a patient: asked, or recorded at the desk, as
   the flags say. */
MUST_CHECK enum err node_thread_add_asked(struct node_call *c,
                                          const struct thread_id *thread,
                                          const struct store_clinic *clinic);

/* Patients, those who wait for a decision or the others, into array. */
MUST_CHECK enum err node_patients_list(struct node_call *c,
                                       struct store_txn *txn, bool requests,
                                       json_t *array);

/* Write: an audit row of the member who acts. */
MUST_CHECK enum err node_audit_member(struct store_txn *txn,
                                      const struct node_api *api,
                                      enum node_audit action,
                                      struct view object, uint64_t n);

/* Whoever may open the socket acts as m from now on.  Before the first
   request; member_name is freed by the holder of api. */
MUST_CHECK enum err node_api_act_as(struct node_api *api,
                                    const struct store_member *m);
/* That one, as messages name their author (decisions C 31).  out->name is
   valid as long as api. */
void node_api_author(const struct node_api *api, struct proto_author *out);

/* ---------------------------------------------------------------- commands */

enum err node_cmd_link_create(struct node_call *c);
enum err node_cmd_link_list(struct node_call *c);
enum err node_cmd_link_show(struct node_call *c);
enum err node_cmd_link_revoke(struct node_call *c);
enum err node_cmd_link_rotate(struct node_call *c);

enum err node_cmd_look(struct node_call *c);
enum err node_cmd_look_end(struct node_call *c);
enum err node_cmd_connect(struct node_call *c);
enum err node_cmd_requests(struct node_call *c);
enum err node_cmd_accept(struct node_call *c);
enum err node_cmd_refuse(struct node_call *c);
enum err node_cmd_clinics(struct node_call *c);
enum err node_cmd_clinics_show(struct node_call *c);
enum err node_cmd_disconnect(struct node_call *c);
enum err node_cmd_block(struct node_call *c);
enum err node_cmd_unblock(struct node_call *c);

enum err node_cmd_invite(struct node_call *c);
enum err node_cmd_invites(struct node_call *c);
enum err node_cmd_invite_resend(struct node_call *c);
enum err node_cmd_invite_revoke(struct node_call *c);

enum err node_cmd_patients(struct node_call *c);
enum err node_cmd_devices(struct node_call *c);
enum err node_cmd_device_suspend(struct node_call *c);
enum err node_cmd_device_resume(struct node_call *c);
enum err node_cmd_compare(struct node_call *c);
enum err node_cmd_consents(struct node_call *c);
enum err node_cmd_thread_ask(struct node_call *c);
enum err node_cmd_thread_members(struct node_call *c);
enum err node_cmd_contact_link(struct node_call *c);
enum err node_cmd_contact_unlink(struct node_call *c);

enum err node_cmd_inbox(struct node_call *c);
enum err node_cmd_thread_show(struct node_call *c);
enum err node_cmd_thread_new(struct node_call *c);
enum err node_cmd_thread_add(struct node_call *c);
enum err node_cmd_thread_remove(struct node_call *c);
enum err node_cmd_thread_hand_over(struct node_call *c);
enum err node_cmd_thread_leave(struct node_call *c);
enum err node_cmd_thread_settle(struct node_call *c);
enum err node_cmd_send(struct node_call *c);
enum err node_cmd_edit(struct node_call *c);
enum err node_cmd_delete(struct node_call *c);
enum err node_cmd_react(struct node_call *c);
enum err node_cmd_save_attachment(struct node_call *c);
enum err node_cmd_watch(struct node_call *c);

enum err node_cmd_contact_add(struct node_call *c);
enum err node_cmd_contact_show(struct node_call *c);
enum err node_cmd_contact_edit(struct node_call *c);
enum err node_cmd_contact_note(struct node_call *c);
enum err node_cmd_contact_find(struct node_call *c);

enum err node_cmd_status(struct node_call *c);
enum err node_cmd_peers(struct node_call *c);
enum err node_cmd_doctor(struct node_call *c);
enum err node_cmd_profile_show(struct node_call *c);
enum err node_cmd_profile_set(struct node_call *c);
enum err node_cmd_recovery_sheet(struct node_call *c);
enum err node_cmd_recovery_check(struct node_call *c);
enum err node_cmd_rotate_key(struct node_call *c);
enum err node_cmd_backup(struct node_call *c);
enum err node_cmd_audit(struct node_call *c);
enum err node_cmd_report(struct node_call *c);
enum err node_cmd_reports(struct node_call *c);
enum err node_cmd_report_close(struct node_call *c);
enum err node_cmd_splice_allow(struct node_call *c);
enum err node_cmd_splice_deny(struct node_call *c);

/* What a message says. */
void node_json_content(const struct proto_content *content, json_t *into);

/* One message as JSON, for thread show and watch. */
void node_json_message(struct node_call *c, struct store_txn *txn,
                       const struct store_conv *conv, const struct store_msg *m,
                       json_t *into);

#endif
