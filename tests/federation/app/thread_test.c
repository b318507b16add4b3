/* SPDX-License-Identifier: Apache-2.0 */
/* From which conversation one goes on: when its terms went on, and on a device
   that came later (whom a clinic tells late: line_test). */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"
#include "proto/msg/group.h"

static struct world w;

enum {
    BEFORE = 0x61,
    LATER = 0x62
};

static const struct thread_id founded = {{0x71}};
static const struct thread_id told = {{0x72}};
static const struct thread_id alone = {{0x73}};

static void
shown(struct fed_app *app, const struct thread_id *id, uint64_t flags,
      uint64_t term, uint8_t prev)
{
    struct proto_group g = {.term = term, .flags = flags};
    struct fed_show show = {
        .kind = FED_SHOW_THREAD, .code = FED_THREAD_ACTIVE, .thread = *id};

    memset(g.prev, prev, sizeof(g.prev));
    CHECK_OK(proto_group_encode(mem_heap(), &g, &show.body));
    CHECK_OK(fed_app_show(app, &show));
    bytes_free(&show.body);
}

static void
goes_on_from(struct fed_app *app, const struct thread_id *id, uint8_t before)
{
    struct fed_app_thread t;
    struct bytes hold = {0};

    CHECK_OK(fed_app_thread(app, id, &t, &hold));
    CHECK_EQ(t.after.b[0], before);
    CHECK_EQ(t.after.b[31], before);
    bytes_free(&hold);
}

TEST(the_next_term_does_not_forget_it)
{
    static const uint64_t flags[] = {PROTO_GROUP_AFTER, PROTO_GROUP_CONTINUES};

    for (size_t i = 0; i < 2; i++) {
        struct fed_app *app;

        world_begin(&w, 51 + i);
        world_join(&w, 0);
        app = w.apps[0].app;
        shown(app, &founded, flags[i], 1, BEFORE);
        goes_on_from(app, &founded, BEFORE);
        shown(app, &founded, flags[i], 2, LATER);
        goes_on_from(app, &founded, BEFORE);
        world_turn(&w, 0);
        world_end(&w);
    }
}

TEST(a_later_device_has_it_from_the_archive)
{
    struct fed_show show = {.kind = FED_SHOW_CONTINUED, .thread = told};
    struct fed_app *app;

    world_begin(&w, 53);
    world_join(&w, 0);
    app = w.apps[0].app;
    shown(app, &founded, PROTO_GROUP_CONTINUES, 1, BEFORE);
    shown(app, &founded, PROTO_GROUP_CONTINUES, 2, LATER);
    shown(app, &told, PROTO_GROUP_CONTINUES, 3, LATER);
    shown(app, &alone, 0, 2, LATER);
    world_turn(&w, 0);
    world_run(&w); /* what is told later goes there, too */
    CHECK_OK(bytes_copy(mem_heap(), thread_id_view(&told), &show.body));
    memset(show.body.p, BEFORE + 8, show.body.len);
    CHECK_OK(fed_app_show(app, &show));
    bytes_free(&show.body);
    world_turn(&w, 0);
    world_run(&w);
    world_add(&w, 0, 1);
    app = w.apps[1].app;
    goes_on_from(app, &founded, BEFORE);
    goes_on_from(app, &told, BEFORE + 8);
    goes_on_from(app, &alone, 0);
    shown(app, &founded, PROTO_GROUP_CONTINUES, 3, LATER); /* it comes in */
    goes_on_from(app, &founded, BEFORE);
    world_turn(&w, 1);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_next_term_does_not_forget_it),
               T(a_later_device_has_it_from_the_archive));
}
