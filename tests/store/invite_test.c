/* SPDX-License-Identifier: Apache-2.0 */
#include "store/invite.h"

#include "proto/base/limits.h"
#include "store/contact.h"
#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_invite_put(txn, ctx);
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    return store_invite_del(txn, ctx);
}

static enum err
contact_run(void *ctx, struct store_txn *txn)
{
    return store_contact_put(txn, ctx);
}

static enum err
count(void *ctx, const struct store_invite *i)
{
    CHECK_EQ(i->tries, 5);
    ++*(unsigned *)ctx;
    return OK;
}

TEST(invitations_are_kept_changed_and_removed)
{
    struct fix f;
    struct store_invite i = {.link = {{1}}, .tries = 5};
    struct store_invite got = {.tries = 0};
    struct store_txn *txn;
    unsigned n = 0;

    fix_begin(&f);
    i.state = STORE_INVITE_OPEN;
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("1980-02-29"), &i.birth));
    FIX_WRITE(&f, put_run, &i);
    i.state = STORE_INVITE_JOINED;
    i.has_patient = true;
    i.patient.b[31] = 9;
    FIX_WRITE(&f, put_run, &i);
    i.link.b[0] = 2;
    FIX_WRITE(&f, put_run, &i);
    i.link.b[0] = 1;
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_invite_get(txn, &i.link, &got));
    CHECK_EQ(got.state, STORE_INVITE_JOINED);
    CHECK(got.has_patient && got.patient.b[31] == 9 && !got.has_next);
    CHECK_EQ(phi_len(&got.birth), 10);
    store_invite_clear(&got);
    CHECK_OK(store_invite_list(txn, count, &n));
    CHECK_EQ(n, 2);
    store_read_end(txn);
    FIX_WRITE(&f, del_run, &i.link);
    CHECK_ERR(store_write(f.s, del_run, &i.link, 0), ERR_MISSING);
    store_invite_clear(&i);
    fix_end(&f);
}

TEST(a_text_that_is_too_long_is_refused)
{
    static char text[LIMIT_PHI_SHORT + 1];
    struct fix f;
    struct store_invite i = {.link = {{1}}, .state = STORE_INVITE_OPEN};

    fix_begin(&f);
    memset(text, 'x', sizeof(text));
    CHECK_OK(phi_from(mem_heap(), view_make(text, sizeof(text)), &i.purpose));
    CHECK_ERR(store_write(f.s, put_run, &i, 0), ERR_LIMIT);
    store_invite_clear(&i);
    fix_end(&f);
}

/* Bytes of a link's id are not words: each is its own. */
TEST(a_contact_is_found_by_its_invitation)
{
    struct fix f;
    struct store_contact c = {.id = {{4}}, .kind = STORE_CONTACT_PATIENT};
    struct contact_id ids[2];
    struct link_id link = {{'A', ' ', 'b', 0, 0, 0, 0, 1}};
    struct store_txn *txn;
    size_t n = 0;

    fix_begin(&f);
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Ann"), &c.name));
    CHECK_OK(store_contact_add_ident(mem_heap(), &c, STORE_IDENT_INVITE,
                                     link_id_view(&link), (struct view){0},
                                     STORE_LEARNED_NONE, 1));
    FIX_WRITE(&f, contact_run, &c);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_contact_by_ident(txn, STORE_IDENT_INVITE,
                                    link_id_view(&link), 2, ids, &n));
    CHECK_EQ(n, 1);
    CHECK_EQ(ids[0].b[0], 4);
    link.b[0] = 'a';
    CHECK_ERR(store_contact_by_ident(txn, STORE_IDENT_INVITE,
                                     link_id_view(&link), 2, ids, &n),
              ERR_MISSING);
    store_read_end(txn);
    store_contact_clear(&c);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(invitations_are_kept_changed_and_removed),
               T(a_text_that_is_too_long_is_refused),
               T(a_contact_is_found_by_its_invitation));
}
