/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client library: what a patient's app is, without its screen, its sockets
 * and its files.  A device runs the same protocol as a clinic's node
 * (federation/core in device mode) and, on it, what an app keeps for a person:
 * clinics, threads, messages as shown, consents, devices.
 *
 *     host --frames, ticks, what a person asks--> fed_app_* calls
 *          <--storage (5 calls), transport (5 calls), events------ fed_app_turn
 *
 * Who builds an app brings a storage and a transport and calls fed_app_turn
 * after each call that may have changed something: it commits all since the
 * last turn as one transaction, and only then lets frames out.  So everything
 * goes on after a crash: nothing acknowledged is lost, nothing is there twice.
 *
 * One thread at a time.  No I/O, clock or randomness of its own: the same
 * sources run in a browser (wasm) with another storage and transport.
 *
 * Errors that a contract names are answers: nothing changed.  ERR_NOMEM,
 * ERR_IO, ERR_FULL, ERR_CORRUPT and ERR_INTERNAL of any call mean that what
 * was not committed is dropped: close all connections, call fed_app_reset, and
 * ask the person's last request again.
 */
#ifndef FEDERATION_APP_APP_H
#define FEDERATION_APP_APP_H

#include "federation/core/core.h"
#include "federation/core/line.h"
#include "proto/msg/link.h"
#include "proto/msg/picture.h"

struct fed_app;

/* ------------------------------------------------------------------ storage */

/*
 * Where records live: ordered by key (memcmp), opaque values.  Spaces below
 * FED_APP_ME are enum fed_ns of the core.  What fed_app_space_is_secret says
 * yes to must not be readable any more once deleted or rotated, as far as the
 * host can do that (decisions G 28); the first 32 bytes of such a key are its
 * owner, what rotates together.
 */
enum fed_app_space {
    FED_APP_ME = 64,      /* one record: who we are */
    FED_APP_SECRET = 65,  /* owner of zeros, name: device key, code, ... */
    FED_APP_CLINIC = 66,  /* clinic root */
    FED_APP_THREAD = 67,  /* thread id */
    FED_APP_MESSAGE = 68, /* thread id, place */
    FED_APP_PLACE = 69,   /* thread id, message id: its place */
    FED_APP_NUMBER = 70,  /* thread id, number for people: message id */
    FED_APP_MARK = 71,    /* thread id, kind, subject: how far */
    FED_APP_CONSENT = 72, /* consent id */
    FED_APP_FILE = 73,    /* thread id, blob: a file on its way */
    FED_APP_CHUNK = 74,   /* blob, index: a sealed chunk */
    FED_APP_COUNT = 75,   /* name: a counter */
    FED_APP_NEWS = 76,    /* number: what happened, for people */
    FED_APP_DOUBT = 77,   /* thread id, what, subject: since when */
    FED_APP_PICTURE = 78, /* clinic root: its picture */
    FED_APP_CHOICE = 79,  /* kind, clinic root: what all devices follow */
    FED_APP_LINE = 80,    /* thread id, place, what, who: core/line.h */
    FED_APP_FROM = 81,    /* thread id: the one that it goes on from */
    FED_APP_SPACE_END
};

bool fed_app_space_is_secret(uint8_t space);

struct fed_app_store {
    /* ERR_MISSING  no such record.  *out is empty before. */
    enum err (*get)(void *ctx, uint8_t space, struct view key,
                    const struct mem *mem, struct bytes *out);
    /* The first record of space with key >= from.  ERR_MISSING  none */
    enum err (*next)(void *ctx, uint8_t space, struct view from,
                     const struct mem *mem, struct bytes *key_out,
                     struct bytes *value_out);
    /* Part of the next commit; del of what is not there is OK.  Copies. */
    enum err (*put)(void *ctx, uint8_t space, struct view key,
                    struct view value);
    enum err (*del)(void *ctx, uint8_t space, struct view key);
    /*
     * All puts and dels since the last commit, or none; durable when OK.
     * rotate: owners whose secret records get a new key with it.
     * ERR_AGAIN  it is under way: the host calls fed_app_committed
     */
    enum err (*commit)(void *ctx, const struct thread_id *rotate,
                       size_t rotate_len);
    void *ctx;
};

/* ---------------------------------------------------------------- transport */

/* Called from fed_app_turn, after the commit; must not call the app. */
struct fed_app_net {
    /* Keep a connection to this clinic; addrs as proto_addr_append. */
    void (*want)(void *ctx, const struct clinic_id *clinic, struct view addrs);
    void (*unwant)(void *ctx, const struct clinic_id *clinic);
    /* A frame for connection serial; what is lost with it is said again. */
    void (*send)(void *ctx, const struct clinic_id *clinic, uint64_t serial,
                 struct view frame);
    /* Frames of any size may come from now on. */
    void (*known)(void *ctx, const struct clinic_id *clinic, uint64_t serial);
    /* Send what is queued and close. */
    void (*close)(void *ctx, const struct clinic_id *clinic, uint64_t serial);
    void *ctx;
};

/* ------------------------------------------------------------------- events */

/* Something changed, by ids: read it again.  No words of people in here. */
enum fed_app_event_kind {
    FED_APP_EV_CLINIC = 1, /* clinic: a link answered, enrolled, profile, ... */
    FED_APP_EV_THREAD = 2, /* thread: new, members, title, ended */
    FED_APP_EV_MESSAGE = 3,  /* thread, message, number: new in its place */
    FED_APP_EV_STATE = 4,    /* thread, message: accepted, failed, edited */
    FED_APP_EV_READ = 5,     /* thread: somebody received or read */
    FED_APP_EV_CONSENT = 6,  /* code enum fed_app_consent_state */
    FED_APP_EV_DEVICES = 7,  /* code 1: alarm, 2: we were removed */
    FED_APP_EV_FILE = 8,     /* thread, message: code enum fed_app_file_end */
    FED_APP_EV_TROUBLE = 9,  /* code enum fed_app_trouble */
    FED_APP_EV_ARCHIVE = 10, /* history came back: number of messages */
    FED_APP_EV_PROOF = 11,   /* thread: code 1, it can be proven (report.h) */
    FED_APP_EV_NEWS = 12     /* before the commit (README): its hub has it */
};

/* How the move of a file ended. */
enum fed_app_file_end {
    FED_APP_FILE_HERE = 0,   /* complete here, or where its message goes */
    FED_APP_FILE_DENIED = 1, /* the clinic does not take or give it */
    FED_APP_FILE_QUOTA = 2   /* more than a clinic takes in a day */
};

enum fed_app_trouble {
    FED_APP_TROUBLE_GAP = 1,     /* messages are missing here */
    FED_APP_TROUBLE_OVERDUE = 3, /* not delivered for a day */
    FED_APP_TROUBLE_COPY = 4,    /* a newer copy of this app runs: stop */
    FED_APP_TROUBLE_ARCHIVE = 5, /* the home clinic keeps no more history */
    /* message.b[0]: enum fed_app_doubt_what; clinic carries; number 0: over */
    FED_APP_TROUBLE_DOUBT = 6
};

struct fed_app_event {
    enum fed_app_event_kind kind;
    uint64_t code;
    uint64_t number;
    struct clinic_id clinic;
    struct thread_id thread;
    struct message_id message;
};

/* --------------------------------------------------------------------- life */

struct fed_app_config {
    const struct mem *mem;
    const struct rng *rng;
    const struct clock *clock;
    const struct log *log; /* or NULL */
    struct fed_app_store store;
    struct fed_app_net net;
    /* After the commit of what it tells, but for news; may be NULL. */
    void (*event)(void *ctx, const struct fed_app_event *ev);
    void *event_ctx;
};

/*
 * The app on what its storage holds.  A fresh storage has nobody in it yet:
 * fed_app_stage is FED_APP_NOBODY until fed_app_new_patient, fed_app_recover
 * or fed_app_be_added.
 */
MUST_CHECK enum err fed_app_open(const struct fed_app_config *config,
                                 struct fed_app **out);
void fed_app_close(struct fed_app *app);

/* After a failure: forget what is not committed.  Connections are closed. */
MUST_CHECK enum err fed_app_reset(struct fed_app *app);

/*
 * Commit and let out everything since the last turn.  *timer_ms: call
 * fed_app_tick at this mono time; 0: no need.
 * ERR_AGAIN  the storage commits; fed_app_committed goes on
 */
MUST_CHECK enum err fed_app_turn(struct fed_app *app, uint64_t *timer_ms);
/* The commit that was under way ended with result. */
MUST_CHECK enum err fed_app_committed(struct fed_app *app, enum err result,
                                      uint64_t *timer_ms);

/*
 * For a storage whose commit is durable before it can be read.  From within
 * commit, at most once: frames may leave, and commit will give OK (or ERR_AGAIN
 * and then OK).  wants: whether anything hurries so much; an acknowledgement
 * does not.
 */
bool fed_app_wants_durable(const struct fed_app *app);
void fed_app_durable(struct fed_app *app);

/* From the transport; up is as proven by its handshake. */
MUST_CHECK enum err fed_app_up(struct fed_app *app, const struct fed_up *up);
MUST_CHECK enum err fed_app_down(struct fed_app *app,
                                 const struct clinic_id *clinic,
                                 uint64_t serial);
MUST_CHECK enum err fed_app_frame(struct fed_app *app,
                                  const struct clinic_id *clinic,
                                  uint64_t serial, struct view frame);
MUST_CHECK enum err fed_app_tick(struct fed_app *app);

/*
 * How things stand with the clinics that we are connected to, or want to be.
 * A command that ends waits for settled.
 */
struct fed_app_sync {
    uint32_t wanted;    /* clinics */
    uint32_t up;        /* of them connected and greeted */
    uint32_t asking;    /* of them not answered yet */
    uint64_t queued;    /* items of ours that are not durable there yet */
    uint64_t rejoining; /* threads whose state was asked for just now */
    uint64_t behind;    /* items there that we do not have yet */
    uint32_t files;     /* on their way */
    bool settled;       /* all up, nothing queued, nothing behind */
};
void fed_app_sync(struct fed_app *app, struct fed_app_sync *out);

/* The home clinic keeps no more history for later devices: what is new from now
   on is on this device only. */
bool fed_app_archive_full(struct fed_app *app);

/* Before an app that settled ends: what is gathered for a moment (receipts)
   goes now.  *owed_out: something did; the next turn brings it. */
MUST_CHECK enum err fed_app_rest(struct fed_app *app, bool *owed_out);

/* ----------------------------------------------------------------- identity */

enum fed_app_stage {
    FED_APP_NOBODY = 0,
    FED_APP_ASKING =
        1, /* a new device, to be added by another of the patient */
    FED_APP_READY = 2
};

enum fed_app_code_state {
    FED_APP_CODE_NONE = 0,      /* this device never had it, or forgot it */
    FED_APP_CODE_UNWRITTEN = 1, /* to be shown and confirmed */
    FED_APP_CODE_CONFIRMED = 2  /* confirmed here once, and forgotten */
};

struct fed_app_me {
    enum fed_app_stage stage;
    enum fed_app_code_state code;
    struct patient_id patient;
    struct device_id device;
    struct clinic_id home; /* zeros: none yet */
    uint64_t generation;   /* of the device list */
    bool may_add;
    bool alarm;   /* two lists of one generation exist (decisions F 23) */
    bool removed; /* this device is not in the newest list */
    bool settled; /* the home clinic has the newest list */
};

/* Also when there is nobody yet: all zeros. */
void fed_app_me(struct fed_app *app, struct fed_app_me *out);

/* What the native handshake needs; *seed is secret.  ERR_STATE  nobody */
struct fed_app_identity {
    struct patient_id patient;
    uint8_t seed[32]; /* of the device key */
    struct view cert; /* borrowed until the next call */
};
MUST_CHECK enum err fed_app_identity(struct fed_app *app,
                                     struct fed_app_identity *out);

/*
 * A new patient with a fresh recovery code; this is the first device.  The
 * code stays, sealed, until confirmed.  ERR_STATE  there is somebody already
 */
MUST_CHECK enum err fed_app_new_patient(struct fed_app *app);

/* The code's words and QR text; secret, freed by the caller.
   ERR_MISSING  forgotten, or never here */
MUST_CHECK enum err fed_app_code(struct fed_app *app, struct bytes *words_out,
                                 struct bytes *qr_out);

/*
 * The person typed it back: from the next turn on it is gone from this device.
 * ERR_MISSING  as above; others as ident_code_read; ERR_AUTH  another code
 */
MUST_CHECK enum err fed_app_code_confirm(struct fed_app *app, struct view text,
                                         unsigned *bad_word);

/*
 * The patient of this code, on a fresh storage (new phone) or, when it is the
 * same patient, to sign a list here.  The key stays, sealed, until the home
 * clinic took the list.  The other devices are removed, since most likely one
 * was lost.  Then join the home clinic by any link of it.
 *
 * ERR_EXISTS  another patient is here; others as ident_code_read
 */
MUST_CHECK enum err fed_app_recover(struct fed_app *app, struct view text,
                                    unsigned *bad_word);

/* ------------------------------------------------------------------ devices */

struct fed_app_device {
    struct device_id id;
    bool may_add;
    bool here;                  /* this one */
    struct subject_id added_by; /* the patient key or a device */
};

/* Device i of the list.  ERR_MISSING  no more */
MUST_CHECK enum err fed_app_device(struct fed_app *app, size_t i,
                                   struct fed_app_device *out);

/*
 * Two codes to scan, so that no key leaves a device: the new one shows
 * "balsam:d#..." (fed_app_be_added, on a fresh storage), one that may add
 * reads it and shows "balsam:g#..." (fed_app_add_device), sealed to the new
 * one, which reads it (fed_app_granted).
 *
 * ERR_STATE  there is somebody already / nobody asks / no home clinic yet
 * ERR_DENIED this device may not add;  ERR_LIMIT  too many devices
 * ERR_FORMAT, ERR_UNSUPPORTED, ERR_AUTH  not such a code; later software;
 *            a typing error, or for another device
 */
MUST_CHECK enum err fed_app_be_added(struct fed_app *app, struct bytes *out);
MUST_CHECK enum err fed_app_add_device(struct fed_app *app, struct view request,
                                       bool may_add, struct bytes *grant_out);
MUST_CHECK enum err fed_app_granted(struct fed_app *app, struct view grant);

/*
 * Remove a device from the list: the recovery code signs.
 * ERR_MISSING  no such device; ERR_INVALID  it is this one (leave instead);
 * ERR_DENIED  the code is another patient's; others as ident_code_read
 */
MUST_CHECK enum err fed_app_remove_device(struct fed_app *app, struct view code,
                                          const struct device_id *device,
                                          unsigned *bad_word);

/* Move home to a clinic where we are enrolled; the code signs (F 24). */
MUST_CHECK enum err fed_app_move_home(struct fed_app *app, struct view code,
                                      const struct clinic_id *home,
                                      unsigned *bad_word);

/* ------------------------------------------------------------------ clinics */

enum fed_app_clinic_state {
    FED_APP_CLINIC_LOOKED = 1,    /* behind a link; nothing was asked */
    FED_APP_CLINIC_ASKED = 2,     /* enrolment is under way, or in review */
    FED_APP_CLINIC_ENROLLED = 3,  /* delivers to us */
    FED_APP_CLINIC_IN_THREAD = 4, /* only met in a thread */
    FED_APP_CLINIC_REFUSED = 5,
    FED_APP_CLINIC_ENDED = 6
};

/* How its key was learned (decisions F 25). */
enum fed_app_learned {
    FED_APP_LEARNED_THREAD = 1,    /* introduced by another clinic */
    FED_APP_LEARNED_LINK = 2,      /* by its own link */
    FED_APP_LEARNED_IN_PERSON = 3, /* a link shown in person */
    FED_APP_LEARNED_COMPARED = 4   /* words or codes were compared */
};

/* Views point into what hold keeps. */
struct fed_app_clinic {
    struct clinic_id root;
    uint64_t number; /* for people */
    enum fed_app_clinic_state state;
    enum fed_app_learned learned;
    struct clinic_id by;  /* LEARNED_THREAD: who introduced it */
    struct clinic_id via; /* reached through this one; zeros: directly */
    bool home, blocked, up;
    uint64_t answer;      /* last enum proto_redeem_code of its link */
    bool birth;           /* asks for a date of birth, or it was wrong */
    uint64_t birth_tries; /* left */
    uint64_t since_ms;
    struct view name; /* of its profile, verified; may be empty */
    struct view address;
    struct view phone;
    struct proto_picture picture; /* that its profile names; type NONE: none */
    struct view label;            /* of the link */
};

/* ERR_MISSING */
MUST_CHECK enum err fed_app_clinic(struct fed_app *app,
                                   const struct clinic_id *root,
                                   struct fed_app_clinic *out,
                                   struct bytes *hold);
/* The first one with root > after (NULL: the first).  ERR_MISSING  none */
MUST_CHECK enum err fed_app_clinic_next(struct fed_app *app,
                                        const struct clinic_id *after,
                                        struct fed_app_clinic *out,
                                        struct bytes *hold);

/* What is behind this link?  EV_CLINIC follows.  Nothing is told to it.
   ERR_DENIED  blocked here */
MUST_CHECK enum err fed_app_look(struct fed_app *app,
                                 const struct proto_link *link);
/*
 * Become its patient.  name: as the person wants to be called there; birth:
 * "1980-02-29" when the clinic asks, else empty.  The first clinic becomes the
 * home.  ERR_STATE  nobody yet; ERR_EXISTS  enrolled there already; ERR_DENIED
 * blocked here
 */
MUST_CHECK enum err fed_app_join(struct fed_app *app,
                                 const struct proto_link *link,
                                 struct view name, struct view birth);
/* Its threads are left and nothing comes from it any more. */
MUST_CHECK enum err fed_app_part(struct fed_app *app,
                                 const struct clinic_id *root);

/* What to compare with the clinic's screen: words, and a QR text. */
MUST_CHECK enum err fed_app_compare(struct fed_app *app,
                                    const struct clinic_id *root,
                                    struct bytes *words_out,
                                    struct bytes *qr_out);
/* The person compared and says so; scanned: the clinic's code, or empty.
   ERR_AUTH  the scanned code is of other keys */
MUST_CHECK enum err fed_app_compared(struct fed_app *app,
                                     const struct clinic_id *root,
                                     struct view scanned);

/* ------------------------------------------------------------------ threads */

struct fed_app_thread {
    struct thread_id id;
    uint64_t number;
    enum fed_thread_state state;
    bool away; /* known from before this device, not on it (yet), ENDED */
    struct clinic_id cut; /* who carried it to us, and ended that; or zeros */
    struct clinic_id hub;
    uint64_t messages; /* so far: the newest has this number */
    uint64_t unread;
    uint64_t waiting; /* ours that the hub does not have yet */
    uint64_t last_ms;
    struct thread_id after; /* the one that this comes after; zeros: none */
    bool gone; /* its clinic was not reached for three days, and no other is in
                  it that could go on: it stands still (decisions D 16) */
    uint64_t gone_ms;     /* when it was last reached */
    uint64_t left_out_ms; /* or that time, when this device rejoins; or 0 */
    struct view title;    /* may be empty */
    struct view group;    /* encoded proto_group; may be empty at first */
};

MUST_CHECK enum err fed_app_thread(struct fed_app *app,
                                   const struct thread_id *id,
                                   struct fed_app_thread *out,
                                   struct bytes *hold);
MUST_CHECK enum err fed_app_thread_next(struct fed_app *app,
                                        const struct thread_id *after,
                                        struct fed_app_thread *out,
                                        struct bytes *hold);
MUST_CHECK enum err fed_app_leave(struct fed_app *app,
                                  const struct thread_id *thread);
/*
 * Ask a clinic for a new conversation after this one, which stands still.
 * EV_THREAD tells when it is there.  What waits in the old one stays there: it
 * was meant for the other clinic.
 * ERR_MISSING  no such thread; ERR_DENIED  not enrolled there
 */
MUST_CHECK enum err fed_app_continue(struct fed_app *app,
                                     const struct thread_id *thread,
                                     const struct clinic_id *with,
                                     struct thread_id *id_out);

/* ----------------------------------------------------------------- messages */

enum fed_app_message_flag {
    FED_APP_MESSAGE_OURS = 1,    /* by one of the patient's devices */
    FED_APP_MESSAGE_EDITED = 2,  /* text is the new one */
    FED_APP_MESSAGE_DELETED = 4, /* text is empty */
    FED_APP_MESSAGE_RESENT = 8,  /* brought back by another member */
    FED_APP_MESSAGE_OPAQUE = 16, /* needs a newer version */
    FED_APP_MESSAGE_AUTO = 32,
    FED_APP_MESSAGE_ARCHIVED = 64 /* from our own archive */
};

struct fed_app_message {
    struct thread_id thread;
    struct message_id id;
    uint64_t number; /* in its thread, for people; does not change */
    struct subject_id author;
    enum fed_message_state state; /* of ours; others' are ACCEPTED */
    unsigned flags;
    uint64_t term; /* place in the log; 0, 0: it waits */
    uint64_t seq;
    uint64_t at_ms;     /* hub time, or ours while it waits */
    uint64_t reply_to;  /* number; 0: none */
    uint64_t delivered; /* other subjects that have it */
    uint64_t read;      /* ... whose people have read it */
    struct view text;
    struct view name;        /* of the author, as the clinic says */
    struct proto_list files; /* proto_attachment */
    uint64_t kind;           /* enum proto_content_kind */
    struct view content;     /* encoded */
};

/* ERR_MISSING */
MUST_CHECK enum err fed_app_message(struct fed_app *app,
                                    const struct thread_id *thread,
                                    uint64_t number,
                                    struct fed_app_message *out,
                                    struct bytes *hold);
/*
 * In the order of the conversation: those that wait come last.  place is 0 to
 * begin; it becomes that of the message.  ERR_MISSING  no more
 */
MUST_CHECK enum err fed_app_message_next(struct fed_app *app,
                                         const struct thread_id *thread,
                                         uint64_t *place,
                                         struct fed_app_message *out,
                                         struct bytes *hold);

/* Lines between its messages (core/line.h): the newest max, 2 or more. */
MUST_CHECK enum err fed_app_lines(struct fed_app *app,
                                  const struct thread_id *id,
                                  struct fed_line *out, size_t max, size_t *n);

struct fed_app_file_in {
    struct view name;
    struct view type;
    struct view bytes;
};

/*
 * Say something.  reply_to: a number, or 0.  Files are sealed and stored here,
 * brought to the clinic, and only then does the message go.
 *
 * ERR_MISSING  no such thread or message; ERR_STATE  ended, or we were removed
 * ERR_LIMIT    text or files too long;    ERR_INVALID  not UTF-8, or nothing
 */
MUST_CHECK enum err fed_app_send(struct fed_app *app,
                                 const struct thread_id *thread,
                                 struct view text, uint64_t reply_to,
                                 const struct fed_app_file_in *files,
                                 size_t files_len, struct message_id *id_out);
/* ERR_DENIED  not ours */
MUST_CHECK enum err fed_app_edit(struct fed_app *app,
                                 const struct thread_id *thread,
                                 uint64_t number, struct view text);
MUST_CHECK enum err fed_app_delete(struct fed_app *app,
                                   const struct thread_id *thread,
                                   uint64_t number);
MUST_CHECK enum err fed_app_react(struct fed_app *app,
                                  const struct thread_id *thread,
                                  uint64_t number, struct view emoji, bool on);
/* A person has seen everything that is here: a receipt goes out. */
MUST_CHECK enum err fed_app_seen(struct fed_app *app,
                                 const struct thread_id *thread);

/*
 * Fetch file index of a message: EV_FILE tells when all of it is here.
 * ERR_EXISTS  it is here already; ERR_MISSING  no such file
 */
MUST_CHECK enum err fed_app_fetch(struct fed_app *app,
                                  const struct thread_id *thread,
                                  uint64_t number, size_t index);
/* Piece i of a file that is here.  ERR_MISSING  not here, or past its end;
   ERR_AUTH  not what the message says */
MUST_CHECK enum err fed_app_file_piece(struct fed_app *app,
                                       const struct thread_id *thread,
                                       uint64_t number, size_t index, size_t i,
                                       struct bytes *out);

#endif
