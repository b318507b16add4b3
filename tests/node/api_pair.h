/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes in one process that are connected and talk. */
#ifndef TESTS_NODE_API_PAIR_H
#define TESTS_NODE_API_PAIR_H

#include "tests/node/api_fix.h"

static struct end ends[2];

/* The conversation with the one other clinic, as its last message reads. */
static inline bool
last_is(struct end *n, const char *want, const char *state)
{
    json_t *a = ask(n, "thread show", "[\"1\"]", "{}");
    const json_t *list = json_object_get(a, "messages");
    size_t len = json_array_size(list);
    const json_t *m = len == 0 ? NULL : json_array_get(list, len - 1);
    bool is = m != NULL && strcmp(text(m, "text"), want) == 0 &&
              (state == NULL || strcmp(text(m, "state"), state) == 0);

    json_decref(a);
    return is;
}

static inline void
until_last(struct end *n, const char *want, const char *state)
{
    for (int i = 0; i < TRIES; i++) {
        if (last_is(n, want, state)) {
            return;
        }
        (void)usleep(PAUSE_US);
    }
    CHECK(last_is(n, want, state));
}

static inline void
until_inbox(struct end *n)
{
    for (int i = 0; i < TRIES; i++) {
        json_t *a = good(n, "inbox", "[]", "{}");
        bool any = json_array_size(json_object_get(a, "conversations")) > 0;

        json_decref(a);
        if (any) {
            return;
        }
        (void)usleep(PAUSE_US);
    }
    CHECK(false);
}

/* b opens a's link. */
static inline void
connect_ends(struct end *a, struct end *b)
{
    json_t *link = good(a, "link create", "[]", "{\"label\": \"test\"}");
    char args[400];
    json_t *seen;

    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(link, "link"));
    seen = good(b, "look", args, "{}");
    CHECK_STR(text(seen, "name"), "Clinic A");
    CHECK_STR(text(seen, "phone"), "555");
    json_decref(seen);
    seen = good(b, "connect", args, "{}");
    CHECK_STR(text(seen, "state"), "connected");
    json_decref(seen);
    json_decref(link);
    until_inbox(a);
    until_inbox(b);
}

static inline void
make_two(void)
{
    end_make(&ends[0], "Clinic A");
    end_make(&ends[1], "Clinic B");
}

static inline void
remove_two(void)
{
    end_remove(&ends[0]);
    end_remove(&ends[1]);
}

#endif
