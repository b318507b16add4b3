/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who, for those that come late: the app says what its person is called
 * and hears from clinics what a thread is called and who the others are.
 */
#include "federation/app/inside.h"
#include "proto/msg/content.h"

#include <string.h>

enum err
fed_app_intro(struct fed_app *app, const struct mem *mem, struct bytes *out)
{
    struct proto_intro_name me = {.name = app->me.name};
    struct proto_content c = {.kind = PROTO_CONTENT_INTRO};
    enum err e;

    if (app->me.name.len == 0) {
        return ERR_MISSING;
    }
    memcpy(me.subject, app->me.patient, sizeof(me.subject));
    c.u.intro.names = (struct proto_list){.items = &me, .len = 1};
    e = proto_content_encode(mem, &c, out);
    return e == OK || e == ERR_NOMEM ? e : ERR_MISSING;
}

/* A thread without a title has this one. */
static enum err
take_title(struct fed_app *app, const struct fed_show *show, struct view title)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};
    struct fed_app_event *ev;

    TRY(fed_app_thread_rec(app, &show->thread, &t, &hold));
    if (title.len == 0 || t.title.len > 0) {
        goto out;
    }
    t.title = title;
    TRY(fed_app_thread_save(app, &show->thread, &t));
    TRY(fed_app_tell(app, FED_APP_EV_THREAD, &ev));
    ev->thread = show->thread;
    ev->code = t.state;
    ev->number = t.number;
out:
    bytes_free(&hold);
    return e;
}

/* A clinic's own profile by another's hand: verified like any. */
static enum err
take_profile(struct fed_app *app, const struct proto_intro_name *n)
{
    enum err e;
    struct fed_show show = {.kind = FED_SHOW_PROFILE};

    memcpy(show.peer.b, n->subject, sizeof(show.peer.b));
    TRY(bytes_copy(app->mem, n->profile, &show.body));
    TRY(fed_app_show_clinic(app, &show));
out:
    bytes_free(&show.body);
    return e;
}

/* Another of our devices knows what we are called. */
static enum err
take_own(struct fed_app *app, const struct proto_intro_name *n)
{
    struct fed_app_rec_me me = app->me;

    if (me.name.len > 0 || n->name.len == 0) {
        return OK;
    }
    me.name = n->name;
    return fed_app_me_save(app, &me);
}

enum err
fed_app_show_intro(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct proto_content c;
    struct proto_list_at at = {0};
    struct proto_intro_name n;
    bool ours = memcmp(show->author.b, app->me.patient, 32) == 0;

    TRY(proto_content_decode(view_of(&show->body), &c) == OK &&
                c.kind == PROTO_CONTENT_INTRO
            ? OK
            : ERR_CORRUPT);
    TRY(ours ? OK : take_title(app, show, c.u.intro.title));
    while (
        proto_list_next(&c.u.intro.names, &proto_intro_name_shape, &at, &n)) {
        TRY(n.profile.len > 0 ? take_profile(app, &n) : OK);
        TRY(ours && memcmp(n.subject, app->me.patient, 32) == 0
                ? take_own(app, &n)
                : OK);
    }
out:
    return e;
}
