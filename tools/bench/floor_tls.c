/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL has a type of the name of one of our errors; it goes first. */
#define ERR_STATE ossl_err_state
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "tools/bench/floor_tls.h"

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct floor_tls {
    pthread_mutex_t lock; /* one SSL object, a reader and a writer */
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static X509 *
self_signed(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name;

    ASSERT(x != NULL);
    name = X509_get_subject_name(x);
    ASSERT(X509_set_version(x, 2) == 1);
    ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    ASSERT(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL);
    ASSERT(X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL);
    ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"floor", -1, -1,
                                      0) == 1);
    ASSERT(X509_set_issuer_name(x, name) == 1);
    ASSERT(X509_set_pubkey(x, key) == 1);
    ASSERT(X509_sign(x, key, NULL) > 0);
    return x;
}

/* A key that signs is all the floor asks of its peer. */
static int
accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

struct floor_tls *
tool_floor_tls_open(int fd, int server)
{
    struct floor_tls *t = mem_alloc(mem_heap(), sizeof(*t));
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *cert;

    ASSERT(t != NULL && key != NULL);
    cert = self_signed(key);
    t->fd = fd;
    ASSERT(pthread_mutex_init(&t->lock, NULL) == 0);
    t->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    ASSERT(t->ctx != NULL);
    ASSERT(SSL_CTX_set_min_proto_version(t->ctx, TLS1_3_VERSION) == 1);
    ASSERT(SSL_CTX_set_num_tickets(t->ctx, 0) == 1);
    ASSERT(SSL_CTX_use_certificate(t->ctx, cert) == 1);
    ASSERT(SSL_CTX_use_PrivateKey(t->ctx, key) == 1);
    SSL_CTX_set_verify(t->ctx,
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(t->ctx, accept_any, NULL);
    t->ssl = SSL_new(t->ctx);
    ASSERT(t->ssl != NULL && SSL_set_fd(t->ssl, fd) == 1);
    ASSERT((server ? SSL_accept(t->ssl) : SSL_connect(t->ssl)) == 1);
    ASSERT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    X509_free(cert);
    EVP_PKEY_free(key);
    return t;
}

static void
wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    while (poll(&p, 1, -1) < 0) {
        ASSERT(errno == EINTR);
    }
}

/* One try under the lock: > 0 bytes, 0 closed, < 0 wait for *events. */
static int
attempt(struct floor_tls *t, void *rd, const void *wr, int len, short *events)
{
    int n;
    int why;

    pthread_mutex_lock(&t->lock);
    ERR_clear_error();
    n = rd != NULL ? SSL_read(t->ssl, rd, len) : SSL_write(t->ssl, wr, len);
    why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, n);
    pthread_mutex_unlock(&t->lock);
    *events = why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (n > 0) {
        return n;
    }
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

void
tool_floor_tls_write(struct floor_tls *t, const void *p, size_t len)
{
    const uint8_t *from = p;
    short events;

    while (len > 0) {
        size_t chunk = len > 65536 ? 65536 : len;
        int n = attempt(t, NULL, from, (int)chunk, &events);

        ASSERT(n != 0);
        if (n < 0) {
            wait_for(t->fd, events);
            continue;
        }
        from += n;
        len -= (size_t)n;
    }
}

size_t
tool_floor_tls_read(struct floor_tls *t, void *p, size_t len)
{
    short events;
    int n;

    while ((n = attempt(t, p, NULL, (int)len, &events)) < 0) {
        wait_for(t->fd, events);
    }
    return (size_t)n;
}

void
tool_floor_tls_shut(struct floor_tls *t)
{
    shutdown(t->fd, SHUT_WR);
}

void
tool_floor_tls_close(struct floor_tls *t)
{
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    close(t->fd);
    pthread_mutex_destroy(&t->lock);
    mem_free(mem_heap(), t, sizeof(*t));
}
