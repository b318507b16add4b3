/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the app share; nobody else includes it. */
#ifndef FEDERATION_APP_INSIDE_H
#define FEDERATION_APP_INSIDE_H

#include "crypto/ident/device_list.h"
#include "federation/app/app.h"
#include "federation/app/kv.h"
#include "federation/app/rec.h"
#include "proto/base/limits.h"

enum {
    FED_APP_CONNS = 16,
    FED_APP_MOVES = 4 /* files at once */
};

/* A clinic that is connected. */
struct fed_app_conn {
    struct clinic_id root;
    uint64_t serial; /* 0: free */
};

/* A file under way. */
struct fed_app_moving {
    bool active;
    struct thread_id thread;
    uint8_t blob[32];
    struct clinic_id far; /* the clinic behind who only carries; zeros */
    uint64_t serial;
    uint64_t asked; /* chunks asked for, or sent */
    uint64_t moved; /* answers since its turn began */
    uint64_t there; /* chunks of what goes up that the clinic has */
    uint64_t last_ms;
};

/* Frames outside the core, to go after the commit. */
struct fed_app_out {
    struct fed_app_out *next;
    struct clinic_id to;
    uint64_t serial;
    struct bytes frame;
};

/* Events of a turn. */
struct fed_app_events {
    struct fed_app_event *at;
    size_t len;
    size_t cap;
};

struct fed_app {
    struct fed_app_config c;
    const struct mem *mem;
    struct fed_app_kv kv;
    struct fed_core *core; /* NULL until there is a certificate */
    struct fed_app_rec_me me;
    struct bytes me_hold;
    struct ident_devices list; /* of me.list; generation 0: none */
    struct fed_app_conn conns[FED_APP_CONNS];
    struct fed_app_events events; /* of the turn being made */
    struct fed_app_events told;   /* of the one being committed */
    const struct fed_batch *batch;
    bool sent; /* its frames left already */
    bool committing;
    bool questions; /* whether one is refused unseen is still to be looked at */
    bool undone;    /* another device's decision may wait to be followed */
    bool between_due;      /* something may be to ask for (between.c) */
    bool importing;        /* from our own archive: nothing is news */
    uint64_t asked_serial; /* connection on which the archive was asked for */
    uint64_t asked_from;
    uint64_t keys_serial; /* connection on which its keys were asked for */
    uint64_t
        shared_serial; /* connection on which what is shared was asked for */
    uint64_t shared_heard; /* connection on which it came */
    uint64_t archive_full; /* the home that keeps no more, since this began */
    uint64_t given;        /* keys to other devices, in the hour of given_ms */
    uint64_t given_ms;
    uint64_t timer_ms;
    struct fed_app_moving moves[FED_APP_MOVES];
    struct fed_app_key picked; /* behind the file that began last */
    struct fed_app_out *out;   /* oldest first */
    struct fed_app_out **out_end;
};

/* ------------------------------------------------------------- events.c */

/* One more event, to be told with its turn's commit; zeroed but for kind. */
MUST_CHECK enum err fed_app_tell(struct fed_app *app,
                                 enum fed_app_event_kind kind,
                                 struct fed_app_event **out);
/* Those of the turn that is being committed: news, before it, or the rest. */
void fed_app_tell_all(const struct fed_app *app, bool news);
void fed_app_events_clear(struct fed_app *app, struct fed_app_events *ev);

/* ---------------------------------------------------------------- app.c */

uint64_t fed_app_now(const struct fed_app *app);
/* Whether e is a failure of ours rather than an answer. */
bool fed_app_ours(enum err e);
/* The connection to a clinic, or NULL. */
const struct fed_app_conn *fed_app_conn(const struct fed_app *app,
                                        const struct clinic_id *root);
/* Send something that the core has no part in. */
MUST_CHECK enum err fed_app_say(struct fed_app *app,
                                const struct fed_app_conn *to,
                                const struct proto_peer_msg *msg);
/* Make the core when there is what it needs, and tell it what changed. */
MUST_CHECK enum err fed_app_core(struct fed_app *app);

/* ----------------------------------------------------------------- me.c */

/* Read who we are; nobody when nothing is stored. */
MUST_CHECK enum err fed_app_me_load(struct fed_app *app);
/* Write *me, which may be app->me with changes. */
MUST_CHECK enum err fed_app_me_save(struct fed_app *app,
                                    const struct fed_app_rec_me *me);
void fed_app_me_clear(struct fed_app *app);

/* Secrets by name.  ERR_MISSING */
MUST_CHECK enum err fed_app_secret(struct fed_app *app, const char *name,
                                   uint8_t *out, size_t len);
MUST_CHECK enum err fed_app_secret_get(struct fed_app *app, const char *name,
                                       struct bytes *out);
MUST_CHECK enum err fed_app_secret_put(struct fed_app *app, const char *name,
                                       struct view secret);
MUST_CHECK enum err fed_app_secret_del(struct fed_app *app, const char *name);

/* Sign list as the patient, and with it this device's certificate. */
MUST_CHECK enum err fed_app_list_sign(struct fed_app *app,
                                      const struct prim_sign_key *patient,
                                      const struct ident_devices *list);
/* One above what we have, with this device in it, which may add. */
MUST_CHECK enum err fed_app_list_next(struct fed_app *app,
                                      struct ident_devices *out);
/* A fresh key for this device. */
MUST_CHECK enum err fed_app_new_device(struct fed_app *app);

/* The device key; secret.  ERR_MISSING  nobody yet */
MUST_CHECK enum err fed_app_device_key(struct fed_app *app,
                                       struct prim_sign_key *out);

/* Before the first clinic is asked: it becomes the home. */
MUST_CHECK enum err fed_app_first_home(struct fed_app *app,
                                       const struct clinic_id *home);

/*
 * A clinic has this list (verified here), and ours is older: take it, and when
 * the patient key is here to say something else, sign one above it.
 * ERR_AUTH, ERR_FORMAT ...  it is no list of ours;  ERR_STALE  not newer
 */
MUST_CHECK enum err fed_app_list_came(struct fed_app *app, struct view list);
/* This device is not in the newest list any more. */
MUST_CHECK enum err fed_app_removed(struct fed_app *app);
/* The home clinic has our newest list: a key kept for it goes. */
MUST_CHECK enum err fed_app_list_settled(struct fed_app *app);

/* --------------------------------------------------- what the core shows */

MUST_CHECK enum err fed_app_show(struct fed_app *app,
                                 const struct fed_show *show);

/* message.c */
uint64_t fed_app_place(uint64_t term, uint64_t seq);
/* Behind it lies what has no place yet. */
uint64_t fed_app_waiting(void);
struct fed_app_key fed_app_message_key(const struct thread_id *thread,
                                       uint64_t place);
struct fed_app_key fed_app_mark_key(const struct thread_id *thread,
                                    uint64_t kind);
/* Where a message is, by id.  ERR_MISSING */
MUST_CHECK enum err fed_app_find(struct fed_app *app,
                                 const struct thread_id *thread,
                                 const uint8_t id[32], uint64_t *place,
                                 uint64_t *number);
MUST_CHECK enum err fed_app_load_at(struct fed_app *app,
                                    const struct thread_id *thread,
                                    uint64_t place,
                                    struct fed_app_rec_message *out,
                                    struct bytes *hold);
MUST_CHECK enum err fed_app_show_message(struct fed_app *app,
                                         const struct fed_show *show);
MUST_CHECK enum err fed_app_show_state(struct fed_app *app,
                                       const struct fed_show *show);
MUST_CHECK enum err fed_app_past(struct fed_app *app,
                                 const struct thread_id *thread, uint64_t term,
                                 uint64_t from, uint64_t to,
                                 const struct mem *mem, struct fed_past *out);

MUST_CHECK enum err fed_app_known(struct fed_app *app,
                                  const struct thread_id *thread,
                                  const struct message_id *id,
                                  uint64_t *term_out, uint64_t *seq_out);

/* line.c */
MUST_CHECK enum err fed_app_show_continued(struct fed_app *app,
                                           const struct fed_show *show);
MUST_CHECK enum err fed_app_show_void(struct fed_app *app,
                                      const struct fed_show *show);
MUST_CHECK enum err fed_app_show_line(struct fed_app *app,
                                      const struct fed_show *show);
/* What names a line in the archive's news: the beginning of its key behind the
   thread.  ERR_MISSING  it is gone */
MUST_CHECK enum err fed_app_line_named(struct fed_app *app,
                                       const struct thread_id *thread,
                                       const uint8_t name[32],
                                       struct fed_line *out);
MUST_CHECK enum err fed_app_line_save(struct fed_app *app,
                                      const struct thread_id *thread,
                                      const struct fed_line *line);

/* doubt.c */
MUST_CHECK enum err fed_app_show_doubt(struct fed_app *app,
                                       const struct fed_show *show);

/* files.c */
struct fed_app_key fed_app_chunk_key(struct view chunks, uint64_t index);
MUST_CHECK enum err fed_app_file_load(struct fed_app *app,
                                      const struct thread_id *thread,
                                      const uint8_t blob[32],
                                      struct fed_app_rec_file *out,
                                      struct bytes *hold);
MUST_CHECK enum err fed_app_file_save(struct fed_app *app,
                                      const struct thread_id *thread,
                                      const uint8_t blob[32],
                                      const struct fed_app_rec_file *f);
MUST_CHECK enum err fed_app_files_of(struct fed_app *app,
                                     const struct thread_id *thread,
                                     const struct fed_app_rec_message *m,
                                     const struct proto_content *c);
MUST_CHECK enum err fed_app_files_pump(struct fed_app *app);
void fed_app_files_down(struct fed_app *app, uint64_t serial);
MUST_CHECK enum err fed_app_files_frame(struct fed_app *app,
                                        const struct fed_app_conn *from,
                                        struct view frame);
MUST_CHECK enum err fed_app_files_left(struct fed_app *app, uint32_t *out);

/* thread.c */
MUST_CHECK enum err fed_app_show_thread(struct fed_app *app,
                                        const struct fed_show *show);
/* The record, made if it is missing. */
MUST_CHECK enum err fed_app_thread_rec(struct fed_app *app,
                                       const struct thread_id *id,
                                       struct fed_app_rec_thread *out,
                                       struct bytes *hold);
MUST_CHECK enum err fed_app_thread_save(struct fed_app *app,
                                        const struct thread_id *id,
                                        const struct fed_app_rec_thread *rec);

/* The thread that it goes on from: said first (news), and zeros: not known. */
MUST_CHECK enum err fed_app_thread_continues(struct fed_app *app,
                                             const struct thread_id *id,
                                             const uint8_t from[32],
                                             bool *news);
void fed_app_thread_from(struct fed_app *app, const struct thread_id *id,
                         struct thread_id *out);

/* consent.c */
/* devices.c: another of our devices moved home: go there too. */
MUST_CHECK enum err fed_app_show_home(struct fed_app *app,
                                      const struct fed_show *show);
/* intro.c: what our devices say to who comes late; ERR_MISSING  no name */
MUST_CHECK enum err fed_app_intro(struct fed_app *app, const struct mem *mem,
                                  struct bytes *out);
MUST_CHECK enum err fed_app_show_intro(struct fed_app *app,
                                       const struct fed_show *show);
MUST_CHECK enum err fed_app_show_consent(struct fed_app *app,
                                         const struct fed_show *show);
/* For the archive: the record that a note names; all are noted again; one that
   another device had. */
MUST_CHECK enum err fed_app_consent_kept(struct fed_app *app,
                                         const uint8_t name[32],
                                         struct bytes *out);
MUST_CHECK enum err fed_app_consent_note_all(struct fed_app *app);
MUST_CHECK enum err fed_app_consent_import(struct fed_app *app,
                                           struct view record);

/* archive.c: what a later device gets (its keys follow from the code). */
enum fed_app_kept {
    FED_APP_KEPT_MESSAGE = 1, /* id, author, place, body: content */
    FED_APP_KEPT_THREAD = 2,  /* id: the one that it goes on from, or its own;
                                 author: hub, term: flags, seq: state, body:
                                 group,  more: title */
    FED_APP_KEPT_CLINIC = 3,  /* id: root, term: learned, body: profile,
                                  more: addresses */
    FED_APP_KEPT_LINE = 4,    /* id: who, author: by, term: what, seq: at,
                                  body: the device, or zeros */
    FED_APP_KEPT_CONSENT = 5  /* id: our number, body: the record */
};
/* Something is worth keeping; id: of a message or clinic. */
MUST_CHECK enum err fed_app_archive_note(struct fed_app *app,
                                         enum fed_app_kept kind,
                                         const struct thread_id *thread,
                                         const uint8_t id[32]);
/* The part of the archive that is wanted next stands under this; 0: none. */
#define FED_APP_ARCHIVE_FROM "archive_from"
/* Give what waits to the home clinic, ask it for what we lack; before the
   core's batch is taken. */
MUST_CHECK enum err fed_app_archive_pump(struct fed_app *app);
/* The home clinic is connected and has said all that it had. */
bool fed_app_home_ready(struct fed_app *app, struct clinic_id *out);
/* Whether something could go now: the next turn should come soon. */
bool fed_app_archive_waits(struct fed_app *app);
MUST_CHECK enum err fed_app_show_archive(struct fed_app *app,
                                         const struct fed_show *show);
/* This clinic was restored: if it is our home, it gets everything again. */
MUST_CHECK enum err fed_app_archive_again(struct fed_app *app,
                                          const struct clinic_id *clinic);
/* This device is new: everything is wanted. */
MUST_CHECK enum err fed_app_archive_want(struct fed_app *app);
/* between.c: a thread is shown, or stands in the archive; t is saved by the
   caller. */
void fed_app_between_shown(struct fed_app *app, struct fed_app_rec_thread *t);
void fed_app_between_kept(struct fed_app *app,
                          const struct fed_app_rec_entry *in,
                          struct fed_app_rec_thread *t);
/* Known from before this device, and it is not in it. */
bool fed_app_between_away(struct fed_app *app, const struct thread_id *id,
                          const struct fed_app_rec_thread *t);
/* Ask for what lies between; before the core's batch is taken. */
MUST_CHECK enum err fed_app_between_pump(struct fed_app *app);
/* import.c: the entries of an opened part. */
MUST_CHECK enum err fed_app_import(struct fed_app *app,
                                   const struct fed_app_rec_part *part);
/* Whether this device is the one that writes it: the first of the list. */
bool fed_app_archivist(struct fed_app *app);

/* ring.c: its keys, one for each number n of a list that the patient key
   signed */
uint64_t fed_app_ring_number(const struct fed_app *app); /* the present n */
/* Secret.  ERR_MISSING  we do not have it */
MUST_CHECK enum err fed_app_ring_key(struct fed_app *app, uint64_t n,
                                     uint8_t out[32]);
MUST_CHECK enum err fed_app_ring_put(struct fed_app *app, uint64_t n,
                                     const uint8_t key[32]);
/* A list is signed: its key, for us and for the others. */
MUST_CHECK enum err fed_app_ring_sign(struct fed_app *app,
                                      const struct prim_sign_key *patient,
                                      const struct ident_devices *list);
/* On a new phone: until all is read, what makes all keys is here. */
MUST_CHECK enum err fed_app_ring_recover(struct fed_app *app,
                                         const struct prim_sign_key *patient);
MUST_CHECK enum err fed_app_ring_read_all(struct fed_app *app);
/* The home gets ours. */
MUST_CHECK enum err fed_app_ring_due(struct fed_app *app);
/* We were added: the older keys are wanted. */
MUST_CHECK enum err fed_app_ring_want(struct fed_app *app);
/* Whether it is in the ring itself. */
MUST_CHECK enum err fed_app_ring_has(struct fed_app *app, uint64_t n,
                                     bool *out);
/* Key n of a patient for one device, and what this device finds in it.
   ERR_MISSING  it is for another; ERR_AUTH */
MUST_CHECK enum err fed_app_ring_seal(struct fed_app *app,
                                      const uint8_t patient[32], uint64_t n,
                                      const struct device_id *device,
                                      const uint8_t key[32],
                                      struct fed_app_rec_sealed *out);
MUST_CHECK enum err fed_app_ring_open(struct fed_app *app,
                                      const uint8_t patient[32], uint64_t n,
                                      const struct fed_app_rec_sealed *in,
                                      uint8_t out[32]);
/* Give ours to the home clinic, or ask it for what we lack. */
MUST_CHECK enum err fed_app_ring_pump(struct fed_app *app,
                                      const struct clinic_id *home);
/* The home clinic has these: an encoded ARCHIVE_KEYS. */
MUST_CHECK enum err fed_app_show_keys(struct fed_app *app, struct view body);

/* lack.c: a key that this device does not have.  Something that lies under key
   n could not be read; is such a key wanted; ask for it, and for the newest,
   after the home clinic said what it keeps; an encoded ARCHIVE_KEY came. */
MUST_CHECK enum err fed_app_lack_note(struct fed_app *app, uint64_t n);
MUST_CHECK enum err fed_app_lacks(struct fed_app *app, bool *out);
MUST_CHECK enum err fed_app_lack_ask(struct fed_app *app);
MUST_CHECK enum err fed_app_show_lack(struct fed_app *app,
                                      const struct fed_show *show);

/* sealed.c: under the newest key of the archive; under the one it names. */
MUST_CHECK enum err fed_app_sealed_make(struct fed_app *app, const char *label,
                                        struct view body, struct bytes *out);
/* *body points into *hold.  ERR_MISSING  *n is a key that we lack; ERR_FORMAT,
   ERR_AUTH */
MUST_CHECK enum err fed_app_sealed_open(struct fed_app *app, const char *label,
                                        struct view in, uint64_t *n,
                                        struct bytes *hold, struct view *body);

/* shared.c: what the person decided on one device and all of them follow. */
enum fed_app_choice {
    FED_APP_CHOICE_BLOCKED = 1, /* nothing of this clinic, please */
    FED_APP_CHOICE_HOME = 2     /* it was home until at_ms; data: addresses */
};
/* Decided here: the newest from now on. */
MUST_CHECK enum err fed_app_choose(struct fed_app *app,
                                   enum fed_app_choice kind,
                                   const struct clinic_id *clinic, bool on,
                                   struct view data);
/* This device knows nothing yet; code: it has nothing but the recovery code. */
MUST_CHECK enum err fed_app_shared_want(struct fed_app *app, bool code);
/* The home gets ours. */
MUST_CHECK enum err fed_app_shared_due(struct fed_app *app);
MUST_CHECK enum err fed_app_shared_pump(struct fed_app *app,
                                        const struct clinic_id *home);
/* Whether something could go to the home now. */
bool fed_app_shared_waits(struct fed_app *app);
/* Whether its answer is under way. */
bool fed_app_shared_asked(struct fed_app *app);
/* An encoded SHARED came. */
MUST_CHECK enum err fed_app_show_shared(struct fed_app *app,
                                        const struct fed_show *show);

/* message.c, for archive.c: what one message says.  ERR_MISSING */
MUST_CHECK enum err fed_app_message_rec(struct fed_app *app,
                                        const struct thread_id *thread,
                                        const uint8_t id[32],
                                        struct fed_app_rec_message *out,
                                        struct bytes *hold);

/* picture.c: FED_SHOW_PICTURE; and after a change of rec, an old one goes. */
MUST_CHECK enum err fed_app_show_picture(struct fed_app *app,
                                         const struct fed_show *show);
MUST_CHECK enum err fed_app_picture_fit(struct fed_app *app,
                                        const struct clinic_id *root,
                                        const struct fed_app_rec_clinic *rec);

/* block.c: what another device decided. */
MUST_CHECK enum err fed_app_block_follow(struct fed_app *app,
                                         const struct clinic_id *root,
                                         bool blocked);
/* devices.c: a clinic that was the home, at these addresses. */
MUST_CHECK enum err fed_app_home_before(struct fed_app *app,
                                        const struct clinic_id *root,
                                        struct view addrs, uint64_t until_ms);

/* clinic.c */
MUST_CHECK enum err fed_app_show_clinic(struct fed_app *app,
                                        const struct fed_show *show);
MUST_CHECK enum err fed_app_clinic_rec(struct fed_app *app,
                                       const struct clinic_id *root,
                                       struct fed_app_rec_clinic *out,
                                       struct bytes *hold);
/* EV_CLINIC. */
MUST_CHECK enum err fed_app_clinic_tell(struct fed_app *app,
                                        const struct clinic_id *root,
                                        const struct fed_app_rec_clinic *rec);
/* A further device, or a new phone: the home clinic knows the patient. */
MUST_CHECK enum err fed_app_ask_home(struct fed_app *app, struct view addrs);
MUST_CHECK enum err fed_app_ask_clinic(struct fed_app *app,
                                       const struct clinic_id *root,
                                       struct view addrs);
/* Its key stays with us until its clinic has what it signed. */
MUST_CHECK enum err fed_app_look_settled(struct fed_app *app);
bool fed_app_recovering(struct fed_app *app);
/* What is known of a clinic.  ERR_MISSING */
MUST_CHECK enum err fed_app_clinic_known(struct fed_app *app,
                                         const struct clinic_id *root,
                                         struct fed_app_rec_clinic *out,
                                         struct bytes *hold);
MUST_CHECK enum err fed_app_is_blocked(struct fed_app *app,
                                       const struct clinic_id *root, bool *out);
/* "No" to what waits of, or about, clinics that are blocked. */
MUST_CHECK enum err fed_app_refuse_unwanted(struct fed_app *app);

MUST_CHECK enum err fed_app_clinic_save(struct fed_app *app,
                                        const struct clinic_id *root,
                                        const struct fed_app_rec_clinic *rec);

#endif
