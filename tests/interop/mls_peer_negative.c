/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliberately broken messages, for everybody else to refuse.  Only what a
 * stranger on the wire could do; what a member could do who signs nonsense is
 * the negative set of tests/crypto/mls.
 */
#include "tests/interop/mls_peer.h"

#include <string.h>

struct broken {
    uint8_t *p;
    size_t len;
    struct mls_message m; /* views into p */
};

static void
flip(struct broken *b, struct view part)
{
    size_t at = (size_t)(part.p - b->p);

    b->p[at + part.len / 2] ^= 0x01;
}

static void
break_signature(struct broken *b)
{
    flip(b, b->m.u.public_message.auth.signature);
}

static void
break_membership(struct broken *b)
{
    flip(b, b->m.u.public_message.membership_tag);
}

static void
break_confirmation(struct broken *b)
{
    flip(b, b->m.u.public_message.auth.confirmation_tag);
}

static void
break_group(struct broken *b)
{
    flip(b, b->m.u.public_message.content.group_id);
}

/* The epoch follows the group id. */
static void
break_epoch(struct broken *b)
{
    struct view id = b->m.u.public_message.content.group_id;

    b->p[(size_t)(id.p - b->p) + id.len + 7] ^= 0x40;
}

/* The sender's leaf index is the last of type and index after the epoch. */
static void
break_sender(struct broken *b)
{
    struct view id = b->m.u.public_message.content.group_id;

    b->p[(size_t)(id.p - b->p) + id.len + 8 + 4] ^= 0x20;
}

static void
break_version(struct broken *b)
{
    b->p[1] = 9;
}

static void
break_wire_format(struct broken *b)
{
    b->p[3] = 0x77;
}

static void
break_truncated(struct broken *b)
{
    b->len -= 3;
}

static void
break_trailing(struct broken *b)
{
    b->p[b->len++] = 0;
}

static void
break_ciphertext(struct broken *b)
{
    flip(b, b->m.u.private_message.ciphertext);
}

static void
break_sender_data(struct broken *b)
{
    flip(b, b->m.u.private_message.sender_data);
}

static const struct {
    const char *name;
    bool as_private;
    void (*breaks)(struct broken *b);
} kinds[] = {
    {"signature", false, break_signature},
    {"membership_tag", false, break_membership},
    {"confirmation_tag", false, break_confirmation},
    {"group", false, break_group},
    {"epoch", false, break_epoch},
    {"sender", false, break_sender},
    {"version", false, break_version},
    {"wire_format", false, break_wire_format},
    {"truncated", false, break_truncated},
    {"trailing", false, break_trailing},
    {"ciphertext", true, break_ciphertext},
    {"sender_data", true, break_sender_data},
    {"private_truncated", true, break_truncated},
};

/* A commit of a's that nobody may accept; a stays as it is. */
enum err
peer_op_negative(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct view kind = peer_text(p->in, "kind");
    struct mls_commit_opts opts = {.skip_pending = true};
    struct mls_committed made = {0};
    struct broken b = {0};
    size_t i = 0;

    while (i < sizeof(kinds) / sizeof(kinds[0]) &&
           !view_equal(view_str(kinds[i].name), kind)) {
        i++;
    }
    TRY(i < sizeof(kinds) / sizeof(kinds[0]) ? OK : ERR_UNSUPPORTED);
    opts.as_private = kinds[i].as_private;
    TRY(mls_commit(a->group, &opts, &made));
    b.len = made.commit.len;
    b.p = arena_alloc(&p->arena, b.len + 1);
    TRY(b.p != NULL ? OK : ERR_NOMEM);
    memcpy(b.p, made.commit.p, b.len);
    TRY(mls_message_decode(&p->arena, view_make(b.p, b.len), &b.m, NULL));
    kinds[i].breaks(&b);
    peer_put_hex(out, "msg", view_make(b.p, b.len));
    if (made.change != NULL) {
        mls_undo(a->group, &made.change);
    }
out:
    mls_committed_clear(&made);
    return e;
}
