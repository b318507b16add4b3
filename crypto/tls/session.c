/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL between two buffers.  Input is never kept here: OpenSSL takes what
 * it is offered and holds the rest of a record itself.  Output gathers in one
 * buffer that its owner takes away, so an idle session holds none.
 */
#include "crypto/tls/session.h"

#include "crypto/tls/policy_impl.h"
#include "crypto/tls/wrap.h"
#include "proto/base/assert.h"

#include <string.h>

struct tlsp {
    const struct mem *mem;
    struct tlsp_policy *policy;
    struct tlsp_verifier verifier;
    struct tlsp_pump pump;
    SSL *ssl;
    struct view *in; /* only inside tlsp_read */
    struct bytes out;
    struct device_id peer_key;
    enum err verdict; /* of the verifier; ERR_AUTH until it was asked */
    enum err failure; /* sticky */
    bool ready;
};

static size_t
pump_read(void *ctx, uint8_t *data, size_t len)
{
    struct tlsp *t = ctx;
    size_t n;

    if (t->in == NULL || t->in->len == 0) {
        return 0;
    }
    n = t->in->len < len ? t->in->len : len;
    memcpy(data, t->in->p, n);
    *t->in = view_skip(*t->in, n);
    return n;
}

static bool
pump_write(void *ctx, const uint8_t *data, size_t len, size_t *done)
{
    struct tlsp *t = ctx;

    if (bytes_append(t->mem, &t->out, view_make(data, len)) != OK) {
        t->failure = ERR_NOMEM;
        return false;
    }
    *done = len;
    return true;
}

/* The wrapper that x was read from; der is to be freed by OPENSSL_free. */
static enum err
judge(struct tlsp *t, X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    struct view chain;
    struct device_id key;
    enum err e;

    if (len <= 0) {
        return ERR_NOMEM;
    }
    e = tlsp_wrap_parse(view_make(der, (size_t)len), &key, &chain);
    if (e == OK) {
        e = t->verifier.verify(t->verifier.ctx, chain, &key);
        t->peer_key = key;
    } else {
        e = ERR_AUTH;
    }
    OPENSSL_free(der);
    return e;
}

static int
verify_cb(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tlsp *t = SSL_get_app_data(ssl);
    STACK_OF(X509) *all = X509_STORE_CTX_get0_untrusted(store);

    (void)arg;
    t->verdict = ERR_AUTH;
    if (sk_X509_num(all) == 1) {
        t->verdict = judge(t, X509_STORE_CTX_get0_cert(store));
    }
    if (t->verdict != OK) {
        /* the alerts of the first two: certificate_revoked,
           certificate_expired (RFC 8446 6.2) */
        X509_STORE_CTX_set_error(
            store, t->verdict == ERR_STALE     ? X509_V_ERR_CERT_REVOKED
                   : t->verdict == ERR_TIMEOUT ? X509_V_ERR_CERT_HAS_EXPIRED
                                               : X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

void
tlsp_session_hook(SSL_CTX *c)
{
    SSL_CTX_set_cert_verify_callback(c, verify_cb, NULL);
}

static enum err
session_new(const struct mem *mem, struct tlsp_policy *policy,
            const struct tlsp_verifier *verifier, struct tlsp **out)
{
    struct tlsp *t;
    BIO *bio;

    ASSERT(policy->node == (verifier != NULL));
    t = mem_alloc(mem, sizeof(*t));
    if (t == NULL) {
        return ERR_NOMEM;
    }
    t->mem = mem;
    t->policy = tlsp_policy_ref(policy);
    t->verdict = ERR_AUTH;
    t->pump = (struct tlsp_pump){pump_read, pump_write, t};
    if (verifier != NULL) {
        t->verifier = *verifier;
    }
    t->ssl = SSL_new(policy->ctx);
    bio = BIO_new(policy->bio);
    if (t->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        tlsp_free(t);
        ERR_clear_error();
        return ERR_NOMEM;
    }
    BIO_set_data(bio, &t->pump);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    (void)SSL_set_app_data(t->ssl, t);
    *out = t;
    return OK;
}

enum err
tlsp_dial(const struct mem *mem, struct tlsp_policy *policy,
          const struct tlsp_verifier *verifier, struct tlsp **out)
{
    enum err e;
    struct tlsp *t = NULL;

    ASSERT(policy->node);
    TRY(session_new(mem, policy, verifier, &t));
    SSL_set_connect_state(t->ssl);
    ERR_clear_error();
    ERR_IGNORE(SSL_do_handshake(t->ssl) == 1 ? OK : ERR_AGAIN,
               "the first flight cannot be the last");
    ERR_clear_error();
    TRY(t->out.len > 0 ? OK : ERR_NOMEM);
    *out = t;
    t = NULL;
out:
    tlsp_free(t);
    return e;
}

enum err
tlsp_accept(const struct mem *mem, struct tlsp_policy *policy,
            const struct tlsp_verifier *verifier, struct tlsp **out)
{
    enum err e;
    struct tlsp *t = NULL;

    TRY(session_new(mem, policy, verifier, &t));
    SSL_set_accept_state(t->ssl);
    *out = t;
out:
    return e;
}

void
tlsp_free(struct tlsp *t)
{
    if (t == NULL) {
        return;
    }
    SSL_free(t->ssl);
    tlsp_policy_unref(t->policy);
    bytes_free(&t->out);
    mem_free(t->mem, t, sizeof(*t));
}

bool
tlsp_ready(const struct tlsp *t)
{
    return t->ready;
}

/* OpenSSL's reason as ours: the one place that knows them. */
static enum err
failure_of(int reason)
{
    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_BAD_SIGNATURE:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
    case SSL_R_WRONG_CERTIFICATE_TYPE:
        return ERR_AUTH;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL:
        return ERR_UNSUPPORTED;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return ERR_DENIED;
    default:
        return ERR_FORMAT;
    }
}

static enum err
fail(struct tlsp *t, enum err e)
{
    if (t->failure == OK) {
        t->failure = e;
    }
    ERR_clear_error();
    return t->failure;
}

/* What a call that did not succeed means. */
static enum err
ended(struct tlsp *t, int ret)
{
    unsigned long code;

    switch (SSL_get_error(t->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        return ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return fail(t, ERR_MISSING);
    default:
        code = ERR_peek_error();
        if (!t->ready && ERR_GET_LIB(code) == ERR_LIB_SSL &&
            ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
            return fail(t, t->verdict);
        }
        if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
            return fail(t, ERR_FORMAT);
        }
        if (t->ready &&
            ERR_GET_REASON(code) == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED) {
            return fail(t, ERR_STALE);
        }
        if (t->ready &&
            ERR_GET_REASON(code) == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED) {
            return fail(t, ERR_TIMEOUT);
        }
        return fail(t, failure_of(ERR_GET_REASON(code)));
    }
}

/* The checks that no setting of OpenSSL makes for us. */
static enum err
handshake_done(struct tlsp *t)
{
    const unsigned char *alpn = NULL;
    unsigned int alpn_len = 0;

    if (t->policy->node) {
        SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
        if (SSL_version(t->ssl) != TLS1_3_VERSION || alpn_len == 0) {
            return fail(t, ERR_UNSUPPORTED);
        }
        if (t->verdict != OK || SSL_session_reused(t->ssl) != 0) {
            return fail(t, ERR_AUTH);
        }
    }
    t->ready = true;
    return OK;
}

enum err
tlsp_read(struct tlsp *t, struct view *in, uint8_t *buf, size_t cap,
          size_t *len_out)
{
    size_t n = 0;
    int ret;
    enum err e;

    if (t->failure != OK) {
        return t->failure;
    }
    ERR_clear_error();
    t->in = in;
    if (!t->ready) {
        ret = SSL_do_handshake(t->ssl);
        e = ret == 1 ? handshake_done(t) : ended(t, ret);
        if (e != OK) {
            t->in = NULL;
            return e;
        }
    }
    ret = SSL_read_ex(t->ssl, buf, cap, &n);
    t->in = NULL;
    if (ret == 1) {
        *len_out = n;
        return OK;
    }
    return ended(t, ret);
}

enum err
tlsp_write(struct tlsp *t, struct view plain)
{
    size_t done = 0;

    if (!t->ready || (t->failure != OK && t->failure != ERR_MISSING)) {
        return ERR_STATE;
    }
    if (plain.len == 0) {
        return OK;
    }
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, plain.p, plain.len, &done) != 1 ||
        done != plain.len) {
        return fail(t, ERR_NOMEM);
    }
    return OK;
}

void
tlsp_shutdown(struct tlsp *t)
{
    if (t->ready && (t->failure == OK || t->failure == ERR_MISSING)) {
        ERR_clear_error();
        ERR_IGNORE(SSL_shutdown(t->ssl) >= 0 ? OK : ERR_IO,
                   "a goodbye is best effort");
        ERR_clear_error();
    }
}

struct view
tlsp_out(const struct tlsp *t)
{
    return view_of(&t->out);
}

void
tlsp_take_out(struct tlsp *t, struct bytes *out)
{
    ASSERT(out->p == NULL);
    *out = bytes_take(&t->out);
}

enum err
tlsp_export(struct tlsp *t, const char *label, struct view context,
            uint8_t out[TLSP_EXPORTER_LEN])
{
    enum err e = OK;

    if (!t->ready) {
        return ERR_STATE;
    }
    if (SSL_export_keying_material(t->ssl, out, TLSP_EXPORTER_LEN, label,
                                   strlen(label), context.p, context.len,
                                   1) != 1) {
        e = ERR_INTERNAL;
    }
    ERR_clear_error();
    return e;
}

uint16_t
tlsp_version(const struct tlsp *t)
{
    return t->ready ? (uint16_t)SSL_version(t->ssl) : 0;
}

enum err
tlsp_peer_key(const struct tlsp *t, struct device_id *out)
{
    if (!t->ready || !t->policy->node) {
        return ERR_STATE;
    }
    *out = t->peer_key;
    return OK;
}
