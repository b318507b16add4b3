/* SPDX-License-Identifier: Apache-2.0 */
/* What entries brought back is said again for who asks for them. */
#include "federation/core/brought.h"
#include "federation/core/trust.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <string.h>

enum {
    NOW = 1000,
    SEQ = 5000 /* the log ends there */
};

/* Where the desk has message n, and of when it is. */
static const struct at {
    uint64_t term;
    uint64_t entry;
    uint64_t ts_ms;
} desk[] = {
    {0}, {1, 10, 100}, {1, 11, 110}, {2, 4500, 450}, {3, 4600, 460}, {1, 0, 5},
};

struct scene {
    struct fed_core core;
    struct fed_thread t;
    struct seed_rng rng;
    struct clock clock;
    char said[64]; /* the messages, in order */
};

static uint64_t
now(void *ctx)
{
    (void)ctx;
    return NOW;
}

static enum err
no_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
        struct bytes *key_out, struct bytes *value_out)
{
    (void)ctx, (void)ns, (void)from, (void)mem, (void)key_out, (void)value_out;
    return ERR_MISSING;
}

static enum err
known(void *ctx, const struct thread_id *thread, const struct message_id *id,
      uint64_t *term_out, uint64_t *seq_out)
{
    (void)ctx, (void)thread;
    if (id->b[0] >= sizeof(desk) / sizeof(desk[0])) {
        return ERR_MISSING;
    }
    *term_out = desk[id->b[0]].term;
    *seq_out = fed_place(desk[id->b[0]].entry, 0);
    return OK;
}

static enum err
past(void *ctx, const struct thread_id *thread, uint64_t term, uint64_t from,
     uint64_t to, const struct mem *mem, struct fed_past *out)
{
    (void)ctx, (void)thread, (void)mem;
    for (size_t i = 1; i < sizeof(desk) / sizeof(desk[0]); i++) {
        uint64_t place = fed_place(desk[i].entry, 0);

        if (desk[i].term == term && place >= from && place <= to) {
            out->id.b[0] = (uint8_t)i;
            out->seq = place;
            out->ts_ms = desk[i].ts_ms;
            return OK;
        }
    }
    return ERR_MISSING;
}

static void
begin(struct scene *s, const struct mem *mem)
{
    *s = (struct scene){.clock = {now, now, NULL}};
    seed_rng_init(&s->rng, 1);
    s->core.mem = mem;
    s->core.config.clock = &s->clock;
    s->core.config.rng = &s->rng.rng;
    s->core.config.store =
        (struct fed_store){.next = no_next, .known = known, .past = past};
    s->t.id.b[0] = 7;
    s->t.rec.seq = SEQ;
}

static void
end(struct scene *s)
{
    fed_batch_free(&s->core, s->core.cur);
    mem_free(s->core.mem, s->core.busy,
             s->core.busy_cap * sizeof(s->core.busy[0]));
}

static enum err
note(struct scene *s, uint64_t entry, uint8_t n)
{
    struct message_id id = {{n}};

    return fed_brought_note(&s->core, &s->t, fed_place(entry, n), &id);
}

/* Who asks for entries from..to of term 3; what is said then. */
static enum err
give(struct scene *s, uint64_t from, uint64_t to, uint64_t from_ms)
{
    enum err e;
    uint64_t number = s->t.rec.intents;
    size_t len = 0;

    s->said[0] = '\0';
    TRY(fed_brought_give(&s->core, &s->t, 3, from, to, from_ms));
    for (; number < s->t.rec.intents; number++) {
        struct fed_rec_intent rec;
        struct proto_content c;
        struct bytes hold = {0};

        e = fed_intent_get(&s->core, &s->t.id, number, &rec, &hold);
        if (e == OK) {
            CHECK_OK(proto_content_decode(rec.data, &c));
            CHECK_EQ(c.kind, PROTO_CONTENT_RESENT);
            CHECK_EQ(c.u.resent.seq, desk[c.u.resent.id[0]].entry);
            CHECK_EQ(c.u.resent.term, desk[c.u.resent.id[0]].term);
            s->said[len++] = (char)('0' + c.u.resent.id[0]);
            s->said[len] = '\0';
        }
        bytes_free(&hold);
        TRY(e);
    }
out:
    return e;
}

static enum err
story(struct scene *s)
{
    enum err e;

    TRY(note(s, 4700, 2));
    TRY(note(s, 4700, 1));
    TRY(note(s, 4701, 2)); /* once more */
    TRY(note(s, 4702, 3));
    TRY(note(s, 4702, 4));
    TRY(note(s, 4703, 5)); /* is ours, and has no place yet */
    TRY(note(s, 4703, 9)); /* the desk has it no more */
    TRY(give(s, 4600, 4699, 0));
    CHECK_STR(s->said, "");
    TRY(give(s, 4700, 4700, 0));
    CHECK_STR(s->said, "12");
    TRY(give(s, 4700, 4799, 0));
    CHECK_STR(s->said, "1234");
    TRY(give(s, 4702, 4702, 0));
    CHECK_STR(s->said, "34");
    TRY(give(s, 4703, 4703, 0));
    CHECK_STR(s->said, "");
out:
    return e;
}

TEST(each_message_once)
{
    static struct scene s;

    begin(&s, mem_heap());
    CHECK_OK(story(&s));
    end(&s);
}

TEST(no_memory_at_any_place)
{
    static struct scene s;

    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        begin(&s, &f.mem);
        e = story(&s);
        end(&s);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* What is said as an entry of the question is not said twice. */
TEST(not_what_is_asked_for_itself)
{
    static struct scene s;

    begin(&s, mem_heap());
    CHECK_OK(note(&s, 4702, 3));
    CHECK_OK(note(&s, 4702, 4));
    CHECK_OK(give(&s, 4550, 4799, 0));
    CHECK_STR(s.said, "3");
    CHECK_OK(give(&s, 4500, 4799, 0));
    CHECK_STR(s.said, "");
    CHECK(fed_past_covers(9, 5, 6, 2, fed_place_end(6)));
    CHECK(!fed_past_covers(9, 5, 6, 1, fed_place(6, 0))); /* too old a term */
    CHECK(!fed_past_covers(9, 5, 6, 10, fed_place(6, 0)));
    CHECK(!fed_past_covers(9, 5, 6, 9, fed_place_end(4)));
    CHECK(!fed_past_covers(9, 5, 6, 9, fed_place(7, 0)));
    end(&s);
}

/* [history-agreed] By its own time, not by when it came back. */
TEST(nothing_of_before_what_was_agreed)
{
    static struct scene s;

    begin(&s, mem_heap());
    CHECK_OK(note(&s, 4700, 1));
    CHECK_OK(note(&s, 4700, 2));
    CHECK_OK(note(&s, 4700, 3));
    CHECK_OK(give(&s, 4700, 4700, 110));
    CHECK_STR(s.said, "23");
    CHECK_OK(give(&s, 4700, 4700, UINT64_MAX));
    CHECK_STR(s.said, "");
    end(&s);
}

TEST(only_as_long_as_anybody_may_ask)
{
    static struct scene s;

    begin(&s, mem_heap());
    s.t.rec.seq = 100;
    CHECK_OK(note(&s, 99, 1));
    CHECK_OK(note(&s, 100, 2));
    s.t.rec.seq = 100 + LIMIT_HISTORY;
    CHECK_OK(note(&s, s.t.rec.seq, 3));
    CHECK_OK(give(&s, 50, s.t.rec.seq, 0));
    CHECK_STR(s.said, "23");
    end(&s);
}

/* Another thread's are its own. */
TEST(of_this_thread_alone)
{
    static struct scene s;

    begin(&s, mem_heap());
    CHECK_OK(note(&s, 4700, 1));
    s.t.id.b[0] = 8;
    CHECK_OK(give(&s, 4700, 4700, 0));
    CHECK_STR(s.said, "");
    CHECK_OK(note(&s, 4700, 2));
    s.t.id.b[0] = 7;
    CHECK_OK(give(&s, 4700, 4700, 0));
    CHECK_STR(s.said, "1");
    end(&s);
}

int
main(void)
{
    return RUN(T(each_message_once), T(no_memory_at_any_place),
               T(not_what_is_asked_for_itself),
               T(nothing_of_before_what_was_agreed),
               T(only_as_long_as_anybody_may_ask), T(of_this_thread_alone));
}
