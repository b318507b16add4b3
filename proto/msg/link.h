/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic's link: what is mailed, printed as a QR code, and opened by others
 * (decisions B 6).
 *
 *     https://HOST/l#  or  balsam:l#   + base64url of
 *     version 1 | flags 1 | root 32 | link id 8 | secret 16 (one-time only) |
 *     expiry 4 (seconds since 1970, 0 never) | addresses | checksum 4
 *
 * It holds no signature and no name: the handshake proves the root, and
 * profile, class and label come over that connection.  The checksum (CRC-32 of
 * all before it and of HOST) finds typing errors, not forgers.
 */
#ifndef PROTO_MSG_LINK_H
#define PROTO_MSG_LINK_H

#include "proto/msg/addr.h"

enum {
    PROTO_LINK_VERSION = 1,
    PROTO_LINK_SECRET = 16,
    PROTO_LINK_ADDRS_MAX = 4,
    /* Longest text that we make and read. */
    PROTO_LINK_TEXT_MAX = 2048
};

/* The numbers are on the wire; other bits must be 0. */
enum proto_link_flags {
    PROTO_LINK_ONE_TIME = 1, /* has a secret; proves both sides by one scan */
    PROTO_LINK_IN_PERSON = 2 /* one-time and shown in person: "verified" */
};

/* What is wrong with a text that is not a good link. */
enum proto_link_fault {
    PROTO_LINK_GOOD,
    PROTO_LINK_NOT_ONE,    /* another kind of address or text */
    PROTO_LINK_CHARACTERS, /* a character that no link has */
    PROTO_LINK_SHORT,      /* cut off */
    PROTO_LINK_LONG,       /* something was added */
    PROTO_LINK_CHECKSUM,   /* a typing error */
    PROTO_LINK_NEWER,      /* a version or flag of later software */
    PROTO_LINK_ADDRESS,    /* no address that we can use */
    PROTO_LINK_EXPIRED     /* its time has passed */
};

struct proto_link {
    uint8_t flags;
    struct clinic_id root;
    struct link_id id;
    uint8_t secret[PROTO_LINK_SECRET]; /* zero unless ONE_TIME; wipe */
    uint32_t expiry_s;                 /* since 1970; 0 never */
    uint8_t addrs_len;
    struct proto_addr addrs[PROTO_LINK_ADDRS_MAX]; /* parsed: never SAME */
    char host[PROTO_HOST_MAX + 1]; /* of the https form; empty: balsam: */
};

/*
 * Read a link out of text; spaces and line breaks around and inside it, and a
 * bracket, quote or full stop around it, are ignored: one that a mail program
 * broke or marked still works.  *fault says what is wrong when this is not OK;
 * nothing was sent anywhere.
 *
 * now_s      for PROTO_LINK_EXPIRED; 0 does not look at the time.  An expired
 *            link is nevertheless filled in.
 * ERR_FORMAT, ERR_UNSUPPORTED (NEWER), ERR_STALE (EXPIRED)
 */
MUST_CHECK enum err proto_link_parse(struct view text, uint64_t now_s,
                                     struct proto_link *out,
                                     enum proto_link_fault *fault);

/* One sentence that says what is wrong and what to do.  Never NULL. */
const char *proto_link_fault_text(enum proto_link_fault fault);

/*
 * The text of a link, in *out without a NUL.
 * ERR_INVALID  no address, or more than PROTO_LINK_ADDRS_MAX; a bad host
 */
MUST_CHECK enum err proto_link_format(const struct mem *mem,
                                      const struct proto_link *link,
                                      struct bytes *out);

/* Wipe the secret. */
void proto_link_wipe(struct proto_link *link);

#endif
