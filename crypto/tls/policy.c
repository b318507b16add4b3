/* SPDX-License-Identifier: Apache-2.0 */
/* What the two ports speak is the two apply_ functions below. */
#include "crypto/tls/policy_impl.h"

#include "crypto/tls/wrap.h"
#include "proto/base/limits.h"

#include <string.h>
#include <time.h>

/* As on the wire: a length and the name. */
static const uint8_t alpn_node[] = {8, 'b', 'a', 'l', 's', 'a', 'm', '/', '1'};
static const uint8_t alpn_web[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

enum {
    RSA_BITS_MIN = 2048,
    PEM_CERTS_MAX = 8
};

#define SUITES_13                                                          \
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_" \
    "SHA384"

/* The lists are macros of OpenSSL that want to write to constants. */
static bool
set_list(SSL_CTX *c, int what, const char *names)
{
    return SSL_CTX_ctrl(c, what, 0, (void *)(uintptr_t)names) == 1;
}

static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
            const unsigned char *in, unsigned int in_len, void *arg)
{
    const uint8_t *own = arg;
    unsigned int i = 0;

    (void)ssl;
    while (i < in_len) {
        unsigned int len = in[i];

        if (len == own[0] && len < in_len - i &&
            memcmp(in + i + 1, own + 1, len) == 0) {
            *out = in + i + 1;
            *out_len = (unsigned char)len;
            return SSL_TLSEXT_ERR_OK;
        }
        i += len + 1;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool
apply_common(SSL_CTX *c, int min_version)
{
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                               SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(c, 0);
    SSL_CTX_set_quiet_shutdown(c, 0);
    return SSL_CTX_set_min_proto_version(c, min_version) == 1 &&
           SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(c, 0) == 1 &&
           SSL_CTX_set_max_early_data(c, 0) == 1 &&
           SSL_CTX_set_ciphersuites(c, SUITES_13) == 1;
}

static bool
apply_node(SSL_CTX *c)
{
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    SSL_CTX_set_max_cert_list(c, (long)LIMIT_TLS_CHAIN + 1024);
    SSL_CTX_set_alpn_select_cb(c, choose_alpn, (void *)(uintptr_t)alpn_node);
    return apply_common(c, TLS1_3_VERSION) &&
           set_list(c, SSL_CTRL_SET_GROUPS_LIST, "X25519") &&
           set_list(c, SSL_CTRL_SET_SIGALGS_LIST, "ed25519") &&
           set_list(c, SSL_CTRL_SET_CLIENT_SIGALGS_LIST, "ed25519") &&
           SSL_CTX_set_alpn_protos(c, alpn_node, sizeof(alpn_node)) == 0;
}

/* A browser without ALPN is served; one that offers only others is not. */
static bool
apply_web(SSL_CTX *c)
{
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_alpn_select_cb(c, choose_alpn, (void *)(uintptr_t)alpn_web);
    return apply_common(c, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           set_list(c, SSL_CTRL_SET_GROUPS_LIST, "X25519:P-256:P-384");
}

static int
bio_write(BIO *b, const char *data, size_t len, size_t *done)
{
    const struct tlsp_pump *pump = BIO_get_data(b);

    return pump->write(pump->ctx, (const uint8_t *)data, len, done) ? 1 : 0;
}

static int
bio_read(BIO *b, char *data, size_t len, size_t *done)
{
    const struct tlsp_pump *pump = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    *done = pump->read(pump->ctx, (uint8_t *)data, len);
    if (*done == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    return 1;
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Reads and writes end in a session's own buffers, not in a socket. */
static BIO_METHOD *
pump_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "balsam");

    if (m != NULL && (BIO_meth_set_write_ex(m, bio_write) != 1 ||
                      BIO_meth_set_read_ex(m, bio_read) != 1 ||
                      BIO_meth_set_ctrl(m, bio_ctrl) != 1)) {
        BIO_meth_free(m);
        m = NULL;
    }
    return m;
}

static enum err
policy_new(const struct mem *mem, bool node, struct tlsp_policy **out)
{
    struct tlsp_policy *p = mem_alloc(mem, sizeof(*p));

    if (p == NULL) {
        return ERR_NOMEM;
    }
    p->mem = mem;
    p->node = node;
    atomic_init(&p->refs, 1);
    p->bio = pump_method();
    p->ctx = SSL_CTX_new(TLS_method());
    if (p->bio == NULL || p->ctx == NULL ||
        !(node ? apply_node(p->ctx) : apply_web(p->ctx))) {
        ERR_clear_error();
        tlsp_policy_unref(p);
        return ERR_NOMEM;
    }
    *out = p;
    return OK;
}

static enum err
use_own(SSL_CTX *c, struct view seed, struct view der)
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, seed.len);
    const unsigned char *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    enum err e = ERR_NOMEM;

    if (pkey != NULL && x != NULL && SSL_CTX_use_certificate(c, x) == 1 &&
        SSL_CTX_use_PrivateKey(c, pkey) == 1) {
        e = OK;
    }
    ERR_clear_error();
    X509_free(x);
    EVP_PKEY_free(pkey);
    return e;
}

enum err
tlsp_policy_node(const struct mem *mem, struct view seed, struct view chain,
                 struct tlsp_policy **out)
{
    enum err e;
    struct bytes der = {0};
    struct tlsp_policy *p = NULL;

    TRY(tlsp_wrap_make(mem, seed, chain, &der));
    TRY(policy_new(mem, true, &p));
    TRY(use_own(p->ctx, seed, view_of(&der)));
    tlsp_session_hook(p->ctx);
    *out = p;
    p = NULL;
out:
    tlsp_policy_unref(p);
    bytes_free(&der);
    return e;
}

/* We never ask for a passphrase: an encrypted key is refused. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static enum err
use_chain(SSL_CTX *c, BIO *pem)
{
    enum err e = OK;
    int n = 0;

    for (; e == OK && n < PEM_CERTS_MAX; n++) {
        X509 *x = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);

        if (x == NULL) {
            break;
        }
        if (n == 0) {
            EVP_PKEY *key = X509_get0_pubkey(x);

            if (key == NULL || (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
                                EVP_PKEY_get_bits(key) < RSA_BITS_MIN)) {
                e = ERR_UNSUPPORTED;
            } else if (SSL_CTX_use_certificate(c, x) != 1) {
                e = ERR_UNSUPPORTED;
            }
        } else if (SSL_CTX_add1_chain_cert(c, x) != 1) {
            e = ERR_NOMEM;
        }
        X509_free(x);
    }
    return e == OK && n == 0 ? ERR_FORMAT : e;
}

enum err
tlsp_policy_web(const struct mem *mem, struct view cert_pem,
                struct view key_pem, struct tlsp_policy **out)
{
    enum err e;
    struct tlsp_policy *p = NULL;
    BIO *cert = NULL;
    BIO *key = NULL;
    EVP_PKEY *pkey = NULL;

    if (cert_pem.len == 0 || cert_pem.len > LIMIT_WEB_PEM || key_pem.len == 0 ||
        key_pem.len > LIMIT_WEB_PEM) {
        return ERR_FORMAT;
    }
    TRY(policy_new(mem, false, &p));
    cert = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.len);
    key = BIO_new_mem_buf(key_pem.p, (int)key_pem.len);
    TRY(cert == NULL || key == NULL ? ERR_NOMEM : OK);
    TRY(use_chain(p->ctx, cert));
    pkey = PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);
    TRY(pkey == NULL ? ERR_FORMAT : OK);
    TRY(SSL_CTX_use_PrivateKey(p->ctx, pkey) != 1 ? ERR_AUTH : OK);
    TRY(SSL_CTX_check_private_key(p->ctx) != 1 ? ERR_AUTH : OK);
    *out = p;
    p = NULL;
out:
    ERR_clear_error();
    EVP_PKEY_free(pkey);
    BIO_free(key);
    BIO_free(cert);
    tlsp_policy_unref(p);
    return e;
}

uint64_t
tlsp_policy_ends_ms(const struct tlsp_policy *p)
{
    const X509 *x = SSL_CTX_get0_certificate(p->ctx);
    struct tm t = {.tm_year = 0};
    int64_t s;

    if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &t) != 1) {
        ERR_clear_error();
        return 0;
    }
    s = (int64_t)timegm(&t);
    return s > 0 ? (uint64_t)s * 1000 : 0;
}

struct tlsp_policy *
tlsp_policy_ref(struct tlsp_policy *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void
tlsp_policy_unref(struct tlsp_policy *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1) {
        return;
    }
    SSL_CTX_free(p->ctx);
    BIO_meth_free(p->bio);
    mem_free(p->mem, p, sizeof(*p));
}
