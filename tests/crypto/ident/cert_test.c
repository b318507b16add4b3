/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crypto/ident/ident_fixture.h"
#include "tests/support/fail_mem.h"

static enum err
verify(const struct fixture *f, const struct ident_check *check)
{
    struct ident_node n;

    return ident_chain_verify(mem_heap(), view_of(&f->chain), check, &n);
}

TEST(a_good_chain)
{
    struct fixture f;
    struct ident_node n;
    struct ident_check c = {0};

    fixture_init(&f, 1);
    c.root = &f.id;
    c.key = f.node.pub;
    c.generation_min = ident_generation(1, 5);
    c.now_ms = FIXTURE_NOW_MS + IDENT_DAY_MS;
    CHECK_OK(ident_chain_verify(mem_heap(), view_of(&f.chain), &c, &n));
    CHECK(clinic_id_equal(&n.root, &f.id));
    CHECK_VIEW(device_id_view(&n.key), prim_sign_key_pub(&f.node));
    CHECK(n.generation == ident_generation(1, 5));
    CHECK(n.not_after_ms == FIXTURE_NOW_MS + IDENT_NODE_MS);
    CHECK(!n.clock_behind);
    CHECK(f.chain.len < 600);
    fixture_clear(&f);
}

/* [cert-root] [cert-key] */
TEST(another_root_or_key)
{
    struct fixture f;
    struct fixture other;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    fixture_init(&other, 2);
    c.root = &other.id;
    CHECK_ERR(verify(&f, &c), ERR_AUTH);
    c.root = NULL;
    c.key = other.node.pub;
    CHECK_ERR(verify(&f, &c), ERR_AUTH);
    c.key = NULL;
    CHECK_OK(verify(&f, &c));
    f.node_cert.root = other.id;
    fixture_certify(&f);
    CHECK_ERR(verify(&f, &c), ERR_AUTH);
    fixture_clear(&f);
    fixture_clear(&other);
}

/* [cert-expired] */
TEST(a_day_of_tolerance)
{
    struct fixture f;
    struct ident_check c = {0};

    fixture_init(&f, 1);
    c.now_ms = f.node_cert.not_after_ms + IDENT_TOLERANCE_MS;
    CHECK_OK(verify(&f, &c));
    c.now_ms++;
    CHECK_ERR(verify(&f, &c), ERR_STALE);
    fixture_clear(&f);
}

TEST(the_renewal_key_expires_too)
{
    struct fixture f;
    struct ident_check c = {0};

    fixture_init(&f, 1);
    f.renewal_cert.not_after_ms = FIXTURE_NOW_MS + IDENT_DAY_MS;
    fixture_certify(&f);
    c.now_ms = FIXTURE_NOW_MS + 3 * IDENT_DAY_MS;
    CHECK_ERR(verify(&f, &c), ERR_STALE);
    fixture_clear(&f);
}

/* decisions A 3: a clock that is behind rejects nobody and says so */
TEST(our_clock_is_behind)
{
    struct fixture f;
    struct ident_node n;
    struct ident_check c = {0};

    fixture_init(&f, 1);
    c.now_ms = 1000;
    CHECK_OK(ident_chain_verify(mem_heap(), view_of(&f.chain), &c, &n));
    CHECK(n.clock_behind);
    c.now_ms = f.node_cert.not_after_ms + 10 * IDENT_DAY_MS;
    CHECK_ERR(verify(&f, &c), ERR_STALE);
    c.known_ms = c.now_ms + 2 * IDENT_DAY_MS;
    CHECK_OK(ident_chain_verify(mem_heap(), view_of(&f.chain), &c, &n));
    CHECK(n.clock_behind);
    fixture_clear(&f);
}

/* [cert-revoked] */
TEST(generations)
{
    struct fixture f;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    c.generation_min = ident_generation(1, 6);
    CHECK_ERR(verify(&f, &c), ERR_STALE);
    c.generation_min = ident_generation(2, 0);
    CHECK_ERR(verify(&f, &c), ERR_STALE);
    c.generation_min = ident_generation(1, 4);
    CHECK_OK(verify(&f, &c));
    fixture_clear(&f);
}

/* [cert-generation-slot] a stolen renewal key cannot reach a later slot */
TEST(a_renewal_key_stays_in_its_generation)
{
    struct fixture f;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    f.node_cert.generation = ident_generation(2, 0);
    fixture_certify(&f);
    CHECK_ERR(verify(&f, &c), ERR_AUTH);
    fixture_clear(&f);
}

TEST(every_changed_byte_is_noticed)
{
    struct fixture f;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    c.root = &f.id;
    for (size_t i = 0; i < f.chain.len; i++) {
        f.chain.p[i] ^= 1;
        CHECK(verify(&f, &c) != OK);
        f.chain.p[i] ^= 1;
    }
    for (size_t i = 0; i < f.chain.len; i++) {
        struct ident_node n;

        CHECK_ERR(ident_chain_verify(mem_heap(),
                                     view_sub(view_of(&f.chain), 0, i), &c, &n),
                  ERR_FORMAT);
    }
    CHECK_OK(verify(&f, &c));
    fixture_clear(&f);
}

TEST(the_two_certificates_do_not_swap)
{
    struct fixture f;
    struct ident_node n;
    struct bytes chain = {0};
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    CHECK_OK(ident_chain_make(mem_heap(), view_of(&f.node_signed),
                              view_of(&f.renewal_signed), &chain));
    CHECK_ERR(ident_chain_verify(mem_heap(), view_of(&chain), &c, &n),
              ERR_FORMAT);
    bytes_free(&chain);
    CHECK_OK(ident_chain_make(mem_heap(), view_of(&f.renewal_signed),
                              view_of(&f.renewal_signed), &chain));
    CHECK_ERR(ident_chain_verify(mem_heap(), view_of(&chain), &c, &n),
              ERR_AUTH);
    bytes_free(&chain);
    fixture_clear(&f);
}

TEST(revocation)
{
    struct fixture f;
    struct fixture other;
    struct bytes b = {0};
    uint64_t min = 0;

    fixture_init(&f, 1);
    fixture_init(&other, 2);
    CHECK_OK(ident_revoke_make(mem_heap(), &f.root, 77, &b));
    CHECK_OK(ident_revoke_open(mem_heap(), &f.id, view_of(&b), &min));
    CHECK_EQ(min, 77);
    CHECK_ERR(ident_revoke_open(mem_heap(), &other.id, view_of(&b), &min),
              ERR_AUTH);
    bytes_free(&b);
    /* only the root may revoke */
    CHECK_OK(ident_revoke_make(mem_heap(), &f.renewal, 78, &b));
    CHECK_ERR(ident_revoke_open(mem_heap(), &f.id, view_of(&b), &min),
              ERR_AUTH);
    bytes_free(&b);
    fixture_clear(&f);
    fixture_clear(&other);
}

TEST(statements_by_a_node)
{
    struct fixture f;
    struct bytes b = {0};
    struct view s;
    struct ident_node n;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 1);
    c.root = &f.id;
    CHECK_OK(ident_by_node_make(mem_heap(), IDENT_STATEMENT, &f.node,
                                view_of(&f.chain), VIEW_LIT("words"), &b));
    CHECK_OK(ident_by_node_open(mem_heap(), IDENT_STATEMENT, view_of(&b), &c,
                                &n, &s));
    CHECK_VIEW(s, VIEW_LIT("words"));
    CHECK_ERR(ident_by_node_open(mem_heap(), IDENT_CONTACT, view_of(&b), &c,
                                 NULL, &s),
              ERR_AUTH);
    bytes_free(&b);
    /* the chain of one node does not carry the signature of another */
    CHECK_OK(ident_by_node_make(mem_heap(), IDENT_STATEMENT, &f.renewal,
                                view_of(&f.chain), VIEW_LIT("words"), &b));
    CHECK_ERR(ident_by_node_open(mem_heap(), IDENT_STATEMENT, view_of(&b), &c,
                                 NULL, &s),
              ERR_AUTH);
    bytes_free(&b);
    fixture_clear(&f);
}

/* decisions A 5: every type in every other slot */
TEST(no_signature_serves_another_type)
{
    struct fixture f;

    fixture_init(&f, 1);
    for (int a = 1; a < IDENT_TYPE_END_; a++) {
        struct bytes b = {0};

        CHECK_OK(ident_signed_make(mem_heap(), (enum ident_type)a, &f.node,
                                   VIEW_LIT("statement"), &b));
        for (int t = 1; t < IDENT_TYPE_END_; t++) {
            struct view s;

            CHECK_ERR(ident_signed_open(mem_heap(), (enum ident_type)t,
                                        f.node.pub, view_of(&b), &s),
                      t == a ? OK : ERR_AUTH);
        }
        bytes_free(&b);
    }
    fixture_clear(&f);
}

static enum err
make_and_verify(const struct mem *mem, const struct fixture *f)
{
    enum err e;
    struct bytes renewal = {0};
    struct bytes node = {0};
    struct bytes chain = {0};
    struct ident_node n;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    TRY(ident_cert_make(mem, IDENT_RENEWAL, &f->root, &f->renewal_cert,
                        &renewal));
    TRY(ident_cert_make(mem, IDENT_NODE, &f->renewal, &f->node_cert, &node));
    TRY(ident_chain_make(mem, view_of(&renewal), view_of(&node), &chain));
    TRY(ident_chain_verify(mem, view_of(&chain), &c, &n));
out:
    bytes_free(&renewal);
    bytes_free(&node);
    bytes_free(&chain);
    return e;
}

TEST(no_memory)
{
    struct fixture f;

    fixture_init(&f, 1);
    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        enum err e;

        fail_mem_init(&m, i);
        e = make_and_verify(&m.mem, &f);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    fixture_clear(&f);
}

int
main(void)
{
    return RUN(T(a_good_chain), T(another_root_or_key), T(a_day_of_tolerance),
               T(the_renewal_key_expires_too), T(our_clock_is_behind),
               T(generations), T(a_renewal_key_stays_in_its_generation),
               T(every_changed_byte_is_noticed),
               T(the_two_certificates_do_not_swap), T(revocation),
               T(statements_by_a_node), T(no_signature_serves_another_type),
               T(no_memory));
}
