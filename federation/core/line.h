/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a conversation beside what was said: who came, left or was
 * removed, a new device, another hub.  One record each, at its place of the
 * log, which the desk and the app keep apart from messages and merge with them
 * when people read.  FED_SHOW_MEMBER and FED_SHOW_HUB tell of it; records and
 * their meaning are here, so that both keep and read the same.
 */
#ifndef FEDERATION_CORE_LINE_H
#define FEDERATION_CORE_LINE_H

#include "federation/core/effects.h"
#include "proto/msg/shape.h"

/* Codes of FED_SHOW_GAP. */
enum {
    FED_GAP_NEVER = 0,
    FED_GAP_UNREADABLE = 1,
    FED_GAP_REVOKED = 2,
    FED_GAP_UNBOUND = 3,
    FED_GAP_LOST = 4 /* all were asked for it, in vain */
};

/* Codes of FED_SHOW_MEMBER. */
enum fed_member_change {
    FED_MEMBER_OUT = 0,
    FED_MEMBER_CAME = 1,
    FED_MEMBER_REJOINED = 2,
    FED_MEMBER_DEVICE_CAME = 3,
    FED_MEMBER_DEVICE_OUT = 4,
    FED_MEMBER_WANTS_OUT = 5
};

/* Stored: add at the end. */
enum fed_line_what {
    FED_LINE_CAME = 1,
    FED_LINE_REMOVED = 2,
    FED_LINE_REJOINED = 3, /* after it lost its state */
    FED_LINE_DEVICE_CAME = 4,
    FED_LINE_DEVICE_OUT = 5,
    FED_LINE_WANTS_OUT = 6,
    FED_LINE_LEFT = 7,   /* made when read: REMOVED after WANTS_OUT */
    FED_LINE_HANDED = 8, /* who orders it now, by the one before */
    FED_LINE_TAKEN = 9,  /* the same, without the one before */
    /* a message that is not shown, on purpose: its author's key was revoked
       (who; it is asked to say it again), or it is not bound to its author */
    FED_LINE_REVOKED = 10,
    FED_LINE_UNBOUND = 11,
    FED_LINE_MISSING = 12, /* made when read: messages are asked for */
    FED_LINE_LOST = 13     /* from here some may be missing, for good */
};

struct fed_line {
    enum fed_line_what what;
    uint64_t at; /* fed_line_at */
    uint64_t ts_ms;
    uint8_t who[32];
    uint8_t by[32];     /* zeros: not known, found when we came back */
    uint8_t device[32]; /* of who; zeros: not about one */
};

struct fed_rec_line {
    uint8_t by[32];
    uint8_t device[32];
    uint64_t ts_ms;
};

extern const struct proto_shape fed_rec_line_shape;

enum {
    FED_LINE_KEY = 32 + 8 + 1 + 32, /* thread, at, what, who */
    FED_LINES_MAX = 1000            /* of one thread that are read */
};

/* A few words for people's programs. */
const char *fed_line_word(enum fed_line_what what);

/* A place (fed_place) of a term as one number that grows with the log. */
uint64_t fed_line_at(uint64_t term, uint64_t place);

/* Of those that are stored? */
bool fed_line_kept(uint64_t what);

/* Does a message at place stand where the line says that one is kept out? */
bool fed_line_filled(const struct fed_line *line, uint64_t at);

/* What a MEMBER, HUB or GAP tells.  false: nothing that a conversation shows.
 */
bool fed_line_of(const struct fed_show *show, struct fed_line *out);

void fed_line_key(const struct thread_id *thread, const struct fed_line *line,
                  uint8_t out[FED_LINE_KEY]);

/* Lines that a VOID takes away: whose keys, as bytes, are from..upto. */
void fed_line_void(const struct fed_show *show, uint8_t from[FED_LINE_KEY],
                   uint8_t upto[FED_LINE_KEY]);
MUST_CHECK enum err fed_line_encode(const struct mem *mem,
                                    const struct fed_line *line,
                                    struct bytes *out);
/* ERR_CORRUPT  not one of ours; ERR_UNSUPPORTED  newer */
MUST_CHECK enum err fed_line_decode(struct view key, struct view value,
                                    struct fed_line *out);

/*
 * Lines in the order of their keys, as people see them: who was taken out after
 * asking for it left, and is told once.  *len becomes what remains.
 */
void fed_lines_settle(struct fed_line *lines, size_t *len);

#endif
