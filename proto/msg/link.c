/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/link.h"

#include "proto/msg/b64.h"

#include <string.h>

static const char https_prefix[] = "https://";
static const char path[] = "/l#";
static const char balsam_prefix[] = "balsam:l#";

enum {
    CHECKSUM = 4,
    KNOWN_FLAGS = PROTO_LINK_ONE_TIME | PROTO_LINK_IN_PERSON
};

/* CRC-32 (IEEE 802.3) of v, continued from crc (0 at first). */
static uint32_t
crc32(uint32_t crc, struct view v)
{
    crc = ~crc;
    for (size_t i = 0; i < v.len; i++) {
        crc ^= v.p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    return ~crc;
}

static uint32_t
checksum(struct view payload, const char *host)
{
    return crc32(crc32(0, payload), view_str(host));
}

static void
put32(uint8_t out[4], uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(n >> (24 - 8 * i));
    }
}

static uint32_t
get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void
proto_link_wipe(struct proto_link *link)
{
    mem_wipe(link->secret, sizeof(link->secret));
}

const char *
proto_link_fault_text(enum proto_link_fault fault)
{
    switch (fault) {
    case PROTO_LINK_GOOD:
        return "The link is good.";
    case PROTO_LINK_NOT_ONE:
        return "This is not a Balsam link. A link starts with https:// or "
               "balsam: and has /l# in it; copy it whole.";
    case PROTO_LINK_CHARACTERS:
        return "The link has a character in it that no link has. Copy it "
               "again, or scan the QR code.";
    case PROTO_LINK_SHORT:
        return "The link is cut off, or its end is mistyped. Copy it whole, to "
               "its last character.";
    case PROTO_LINK_LONG:
        return "The link has something added at its end. Copy only the link.";
    case PROTO_LINK_CHECKSUM:
        return "The link is mistyped: its checksum is wrong. Copy it again, or "
               "scan the QR code.";
    case PROTO_LINK_NEWER:
        return "The link is mistyped, or was made by a newer version of "
               "Balsam. Copy it again; if it stays so, update Balsam here.";
    case PROTO_LINK_ADDRESS:
        return "The link has no address that can be dialled. Ask the clinic "
               "for a new one.";
    case PROTO_LINK_EXPIRED:
        return "The link has expired. Ask the clinic for a new one.";
    }
    return "The link is not good. Ask the clinic for a new one.";
}

/* ------------------------------------------------------------------ writing */

/* addr as in the link: without the name when it is the link's own. */
static enum err
append_addr(const struct mem *mem, const struct proto_link *link,
            const struct proto_addr *a, struct bytes *b)
{
    struct proto_addr same = {PROTO_ADDR_SAME, a->port, false, {{0}}, {0}, ""};

    if (a->kind == PROTO_ADDR_SAME || a->port == 0) {
        return ERR_INVALID;
    }
    if (!a->via && a->kind == PROTO_ADDR_DNS && link->host[0] != '\0' &&
        strcmp(a->host, link->host) == 0) {
        a = &same;
    }
    return proto_addr_append(mem, b, a);
}

static enum err
append_payload(const struct mem *mem, const struct proto_link *link,
               struct bytes *b)
{
    enum err e;
    uint8_t head[2] = {PROTO_LINK_VERSION, link->flags};
    uint8_t expiry[4];
    uint8_t sum[CHECKSUM];

    put32(expiry, link->expiry_s);
    TRY(bytes_append(mem, b, VIEW_ARRAY(head)));
    TRY(bytes_append(mem, b, clinic_id_view(&link->root)));
    TRY(bytes_append(mem, b, link_id_view(&link->id)));
    if ((link->flags & PROTO_LINK_ONE_TIME) != 0) {
        TRY(bytes_append(mem, b, VIEW_ARRAY(link->secret)));
    }
    TRY(bytes_append(mem, b, VIEW_ARRAY(expiry)));
    for (size_t i = 0; i < link->addrs_len; i++) {
        TRY(append_addr(mem, link, &link->addrs[i], b));
    }
    put32(sum, checksum(view_of(b), link->host));
    TRY(bytes_append(mem, b, VIEW_ARRAY(sum)));
out:
    return e;
}

/* A host is good when it and a port are an address. */
static bool
host_good(struct view host)
{
    char text[PROTO_HOST_MAX + sizeof(":1")];
    struct proto_addr a;

    if (host.len == 0 || host.len > PROTO_HOST_MAX) {
        return false;
    }
    memcpy(text, host.p, host.len);
    memcpy(text + host.len, ":1", 2);
    return proto_addr_parse(view_make(text, host.len + 2), &a) == OK &&
           a.kind == PROTO_ADDR_DNS && !a.via;
}

enum err
proto_link_format(const struct mem *mem, const struct proto_link *link,
                  struct bytes *out)
{
    enum err e;
    struct bytes payload = {0};
    struct bytes text = {0};
    bool in_person = (link->flags & PROTO_LINK_IN_PERSON) != 0;

    if (link->addrs_len == 0 || link->addrs_len > PROTO_LINK_ADDRS_MAX ||
        (link->flags & ~KNOWN_FLAGS) != 0 ||
        (in_person && (link->flags & PROTO_LINK_ONE_TIME) == 0) ||
        (link->host[0] != '\0' && !host_good(view_str(link->host)))) {
        return ERR_INVALID;
    }
    TRY(append_payload(mem, link, &payload));
    if (link->host[0] != '\0') {
        TRY(bytes_append(mem, &text, view_str(https_prefix)));
        TRY(bytes_append(mem, &text, view_str(link->host)));
        TRY(bytes_append(mem, &text, view_str(path)));
    } else {
        TRY(bytes_append(mem, &text, view_str(balsam_prefix)));
    }
    TRY(proto_b64_append(mem, view_of(&payload), &text));
    *out = bytes_take(&text);
out:
    bytes_free(&payload);
    bytes_free(&text);
    return e;
}

/* ------------------------------------------------------------------ reading */

/* Copy text without white space; at most PROTO_LINK_TEXT_MAX. */
static size_t
squeeze(struct view text, uint8_t out[PROTO_LINK_TEXT_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len && n < PROTO_LINK_TEXT_MAX; i++) {
        uint8_t c = text.p[i];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            out[n++] = c;
        }
    }
    return n;
}

/* What stands around a link in a letter: no link begins or ends so. */
static struct view
bare(struct view v)
{
    while (v.len > 0 && memchr("<([\"'", v.p[0], 5) != NULL) {
        v = view_skip(v, 1);
    }
    while (v.len > 0 && memchr(">)]\"'.,;:!?", v.p[v.len - 1], 11) != NULL) {
        v.len--;
    }
    return v;
}

static bool
starts_with(struct view v, const char *prefix)
{
    size_t len = strlen(prefix);

    if (v.len < len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t c = v.p[i];

        if (c >= 'A' && c <= 'Z') {
            c = (uint8_t)(c - 'A' + 'a');
        }
        if (c != (uint8_t)prefix[i]) {
            return false;
        }
    }
    return true;
}

/* Split text into host (may be empty) and what follows the '#'. */
static bool
split(struct view text, struct proto_link *link, struct view *fragment)
{
    size_t skip = strlen(https_prefix);
    const uint8_t *slash;
    size_t host;

    if (starts_with(text, balsam_prefix)) {
        *fragment = view_skip(text, strlen(balsam_prefix));
        return true;
    }
    if (!starts_with(text, https_prefix)) {
        return false;
    }
    text = view_skip(text, skip);
    slash = text.len > 0 ? memchr(text.p, '/', text.len) : NULL;
    if (slash == NULL) {
        return false;
    }
    host = (size_t)(slash - text.p);
    if (!host_good(view_sub(text, 0, host)) ||
        !starts_with(view_skip(text, host), path)) {
        return false;
    }
    for (size_t i = 0; i < host; i++) {
        uint8_t c = text.p[i];

        link->host[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    *fragment = view_skip(text, host + strlen(path));
    return true;
}

static enum proto_link_fault
read_addrs(struct view v, struct proto_link *link)
{
    while (v.len > 0) {
        struct proto_addr *a = &link->addrs[link->addrs_len];

        if (link->addrs_len == PROTO_LINK_ADDRS_MAX ||
            proto_addr_take(&v, a) != OK) {
            return PROTO_LINK_ADDRESS;
        }
        if (a->kind == PROTO_ADDR_SAME) {
            if (link->host[0] == '\0') {
                return PROTO_LINK_ADDRESS;
            }
            a->kind = PROTO_ADDR_DNS;
            memcpy(a->host, link->host, sizeof(a->host));
        } else if (!a->via && a->kind == PROTO_ADDR_DNS &&
                   strcmp(a->host, link->host) == 0) {
            return PROTO_LINK_ADDRESS; /* [link-shortest] */
        }
        link->addrs_len++;
    }
    return link->addrs_len > 0 ? PROTO_LINK_GOOD : PROTO_LINK_ADDRESS;
}

static enum proto_link_fault
read_payload(struct view v, struct proto_link *link)
{
    size_t fixed = 2 + sizeof(link->root.b) + sizeof(link->id.b) + 4;
    uint32_t sum;

    if (v.len < 2) {
        return PROTO_LINK_SHORT;
    }
    if (v.p[0] != PROTO_LINK_VERSION) {
        return v.p[0] < PROTO_LINK_VERSION ? PROTO_LINK_CHECKSUM
                                           : PROTO_LINK_NEWER;
    }
    link->flags = v.p[1];
    if ((link->flags & PROTO_LINK_ONE_TIME) != 0) {
        fixed += sizeof(link->secret);
    }
    if (v.len < fixed + CHECKSUM) {
        return PROTO_LINK_SHORT;
    }
    sum = get32(v.p + v.len - CHECKSUM);
    v.len -= CHECKSUM;
    if (checksum(v, link->host) != sum) {
        return PROTO_LINK_CHECKSUM;
    }
    if ((link->flags & ~KNOWN_FLAGS) != 0 ||
        link->flags == PROTO_LINK_IN_PERSON) {
        return PROTO_LINK_NEWER;
    }
    v = view_skip(v, 2);
    memcpy(link->root.b, v.p, sizeof(link->root.b));
    v = view_skip(v, sizeof(link->root.b));
    memcpy(link->id.b, v.p, sizeof(link->id.b));
    v = view_skip(v, sizeof(link->id.b));
    if ((link->flags & PROTO_LINK_ONE_TIME) != 0) {
        memcpy(link->secret, v.p, sizeof(link->secret));
        v = view_skip(v, sizeof(link->secret));
    }
    link->expiry_s = get32(v.p);
    return read_addrs(view_skip(v, 4), link);
}

static enum proto_link_fault
parse(struct view text, struct proto_link *link)
{
    struct view fragment;
    uint8_t payload[PROTO_LINK_TEXT_MAX];
    size_t len;
    enum proto_link_fault fault = PROTO_LINK_SHORT;

    if (!split(text, link, &fragment)) {
        return PROTO_LINK_NOT_ONE;
    }
    for (size_t i = 0; i < fragment.len; i++) {
        if (!proto_b64_char(fragment.p[i])) {
            return PROTO_LINK_CHARACTERS;
        }
    }
    if (proto_b64_decode(fragment, payload, sizeof(payload), &len) == OK) {
        fault = read_payload(view_make(payload, len), link);
    }
    mem_wipe(payload, sizeof(payload));
    return fault;
}

enum err
proto_link_parse(struct view text, uint64_t now_s, struct proto_link *out,
                 enum proto_link_fault *fault)
{
    uint8_t buf[PROTO_LINK_TEXT_MAX];
    struct proto_link link = {0};
    size_t len = squeeze(text, buf);
    enum err e = ERR_FORMAT;

    *fault = len == PROTO_LINK_TEXT_MAX
                 ? PROTO_LINK_LONG
                 : parse(bare(view_make(buf, len)), &link);
    if (*fault == PROTO_LINK_GOOD) {
        *out = link;
        e = OK;
        if (now_s != 0 && link.expiry_s != 0 && now_s > link.expiry_s) {
            *fault = PROTO_LINK_EXPIRED;
            e = ERR_STALE;
        }
    } else if (*fault == PROTO_LINK_NEWER) {
        e = ERR_UNSUPPORTED;
    }
    mem_wipe(buf, sizeof(buf));
    proto_link_wipe(&link);
    return e;
}
