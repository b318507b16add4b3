/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type.  A value earns its place when some caller behaves
 * differently on it; what exactly went wrong is said by the layer above, in
 * words for people.  Pure; any thread.
 */
#ifndef PROTO_BASE_ERR_H
#define PROTO_BASE_ERR_H

enum err {
    OK = 0,
    ERR_NOMEM,       /* no memory; nothing changed */
    ERR_INVALID,     /* the caller's argument or the sender's value is wrong */
    ERR_FORMAT,      /* bytes from outside are malformed */
    ERR_UNSUPPORTED, /* well-formed, but a version or kind we do not speak */
    ERR_LIMIT,       /* above a bound of limits.h or a quota */
    ERR_AUTH,        /* a signature, MAC, seal or certificate does not verify */
    ERR_DENIED,      /* known sender, not allowed to do this */
    ERR_STATE,       /* not possible in the present state */
    ERR_STALE,       /* belongs to the past: epoch, generation, term, link */
    ERR_EXISTS,      /* already there; a repeat */
    ERR_MISSING,     /* not there */
    ERR_AGAIN,       /* try again later, nothing is wrong */
    ERR_TIMEOUT,     /* a deadline passed */
    ERR_FULL,        /* no room on disk; nothing was written */
    ERR_IO,          /* the system or the network failed */
    ERR_CORRUPT,     /* our own stored bytes do not verify */
    ERR_INTERNAL,    /* our own mistake, noticed */
    ERR_COUNT_       /* number of values, not an error */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * The only macro that jumps: needs a local `enum err e` and one label `out`.
 * e is OK when control falls through to out.
 */
#define TRY(call)      \
    do {               \
        e = (call);    \
        if (e != OK) { \
            goto out;  \
        }              \
    } while (0)

/* Drop a result on purpose, saying why (a literal). */
#define ERR_IGNORE(call, why)       \
    do {                            \
        enum err ignored_ = (call); \
        (void)ignored_;             \
        (void)sizeof("" why "");    \
    } while (0)

/* Short stable name, such as "limit"; for logs and the wire.  Never NULL. */
const char *err_name(enum err e);

#endif
