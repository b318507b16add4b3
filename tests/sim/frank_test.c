/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Franking: nobody says what they do not commit to, and what was said can be
 * shown to others, as it was and not otherwise.
 */
#include "federation/core/frank.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* What node i would say in thread id, with this commitment. */
static struct bytes
sealed_with(size_t i, const struct thread_id *id, struct view content,
            struct view frank)
{
    struct fed_thread *t = world_thread(&w, i, id);
    struct mls_protected made = {0};
    struct bytes aad = {0};
    struct bytes out;

    CHECK_OK(fed_log_aad(w.nodes[i].core, t, frank, &aad));
    CHECK_OK(mls_protect(t->mls, content, view_of(&aad), 0, &made));
    CHECK_OK(fed_mls_change(w.nodes[i].core, id, made.change));
    out = bytes_take(&made.message);
    mls_protected_clear(&made);
    bytes_free(&aad);
    return out;
}

static struct bytes
text(const char *words)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 1};
    struct bytes out = {0};

    memset(c.salt, 7, sizeof(c.salt));
    c.u.text.text = view_make((const uint8_t *)words, strlen(words));
    CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
    return out;
}

/* What the hub says to node i saying content with this commitment. */
static bool
taken(size_t i, const struct thread_id *id, struct view content,
      struct view frank)
{
    struct fed_thread *hub = world_thread(&w, 0, id);
    uint64_t seq = hub->rec.seq;
    struct proto_app_submit in = {.term = hub->rec.term};
    struct bytes message = sealed_with(i, id, content, frank);

    memcpy(in.thread, id->b, sizeof(in.thread));
    in.message = view_of(&message);
    CHECK_OK(fed_hub_app(w.nodes[0].core, world_party(&w, 0, i), &in));
    bytes_free(&message);
    return hub->rec.seq == seq + 1;
}

/* [frank-commit] */
TEST(hub_takes_only_what_is_committed_to)
{
    struct thread_id id;
    struct clinic_id me;
    struct bytes content = text("at noon");
    struct bytes other = text("at one");
    struct thread_id wrong;
    uint8_t tag[32];

    world_friends(&w, 1, 3);
    id = world_group(&w, 0, 3);
    world_heal(&w);
    me = node_root(&w, 1);
    CHECK(!taken(1, &id, view_of(&content), (struct view){0}));
    fed_frank_of(&id, &me, view_of(&other), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    me = node_root(&w, 2);
    fed_frank_of(&id, &me, view_of(&content), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    me = node_root(&w, 1);
    memset(&wrong, 9, sizeof(wrong));
    fed_frank_of(&wrong, &me, view_of(&content), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    fed_frank_of(&id, &me, view_of(&content), tag);
    CHECK(taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    bytes_free(&content);
    bytes_free(&other);
    world_heal(&w);
    world_end(&w);
}

/* [frank-commit] A hub that numbers it all the same shows it to nobody. */
TEST(uncommitted_words_are_not_shown)
{
    struct thread_id id;
    struct clinic_id hub;
    struct fed_thread *t;
    struct bytes content = text("nobody can prove this");
    struct bytes message;
    struct message_id said;
    struct proto_fan fan = {.kind = PROTO_ENTRY_APP};

    world_friends(&w, 2, 3);
    id = world_group(&w, 0, 3);
    world_heal(&w);
    hub = node_root(&w, 0);
    message = sealed_with(0, &id, view_of(&content), (struct view){0});
    t = world_thread(&w, 1, &id);
    memcpy(fan.thread, id.b, sizeof(fan.thread));
    fan.term = t->rec.term;
    fan.seq = t->rec.seq + 1;
    memcpy(fan.prev, t->rec.head, sizeof(fan.prev));
    fan.ts_ms = t->rec.ts_ms + 1;
    fan.message = view_of(&message);
    CHECK_OK(fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &fan));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(t->rec.seq, fan.seq);
    fed_message_id(&hub, view_of(&content), &said);
    CHECK(!node_has(&w, 1, &id, &said));
    CHECK_EQ(w.nodes[1].gaps, 1);
    CHECK_EQ(w.nodes[1].bad, 1);
    bytes_free(&content);
    bytes_free(&message);
    world_free(&w);
}

int
main(void)
{
    return RUN(T(hub_takes_only_what_is_committed_to),
               T(uncommitted_words_are_not_shown));
}
