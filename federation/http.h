/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1 request (RFC 9112), read strictly: lines end with CRLF,
 * nothing is folded, no header that matters comes twice, and whoever announces
 * a body is told apart, so that no proxy in front can see another request than
 * we do.  Allocates nothing; views point into the input.  Pure.
 */
#ifndef FEDERATION_HTTP_H
#define FEDERATION_HTTP_H

#include "proto/base/bytes.h"

enum {
    FED_HTTP_HEADERS_MAX = 64
};

/* Headers that we look at.  What is absent is empty. */
enum fed_http_name {
    FED_HTTP_HOST,
    FED_HTTP_ORIGIN,
    FED_HTTP_CONNECTION,
    FED_HTTP_UPGRADE,
    FED_HTTP_WS_KEY,
    FED_HTTP_WS_VERSION,
    FED_HTTP_WS_PROTOCOL,
    FED_HTTP_IF_NONE_MATCH,
    FED_HTTP_ACCEPT_LANGUAGE,
    FED_HTTP_CONTENT_LENGTH,
    FED_HTTP_TRANSFER_ENCODING,
    FED_HTTP_NAME_COUNT
};

struct fed_http_head {
    struct view method;
    struct view path;  /* from the first '/', without the query */
    struct view query; /* behind '?'; empty without one */
    uint8_t minor;     /* HTTP/1.minor: 0 or 1 */
    bool has[FED_HTTP_NAME_COUNT];
    struct view value[FED_HTTP_NAME_COUNT];
    size_t len; /* of the head, with its empty line */
};

/*
 * Read the head at the front of in, of which the first seen bytes were looked
 * at before.
 *
 * ERR_AGAIN    not whole yet
 * ERR_FORMAT   not a request as above
 * ERR_LIMIT    more than FED_HTTP_HEADERS_MAX lines
 * ERR_UNSUPPORTED  another version than 1.0 or 1.1
 */
MUST_CHECK enum err fed_http_read(struct view in, size_t seen,
                                  struct fed_http_head *out);

/* Whether a body is announced (one of no bytes is none). */
bool fed_http_has_body(const struct fed_http_head *head);

/* Whether a comma-separated list has word, in any case. */
bool fed_http_list_has(struct view list, const char *word);

/*
 * The language of len (at least one) that an Accept-Language prefers, by its
 * index; the first when it names none of them (RFC 9110 12.5.4).  "de-AT" is
 * answered with "de".  What is malformed in it is not looked at.
 */
size_t fed_http_language(struct view accept, const struct view *tags,
                         size_t len);

/* Equal but for the case of ASCII letters. */
bool fed_http_same(struct view a, struct view b);

#endif
