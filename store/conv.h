/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations of the desk: what staff see in the inbox.  Not a thread: a
 * conversation has none or one MLS thread, which can be replaced (decisions
 * G 31).  Each has a data key of its own, wrapped by the master key, that
 * seals its messages; deleting the conversation deletes that key (G 33).
 */
#ifndef STORE_CONV_H
#define STORE_CONV_H

#include "proto/base/phi.h"
#include "store/txn.h"

/* Numbers are on disk. */
enum store_channel {
    STORE_CHANNEL_SECURE = 1,
    STORE_CHANNEL_SMS = 2,
    STORE_CHANNEL_EMAIL = 3,
    STORE_CHANNEL_TEAM = 4,
    STORE_CHANNEL_NOTE = 5,
    STORE_CHANNEL_COUNT_
};

/* In exactly one box at a time (reference/behaviours.md 1.1). */
enum store_box {
    STORE_BOX_ALL = 0,
    STORE_BOX_ASSIGNED = 1, /* to owner */
    STORE_BOX_ARCHIVED = 2,
    STORE_BOX_COUNT_
};

enum store_conv_flag {
    STORE_CONV_CLINICS = 1, /* other clinics take part: the briefcase */
    STORE_CONV_CLOSED = 2,  /* no more messages: disconnected, left */
    STORE_CONV_PATIENTS = 4 /* a patient takes part */
};

struct store_conv {
    struct conv_id id;
    uint64_t number; /* what people call it by; given once, from 1 */
    enum store_channel channel;
    enum store_box box;
    uint8_t owner[16]; /* member or team of ASSIGNED; else zero */
    unsigned flags;    /* enum store_conv_flag */
    bool has_link;
    struct link_id link; /* it came through */
    bool has_thread;
    struct thread_id thread;
    bool has_previous;
    struct conv_id previous; /* this one continues it */
    uint64_t created_ms;
    uint64_t activity; /* moves it up in lists; set by store_msg_add */
    uint64_t msgs;     /* how many were added; set by store_msg_add */
    uint64_t last_msg; /* seq of the newest, 0: none; set by it */
    struct phi title;  /* may be empty: shown by its contacts' names */
    struct contact_id *contacts; /* in it; owned */
    size_t contacts_len;
    struct contact_id *regarding; /* about them, without access; owned */
    size_t regarding_len;
    const struct mem *mem; /* of both lists */
};

void store_conv_clear(struct store_conv *c);

/* Write lists of a conversation.  ERR_LIMIT  LIMIT_CONV_CONTACTS */
MUST_CHECK enum err store_conv_set_contacts(const struct mem *mem,
                                            struct store_conv *c,
                                            const struct contact_id *ids,
                                            size_t n);
MUST_CHECK enum err store_conv_set_regarding(const struct mem *mem,
                                             struct store_conv *c,
                                             const struct contact_id *ids,
                                             size_t n);

/*
 * Write: make a conversation with its data key.  number, activity, msgs
 * and last_msg are set here: a new one is on top of its box.
 * ERR_EXISTS  the id or the thread is taken
 */
MUST_CHECK enum err store_conv_create(struct store_txn *txn,
                                      const struct store_conv *c);

/*
 * Write: change it.  number, activity, msgs and last_msg stay as stored.
 * ERR_MISSING; ERR_EXISTS  the thread belongs to another one
 */
MUST_CHECK enum err store_conv_put(struct store_txn *txn,
                                   const struct store_conv *c);

/* ERR_MISSING */
MUST_CHECK enum err store_conv_get(struct store_txn *txn,
                                   const struct conv_id *id,
                                   struct store_conv *out);

/*
 * Write: remove it with its data key and up to max of its messages.  *more
 * says that messages are left, unreadable: call again, until it is false, with
 * the same id.
 * ERR_MISSING
 */
MUST_CHECK enum err store_conv_del(struct store_txn *txn,
                                   const struct conv_id *id, uint32_t max,
                                   bool *more);

/* The conversation of a thread.  ERR_MISSING */
MUST_CHECK enum err store_conv_by_thread(struct store_txn *txn,
                                         const struct thread_id *thread,
                                         struct conv_id *out);

/* Conversations with a contact in it, or regarding it when so asked. */
MUST_CHECK enum err store_conv_by_contact(
    struct store_txn *txn, const struct contact_id *contact, bool regarding,
    enum err (*each)(void *ctx, const struct conv_id *id), void *ctx);

/* The conversation with a number.  ERR_MISSING */
MUST_CHECK enum err store_conv_by_number(struct store_txn *txn, uint64_t number,
                                         struct conv_id *out);

/*
 * Conversations whose title has words beginning with all the words of text,
 * without regard to case.  Its own title counts, not its contacts' names.
 * ERR_INVALID  text is not UTF-8, or has no word in it
 */
MUST_CHECK enum err
store_conv_by_title(struct store_txn *txn, struct view text,
                    enum err (*each)(void *ctx, const struct conv_id *id),
                    void *ctx);

/* Conversations whose ids begin with prefix, of 16 bytes at most. */
MUST_CHECK enum err
store_conv_by_prefix(struct store_txn *txn, struct view prefix,
                     enum err (*each)(void *ctx, const struct conv_id *id),
                     void *ctx);

enum store_conv_view {
    STORE_VIEW_ALL = 0,      /* box ALL */
    STORE_VIEW_ASSIGNED = 1, /* box ASSIGNED to owner */
    STORE_VIEW_ARCHIVED = 2,
    STORE_VIEW_CLINICS = 3, /* with clinics, any box but the archive */
    STORE_VIEW_EVERY = 4    /* all conversations */
};

struct store_conv_query {
    enum store_conv_view view;
    uint8_t owner[16]; /* of STORE_VIEW_ASSIGNED */
    uint64_t before;   /* activity of the last one seen; 0: the top */
    uint32_t max;
};

/* Newest activity first; c is valid during the call. */
MUST_CHECK enum err
store_conv_list(struct store_txn *txn, const struct store_conv_query *q,
                enum err (*each)(void *ctx, const struct store_conv *c),
                void *ctx);

/*
 * Marks: small numbers of a conversation and a subject, such as how far a
 * member has read or a clinic has acknowledged.  Kinds belong to the layer
 * above.  0 when never set.
 */
MUST_CHECK enum err store_conv_mark_get(struct store_txn *txn,
                                        const struct conv_id *id, uint8_t kind,
                                        struct view subject, uint64_t *out);
/* Write; 0 removes it. */
MUST_CHECK enum err store_conv_mark_put(struct store_txn *txn,
                                        const struct conv_id *id, uint8_t kind,
                                        struct view subject, uint64_t value);
/* Those whose subjects begin with prefix; an error from each ends the walk. */
MUST_CHECK enum err store_conv_marks(
    struct store_txn *txn, const struct conv_id *id, uint8_t kind,
    struct view prefix,
    enum err (*each)(void *ctx, struct view subject, uint64_t value),
    void *ctx);

#endif
