/* SPDX-License-Identifier: Apache-2.0 */
#include "node/web.h"

#include "node/web_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct saying {
    char *text;
    size_t size;
};

__attribute__((format(printf, 3, 4))) static enum err
fail(const struct saying *s, enum err e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(s->text, s->size, format, args);
    va_end(args);
    return e;
}

bool
node_web_wanted(const struct node_config *config)
{
    return config->web.len > 0 || config->web_socket[0] != '\0';
}

/* ------------------------------------------------------------- certificate */
static enum err
read_file(const struct mem *mem, const char *path, struct bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct bytes b = {0};
    ssize_t n = 1;
    enum err e;

    if (fd < 0) {
        return errno == ENOENT ? ERR_MISSING : ERR_DENIED;
    }
    TRY(bytes_alloc(mem, LIMIT_WEB_PEM + 1, &b));
    b.len = 0;
    while (n > 0 && b.len < b.cap) {
        n = read(fd, b.p + b.len, b.cap - b.len);
        b.len += n > 0 ? (size_t)n : 0;
    }
    TRY(n < 0 ? ERR_IO : b.len > LIMIT_WEB_PEM ? ERR_LIMIT : OK);
    *out = bytes_take(&b);
out:
    close(fd);
    bytes_free(&b);
    return e;
}

static enum err
load(const struct mem *mem, struct fed_net *net,
     const struct node_config *config)
{
    struct bytes cert = {0};
    struct bytes key = {0};
    enum err e;

    TRY(read_file(mem, config->web_cert, &cert));
    TRY(read_file(mem, config->web_key, &key));
    TRY(fed_web_set_tls(net, view_of(&cert), view_of(&key)));
out:
    bytes_free(&key);
    bytes_free(&cert);
    return e;
}

/* Changes whenever one of the files does, or is replaced. */
static uint64_t
fingerprint(const struct node_config *config)
{
    const char *const paths[] = {config->web_cert, config->web_key};
    uint64_t h = 1;

    for (size_t i = 0; i < 2; i++) {
        struct stat st = {.st_ino = 0};

        (void)stat(paths[i], &st);
        h = h * 1000003 + (uint64_t)st.st_ino;
        h = h * 1000003 + (uint64_t)st.st_mtim.tv_sec;
        h = h * 1000003 + (uint64_t)st.st_mtim.tv_nsec;
        h = h * 1000003 + (uint64_t)st.st_size;
    }
    return h;
}

enum err
node_web_reload(const struct mem *mem, struct fed_net *net,
                const struct node_config *config, bool asked, uint64_t *seen)
{
    uint64_t now;
    enum err e;

    if (config->web_cert[0] == '\0') {
        return ERR_EXISTS;
    }
    now = fingerprint(config);
    if (*seen == 0) { /* what the start has read */
        *seen = now;
    }
    if (now == *seen && !asked) {
        return ERR_EXISTS;
    }
    e = load(mem, net, config);
    if (e == OK) {
        *seen = now;
    }
    return e;
}

/* --------------------------------------------------------------- listening */
static enum err
open_web(const struct mem *mem, struct fed_net *net,
         const struct node_config *config, const struct node_web_owner *owner,
         const struct saying *s)
{
    struct fed_web_config c = {.pages = NULL};
    char host[NODE_CONFIG_TEXT];
    enum err e;

    memcpy(host, config->host, sizeof(host));
    for (char *p = host; *p != '\0'; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    }
    c.host = view_str(host);
    e = fed_web_open(net, &c);
    e = e == OK ? node_web_pages(mem, net, owner) : e;
    return e == ERR_INVALID
               ? fail(s, e, "--host \"%s\" is not a host name.", config->host)
               : e;
}

static enum err
open_tls(const struct mem *mem, struct fed_net *net,
         const struct node_config *config, const struct saying *s)
{
    enum err e = load(mem, net, config);

    if (e == ERR_MISSING || e == ERR_DENIED || e == ERR_IO) {
        return fail(s, e,
                    "The web certificate %s or its key %s cannot be read. The "
                    "user that runs balsamd must be allowed to.",
                    config->web_cert, config->web_key);
    }
    if (e == ERR_AUTH) {
        return fail(s, e, "The key %s does not belong to the certificate %s.",
                    config->web_key, config->web_cert);
    }
    if (e == ERR_UNSUPPORTED) {
        return fail(s, e,
                    "The key of the web certificate %s is too weak. Get one "
                    "with at least 2048 bits of RSA, or ECDSA.",
                    config->web_cert);
    }
    return e == OK ? OK
                   : fail(s, e,
                          "The web certificate %s and its key %s are not PEM "
                          "files, or the key has a passphrase.",
                          config->web_cert, config->web_key);
}

static enum err
listen_at(struct fed_net *net, const char *text, bool tls,
          const struct saying *s)
{
    struct fed_addr a;
    enum err e = fed_addr_parse(view_str(text), 0, &a);

    if (e == OK) {
        e = fed_web_listen(net, &a, tls, NULL);
    }
    if (e == ERR_EXISTS) {
        return fail(s, e,
                    "Something else listens on %s already. Stop it, or choose "
                    "another port with --web.",
                    text);
    }
    if (e == ERR_DENIED) {
        return fail(s, e,
                    "The system does not allow listening on %s. Choose a port "
                    "above 1023, or put a proxy in front.",
                    text);
    }
    return e == OK ? OK
                   : fail(s, e,
                          "Cannot listen on %s. It needs an address of this "
                          "machine in digits, and a port.",
                          text);
}

enum err
node_web_start(const struct mem *mem, struct fed_net *net,
               const struct node_config *config,
               const struct node_web_owner *owner, char *say, size_t size)
{
    struct saying s = {say, size};
    bool tls = config->web_cert[0] != '\0';
    enum err e;

    TRY(open_web(mem, net, config, owner, &s));
    if (tls) {
        TRY(open_tls(mem, net, config, &s));
    }
    for (size_t i = 0; i < config->web.len; i++) {
        TRY(listen_at(net, config->web.item[i], tls, &s));
    }
    if (config->web_socket[0] != '\0') {
        e = fed_web_listen_path(net, config->web_socket);
        if (e != OK) {
            (void)fail(&s, e,
                       "The web socket %s cannot be made (%s). Choose another "
                       "path with --web-socket.",
                       config->web_socket, err_name(e));
        }
    }
out:
    return e;
}
