/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk over a store of its own: shows go in one write transaction each, as
 * the runner does it, and everything is read back from the store.
 */
#ifndef TESTS_NODE_CLINIC_DESK_FIX_H
#define TESTS_NODE_CLINIC_DESK_FIX_H

#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "proto/msg/content.h"
#include "store/journal.h"
#include "store/msg.h"
#include "tests/store/fix.h"

enum {
    DESK_ROWS = 64
};

struct desk_fix {
    struct fix fix;
    struct node_desk desk;
    struct thread_id thread;
    struct clinic_id peer;
    uint64_t seen; /* journal rows looked at */
};

/* What a walk over a conversation or the journal gave. */
struct desk_rows {
    uint64_t n[DESK_ROWS];
    uint16_t kind[DESK_ROWS];
    size_t len;
};

static inline void
desk_begin(struct desk_fix *f)
{
    memset(f, 0, sizeof(*f));
    fix_begin(&f->fix);
    f->desk.mem = mem_heap();
    memset(f->desk.self.b, 0x11, sizeof(f->desk.self.b));
    memset(f->desk.member.b, 0x22, sizeof(f->desk.member.b));
    memset(f->thread.b, 0x33, sizeof(f->thread.b));
    memset(f->peer.b, 0x44, sizeof(f->peer.b));
}

static inline void
desk_end(struct desk_fix *f)
{
    node_desk_clear(&f->desk);
    fix_end(&f->fix);
}

struct desk_step {
    struct node_desk *desk;
    const struct fed_show *show;
};

static inline enum err
desk_step_run(void *ctx, struct store_txn *txn)
{
    struct desk_step *s = ctx;

    return node_desk_show(txn, s->desk, s->show);
}

static inline enum err
desk_show(struct desk_fix *f, const struct fed_show *show)
{
    struct desk_step s = {&f->desk, show};

    return store_write(f->fix.s, desk_step_run, &s, 0);
}

/* Message ids are one byte repeated: easy to name in a test. */
static inline struct message_id
desk_id(uint8_t name)
{
    struct message_id id;

    memset(id.b, name, sizeof(id.b));
    return id;
}

/* A message of somebody; seq 0: not in the log yet.  Frees the body. */
static inline void
desk_message(struct desk_fix *f, const struct clinic_id *author, uint8_t name,
             uint64_t seq, bool resent, const struct proto_content *content)
{
    struct fed_show show = {.kind = FED_SHOW_MESSAGE,
                            .thread = f->thread,
                            .message = desk_id(name),
                            .term = seq == 0 ? 0 : 1,
                            .seq = seq,
                            .ts_ms = 1000 + seq,
                            .resent = resent};

    memcpy(show.author.b, author->b, sizeof(show.author.b));
    memcpy(show.other.b, f->peer.b, sizeof(show.other.b));
    CHECK_OK(proto_content_encode(mem_heap(), content, &show.body));
    CHECK_OK(desk_show(f, &show));
    bytes_free(&show.body);
}

/* Another thread is the conversation's from now on; before: as the core found
   out, while its group names f->thread. */
static inline void
desk_thread_behind(struct desk_fix *f, uint8_t next, uint64_t flags,
                   const struct thread_id *before)
{
    struct proto_group group = {.flags = flags};
    struct fed_show show = {.kind = FED_SHOW_THREAD,
                            .code = FED_THREAD_ACTIVE,
                            .value = flags,
                            .before = *before};

    memcpy(group.prev, f->thread.b, sizeof(group.prev));
    memset(f->thread.b, next, sizeof(f->thread.b));
    show.thread = f->thread;
    memcpy(show.other.b, f->peer.b, sizeof(show.other.b));
    CHECK_OK(proto_group_encode(mem_heap(), &group, &show.body));
    CHECK_OK(desk_show(f, &show));
    bytes_free(&show.body);
}

static inline struct proto_subject
desk_subject(uint64_t kind, const uint8_t root[32], const struct clinic_id *via)
{
    struct proto_subject s = {.kind = kind};

    memcpy(s.root, root, sizeof(s.root));
    memcpy(s.node, via->b, sizeof(s.node));
    return s;
}

/* Shows f->thread as one of us, the peer if so, and a patient by way of via;
   NULL: none.  show has what is said of it besides. */
static inline void
desk_members(struct desk_fix *f, bool peer, const struct patient_id *patient,
             const struct clinic_id *via, struct fed_show *show)
{
    struct proto_subject s[3] = {0};
    struct proto_group g = {.term = 1};
    uint32_t n = 0;

    s[n++] = desk_subject(PROTO_SUBJECT_CLINIC, f->desk.self.b, &f->desk.self);
    if (peer) {
        s[n++] = desk_subject(PROTO_SUBJECT_CLINIC, f->peer.b, &f->peer);
    }
    if (patient != NULL) {
        s[n++] = desk_subject(PROTO_SUBJECT_PATIENT, patient->b, via);
    }
    g.subjects = (struct proto_list){.items = s, .len = n};
    show->kind = FED_SHOW_THREAD;
    show->code = FED_THREAD_ACTIVE;
    show->thread = f->thread;
    show->peer = f->desk.self;
    CHECK_OK(proto_group_encode(mem_heap(), &g, &show->body));
    CHECK_OK(desk_show(f, show));
    bytes_free(&show->body);
}

static inline void
desk_thread(struct desk_fix *f, uint8_t next, uint64_t flags)
{
    const struct thread_id none = {{0}};

    desk_thread_behind(f, next, flags, &none);
}

static inline void
desk_text(struct desk_fix *f, const struct clinic_id *author, uint8_t name,
          uint64_t seq)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 5};

    c.u.text.text = view_str("hello");
    desk_message(f, author, name, seq, false, &c);
}

/* Our message: what became of it. */
static inline void
desk_state(struct desk_fix *f, uint8_t name, uint64_t code, uint64_t seq)
{
    struct fed_show show = {.kind = FED_SHOW_STATE,
                            .code = code,
                            .thread = f->thread,
                            .message = desk_id(name),
                            .term = 1,
                            .seq = seq,
                            .ts_ms = 1000 + seq};

    CHECK_OK(desk_show(f, &show));
}

static inline struct store_txn *
desk_read(struct desk_fix *f)
{
    struct store_txn *txn = NULL;

    CHECK_OK(store_read_begin(f->fix.s, &txn));
    return txn;
}

static inline struct conv_id
desk_conv(struct desk_fix *f)
{
    struct store_txn *txn = desk_read(f);
    struct conv_id id = {{0}};
    enum err e = store_conv_by_thread(txn, &f->thread, &id);

    store_read_end(txn);
    CHECK_OK(e);
    return id;
}

/* The message of this name; cleared by the caller.  ERR_MISSING */
static inline enum err
desk_get(struct desk_fix *f, uint8_t name, struct store_msg *out)
{
    struct conv_id conv = desk_conv(f);
    struct store_txn *txn = desk_read(f);
    struct message_id id = desk_id(name);
    uint64_t seq;
    enum err e = store_msg_by_id(txn, &conv, &id, &seq);

    if (e == OK) {
        e = store_msg_get(txn, seq, out);
    }
    store_read_end(txn);
    return e;
}

static inline unsigned
desk_flags(struct desk_fix *f, uint8_t name)
{
    struct store_msg m = {0};
    unsigned flags;

    CHECK_OK(desk_get(f, name, &m));
    flags = m.flags;
    store_msg_clear(&m);
    return flags;
}

static inline enum store_msg_state
desk_state_of(struct desk_fix *f, uint8_t name)
{
    struct store_msg m = {0};
    enum store_msg_state state;

    CHECK_OK(desk_get(f, name, &m));
    state = m.state;
    store_msg_clear(&m);
    return state;
}

static inline enum err
desk_each_msg(void *ctx, const struct store_msg *m)
{
    struct desk_rows *rows = ctx;

    CHECK(rows->len < DESK_ROWS);
    rows->n[rows->len++] = m->id.b[0];
    return OK;
}

/* CHECK that the conversation reads so: a letter for each message. */
static inline void
desk_order(struct desk_fix *f, const char *want)
{
    struct conv_id conv = desk_conv(f);
    struct store_txn *txn = desk_read(f);
    struct desk_rows rows = {.len = 0};
    char got[DESK_ROWS + 1] = "";
    enum err e = store_msg_list(txn, &conv, 0, STORE_UP, DESK_ROWS,
                                desk_each_msg, &rows);

    store_read_end(txn);
    CHECK_OK(e);
    for (size_t i = 0; i < rows.len; i++) {
        got[i] = (char)rows.n[i];
    }
    CHECK_STR(got, want);
}

struct desk_journal {
    struct desk_fix *f;
    struct desk_rows *rows;
};

static inline enum err
desk_each_event(void *ctx, const struct store_event *ev)
{
    struct desk_journal *j = ctx;

    CHECK(j->rows->len < DESK_ROWS);
    j->rows->n[j->rows->len] = ev->n;
    j->rows->kind[j->rows->len++] = ev->kind;
    j->f->seen = ev->seq;
    return OK;
}

/* Journal rows since the last call. */
static inline struct desk_rows
desk_events(struct desk_fix *f)
{
    struct desk_rows rows = {.len = 0};
    struct desk_journal j = {f, &rows};
    struct store_txn *txn = desk_read(f);
    enum err e =
        store_journal_read(txn, f->seen, DESK_ROWS, desk_each_event, &j);

    store_read_end(txn);
    CHECK_OK(e);
    return rows;
}

static inline size_t
desk_count(const struct desk_rows *rows, uint16_t kind)
{
    size_t n = 0;

    for (size_t i = 0; i < rows->len; i++) {
        n += rows->kind[i] == kind;
    }
    return n;
}

#endif
