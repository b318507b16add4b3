/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's web port, with the operator's certificate, from outside. */
#include "node/web.h"
#include "node/web_pages.h"

#include "tests/federation/web_client.h"
#include "tests/support/check.h"
#include "tests/support/picture.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <sys/stat.h>

struct place {
    char dir[TMP_PATH];
    struct node_config config;
    struct site site;
    struct node_web_owner owner; /* only its node; the web port is node_web's */
};

static struct place place;

/* A self-signed certificate with this serial, and its key, as PEM files. */
static void
make_pem(struct place *p, int serial, const char *cert, const char *key)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    FILE *f;

    CHECK(pkey != NULL && x != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, pkey);
    CHECK(X509_sign(x, pkey, EVP_sha256()) > 0);
    snprintf(p->config.web_cert, sizeof(p->config.web_cert), "%s/%s", p->dir,
             cert);
    snprintf(p->config.web_key, sizeof(p->config.web_key), "%s/%s", p->dir,
             key);
    f = fopen(p->config.web_cert, "w");
    CHECK(f != NULL && PEM_write_X509(f, x) == 1);
    fclose(f);
    f = fopen(p->config.web_key, "w");
    CHECK(f != NULL &&
          PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

static uint16_t
free_port(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    close(fd);
    return ntohs(sa.sin_port);
}

static struct place *
open_place(void)
{
    struct place *p = &place;
    struct fed_net_config c = {.mem = mem_heap(),
                               .clock = &world_clock,
                               .rng = &world_rng,
                               .io = &p->site.node.io,
                               .user = {node_verify, node_up, node_frame,
                                        node_writable, node_down, node_failed,
                                        &p->site.node}};

    *p = (struct place){.dir = ""};
    tmp_dir(p->dir, sizeof(p->dir), "balsam-web-XXXXXX");
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&p->site.node.mx, NULL);
    pthread_cond_init(&p->site.node.cv, NULL);
    p->site.node.known = true;
    p->site.node.io = fed_io_nng(mem_heap());
    fixture_init(&p->site.clinic, 1);
    c.identity = (struct fed_identity){p->site.clinic.id,
                                       VIEW_ARRAY(p->site.clinic.node.seed),
                                       view_of(&p->site.clinic.chain)};
    CHECK_OK(fed_net_start(&c, &p->site.node.net));
    p->site.port = free_port();
    p->config.web.len = 1;
    snprintf(p->config.web.item[0], NODE_CONFIG_TEXT, "127.0.0.1:%u",
             p->site.port);
    return p;
}

static void
close_place(struct place *p)
{
    char cmd[2 * TMP_PATH + 64];

    site_stop(&p->site);
    snprintf(cmd, sizeof(cmd), "rm -r %s", p->dir);
    CHECK_EQ(system(cmd), 0);
}

static enum err
start(struct place *p, char say[256])
{
    say[0] = '\0';
    return node_web_start(mem_heap(), p->site.node.net, &p->config, &p->owner,
                          say, 256);
}

/* TLS to the web port; the serial of what it shows. */
static long
client_tls(struct client *c, const struct place *p, int version)
{
    X509 *x;
    long serial;

    client_open(c, p->site.port);
    c->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(c->ctx, version);
    c->ssl = SSL_new(c->ctx);
    SSL_set_fd(c->ssl, c->fd);
    CHECK_EQ(SSL_connect(c->ssl), 1);
    x = SSL_get1_peer_certificate(c->ssl);
    serial = ASN1_INTEGER_get(X509_get0_serialNumber(x));
    X509_free(x);
    return serial;
}

TEST(the_page_over_tls)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct place *p = open_place();
    char say[256];
    struct client c;
    uint64_t seen = 0;

    make_pem(p, 1, "c.pem", "k.pem");
    CHECK(node_web_wanted(&p->config));
    CHECK_OK(start(p, say));
    CHECK(fed_web_tls_ends_ms(p->site.node.net) > 0);
    for (size_t i = 0; i < 2; i++) {
        const char *a;

        CHECK_EQ(client_tls(&c, p, versions[i]), 1);
        client_put(&c, VIEW_LIT("GET /l HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        a = client_all(&c);
        CHECK(strncmp(a, "HTTP/1.1 200 ", 13) == 0);
        CHECK(strstr(a, "Strict-Transport-Security: "));
        CHECK(strstr(a, "I am a patient") && strstr(a, "I work at a clinic"));
        client_close(&c);
    }
    /* a device over it */
    CHECK_EQ(client_tls(&c, p, TLS1_3_VERSION), 1);
    client_upgrade(&c, "localhost:443");
    CHECK(client_hello(&c, &p->site, 7, "localhost"));
    CHECK(node_wait(&p->site.node, &p->site.node.ups, 1));
    client_say(&c, VIEW_LIT("\0\0\0\0over TLS"));
    CHECK(node_wait_u64(&p->site.node, &p->site.node.frames, 1));
    /* renewed: first only half of it, then whole */
    CHECK_ERR(
        node_web_reload(mem_heap(), p->site.node.net, &p->config, false, &seen),
        ERR_EXISTS);
    CHECK_OK(
        node_web_reload(mem_heap(), p->site.node.net, &p->config, true, &seen));
    make_pem(p, 2, "c.pem", "other.pem");
    snprintf(p->config.web_key, sizeof(p->config.web_key), "%s/k.pem", p->dir);
    CHECK_ERR(
        node_web_reload(mem_heap(), p->site.node.net, &p->config, false, &seen),
        ERR_AUTH);
    make_pem(p, 3, "c.pem", "k.pem");
    CHECK_OK(node_web_reload(mem_heap(), p->site.node.net, &p->config, false,
                             &seen));
    {
        struct client d;

        CHECK_EQ(client_tls(&d, p, TLS1_3_VERSION), 3);
        client_close(&d);
    }
    client_say(&c, VIEW_LIT("\1\0\0\0still here"));
    CHECK(node_wait_u64(&p->site.node, &p->site.node.frames, 2));
    client_close(&c);
    close_place(p);
}

TEST(tls_that_is_too_old_or_something_else)
{
    struct place *p = open_place();
    char say[256];
    struct client c;

    make_pem(p, 1, "c.pem", "k.pem");
    CHECK_OK(start(p, say));
    client_open(&c, p->site.port);
    c.ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(c.ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(c.ctx, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(c.ctx, "ALL:@SECLEVEL=0");
    c.ssl = SSL_new(c.ctx);
    SSL_set_fd(c.ssl, c.fd);
    CHECK(SSL_connect(c.ssl) != 1);
    client_close(&c);
    client_open(&c, p->site.port); /* plain HTTP */
    client_put(&c, VIEW_LIT("GET /l HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(strstr(client_all(&c), "HTTP/1.1 200") == NULL);
    client_close(&c);
    CHECK(node_wait_freed(&p->site.node, 0));
    close_place(p);
}

TEST(each_mistake_has_a_sentence)
{
    static const char *const words[] = {
        "cannot be read", "does not belong",    "not PEM",
        "already",        "is not a host name", "cannot be made"};
    char say[256];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct place *p = open_place();
        int fd = -1;

        make_pem(p, 1, "c.pem", "k.pem");
        if (i == 0) {
            unlink(p->config.web_key);
        } else if (i == 1) {
            make_pem(p, 2, "c2.pem", "k2.pem");
            snprintf(p->config.web_key, NODE_CONFIG_TEXT, "%s/k.pem", p->dir);
        } else if (i == 2) {
            FILE *f = fopen(p->config.web_key, "w");

            fputs("not a key", f);
            fclose(f);
        } else if (i == 3) {
            struct sockaddr_in sa = {.sin_family = AF_INET,
                                     .sin_port = htons(p->site.port)};

            sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
            CHECK(listen(fd, 1) == 0);
        } else if (i == 4) {
            snprintf(p->config.host, NODE_CONFIG_TEXT, "a clinic");
        } else {
            snprintf(p->config.web_socket, NODE_CONFIG_TEXT, "/nowhere/at/all");
        }
        CHECK(start(p, say) != OK);
        CHECK(strstr(say, words[i]) != NULL);
        if (fd >= 0) {
            close(fd);
        }
        close_place(p);
    }
}

/* What is answered to GET path, in a language. */
static const char *
get(struct place *p, const char *path, const char *language)
{
    char request[256];

    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Language: %s\r\n"
             "\r\n",
             path, language);
    return site_ask(&p->site, request);
}

TEST(pages_bring_nothing_with_them)
{
    static const char *const languages[] = {"en", "de", "fr", "es", "it"};
    static const char *const paths[] = {"/l.css", "/l.js", "/health"};
    struct place *p = open_place();
    char say[256];
    const char *text;

    CHECK(node_web_wanted(&p->config));
    CHECK_OK(start(p, say));
    for (size_t i = 0; i < 8; i++) {
        text = get(p, i < 5 ? "/l" : paths[i - 5], i < 5 ? languages[i] : "en");
        CHECK(strstr(text, "200 OK") != NULL);
        CHECK(strstr(text, "Content-Security-Policy: ") != NULL);
        text = strstr(text, "\r\n\r\n");
        CHECK(strstr(text, "http://") == NULL);
        CHECK(strstr(text, "https://") == NULL);
        CHECK(strstr(text, "Storage") == NULL);
        CHECK(strstr(text, "cookie") == NULL);
        CHECK(strstr(text, "innerHTML") == NULL);
        CHECK(i >= 5 ||
              (strchr(text, '{') == NULL &&
               strstr(text, i < 4 && i > 0 ? "lang=\"en" : "?!") == NULL));
        CHECK(i >= 5 || strstr(text, "<img") == NULL);
    }
    close_place(p);
}

TEST(the_page_has_the_clinics_picture)
{
    static uint8_t png[SAMPLE_PNG];
    struct place *p = open_place();
    struct node_web_owner none = {.picture = {0}};
    char say[256];
    char path[64];
    const char *text;

    sample_png(png, 240, 100, 1);
    p->owner.picture = VIEW_ARRAY(png);
    CHECK_OK(start(p, say));
    text = strstr(get(p, "/l", "de"), "<img id=\"picture\" src=\"");
    CHECK(text != NULL);
    CHECK(strstr(text, "alt=\"Bild der Praxis\"") != NULL);
    snprintf(path, sizeof(path), "%.19s", strchr(text, '/'));
    text = get(p, path, "de");
    CHECK(strstr(text, "200 OK") != NULL);
    CHECK(strstr(text, "Content-Type: image/png\r\n") != NULL);
    CHECK(strstr(text, "Content-Length: 300\r\n") != NULL);
    CHECK_OK(node_web_pages(mem_heap(), p->site.node.net, &none));
    CHECK(strstr(get(p, "/l", "en"), "<img") == NULL);
    CHECK(strstr(get(p, path, "en"), "404 ") != NULL);
    close_place(p);
}

int
main(void)
{
    return RUN(T(the_page_over_tls), T(tls_that_is_too_old_or_something_else),
               T(each_mistake_has_a_sentence), T(pages_bring_nothing_with_them),
               T(the_page_has_the_clinics_picture));
}
