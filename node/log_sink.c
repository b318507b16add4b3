/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log_sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line being put together; a part that does not fit is left out whole. */
struct line {
    char text[1024];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *format, ...)
{
    va_list args;
    size_t room = sizeof(l->text) - 1 - l->len; /* for the newline */
    int n;

    va_start(args, format);
    n = vsnprintf(l->text + l->len, room, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < room) {
        l->len += (size_t)n;
    }
}

static void
add_time(struct line *l, uint64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32] = "";

    if (gmtime_r(&s, &tm) != NULL) {
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    }
    add(l, "%s.%03uZ", text, (unsigned)(wall_ms % 1000));
}

static void
add_human_field(struct line *l, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_KIND_NUM:
        add(l, " %s=%lld", f->name, (long long)f->u.num);
        break;
    case LOG_KIND_ERR:
        add(l, " %s=%s", f->name, err_name(f->u.err));
        break;
    case LOG_KIND_TAG:
        add(l, " %s=%s", f->name, f->u.tag.s);
        break;
    case LOG_KIND_WORD:
        add(l, " %s=%s", f->name, f->u.word);
        break;
    }
}

static void
add_json_field(struct line *l, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_KIND_NUM:
        add(l, ",\"%s\":%lld", f->name, (long long)f->u.num);
        break;
    case LOG_KIND_ERR:
        add(l, ",\"%s\":\"%s\"", f->name, err_name(f->u.err));
        break;
    case LOG_KIND_TAG:
        add(l, ",\"%s\":\"%s\"", f->name, f->u.tag.s);
        break;
    case LOG_KIND_WORD:
        add(l, ",\"%s\":\"%s\"", f->name, f->u.word);
        break;
    }
}

static void
write_line(struct node_log_sink *sink, struct line *l)
{
    ssize_t n;

    l->text[l->len++] = '\n';
    pthread_mutex_lock(&sink->lock);
    n = write(sink->fd, l->text, l->len);
    pthread_mutex_unlock(&sink->lock);
    (void)n; /* a log that cannot be written has nowhere to say so */
}

static void
emit(void *ctx, const struct log_event *ev)
{
    struct node_log_sink *sink = ctx;
    struct line l = {.len = 0};
    bool json = sink->form == NODE_LOG_JSON;

    add(&l, "%s", json ? "{\"time\":\"" : "");
    add_time(&l, clock_wall_ms(sink->clock));
    if (json) {
        add(&l, "\",\"level\":\"%s\",\"event\":\"%s\"",
            log_level_name(ev->level), ev->name);
    } else {
        add(&l, " %-5s %s", log_level_name(ev->level), ev->name);
    }
    for (size_t i = 0; i < ev->fields_len; i++) {
        if (json) {
            add_json_field(&l, &ev->fields[i]);
        } else {
            add_human_field(&l, &ev->fields[i]);
        }
    }
    add(&l, "%s", json ? "}" : "");
    write_line(sink, &l);
}

void
node_log_sink_init(struct node_log_sink *sink, int fd, enum node_log_form form,
                   enum log_level min, const struct clock *clock)
{
    memset(sink, 0, sizeof(*sink));
    sink->log = (struct log){emit, sink, min};
    sink->form = form;
    sink->clock = clock;
    sink->fd = fd;
    pthread_mutex_init(&sink->lock, NULL);
}

void
node_log_sink_clear(struct node_log_sink *sink)
{
    pthread_mutex_destroy(&sink->lock);
}
