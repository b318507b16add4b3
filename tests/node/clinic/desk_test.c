/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinics, threads and files at the desk: states follow both sides' stances,
 * names follow profiles until people choose their own, one conversation goes
 * on when a clinic connects again, a message fails with its file.
 */
#include "tests/node/clinic/desk_fix.h"

#include "node/blobs.h"
#include "node/clinic/past.h"
#include "node/identity.h"
#include "node/ns.h"
#include "proto/msg/group.h"
#include "proto/msg/peer.h"
#include "store/blob.h"
#include "store/contact.h"
#include "store/fed.h"

static struct desk_fix f;

static void
party(uint64_t ours, uint64_t theirs, bool verified)
{
    struct fed_show show = {.kind = FED_SHOW_PARTY,
                            .code = ours,
                            .value = theirs,
                            .peer = f.peer,
                            .verified = verified};

    CHECK_OK(desk_show(&f, &show));
}

/* Cleared by the caller. */
static enum err
clinic(struct store_clinic *out)
{
    struct store_txn *txn = desk_read(&f);
    enum err e = store_clinic_get(txn, &f.peer, out);

    store_read_end(txn);
    return e;
}

static enum store_clinic_state
clinic_state(void)
{
    struct store_clinic c = {0};
    enum store_clinic_state state;

    CHECK_OK(clinic(&c));
    state = c.state;
    store_clinic_clear(&c);
    return state;
}

/* CHECK what the clinic's contact is called. */
static void
called(const char *name)
{
    struct store_clinic c = {0};
    struct store_contact contact = {0};
    struct store_txn *txn;
    enum err e;

    CHECK_OK(clinic(&c));
    CHECK(c.has_contact);
    txn = desk_read(&f);
    e = store_contact_get(txn, &c.contact, &contact);
    store_read_end(txn);
    CHECK_OK(e);
    CHECK_VIEW(proto_phi_reveal(&contact.name), view_str(name));
    store_contact_clear(&contact);
    store_clinic_clear(&c);
}

/* The peer's identity, whose root becomes f.peer. */
static void
peer_identity(struct node_identity *id)
{
    struct seed_rng rng;
    struct prim_sign_key root;

    seed_rng_init(&rng, 5);
    CHECK_OK(ident_key_new(&rng.rng, &root));
    CHECK_OK(
        node_identity_make(mem_heap(), &rng.rng, f.fix.wall_ms, &root, 1, id));
    f.peer = id->root;
}

static void
profile(const struct node_identity *id, const char *name, uint64_t changed_ms)
{
    struct node_profile p = {.changed_ms = changed_ms};
    struct fed_show show = {.kind = FED_SHOW_PROFILE, .peer = f.peer};

    CHECK_OK(phi_from(mem_heap(), view_str(name), &p.name));
    CHECK_OK(node_profile_sign(mem_heap(), id, &p, &show.body));
    CHECK_OK(desk_show(&f, &show));
    bytes_free(&show.body);
    node_profile_clear(&p);
}

static void
thread(const struct thread_id *id, uint64_t code)
{
    struct fed_show show = {.kind = FED_SHOW_THREAD,
                            .code = code,
                            .value = PROTO_GROUP_DIRECT,
                            .thread = *id,
                            .peer = f.peer};

    memcpy(show.other.b, f.peer.b, sizeof(f.peer.b));
    CHECK_OK(desk_show(&f, &show));
}

static void
group_thread(const struct thread_id *id, uint64_t code)
{
    struct fed_show show = {
        .kind = FED_SHOW_THREAD, .code = code, .thread = *id};

    CHECK_OK(desk_show(&f, &show));
}

/* Cleared by the caller. */
static void
conv_of(const struct thread_id *id, struct store_conv *out)
{
    struct store_txn *txn = desk_read(&f);
    struct conv_id conv;
    enum err e = store_conv_by_thread(txn, id, &conv);

    if (e == OK) {
        e = store_conv_get(txn, &conv, out);
    }
    store_read_end(txn);
    CHECK_OK(e);
}

TEST(states_follow_both_stances)
{
    static const struct {
        uint64_t ours;
        uint64_t theirs;
        enum store_clinic_state want;
    } rows[] = {
        {PROTO_STANCE_ASKED, PROTO_STANCE_NONE, STORE_CLINIC_ASKED},
        {PROTO_STANCE_ASKED, PROTO_STANCE_REFUSED, STORE_CLINIC_REFUSED},
        {PROTO_STANCE_NONE, PROTO_STANCE_REFUSED, STORE_CLINIC_REFUSED},
        {PROTO_STANCE_REVIEW, PROTO_STANCE_ASKED, STORE_CLINIC_ASKS},
        {PROTO_STANCE_REVIEW, PROTO_STANCE_ENDED, STORE_CLINIC_DISCONNECTED},
        {PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, STORE_CLINIC_CONNECTED},
        {PROTO_STANCE_GRANTED, PROTO_STANCE_ENDED, STORE_CLINIC_DISCONNECTED},
        {PROTO_STANCE_ENDED, PROTO_STANCE_GRANTED, STORE_CLINIC_DISCONNECTED},
        {PROTO_STANCE_REFUSED, PROTO_STANCE_ASKED, STORE_CLINIC_DISCONNECTED},
        {PROTO_STANCE_THREAD, PROTO_STANCE_THREAD, STORE_CLINIC_KNOWN},
        {PROTO_STANCE_NONE, PROTO_STANCE_NONE, STORE_CLINIC_KNOWN},
        {PROTO_STANCE_ASKED, PROTO_STANCE_NONE, STORE_CLINIC_ASKED},
        {PROTO_STANCE_NONE, PROTO_STANCE_NONE, STORE_CLINIC_REFUSED},
    };

    desk_begin(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        party(rows[i].ours, rows[i].theirs, false);
        CHECK_EQ(clinic_state(), rows[i].want);
    }
    desk_end(&f);
}

static enum err
block(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct store_clinic c = {0};

    (void)ctx;
    TRY(store_clinic_get(txn, &f.peer, &c));
    c.state = STORE_CLINIC_BLOCKED;
    TRY(store_clinic_put(txn, &c));
out:
    store_clinic_clear(&c);
    return e;
}

TEST(blocked_stays_blocked)
{
    desk_begin(&f);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, false);
    FIX_WRITE(&f.fix, block, NULL);
    party(PROTO_STANCE_REFUSED, PROTO_STANCE_GRANTED, false);
    party(PROTO_STANCE_ENDED, PROTO_STANCE_ASKED, false);
    CHECK_EQ(clinic_state(), STORE_CLINIC_BLOCKED);
    desk_end(&f);
}

TEST(a_request_is_an_event_of_its_own)
{
    struct desk_rows rows;

    desk_begin(&f);
    party(PROTO_STANCE_REVIEW, PROTO_STANCE_ASKED, false);
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_REQUEST), 1);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_CONTACT), 1);
    party(PROTO_STANCE_REVIEW, PROTO_STANCE_ASKED, false);
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 0);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, false);
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_CLINIC), 1);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_REQUEST), 0);
    desk_end(&f);
}

TEST(in_person_is_not_forgotten)
{
    struct store_clinic c = {0};

    desk_begin(&f);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, true);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, false);
    CHECK_OK(clinic(&c));
    CHECK_EQ(c.learned, STORE_LEARNED_SCANNED);
    store_clinic_clear(&c);
    desk_end(&f);
}

TEST(a_name_follows_the_profile)
{
    struct node_identity id = {0};

    desk_begin(&f);
    peer_identity(&id);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, false);
    profile(&id, "North Vets", 2);
    called("North Vets");
    profile(&id, "North Animal Clinic", 3);
    called("North Animal Clinic");
    node_identity_clear(&id);
    desk_end(&f);
}

static enum err
rename_it(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct store_clinic c = {0};
    struct store_contact contact = {0};

    (void)ctx;
    TRY(store_clinic_get(txn, &f.peer, &c));
    TRY(store_contact_get(txn, &c.contact, &contact));
    phi_free(&contact.name);
    TRY(phi_from(mem_heap(), view_str("Our friends"), &contact.name));
    TRY(store_contact_put(txn, &contact));
out:
    store_clinic_clear(&c);
    store_contact_clear(&contact);
    return e;
}

TEST(a_name_chosen_here_stays)
{
    struct node_identity id = {0};

    desk_begin(&f);
    peer_identity(&id);
    party(PROTO_STANCE_GRANTED, PROTO_STANCE_GRANTED, false);
    profile(&id, "North Vets", 2);
    FIX_WRITE(&f.fix, rename_it, NULL);
    profile(&id, "North Animal Clinic", 3);
    called("Our friends");
    node_identity_clear(&id);
    desk_end(&f);
}

TEST(a_profile_may_come_first)
{
    struct node_identity id = {0};
    struct store_clinic c = {0};

    desk_begin(&f);
    peer_identity(&id);
    profile(&id, "Old name", 1);
    profile(&id, "North Vets", 2);
    CHECK_ERR(clinic(&c), ERR_MISSING);
    party(PROTO_STANCE_REVIEW, PROTO_STANCE_ASKED, false);
    called("North Vets");
    node_identity_clear(&id);
    desk_end(&f);
}

TEST(a_direct_thread_has_the_contact)
{
    struct store_conv conv = {0};
    struct store_clinic c = {0};

    desk_begin(&f);
    thread(&f.thread, FED_THREAD_ACTIVE);
    conv_of(&f.thread, &conv);
    CHECK_OK(clinic(&c));
    CHECK_EQ(conv.contacts_len, 1);
    CHECK(contact_id_equal(&conv.contacts[0], &c.contact));
    CHECK((conv.flags & STORE_CONV_CLOSED) == 0);
    store_conv_clear(&conv);
    store_clinic_clear(&c);
    thread(&f.thread, FED_THREAD_ENDED);
    conv_of(&f.thread, &conv);
    CHECK((conv.flags & STORE_CONV_CLOSED) != 0);
    store_conv_clear(&conv);
    desk_end(&f);
}

TEST(the_conversation_goes_on_in_the_next_thread)
{
    struct thread_id next;
    struct conv_id before;
    struct store_conv conv = {0};

    desk_begin(&f);
    memset(next.b, 0x77, sizeof(next.b));
    thread(&f.thread, FED_THREAD_ACTIVE);
    desk_text(&f, &f.peer, 'a', 1);
    before = desk_conv(&f);
    thread(&f.thread, FED_THREAD_ENDED);
    thread(&next, FED_THREAD_ACTIVE);
    conv_of(&next, &conv);
    CHECK(conv_id_equal(&conv.id, &before));
    CHECK((conv.flags & STORE_CONV_CLOSED) == 0);
    store_conv_clear(&conv);
    /* the old thread's end, shown late, does not close it again */
    thread(&f.thread, FED_THREAD_ENDED);
    conv_of(&next, &conv);
    CHECK((conv.flags & STORE_CONV_CLOSED) == 0);
    CHECK_EQ(conv.msgs, 1);
    store_conv_clear(&conv);
    desk_end(&f);
}

/* All had lost the thread: the one that continues it has the conversation, from
   the first word about it on. */
TEST(a_thread_that_continues_another)
{
    struct fed_show show = {.kind = FED_SHOW_THREAD,
                            .code = FED_THREAD_OPENING,
                            .value =
                                PROTO_GROUP_DIRECT | PROTO_GROUP_CONTINUES};
    struct proto_subject me = {.kind = PROTO_SUBJECT_CLINIC};
    struct proto_group group = {.term = 1};
    struct store_conv conv = {0};
    struct conv_id before;
    struct desk_rows rows;

    desk_begin(&f);
    thread(&f.thread, FED_THREAD_ACTIVE);
    desk_text(&f, &f.peer, 'a', 1);
    before = desk_conv(&f);
    memset(show.thread.b, 0x78, sizeof(show.thread.b));
    group.flags = show.value;
    memcpy(group.prev, f.thread.b, sizeof(group.prev));
    group.subjects = (struct proto_list){.items = &me, .len = 1};
    CHECK_OK(proto_group_encode(mem_heap(), &group, &show.body));
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(desk_show(&f, &show)); /* a batch that is tried again */
    thread(&f.thread, FED_THREAD_ENDED);
    conv_of(&show.thread, &conv);
    CHECK(conv_id_equal(&conv.id, &before));
    CHECK((conv.flags & STORE_CONV_CLOSED) == 0);
    CHECK_EQ(conv.msgs, 1);
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_CONTINUED), 1);
    bytes_free(&show.body);
    store_conv_clear(&conv);
    desk_end(&f);
}

/* We came late into it: it has one of its own, and both point to each other;
   nothing else does, whatever is said later. */
TEST(a_thread_that_goes_on_from_another)
{
    struct fed_show show = {.kind = FED_SHOW_CONTINUED};
    struct thread_id other;
    struct store_conv old = {0};
    struct store_conv now = {0};
    struct store_txn *txn;
    struct conv_id id;

    desk_begin(&f);
    memset(&show.thread, 0x78, sizeof(show.thread));
    memset(&other, 0x79, sizeof(other));
    group_thread(&f.thread, FED_THREAD_ACTIVE);
    CHECK_OK(bytes_copy(mem_heap(), thread_id_view(&f.thread), &show.body));
    CHECK_OK(desk_show(&f, &show)); /* before it has a conversation: nothing */
    group_thread(&show.thread, FED_THREAD_ACTIVE);
    group_thread(&other, FED_THREAD_ACTIVE);
    txn = desk_read(&f);
    CHECK_ERR(node_past_linked(txn, NODE_NS_NEXT, &f.thread, &id), ERR_MISSING);
    store_read_end(txn);
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(desk_show(&f, &show)); /* a batch that is tried again */
    memcpy(show.body.p, other.b, sizeof(other.b));
    CHECK_OK(desk_show(&f, &show));
    memcpy(show.body.p, f.thread.b, sizeof(other.b));
    show.thread = other;
    CHECK_OK(desk_show(&f, &show));
    memset(&show.thread, 0x78, sizeof(show.thread));
    conv_of(&f.thread, &old);
    conv_of(&show.thread, &now);
    CHECK(!conv_id_equal(&old.id, &now.id));
    txn = desk_read(&f);
    CHECK_OK(node_past_linked(txn, NODE_NS_NEXT, &f.thread, &id));
    CHECK(conv_id_equal(&id, &now.id));
    CHECK_OK(node_past_linked(txn, NODE_NS_FROM, &show.thread, &id));
    CHECK(conv_id_equal(&id, &old.id));
    CHECK_ERR(node_past_linked(txn, NODE_NS_FROM, &other, &id), ERR_MISSING);
    CHECK_ERR(node_past_linked(txn, NODE_NS_NEXT, &other, &id), ERR_MISSING);
    store_read_end(txn);
    show.body.len--;
    CHECK_ERR(desk_show(&f, &show), ERR_INVALID);
    bytes_free(&show.body);
    store_conv_clear(&old);
    store_conv_clear(&now);
    desk_end(&f);
}

TEST(members_and_links_are_events)
{
    struct fed_show show = {.kind = FED_SHOW_MEMBER, .code = 1};
    struct desk_rows rows;

    desk_begin(&f);
    show.thread = f.thread;
    CHECK_OK(desk_show(&f, &show)); /* before its thread: nothing yet */
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_MEMBERS), 0);
    thread(&f.thread, FED_THREAD_ACTIVE);
    CHECK_OK(desk_show(&f, &show));
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_MEMBERS), 1);
    show = (struct fed_show){.kind = FED_SHOW_LINK_USED, .code = 3};
    CHECK_OK(desk_show(&f, &show));
    show = (struct fed_show){.kind = FED_SHOW_ROLLBACK};
    CHECK_OK(desk_show(&f, &show));
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 2);
    CHECK_EQ(rows.kind[0], NODE_EVENT_LINK_USED);
    CHECK_EQ(rows.n[0], 3);
    CHECK_EQ(rows.kind[1], NODE_EVENT_ROLLBACK);
    desk_end(&f);
}

/* ------------------------------------------------------------------- files */

static struct hash32
hash_of(uint8_t b)
{
    struct hash32 h;

    memset(h.b, b, sizeof(h.b));
    return h;
}

struct two_blobs {
    struct hash32 id[2];
    struct hash32 chunk[2];
};

static enum err
put_blobs(void *ctx, struct store_txn *txn)
{
    struct two_blobs *b = ctx;
    enum err e = OK;

    for (uint8_t i = 0; i < 2 && e == OK; i++) {
        b->chunk[i] = hash_of((uint8_t)(0x61 + i));
        e = store_blob_put(txn, 100, &b->chunk[i], 1, &b->id[i]);
    }
    return e;
}

/* Ours with two files, to a hub elsewhere. */
static void
send_files(struct two_blobs *b)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    struct proto_attachment a[2] = {{.size = 90}, {.size = 90}};

    FIX_WRITE(&f.fix, put_blobs, b);
    for (size_t i = 0; i < 2; i++) {
        memcpy(a[i].blob, b->id[i].b, 32);
        a[i].chunks = VIEW_ARRAY(b->chunk[i].b);
        a[i].name = view_str("x.png");
        a[i].type = view_str("image/png");
    }
    c.u.text.text = view_str("see");
    c.u.text.attachments.items = a;
    c.u.text.attachments.len = 2;
    thread(&f.thread, FED_THREAD_ACTIVE);
    desk_message(&f, &f.desk.self, 'x', 0, false, &c);
}

struct file_up {
    struct hash32 blob;
    struct message_id message;
    bool ready;
};

static enum err
run_up(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct file_up *up = ctx;

    TRY(node_desk_file_held(txn, &f.thread, &up->blob, &up->message,
                            &up->ready));
    TRY(node_desk_file_up(txn, &f.thread, &up->blob));
out:
    return e;
}

static enum err
run_failed(void *ctx, struct store_txn *txn)
{
    return node_desk_file_failed(txn, &f.thread, ctx);
}

static enum err
run_again(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    return node_desk_files_again(txn, mem_heap());
}

TEST(a_message_goes_with_its_last_file)
{
    struct two_blobs b;
    struct file_up up = {.ready = true};
    struct message_id want = desk_id('x');

    desk_begin(&f);
    send_files(&b);
    up.blob = b.id[1];
    FIX_WRITE(&f.fix, run_up, &up);
    CHECK(!up.ready);
    CHECK_ERR(store_write(f.fix.s, run_up, &up, 0), ERR_MISSING);
    FIX_WRITE(&f.fix, run_again, NULL);
    up.blob = b.id[0];
    FIX_WRITE(&f.fix, run_up, &up);
    CHECK(up.ready);
    CHECK(message_id_equal(&up.message, &want));
    desk_end(&f);
}

TEST(a_message_fails_with_its_file)
{
    struct two_blobs b;

    desk_begin(&f);
    send_files(&b);
    FIX_WRITE(&f.fix, run_failed, &b.id[0]);
    CHECK_EQ(desk_state_of(&f, 'x'), STORE_MSG_FAILED);
    desk_text(&f, &f.peer, 'a', 1);
    desk_order(&f, "xa"); /* it waits for nothing any more */
    desk_end(&f);
}

int
main(void)
{
    return RUN(
        T(states_follow_both_stances), T(blocked_stays_blocked),
        T(a_request_is_an_event_of_its_own), T(in_person_is_not_forgotten),
        T(a_name_follows_the_profile), T(a_name_chosen_here_stays),
        T(a_profile_may_come_first), T(a_direct_thread_has_the_contact),
        T(the_conversation_goes_on_in_the_next_thread),
        T(a_thread_that_continues_another),
        T(a_thread_that_goes_on_from_another), T(members_and_links_are_events),
        T(a_message_goes_with_its_last_file), T(a_message_fails_with_its_file));
}
