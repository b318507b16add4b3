/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn tells, by ids; news before its commit, all else after it. */
#include "federation/app/inside.h"

#include <string.h>

void
fed_app_events_clear(struct fed_app *app, struct fed_app_events *ev)
{
    mem_free(app->mem, ev->at, ev->cap * sizeof(ev->at[0]));
    *ev = (struct fed_app_events){NULL, 0, 0};
}

enum err
fed_app_tell(struct fed_app *app, enum fed_app_event_kind kind,
             struct fed_app_event **out)
{
    struct fed_app_events *ev = &app->events;

    if (ev->len == ev->cap) {
        size_t cap = ev->cap == 0 ? 16 : ev->cap * 2;
        struct fed_app_event *more =
            mem_calloc(app->mem, cap, sizeof(struct fed_app_event));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (ev->len > 0) {
            memcpy(more, ev->at, ev->len * sizeof(ev->at[0]));
        }
        mem_free(app->mem, ev->at, ev->cap * sizeof(ev->at[0]));
        ev->at = more;
        ev->cap = cap;
    }
    *out = &ev->at[ev->len++];
    memset(*out, 0, sizeof(**out));
    (*out)->kind = kind;
    return OK;
}

void
fed_app_tell_all(const struct fed_app *app, bool news)
{
    for (size_t i = 0; app->c.event != NULL && i < app->told.len; i++) {
        const struct fed_app_event *ev = &app->told.at[i];

        if ((ev->kind == FED_APP_EV_NEWS) == news) {
            app->c.event(app->c.event_ctx, ev);
        }
    }
}
