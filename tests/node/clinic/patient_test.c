/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients at the desk: an invitation binds its own contact, nobody is merged
 * by us, a new key is said, consents stand in the conversation.
 */
#include "tests/node/clinic/desk_fix.h"

#include "federation/core/patient.h"
#include "node/api.h"
#include "proto/msg/group.h"
#include "proto/msg/peer.h"
#include "store/contact.h"
#include "store/invite.h"

static struct desk_fix f;
static struct patient_id ann;
static struct link_id link_1;

static void
begin(void)
{
    desk_begin(&f);
    memset(ann.b, 0x51, sizeof(ann.b));
    memset(link_1.b, 0x61, sizeof(link_1.b));
}

/* ---------------------------------------------------------------- what shows
 */

static void
party(uint64_t ours, bool by_link)
{
    struct fed_show show = {.kind = FED_SHOW_PARTY,
                            .code = ours,
                            .value = PROTO_STANCE_GRANTED,
                            .who = FED_KIND_PATIENT};

    memcpy(show.peer.b, ann.b, sizeof(ann.b));
    if (by_link) {
        show.link = link_1;
    }
    CHECK_OK(desk_show(&f, &show));
}

static void
patient(uint64_t learned, bool by_link, const char *claim)
{
    struct fed_show show = {
        .kind = FED_SHOW_PATIENT, .code = learned, .value = 7};

    memcpy(show.author.b, ann.b, sizeof(ann.b));
    show.other = (struct subject_id){{0}};
    memcpy(show.other.b, f.desk.self.b, sizeof(show.other.b));
    if (learned == FED_LEARNED_INTRODUCED) {
        show.peer = f.peer;
        memcpy(show.other.b, f.peer.b, sizeof(show.other.b));
    }
    if (by_link) {
        show.link = link_1;
    }
    CHECK_OK(bytes_copy(mem_heap(), view_str(claim), &show.body));
    CHECK_OK(desk_show(&f, &show));
    bytes_free(&show.body);
}

static void
wrong_birth(uint64_t left)
{
    struct fed_show show = {.kind = FED_SHOW_LINK_USED,
                            .code = PROTO_REDEEM_PROOF,
                            .value = left,
                            .who = FED_KIND_PATIENT,
                            .link = link_1};

    CHECK_OK(desk_show(&f, &show));
}

/* ------------------------------------------------------------ what there is
 */

struct made {
    struct store_contact contact;
    struct store_invite invite;
};

static enum err
make_invite(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct made *m = ctx;

    TRY(store_contact_put(txn, &m->contact));
    TRY(store_invite_put(txn, &m->invite));
out:
    return e;
}

/* A contact "Ann Miller" who is invited by link_1, with this key before. */
static void
invite(const struct patient_id *before)
{
    struct made m = {.contact = {.id = {{9}}, .kind = STORE_CONTACT_PATIENT}};

    m.invite.link = link_1;
    m.invite.contact = m.contact.id;
    m.invite.state = STORE_INVITE_OPEN;
    m.invite.tries = 5;
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Ann Miller"), &m.contact.name));
    CHECK_OK(store_contact_add_ident(mem_heap(), &m.contact, STORE_IDENT_INVITE,
                                     link_id_view(&link_1), (struct view){0},
                                     STORE_LEARNED_NONE, 1));
    if (before != NULL) {
        CHECK_OK(store_contact_add_ident(
            mem_heap(), &m.contact, STORE_IDENT_PATIENT,
            patient_id_view(before), (struct view){0}, STORE_LEARNED_LINK, 1));
    }
    FIX_WRITE(&f.fix, make_invite, &m);
    store_contact_clear(&m.contact);
    store_invite_clear(&m.invite);
}

/* The patient as the desk knows them; cleared by the caller. */
static void
known(struct store_patient *out)
{
    struct store_txn *txn = desk_read(&f);

    CHECK_OK(store_patient_get(txn, &ann, out));
    store_read_end(txn);
}

static void
called(const char *name, enum store_learned learned)
{
    struct store_patient p = {.state = 0};
    struct store_contact c = {.kind = 0};
    struct store_txn *txn;
    const struct store_ident *i;

    known(&p);
    CHECK(p.has_contact);
    txn = desk_read(&f);
    CHECK_OK(store_contact_get(txn, &p.contact, &c));
    store_read_end(txn);
    CHECK_VIEW(proto_phi_reveal(&c.name), view_str(name));
    i = store_contact_ident(&c, STORE_IDENT_PATIENT, patient_id_view(&ann));
    CHECK(i != NULL && i->learned == learned);
    store_contact_clear(&c);
    store_patient_clear(&p);
}

static enum store_invite_state
invited(uint8_t *tries)
{
    struct store_invite i = {.state = 0};
    struct store_txn *txn = desk_read(&f);
    enum store_invite_state state;

    CHECK_OK(store_invite_get(txn, &link_1, &i));
    store_read_end(txn);
    state = i.state;
    *tries = i.tries;
    CHECK(state != STORE_INVITE_JOINED ||
          (i.has_patient && patient_id_equal(&i.patient, &ann)));
    store_invite_clear(&i);
    return state;
}

static enum err
count_contact(void *ctx, const struct store_contact *c)
{
    (void)c;
    ++*(unsigned *)ctx;
    return OK;
}

static unsigned
contacts(void)
{
    struct store_txn *txn = desk_read(&f);
    unsigned n = 0;

    CHECK_OK(store_contact_find(txn, (struct view){0}, NULL, 100, count_contact,
                                &n));
    store_read_end(txn);
    return n;
}

/* -------------------------------------------------------------------- tests
 */

TEST(who_was_invited_joins_as_that_contact)
{
    uint8_t tries;

    begin();
    invite(NULL);
    party(PROTO_STANCE_GRANTED, true);
    patient(FED_LEARNED_IN_PERSON, true, "ann, the patient");
    called("Ann Miller", STORE_LEARNED_SCANNED);
    CHECK_EQ(invited(&tries), STORE_INVITE_JOINED);
    CHECK_EQ(contacts(), 1);
    patient(FED_LEARNED_COMPARED, false, "");
    called("Ann Miller", STORE_LEARNED_COMPARED);
    desk_end(&f);
}

/* The two shows come in either order, and again after a lost batch. */
TEST(the_order_of_shows_does_not_matter)
{
    uint8_t tries;

    begin();
    invite(NULL);
    patient(FED_LEARNED_LINK, true, "x");
    party(PROTO_STANCE_GRANTED, true);
    patient(FED_LEARNED_LINK, true, "x");
    called("Ann Miller", STORE_LEARNED_LINK);
    CHECK_EQ(invited(&tries), STORE_INVITE_JOINED);
    CHECK_EQ(contacts(), 1);
    desk_end(&f);
}

TEST(by_a_public_link_a_new_contact)
{
    struct store_patient p = {.state = 0};

    begin();
    party(PROTO_STANCE_REVIEW, true);
    patient(FED_LEARNED_LINK, true, "Bob");
    known(&p);
    CHECK_EQ(p.state, STORE_PATIENT_ASKS);
    CHECK_VIEW(proto_phi_reveal(&p.claim), VIEW_LIT("Bob"));
    store_patient_clear(&p);
    party(PROTO_STANCE_GRANTED, true);
    known(&p);
    CHECK_EQ(p.state, STORE_PATIENT_JOINED);
    store_patient_clear(&p);
    CHECK_EQ(contacts(), 1);
    desk_end(&f);
}

TEST(who_is_known_keeps_their_contact)
{
    uint8_t tries;

    begin();
    patient(FED_LEARNED_INTRODUCED, false, "");
    invite(NULL);
    patient(FED_LEARNED_LINK, true, "");
    CHECK_EQ(invited(&tries), STORE_INVITE_JOINED);
    CHECK_EQ(contacts(), 2); /* people may link them */
    desk_end(&f);
}

TEST(another_key_is_an_identity_change)
{
    struct patient_id before = {{0x77}};
    struct store_patient p = {.state = 0};

    begin();
    invite(&before);
    patient(FED_LEARNED_LINK, true, "");
    known(&p);
    CHECK(p.replaces);
    store_patient_clear(&p);
    CHECK_EQ(contacts(), 1);
    patient(FED_LEARNED_COMPARED, false, "");
    known(&p);
    CHECK(!p.replaces);
    store_patient_clear(&p);
    desk_end(&f);
}

TEST(the_fifth_wrong_date_of_birth_locks_the_link)
{
    uint8_t tries;

    begin();
    invite(NULL);
    wrong_birth(4);
    CHECK_EQ(invited(&tries), STORE_INVITE_OPEN);
    CHECK_EQ(tries, 4);
    wrong_birth(0);
    CHECK_EQ(invited(&tries), STORE_INVITE_DEAD);
    CHECK_EQ(tries, 0);
    desk_end(&f);
}

TEST(an_introduced_patient_gets_the_name_they_say)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 5};
    struct clinic_id author;

    begin();
    memcpy(author.b, ann.b, sizeof(author.b));
    patient(FED_LEARNED_INTRODUCED, false, "");
    called("Patient 51515151", STORE_LEARNED_INTRODUCED);
    c.u.text.text = VIEW_LIT("hello");
    c.author.name = VIEW_LIT("Ann Miller");
    desk_message(&f, &author, 1, 1, false, &c);
    called("Ann Miller", STORE_LEARNED_INTRODUCED);
    c.author.name = VIEW_LIT("Somebody Else");
    desk_message(&f, &author, 2, 2, false, &c);
    called("Ann Miller", STORE_LEARNED_INTRODUCED);
    desk_end(&f);
}

static void
devices(uint64_t code)
{
    struct fed_show show = {.kind = FED_SHOW_DEVICES, .code = code, .value = 9};

    memcpy(show.author.b, ann.b, sizeof(ann.b));
    CHECK_OK(desk_show(&f, &show));
}

TEST(two_lists_are_an_alarm_until_a_newer_one)
{
    struct store_patient p = {.state = 0};

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    devices(FED_DEVICES_ALARM);
    known(&p);
    CHECK(p.alarm);
    store_patient_clear(&p);
    devices(FED_DEVICES_SUSPENDED);
    known(&p);
    CHECK(p.alarm);
    store_patient_clear(&p);
    devices(FED_DEVICES_NEW);
    known(&p);
    CHECK(!p.alarm);
    CHECK_EQ(p.generation, 9);
    store_patient_clear(&p);
    desk_end(&f);
}

/* ------------------------------------------------------------------ threads
 */

/* The thread of us, Ann and (if so) the peer. */
static void
thread_of(bool direct, bool with_peer, bool with_ann)
{
    struct fed_show show = {.value = direct ? PROTO_GROUP_DIRECT : 0};

    if (direct) {
        memcpy(show.other.b, ann.b, sizeof(show.other.b));
    }
    desk_members(&f, with_peer, with_ann ? &ann : NULL, &f.desk.self, &show);
}

static void
thread(bool direct, bool with_peer)
{
    thread_of(direct, with_peer, true);
}

/* The conversation of f.thread; cleared by the caller. */
static void
conv(struct store_conv *out)
{
    struct store_txn *txn = desk_read(&f);
    struct conv_id id;

    CHECK_OK(store_conv_by_thread(txn, &f.thread, &id));
    CHECK_OK(store_conv_get(txn, &id, out));
    store_read_end(txn);
}

TEST(a_patients_conversation_is_theirs)
{
    struct store_conv c = {.flags = 0};
    struct store_patient p = {.state = 0};
    struct conv_id first;

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    thread(true, false);
    conv(&c);
    CHECK_EQ(c.flags, STORE_CONV_PATIENTS);
    CHECK_EQ(c.contacts_len, 1);
    first = c.id;
    known(&p);
    CHECK(p.has_conv && conv_id_equal(&p.conv, &first));
    store_patient_clear(&p);
    store_conv_clear(&c);
    memset(f.thread.b, 0x34, sizeof(f.thread.b)); /* they came again */
    thread(true, false);
    conv(&c);
    CHECK(conv_id_equal(&c.id, &first));
    store_conv_clear(&c);
    desk_end(&f);
}

TEST(a_shared_one_has_both)
{
    struct store_conv c = {.flags = 0};
    struct store_txn *txn;
    struct bytes b = {0};

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    thread(false, true);
    conv(&c);
    CHECK_EQ(c.flags, STORE_CONV_PATIENTS | STORE_CONV_CLINICS);
    CHECK_EQ(c.contacts_len, 2);
    store_conv_clear(&c);
    txn = desk_read(&f);
    CHECK_OK(node_desk_group(txn, &f.thread, &b));
    store_read_end(txn);
    CHECK(b.len > 0);
    bytes_free(&b);
    desk_end(&f);
}

static void
check_label(const char *want)
{
    struct store_conv c = {.flags = 0};
    struct store_txn *txn;
    struct phi name = {0};

    conv(&c);
    txn = desk_read(&f);
    node_conv_label(txn, &c, &name);
    store_read_end(txn);
    CHECK_VIEW(proto_phi_reveal(&name), view_make(want, strlen(want)));
    phi_free(&name);
    store_conv_clear(&c);
}

/* Who left is whom it was about: it keeps the name, until they are back. */
TEST(who_left_gives_it_its_name)
{
    struct store_conv c = {.flags = 0};

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    thread_of(false, false, true);
    check_label("Ann");
    thread_of(false, false, false);
    check_label("Ann (no longer in it)");
    conv(&c);
    CHECK_EQ(c.contacts_len, 0);
    CHECK_EQ(c.regarding_len, 1);
    CHECK_EQ(c.flags, 0);
    store_conv_clear(&c);
    thread_of(false, false, false);
    check_label("Ann (no longer in it)");
    thread_of(false, false, true);
    check_label("Ann");
    desk_end(&f);
}

/* ----------------------------------------------------------------- consents
 */

static void
consent(uint64_t code, uint64_t seq, const struct proto_content *content)
{
    struct fed_show show = {.kind = FED_SHOW_CONSENT,
                            .code = code,
                            .thread = f.thread,
                            .message = desk_id(7),
                            .term = seq == 0 ? 0 : 1,
                            .seq = seq,
                            .ts_ms = 1000 + seq,
                            .peer = f.desk.self};

    memcpy(show.author.b, ann.b, sizeof(ann.b));
    memcpy(show.other.b, f.peer.b, sizeof(show.other.b));
    CHECK_OK(proto_content_encode(mem_heap(), content, &show.body));
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(desk_show(&f, &show)); /* a batch that is tried again */
    bytes_free(&show.body);
}

struct codes {
    uint16_t code[8];
    size_t n;
};

static enum err
each_code(void *ctx, const struct store_consent *c)
{
    struct codes *k = ctx;

    k->code[k->n++] = c->code;
    return OK;
}

TEST(questions_and_answers_stand_in_the_conversation)
{
    struct proto_content ask = {.kind = PROTO_CONTENT_ASK};
    struct proto_content yes = {.kind = PROTO_CONTENT_CONSENT};
    struct store_conv c = {.flags = 0};
    struct store_msg m = {.seq = 0};
    struct codes k = {.n = 0};
    struct store_txn *txn;
    uint64_t seq;

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    thread(true, false);
    ask.u.ask.purpose = VIEW_LIT("a second opinion");
    ask.u.ask.scope = 1;
    consent(FED_CONSENT_ASKED, 1, &ask);
    yes.u.consent.code = PROTO_CONSENT_GIVEN;
    yes.u.consent.consent = VIEW_LIT("signed");
    consent(FED_CONSENT_GIVEN, 2, &yes);
    conv(&c);
    CHECK_EQ(c.msgs, 2);
    txn = desk_read(&f);
    CHECK_OK(store_msg_at(txn, &c.id, 1, &seq));
    CHECK_OK(store_msg_get(txn, seq, &m));
    CHECK_EQ(m.kind, PROTO_CONTENT_ASK);
    CHECK(!store_actor_outside(&m.author));
    store_msg_clear(&m);
    CHECK_OK(store_msg_at(txn, &c.id, 2, &seq));
    CHECK_OK(store_msg_get(txn, seq, &m));
    CHECK_EQ(m.author.kind, STORE_ACTOR_PATIENT);
    store_msg_clear(&m);
    CHECK_OK(store_consent_list(txn, &ann, each_code, &k));
    store_read_end(txn);
    CHECK_EQ(k.n, 2);
    CHECK(k.code[0] == FED_CONSENT_ASKED && k.code[1] == FED_CONSENT_GIVEN);
    store_conv_clear(&c);
    desk_end(&f);
}

TEST(our_question_waits_until_it_has_its_place)
{
    struct proto_content ask = {.kind = PROTO_CONTENT_ASK};
    struct store_conv c = {.flags = 0};
    struct codes k = {.n = 0};
    struct store_txn *txn;

    begin();
    patient(FED_LEARNED_LINK, false, "Ann");
    thread(true, false);
    ask.u.ask.purpose = VIEW_LIT("a second opinion");
    ask.u.ask.scope = 1;
    consent(FED_CONSENT_ASKED, 0, &ask);
    consent(FED_CONSENT_ASKED, 3, &ask);
    conv(&c);
    CHECK_EQ(c.msgs, 1);
    store_conv_clear(&c);
    txn = desk_read(&f);
    CHECK_OK(store_consent_list(txn, NULL, each_code, &k));
    store_read_end(txn);
    CHECK_EQ(k.n, 1);
    desk_end(&f);
}

int
main(void)
{
    return RUN(T(who_was_invited_joins_as_that_contact),
               T(the_order_of_shows_does_not_matter),
               T(by_a_public_link_a_new_contact),
               T(who_is_known_keeps_their_contact),
               T(another_key_is_an_identity_change),
               T(the_fifth_wrong_date_of_birth_locks_the_link),
               T(an_introduced_patient_gets_the_name_they_say),
               T(two_lists_are_an_alarm_until_a_newer_one),
               T(a_patients_conversation_is_theirs), T(a_shared_one_has_both),
               T(who_left_gives_it_its_name),
               T(questions_and_answers_stand_in_the_conversation),
               T(our_question_waits_until_it_has_its_place));
}
