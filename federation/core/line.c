/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/line.h"

#include "federation/core/hub.h"
#include "federation/core/limits.h"
#include "federation/core/rec.h"
#include "proto/msg/group.h"

#include <string.h>

enum {
    SEQ_BITS = 40,
    AT = 32,
    WHAT = AT + 8,
    WHO = WHAT + 1
};

static const struct proto_field fields[] = {
    PROTO_FIXED(fed_rec_line, by),
    PROTO_FIXED(fed_rec_line, device),
    PROTO_UINT(fed_rec_line, ts_ms, UINT64_MAX),
};
const struct proto_shape fed_rec_line_shape = PROTO_SHAPE(fed_rec_line, fields);

const char *
fed_line_word(enum fed_line_what what)
{
    switch (what) {
    case FED_LINE_CAME:
        return "came";
    case FED_LINE_REMOVED:
        return "removed";
    case FED_LINE_REJOINED:
        return "rejoined";
    case FED_LINE_DEVICE_CAME:
        return "device came";
    case FED_LINE_DEVICE_OUT:
        return "device removed";
    case FED_LINE_WANTS_OUT:
        return "wants to leave";
    case FED_LINE_LEFT:
        return "left";
    case FED_LINE_HANDED:
        return "order handed over";
    case FED_LINE_TAKEN:
        return "order taken over";
    case FED_LINE_REVOKED:
        return "kept out, revoked key";
    case FED_LINE_UNBOUND:
        return "kept out, not bound";
    case FED_LINE_MISSING:
        return "missing";
    case FED_LINE_LOST:
        return "lost";
    }
    return "unknown";
}

uint64_t
fed_line_at(uint64_t term, uint64_t place)
{
    return term << SEQ_BITS | (place & (((uint64_t)1 << SEQ_BITS) - 1));
}

/* In a conversation of two, who is in it is the conversation. */
static bool
of_member(const struct fed_show *show, struct fed_line *out)
{
    static const enum fed_line_what says[] = {
        [FED_MEMBER_OUT] = FED_LINE_REMOVED,
        [FED_MEMBER_CAME] = FED_LINE_CAME,
        [FED_MEMBER_REJOINED] = FED_LINE_REJOINED,
        [FED_MEMBER_DEVICE_CAME] = FED_LINE_DEVICE_CAME,
        [FED_MEMBER_DEVICE_OUT] = FED_LINE_DEVICE_OUT,
        [FED_MEMBER_WANTS_OUT] = FED_LINE_WANTS_OUT,
    };

    if (show->code >= sizeof(says) / sizeof(says[0]) ||
        ((show->value & PROTO_GROUP_DIRECT) != 0 &&
         show->code == FED_MEMBER_CAME)) {
        return false;
    }
    out->what = says[show->code];
    memcpy(out->who, show->author.b, sizeof(out->who));
    memcpy(out->by, show->other.b, sizeof(out->by));
    memcpy(out->device, show->message.b, sizeof(out->device));
    return true;
}

static bool
of_hub(const struct fed_show *show, struct fed_line *out)
{
    if (show->code != FED_HUB_HANDED && show->code != FED_HUB_TAKEN) {
        return false; /* GONE: it has no place */
    }
    out->what = show->code == FED_HUB_HANDED ? FED_LINE_HANDED : FED_LINE_TAKEN;
    memcpy(out->who, show->peer.b, sizeof(out->who));
    memcpy(out->by, show->other.b, sizeof(out->by));
    return true;
}

/* Of what is asked for nothing is kept until all were asked in vain. */
static bool
of_gap(const struct fed_show *show, struct fed_line *out)
{
    static const enum fed_line_what says[] = {
        [FED_GAP_REVOKED] = FED_LINE_REVOKED,
        [FED_GAP_UNBOUND] = FED_LINE_UNBOUND,
        [FED_GAP_LOST] = FED_LINE_LOST,
    };

    if (show->code >= sizeof(says) / sizeof(says[0]) || says[show->code] == 0) {
        return false;
    }
    out->what = says[show->code];
    out->at = fed_line_at(show->term, fed_place(show->seq, 0));
    memcpy(out->who, show->author.b, sizeof(out->who));
    return true;
}

bool
fed_line_kept(uint64_t what)
{
    return (what >= FED_LINE_CAME && what <= FED_LINE_UNBOUND) ||
           what == FED_LINE_LOST;
}

bool
fed_line_filled(const struct fed_line *line, uint64_t at)
{
    return (line->what == FED_LINE_REVOKED || line->what == FED_LINE_UNBOUND ||
            line->what == FED_LINE_LOST) &&
           fed_place_entry(line->at) == fed_place_entry(at);
}

bool
fed_line_of(const struct fed_show *show, struct fed_line *out)
{
    struct fed_line line = {.at = fed_line_at(show->term, show->seq),
                            .ts_ms = show->ts_ms};
    bool is = (show->kind == FED_SHOW_MEMBER && of_member(show, &line)) ||
              (show->kind == FED_SHOW_HUB && of_hub(show, &line)) ||
              (show->kind == FED_SHOW_GAP && of_gap(show, &line));

    if (!is) {
        return false;
    }
    *out = line;
    return true;
}

static void
key_at(const struct thread_id *thread, uint64_t at, uint8_t out[WHAT])
{
    memcpy(out, thread->b, sizeof(thread->b));
    for (size_t i = 0; i < 8; i++) {
        out[AT + i] = (uint8_t)(at >> (56 - 8 * i));
    }
}

void
fed_line_void(const struct fed_show *show, uint8_t from[FED_LINE_KEY],
              uint8_t upto[FED_LINE_KEY])
{
    memset(from, 0, FED_LINE_KEY);
    memset(upto, 0xff, FED_LINE_KEY);
    key_at(&show->thread, fed_line_at(show->term, fed_place(show->seq + 1, 0)),
           from);
    key_at(&show->thread, fed_line_at(show->value, UINT64_MAX), upto);
}

void
fed_line_key(const struct thread_id *thread, const struct fed_line *line,
             uint8_t out[FED_LINE_KEY])
{
    key_at(thread, line->at, out);
    out[WHAT] = (uint8_t)line->what;
    memcpy(out + WHO, line->who, sizeof(line->who));
}

enum err
fed_line_encode(const struct mem *mem, const struct fed_line *line,
                struct bytes *out)
{
    struct fed_rec_line rec = {.ts_ms = line->ts_ms};

    memcpy(rec.by, line->by, sizeof(rec.by));
    memcpy(rec.device, line->device, sizeof(rec.device));
    return fed_rec_encode(mem, &fed_rec_line_shape, &rec, out);
}

enum err
fed_line_decode(struct view key, struct view value, struct fed_line *out)
{
    enum err e;
    struct fed_rec_line rec;
    struct fed_line line = {.at = 0};

    TRY(key.len == FED_LINE_KEY && fed_line_kept(key.p[WHAT]) ? OK
                                                              : ERR_CORRUPT);
    TRY(fed_rec_decode(value, &fed_rec_line_shape, &rec));
    line.what = (enum fed_line_what)key.p[WHAT];
    for (size_t i = 0; i < 8; i++) {
        line.at = line.at << 8 | key.p[AT + i];
    }
    line.ts_ms = rec.ts_ms;
    memcpy(line.who, key.p + WHO, sizeof(line.who));
    memcpy(line.by, rec.by, sizeof(line.by));
    memcpy(line.device, rec.device, sizeof(line.device));
    *out = line;
out:
    return e;
}

/* Whether lines[i], a removal, follows a wish to leave; such wishes get no
   place any more. */
static bool
wished(struct fed_line *lines, size_t i)
{
    bool any = false;

    for (size_t n = i; n > 0; n--) {
        struct fed_line *l = &lines[n - 1];

        if (memcmp(l->who, lines[i].who, sizeof(l->who)) != 0) {
            continue;
        }
        if (l->what == FED_LINE_WANTS_OUT) {
            l->at = 0;
            any = true;
        } else if (l->what == FED_LINE_CAME || l->what == FED_LINE_REMOVED ||
                   l->what == FED_LINE_LEFT) {
            break;
        }
    }
    return any;
}

void
fed_lines_settle(struct fed_line *lines, size_t *len)
{
    size_t kept = 0;

    for (size_t i = 0; i < *len; i++) {
        if (lines[i].what == FED_LINE_REMOVED && wished(lines, i)) {
            lines[i].what = FED_LINE_LEFT;
        }
    }
    for (size_t i = 0; i < *len; i++) {
        if (lines[i].what != FED_LINE_WANTS_OUT || lines[i].at != 0) {
            lines[kept++] = lines[i];
        }
    }
    *len = kept;
}
