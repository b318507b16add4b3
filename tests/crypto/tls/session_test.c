/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions against each other, and against puppets on bare OpenSSL. */
#include "crypto/tls/session.h"

#include "crypto/tls/ossl.h"
#include "crypto/tls/wrap.h"
#include "proto/base/limits.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

static const uint8_t seed_a[32] = {1};
static const uint8_t seed_b[32] = {2};

#define CHAIN_A VIEW_LIT("chain of a")
#define CHAIN_B VIEW_LIT("chain of b")

/* What a verifier saw and answers. */
struct judge {
    enum err answer;
    struct view want;
    int asked;
    struct device_id key;
};

static enum err
judge_verify(void *ctx, struct view chain, const struct device_id *key)
{
    struct judge *j = ctx;

    j->asked++;
    j->key = *key;
    return view_equal(chain, j->want) ? j->answer : ERR_INTERNAL;
}

struct pair {
    const struct mem *mem;
    struct tlsp_policy *pa, *pb;
    struct judge ja, jb;
    struct tlsp *a, *b; /* a dials */
};

static enum err
pair_open(struct pair *p, const struct mem *mem)
{
    enum err e;
    struct tlsp_verifier va = {judge_verify, &p->ja};
    struct tlsp_verifier vb = {judge_verify, &p->jb};

    *p = (struct pair){
        .mem = mem, .ja = {.want = CHAIN_B}, .jb = {.want = CHAIN_A}};
    TRY(tlsp_policy_node(mem, VIEW_ARRAY(seed_a), CHAIN_A, &p->pa));
    TRY(tlsp_policy_node(mem, VIEW_ARRAY(seed_b), CHAIN_B, &p->pb));
    TRY(tlsp_dial(mem, p->pa, &va, &p->a));
    TRY(tlsp_accept(mem, p->pb, &vb, &p->b));
out:
    return e;
}

static void
pair_close(struct pair *p)
{
    tlsp_free(p->a);
    tlsp_free(p->b);
    tlsp_policy_unref(p->pa);
    tlsp_policy_unref(p->pb);
}

/* Move what from has to say into to, step bytes at a time. */
static enum err
move(struct tlsp *from, struct tlsp *to, size_t step, struct bytes *plain)
{
    struct bytes wire = {0};
    enum err e = ERR_AGAIN;
    size_t at = 0;

    tlsp_take_out(from, &wire);
    while (at < wire.len && e == ERR_AGAIN) {
        size_t n = wire.len - at < step ? wire.len - at : step;
        struct view in = view_make(wire.p + at, n);

        for (e = OK; e == OK;) {
            uint8_t buf[1000];
            size_t len = 0;

            e = tlsp_read(to, &in, buf, sizeof(buf), &len);
            if (e == OK && plain != NULL) {
                e = bytes_append(mem_heap(), plain, view_make(buf, len));
            }
        }
        at += n;
    }
    bytes_free(&wire);
    return e;
}

static void
shake(struct pair *p, size_t step)
{
    CHECK_ERR(move(p->a, p->b, step, NULL), ERR_AGAIN);
    CHECK_ERR(move(p->b, p->a, step, NULL), ERR_AGAIN);
    CHECK_ERR(move(p->a, p->b, step, NULL), ERR_AGAIN);
    CHECK(tlsp_ready(p->a) && tlsp_ready(p->b));
}

TEST(both_prove_their_keys)
{
    static const size_t steps[] = {1, 7, 100000};

    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        struct device_id key, want;
        uint8_t xa[TLSP_EXPORTER_LEN], xb[TLSP_EXPORTER_LEN];

        CHECK_OK(pair_open(&p, mem_heap()));
        CHECK_ERR(tlsp_peer_key(p.a, &key), ERR_STATE);
        CHECK_ERR(tlsp_write(p.a, VIEW_LIT("early")), ERR_STATE);
        CHECK_ERR(tlsp_export(p.a, "EXPORTER-x", view_make(NULL, 0), xa),
                  ERR_STATE);
        shake(&p, steps[i]);
        CHECK_EQ(tlsp_version(p.a), 0x0304);
        CHECK_EQ(tlsp_version(p.b), 0x0304);
        CHECK_EQ(p.ja.asked, 1);
        CHECK_EQ(p.jb.asked, 1);
        CHECK_OK(tlsp_peer_key(p.a, &key));
        CHECK_OK(tlsp_wrap_key(VIEW_ARRAY(seed_b), &want));
        CHECK(device_id_equal(&key, &want));
        CHECK_OK(tlsp_peer_key(p.b, &key));
        CHECK_OK(tlsp_wrap_key(VIEW_ARRAY(seed_a), &want));
        CHECK(device_id_equal(&key, &want));
        CHECK_OK(tlsp_export(p.a, "EXPORTER-x", view_make(NULL, 0), xa));
        CHECK_OK(tlsp_export(p.b, "EXPORTER-x", view_make(NULL, 0), xb));
        CHECK_VIEW(VIEW_ARRAY(xa), VIEW_ARRAY(xb));
        CHECK_OK(tlsp_export(p.b, "EXPORTER-y", view_make(NULL, 0), xb));
        CHECK(!view_equal(VIEW_ARRAY(xa), VIEW_ARRAY(xb)));
        /* no ticket follows the handshake */
        CHECK_EQ(tlsp_out(p.b).len, 0);
        pair_close(&p);
    }
}

TEST(bytes_go_both_ways_and_close)
{
    struct pair p;
    struct bytes big = {0}, got = {0};

    CHECK_OK(pair_open(&p, mem_heap()));
    shake(&p, 4096);
    CHECK_OK(bytes_alloc(mem_heap(), 300000, &big));
    for (size_t i = 0; i < big.len; i++) {
        big.p[i] = (uint8_t)(i * 31 >> 3);
    }
    CHECK_OK(tlsp_write(p.a, view_of(&big)));
    CHECK_ERR(move(p.a, p.b, 5000, &got), ERR_AGAIN);
    CHECK_VIEW(view_of(&got), view_of(&big));
    bytes_free(&got);
    CHECK_OK(tlsp_write(p.b, VIEW_LIT("answer")));
    CHECK_ERR(move(p.b, p.a, 3, &got), ERR_AGAIN);
    CHECK_VIEW(view_of(&got), VIEW_LIT("answer"));
    tlsp_shutdown(p.a);
    CHECK_ERR(move(p.a, p.b, 100, NULL), ERR_MISSING);
    bytes_free(&got);
    bytes_free(&big);
    pair_close(&p);
}

TEST(a_verifier_ends_the_handshake)
{
    static const enum err answers[] = {ERR_AUTH, ERR_DENIED, ERR_STALE,
                                       ERR_TIMEOUT};

    for (size_t i = 0; i < 4; i++) {
        struct pair p;

        /* the dialler refuses: it shows nothing of itself */
        CHECK_OK(pair_open(&p, mem_heap()));
        p.ja.answer = answers[i];
        CHECK_ERR(move(p.a, p.b, 4096, NULL), ERR_AGAIN);
        CHECK_ERR(move(p.b, p.a, 4096, NULL), answers[i]);
        CHECK_ERR(move(p.a, p.b, 4096, NULL), ERR_DENIED);
        CHECK_EQ(p.jb.asked, 0);
        CHECK(!tlsp_ready(p.a) && !tlsp_ready(p.b));
        CHECK_ERR(tlsp_write(p.a, VIEW_LIT("x")), ERR_STATE);
        pair_close(&p);

        /* the acceptor refuses: the dialler learns it with the first read */
        CHECK_OK(pair_open(&p, mem_heap()));
        p.jb.answer = answers[i];
        CHECK_ERR(move(p.a, p.b, 4096, NULL), ERR_AGAIN);
        CHECK_ERR(move(p.b, p.a, 4096, NULL), ERR_AGAIN);
        CHECK_ERR(move(p.a, p.b, 4096, NULL), answers[i]);
        CHECK_ERR(move(p.b, p.a, 4096, NULL),
                  answers[i] == ERR_AUTH ? ERR_DENIED : answers[i]);
        pair_close(&p);
    }
}

TEST(garbage_is_not_tls)
{
    static const char *const junk[] = {
        "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello",
        "\x16\x03\x01\x40\x01\x01\x00\x40\x00", "\x80\x2e\x01\x00\x02"};

    for (size_t i = 0; i < 4; i++) {
        struct pair p;
        struct view in = view_str(junk[i]);
        uint8_t buf[10];
        size_t n;
        enum err e;

        CHECK_OK(pair_open(&p, mem_heap()));
        e = tlsp_read(p.b, &in, buf, sizeof(buf), &n);
        CHECK(e == ERR_FORMAT || e == ERR_UNSUPPORTED || e == ERR_AGAIN);
        CHECK(!tlsp_ready(p.b));
        pair_close(&p);
    }
}

/* ------------------------------------------------------------- puppets */
struct puppet {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *rx, *tx;
};

static int
trust_all(X509_STORE_CTX *s, void *arg)
{
    (void)s;
    (void)arg;
    return 1;
}

static void
puppet_new(struct puppet *u)
{
    static const uint8_t alpn[] = "\x08"
                                  "balsam/1";

    u->ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_cert_verify_callback(u->ctx, trust_all, NULL);
    CHECK_EQ(SSL_CTX_set_alpn_protos(u->ctx, alpn, sizeof(alpn) - 1), 0);
}

static void
puppet_wrapper(struct puppet *u)
{
    struct bytes der = {0};
    EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed_a,
                                               sizeof(seed_a));

    CHECK_OK(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed_a), CHAIN_A, &der));
    CHECK_EQ(SSL_CTX_use_certificate_ASN1(u->ctx, (int)der.len, der.p), 1);
    CHECK_EQ(SSL_CTX_use_PrivateKey(u->ctx, k), 1);
    EVP_PKEY_free(k);
    bytes_free(&der);
}

/* An ordinary self-signed certificate for key. */
static X509 *
plain_cert(EVP_PKEY *key, const EVP_MD *md)
{
    X509 *x = X509_new();

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    CHECK(X509_sign(x, key, md) > 0);
    return x;
}

/* Run the puppet as a client against b; what b makes of it. */
static enum err
puppet_dial(struct puppet *u, struct tlsp *b)
{
    enum err e = ERR_AGAIN;

    u->ssl = SSL_new(u->ctx);
    u->rx = BIO_new(BIO_s_mem());
    u->tx = BIO_new(BIO_s_mem());
    SSL_set_bio(u->ssl, u->rx, u->tx);
    SSL_set_connect_state(u->ssl);
    for (int round = 0; round < 6 && e == ERR_AGAIN; round++) {
        char *p;
        long n;
        struct view in;
        struct bytes out = {0};
        uint8_t buf[100];
        size_t len;

        SSL_do_handshake(u->ssl);
        n = BIO_get_mem_data(u->tx, &p);
        in = view_make(p, (size_t)n);
        e = tlsp_read(b, &in, buf, sizeof(buf), &len);
        (void)BIO_reset(u->tx);
        tlsp_take_out(b, &out);
        if (out.len > 0) {
            BIO_write(u->rx, out.p, (int)out.len);
        }
        bytes_free(&out);
    }
    ERR_clear_error();
    return e;
}

static void
puppet_free(struct puppet *u)
{
    SSL_free(u->ssl);
    SSL_CTX_free(u->ctx);
}

TEST(a_proper_puppet_is_accepted)
{
    struct pair p;
    struct puppet u;

    CHECK_OK(pair_open(&p, mem_heap()));
    puppet_new(&u);
    puppet_wrapper(&u);
    CHECK_ERR(puppet_dial(&u, p.b), ERR_AGAIN);
    CHECK(tlsp_ready(p.b));
    CHECK_EQ(SSL_SESSION_is_resumable(SSL_get0_session(u.ssl)), 0);
    puppet_free(&u);
    pair_close(&p);
}

TEST(tls_12_only_is_refused)
{
    struct pair p;
    struct puppet u;

    CHECK_OK(pair_open(&p, mem_heap()));
    puppet_new(&u);
    puppet_wrapper(&u);
    SSL_CTX_set_max_proto_version(u.ctx, TLS1_2_VERSION);
    CHECK_ERR(puppet_dial(&u, p.b), ERR_UNSUPPORTED);
    puppet_free(&u);
    pair_close(&p);
}

TEST(no_certificate_is_refused)
{
    struct pair p;
    struct puppet u;

    CHECK_OK(pair_open(&p, mem_heap()));
    puppet_new(&u);
    CHECK_ERR(puppet_dial(&u, p.b), ERR_AUTH);
    CHECK_EQ(p.jb.asked, 0);
    puppet_free(&u);
    pair_close(&p);
}

TEST(other_certificates_are_refused)
{
    for (int kind = 0; kind < 3; kind++) {
        struct pair p;
        struct puppet u;
        EVP_PKEY *k =
            kind == 0   ? EVP_EC_gen("P-256")
            : kind == 1 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                        : EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
                                                       seed_a, sizeof(seed_a));
        X509 *x = plain_cert(k, kind == 0 ? EVP_sha256() : NULL);
        enum err e;

        CHECK_OK(pair_open(&p, mem_heap()));
        puppet_new(&u);
        if (kind == 2) { /* the wrapper and one certificate more */
            puppet_wrapper(&u);
            CHECK_EQ(SSL_CTX_add1_chain_cert(u.ctx, x), 1);
        } else {
            CHECK_EQ(SSL_CTX_use_certificate(u.ctx, x), 1);
            CHECK_EQ(SSL_CTX_use_PrivateKey(u.ctx, k), 1);
        }
        e = puppet_dial(&u, p.b);
        CHECK(e == ERR_AUTH || e == ERR_UNSUPPORTED);
        CHECK_EQ(p.jb.asked, 0);
        X509_free(x);
        EVP_PKEY_free(k);
        puppet_free(&u);
        pair_close(&p);
    }
}

TEST(another_protocol_is_refused)
{
    static const uint8_t alpn[] = "\x02h2";
    struct pair p;
    struct puppet u;

    for (int none = 0; none < 2; none++) {
        CHECK_OK(pair_open(&p, mem_heap()));
        puppet_new(&u);
        puppet_wrapper(&u);
        if (none) {
            SSL_CTX_set_alpn_protos(u.ctx, NULL, 0);
        } else {
            SSL_CTX_set_alpn_protos(u.ctx, alpn, sizeof(alpn) - 1);
        }
        puppet_dial(&u, p.b);
        CHECK(!tlsp_ready(p.b));
        puppet_free(&u);
        pair_close(&p);
    }
}

/*
 * The policy as it stands on the wire.  Whoever changes it changes this too.
 */
TEST(client_hello_snapshot)
{
    struct pair p;
    struct bytes hello = {0};
    static const char want[] =
        "16030100bb010000b70303" /* TLS 1.2 in name, as 1.3 wants */
        "0000000000000000000000000000000000000000000000000000000000000000"
        "20"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "000813011303130200ff" /* AES-128, ChaCha20, AES-256; no renegotiation
                                */
        "0100"                 /* no compression */
        "0066"                 /* extensions: */
        "000b000403000102"     /* point formats, a leftover of 1.2 */
        "000a00040002001d"     /* X25519 */
        "0010000b0009"         /* ALPN: */
        "0862616c73616d2f31"   /* balsam/1 */
        "00160000"             /* encrypt_then_mac, empty */
        "00170000"             /* extended_master_secret, empty */
        "000d000400020807"     /* Ed25519 */
        "002b0003020304"       /* TLS 1.3 */
        "002d00020101"         /* psk_dhe_ke; no PSK is offered */
        "003300260024001d0020" /* key share */
        "0000000000000000000000000000000000000000000000000000000000000000";

    CHECK_OK(pair_open(&p, mem_heap()));
    tlsp_take_out(p.a, &hello);
    CHECK(hello.len > 120);
    memset(hello.p + 11, 0, 32);
    memset(hello.p + 44, 0, 32);
    memset(hello.p + hello.len - 32, 0, 32);
    CHECK_VIEW(view_of(&hello), check_hex(want));
    bytes_free(&hello);
    pair_close(&p);
}

TEST(no_memory_at_any_point)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct pair p;
        enum err e;

        fail_mem_init(&f, n);
        e = pair_open(&p, &f.mem);
        if (e == OK) {
            ERR_IGNORE(move(p.a, p.b, 4096, NULL), "torture");
            ERR_IGNORE(move(p.b, p.a, 4096, NULL), "torture");
            ERR_IGNORE(move(p.a, p.b, 4096, NULL), "torture");
            if (tlsp_ready(p.b)) {
                e = tlsp_write(p.b, VIEW_LIT("words"));
            }
            if (f.hit) {
                e = ERR_NOMEM;
            }
        }
        pair_close(&p);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(both_prove_their_keys), T(bytes_go_both_ways_and_close),
               T(a_verifier_ends_the_handshake), T(garbage_is_not_tls),
               T(a_proper_puppet_is_accepted), T(tls_12_only_is_refused),
               T(no_certificate_is_refused), T(other_certificates_are_refused),
               T(another_protocol_is_refused), T(client_hello_snapshot),
               T(no_memory_at_any_point));
}
