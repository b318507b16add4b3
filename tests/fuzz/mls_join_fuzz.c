/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining by a Welcome that a member made: the input is sealed and signed as it
 * has to be, so that it gets past the cryptography.  The first byte says what
 * the rest is.  Whatever Dave joins must be usable.
 */
#include "proto/base/assert.h"
#include "tests/negative/neg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind {
    GROUP_INFO, /* as it is inside a Welcome */
    GROUP_SECRETS,
    WELCOME, /* an MLSMessage */
    RECORD,  /* Dave's private key package, as he stored it */
    KINDS
};

static struct neg world;
static struct bytes welcome; /* an honest one */
static struct view input;

static enum err
as_it_is(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    (void)p;
    return OK;
}

static enum err
put_info(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    return mls_group_info_decode(input, &p->info);
}

static enum err
put_secrets(struct neg *n, struct neg_welcome_parts *p)
{
    return mls_group_secrets_decode(&n->arena, input, &p->secrets);
}

static void
use(struct mls_group *g)
{
    struct mls_protected p = {0};
    struct mls_committed c = {0};
    struct mls_commit_opts opts = {0};

    if (mls_protect(g, VIEW_LIT("words"), (struct view){0}, 0, &p) == OK) {
        mls_undo(g, &p.change);
    }
    mls_protected_clear(&p);
    ERR_IGNORE(mls_commit(g, &opts, &c), "either way is fine");
    mls_committed_clear(&c);
}

static void
join(struct view message, struct view record)
{
    struct mls_join_opts opts = {.welcome = message,
                                 .key_package_record = record};
    struct mls_group *g = NULL;

    if (mls_join(&world.careful, &opts, &g) == OK) {
        use(g);
        mls_group_free(g);
    }
}

static void changed(enum err (*change)(struct neg *n,
                                       struct neg_welcome_parts *p))
{
    struct bytes made = {0};

    if (neg_changed_welcome(&world, false, change, &made) == OK) {
        join(view_of(&made), view_of(&world.dave.record));
    }
    bytes_free(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.alice == NULL) {
        ASSERT(neg_init(&world, MLS_SUITE_X25519_CHACHA20) == OK);
        ASSERT(neg_changed_welcome(&world, false, as_it_is, &welcome) == OK);
    }
    if (size == 0 || data[0] >= KINDS) {
        return -1;
    }
    input = view_make(data + 1, size - 1);
    switch ((enum kind)data[0]) {
    case GROUP_INFO:
        changed(put_info);
        break;
    case GROUP_SECRETS:
        changed(put_secrets);
        break;
    case WELCOME:
        join(input, view_of(&world.dave.record));
        break;
    case RECORD:
    case KINDS:
    default:
        join(view_of(&welcome), input);
    }
    arena_clear(&world.arena);
    return 0;
}
