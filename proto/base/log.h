/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operational log: events with numbers, durations and short tags.  It cannot
 * take a string variable, so that nothing a person typed can get there; if you
 * miss one, that is the point.  Who-did-what goes to the audit table instead.
 *
 *     LOG(log, LOG_WARN, "fed.peer.handshake_failed",
 *         LOG_TAG("peer", tag), LOG_ERR(e), LOG_MS("elapsed_ms", ms));
 */
#ifndef PROTO_BASE_LOG_H
#define PROTO_BASE_LOG_H

#include "proto/base/bytes.h"

#include <stdint.h>

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR
};

/* A short name for an id in logs: enough to follow it, no way back. */
struct log_tag {
    char s[9];
};

enum log_kind {
    LOG_KIND_NUM,
    LOG_KIND_ERR,
    LOG_KIND_TAG,
    LOG_KIND_WORD
};

struct log_field {
    const char *name;
    enum log_kind kind;
    union {
        int64_t num;
        enum err err;
        struct log_tag tag;
        const char *word; /* a literal */
    } u;
};

struct log_event {
    enum log_level level;
    const char *name;
    const struct log_field *fields;
    size_t fields_len;
};

/* A sink.  emit may be called from any thread and must not block for long. */
struct log {
    void (*emit)(void *ctx, const struct log_event *ev);
    void *ctx;
    enum log_level min;
};

#define LOG_NUM(name, n) \
    ((struct log_field){"" name "", LOG_KIND_NUM, {.num = (int64_t)(n)}})
#define LOG_MS(name, n) LOG_NUM(name, n)
#define LOG_BYTES(name, n) LOG_NUM(name, n)
#define LOG_ERR(e) ((struct log_field){"error", LOG_KIND_ERR, {.err = (e)}})
#define LOG_TAG(name, t) \
    ((struct log_field){"" name "", LOG_KIND_TAG, {.tag = (t)}})
/* w must be a literal too. */
#define LOG_WORD(name, w) \
    ((struct log_field){"" name "", LOG_KIND_WORD, {.word = "" w ""}})

/* event is a literal; at least one field. */
#define LOG(log, level, event, ...)                            \
    log_emit((log), (level), "" event "",                      \
             (const struct log_field[]){__VA_ARGS__},          \
             sizeof((const struct log_field[]){__VA_ARGS__}) / \
                 sizeof(struct log_field))

/* log may be NULL. */
void log_emit(const struct log *log, enum log_level level, const char *event,
              const struct log_field *fields, size_t fields_len);

/* "debug", "info", "warn", "error". */
const char *log_level_name(enum log_level level);

/*
 * The tag of an id: the first four bytes of it, in hex.  For ids that are
 * random or public keys; never for anything a person typed.
 */
struct log_tag log_tag_of(struct view id);

#endif
