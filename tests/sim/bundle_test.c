/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that go together: one entry of the log, and otherwise each as if it
 * had gone alone; also when whoever made the bundle lies.
 */
#include "federation/core/bundle.h"
#include "federation/core/frank.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static uint64_t
log_of(size_t i, const struct thread_id *id)
{
    return world_thread(&w, i, id)->rec.seq;
}

static void
settle(size_t i)
{
    sim_take(&w, i);
    sim_commit_due(&w, i, true);
}

/* By the hub and by a follower; one that goes alone is as before. */
TEST(said_in_one_batch_is_one_entry)
{
    struct thread_id id;
    uint64_t before;

    world_friends(&w, 1, 2);
    id = world_direct(&w, 0, 1);
    world_heal(&w);
    for (size_t i = 0; i < 2; i++) {
        size_t had = node_messages(&w, 1 - i, &id);

        settle(i);
        before = log_of(0, &id);
        CHECK_OK(world_burst(&w, i, &id, 30));
        world_heal(&w);
        CHECK_EQ(log_of(0, &id), before + 1);
        CHECK_EQ(node_messages(&w, 1 - i, &id), had + 30);
        before = log_of(0, &id);
        CHECK_OK(world_burst(&w, i, &id, LIMIT_BUNDLE_PARTS + 1));
        world_heal(&w);
        CHECK_EQ(log_of(0, &id), before + 2);
        before = log_of(0, &id);
        CHECK_OK(world_say(&w, i, &id));
        world_heal(&w);
        CHECK_EQ(log_of(0, &id), before + 1);
    }
    world_end(&w);
}

/* What waited for the hub while it was away goes together when it is back. */
TEST(what_waited_goes_together)
{
    struct thread_id id;
    uint64_t before;

    world_friends(&w, 2, 2);
    id = world_direct(&w, 0, 1);
    world_heal(&w);
    node_crash(&w, 0);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_say(&w, 1, &id));
        world_run(&w, 50);
    }
    node_crash(&w, 1);
    node_start(&w, 1);
    node_start(&w, 0);
    before = log_of(0, &id);
    world_heal(&w);
    CHECK(log_of(0, &id) - before <= 3);
    world_end(&w);
}

/* D 13: an epoch that is over, or a hub that refuses, cuts no bundle in two:
   all of it is said again, each under its id, and is there once. */
TEST(refused_it_is_formed_anew)
{
    struct thread_id id;
    uint64_t said = 0;

    for (uint64_t seed = 3; seed < 9; seed++) {
        id = world_settled(&w, seed, 3);
        for (int i = 0; i < 4; i++) {
            CHECK_OK(world_burst(&w, 1, &id, 7));
            CHECK_OK(world_burst(&w, 2, &id, 5));
            node_stepped(&w, 2, fed_core_rekey(w.nodes[2].core, &id));
            world_run(&w, world_below(&w, 60));
            node_crash(&w, 1);
            node_start(&w, 1);
            said += 12;
        }
        world_heal(&w);
        world_judge(&w, &id, (const size_t[]){0, 1, 2}, 3);

        world_end(&w);
    }
    CHECK_EQ(said, 288);
}

/* ------------------------------------------------------------------- liars */

static struct bytes
content_of(const struct proto_content *c)
{
    struct bytes out = {0};

    CHECK_OK(proto_content_encode(mem_heap(), c, &out));
    return out;
}

static struct bytes
text(uint8_t salt)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 1};

    memset(c.salt, salt, sizeof(c.salt));
    c.u.text.text = VIEW_LIT("words");
    return content_of(&c);
}

static struct bytes
bundle(const struct view *views, size_t n)
{
    struct proto_content c = {.kind = PROTO_CONTENT_BUNDLE};
    struct proto_part parts[LIMIT_BUNDLE_PARTS + 1];

    for (size_t i = 0; i < n; i++) {
        parts[i].content = views[i];
    }
    c.u.bundle.parts = (struct proto_list){parts, (uint32_t)n, {0}};
    return content_of(&c);
}

/* How many messages the follower is shown of what the hub says. */
static size_t
shown(const struct thread_id *id, struct view content)
{
    struct clinic_id me = node_root(&w, 0);
    size_t had = node_messages(&w, 1, id);
    uint8_t frank[32];

    fed_frank_of(id, &me, content, frank);
    CHECK_OK(
        fed_hub_say(w.nodes[0].core, world_thread(&w, 0, id), content, frank));
    settle(0);
    world_heal(&w);
    return node_messages(&w, 1, id) - had;
}

TEST(bundles_of_liars)
{
    static const uint8_t newer[] = {0x95, 0x63, 1, 0, 0x90, 0x90};
    struct proto_content leave = {.kind = PROTO_CONTENT_LEAVE};
    struct thread_id id;
    struct bytes a;
    struct bytes b;
    struct bytes known;
    struct bytes out;
    struct bytes inner;
    struct view many[LIMIT_BUNDLE_PARTS + 1];

    world_friends(&w, 20, 2);
    id = world_direct(&w, 0, 1);
    world_heal(&w);
    a = text(1);
    b = text(2);
    known = text(3);
    CHECK_EQ(shown(&id, view_of(&known)), 1);

    /* the same twice, and one that is there: each once */
    out = bundle((struct view[]){view_of(&a), view_of(&a), view_of(&known)}, 3);
    CHECK_EQ(shown(&id, view_of(&out)), 1);
    bytes_free(&out);
    /* what nobody here can read costs its siblings nothing */
    out = bundle((struct view[]){VIEW_ARRAY(newer), view_of(&b),
                                 VIEW_LIT("not a content")},
                 3);
    CHECK_EQ(shown(&id, view_of(&out)), 3);
    /* cut short: one thing that nobody can read */
    CHECK_EQ(shown(&id, view_make(out.p, out.len - 1)), 1);
    /* [bundle-parts] none, one in another, who leaves, too many */
    inner = bundle((struct view[]){view_of(&out)}, 1);
    CHECK_EQ(shown(&id, view_of(&inner)), 1);
    bytes_free(&inner);
    bytes_free(&out);
    out = bundle(NULL, 0);
    CHECK_EQ(shown(&id, view_of(&out)), 1);
    bytes_free(&out);
    inner = content_of(&leave);
    out = bundle((struct view[]){view_of(&b), view_of(&inner)}, 2);
    CHECK_EQ(shown(&id, view_of(&out)), 1);
    CHECK_EQ(world_thread(&w, 0, &id)->waiting, 0);
    CHECK_EQ(node_state(&w, 1, &id), FED_THREAD_ACTIVE);
    bytes_free(&inner);
    bytes_free(&out);
    for (size_t i = 0; i < LIMIT_BUNDLE_PARTS + 1; i++) {
        many[i] = view_make(newer, sizeof(newer));
    }
    out = bundle(many, LIMIT_BUNDLE_PARTS);
    CHECK_EQ(shown(&id, view_of(&out)), 0); /* one id, known */
    /* one more than there may be */
    out.p[out.len - 2 - LIMIT_BUNDLE_PARTS * (sizeof(newer) + 3)]++;
    CHECK_EQ(shown(&id, view_of(&out)), 1);
    bytes_free(&out);
    bytes_free(&a);
    bytes_free(&b);
    bytes_free(&known);
    world_end(&w);
}

/* [resent-bundle] What is brought back is one message. */
TEST(nobody_brings_back_a_bundle)
{
    struct proto_content c = {.kind = PROTO_CONTENT_RESENT, .sent_ms = 1};
    struct clinic_id author;
    struct message_id mid;
    struct thread_id id;
    struct bytes a = text(1);
    struct bytes out;
    struct bytes said;

    world_friends(&w, 21, 2);
    id = world_direct(&w, 0, 1);
    world_heal(&w);
    author = node_root(&w, 0);
    out = bundle((struct view[]){view_of(&a)}, 1);
    fed_message_id(&author, view_of(&out), &mid);
    memcpy(c.u.resent.id, mid.b, sizeof(c.u.resent.id));
    memcpy(c.u.resent.author, author.b, sizeof(c.u.resent.author));
    c.u.resent.seq = 1;
    c.u.resent.content = view_of(&out);
    said = content_of(&c);
    CHECK_EQ(shown(&id, view_of(&said)), 0);
    bytes_free(&said);
    bytes_free(&out);
    bytes_free(&a);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(said_in_one_batch_is_one_entry), T(what_waited_goes_together),
               T(refused_it_is_formed_anew), T(bundles_of_liars),
               T(nobody_brings_back_a_bundle));
}
