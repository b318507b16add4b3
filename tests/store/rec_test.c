/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records come back as they were, whatever byte is changed or cut off is
 * refused or still one encoding, and no failed allocation leaks.
 *
 * BALSAM_CORPUS=DIR writes each record there, as seeds for the fuzz target.
 */
#include "store/records.h"

#include "store/convs.h"
#include "tests/store/fix.h"
#include "tests/support/fail_mem.h"

enum {
    KINDS = 15
};

/* One record of each kind, encoded from mem. */
static enum err
encode(const struct mem *mem, unsigned kind, struct bytes *out)
{
    struct store_event event = {.at_ms = 5, .kind = 300, .a = VIEW_LIT("a")};
    struct store_audit audit = {.at_ms = 9, .action = 2, .n = 70000};
    struct store_outbox_entry entry = {.queued_ms = 1, .msg = VIEW_LIT("m")};
    struct store_chunk chunk = {.seq = {3, 9, 500}, .len = 3};
    struct store_member member = {.admin = true};
    struct store_contact contact = {.kind = STORE_CONTACT_PATIENT};
    struct store_note note = {.at_ms = 4};
    struct store_conv conv = {.channel = STORE_CHANNEL_SECURE};
    struct store_msg msg = {.pos = 1, .id = {{1, 2}}, .kind = 9};
    struct store_link link = {.uses_max = 1, .has_next = true};
    struct store_clinic clinic = {.has_via = true};
    struct store_invite invite = {.state = STORE_INVITE_OPEN,
                                  .tries = 5,
                                  .has_patient = true,
                                  .patient = {{7}}};
    struct store_patient patient = {.state = STORE_PATIENT_JOINED,
                                    .has_conv = true};
    struct store_consent consent = {.code = 2, .at_ms = 70000};
    struct hash32 hashes[2] = {{{1}}, {{2}}};
    struct store_blob blob = {
        .size = STORE_BLOB_CHUNK + 1, .chunks = hashes, .chunks_len = 2};
    struct contact_id ids[2] = {{{1}}, {{2}}};
    enum err e = OK;

    switch (kind) {
    case 0:
        return store_event_encode(mem, &event, out);
    case 1:
        audit.actor.kind = STORE_ACTOR_PEER;
        audit.object = VIEW_LIT("obj");
        return store_audit_encode(mem, &audit, out);
    case 2:
        return store_outbox_encode(mem, &entry, out);
    case 3:
        return store_chunk_encode(mem, &chunk, out);
    case 4:
        TRY(phi_from(mem, VIEW_LIT("Ann"), &member.name));
        TRY(bytes_copy(mem, VIEW_LIT("verifier"), &member.auth));
        e = store_member_encode(mem, &member, out);
        break;
    case 5:
        TRY(phi_from(mem, VIEW_LIT("Bob"), &contact.name));
        TRY(store_contact_add_ident(mem, &contact, STORE_IDENT_PHONE,
                                    VIEW_LIT("1 2"), VIEW_LIT("home"),
                                    STORE_LEARNED_LINK, 8));
        TRY(store_contact_add_ident(mem, &contact, STORE_IDENT_EMAIL,
                                    VIEW_LIT("a@b"), VIEW_LIT(""),
                                    STORE_LEARNED_NONE, 8));
        e = store_contact_encode(mem, &contact, out);
        break;
    case 6:
        TRY(phi_from(mem, VIEW_LIT("note"), &note.text));
        e = store_note_encode(mem, &note, out);
        break;
    case 7:
        TRY(phi_from(mem, VIEW_LIT("title"), &conv.title));
        TRY(store_conv_set_contacts(mem, &conv, ids, 2));
        TRY(store_conv_set_regarding(mem, &conv, ids, 1));
        conv.has_thread = true;
        e = store_conv_encode(mem, &conv, out);
        break;
    case 8:
        TRY(bytes_copy(mem, VIEW_LIT("body"), &msg.body));
        e = store_msg_encode(mem, &msg, out);
        break;
    case 9:
        TRY(phi_from(mem, VIEW_LIT("front desk"), &link.label));
        e = store_link_encode(mem, &link, out);
        break;
    case 10:
        TRY(bytes_copy(mem, VIEW_LIT("profile"), &clinic.profile));
        TRY(store_clinic_add_address(mem, &clinic, 1, VIEW_LIT("a:1")));
        TRY(store_clinic_add_address(mem, &clinic, 2, VIEW_LIT("b:2")));
        e = store_clinic_encode(mem, &clinic, out);
        break;
    case 11:
        e = store_blob_encode(mem, &blob, out);
        break;
    case 12:
        TRY(phi_from(mem, VIEW_LIT("referral"), &invite.purpose));
        TRY(phi_from(mem, VIEW_LIT("+49 170 1"), &invite.phone));
        TRY(phi_from(mem, VIEW_LIT("1980-02-29"), &invite.birth));
        e = store_invite_encode(mem, &invite, out);
        break;
    case 13:
        TRY(phi_from(mem, VIEW_LIT("Ann"), &patient.claim));
        TRY(phi_from(mem, VIEW_LIT("Ann M."), &patient.called));
        patient.has_caller = true;
        e = store_patient_encode(mem, &patient, out);
        break;
    default:
        TRY(bytes_copy(mem, VIEW_LIT("content"), &consent.content));
        e = store_consent_encode(mem, &consent, out);
        break;
    }
out:
    store_member_clear(&member);
    store_contact_clear(&contact);
    phi_free(&note.text);
    store_conv_clear(&conv);
    store_msg_clear(&msg);
    store_link_clear(&link);
    store_clinic_clear(&clinic);
    store_invite_clear(&invite);
    store_patient_clear(&patient);
    store_consent_clear(&consent);
    return e;
}

#define AGAIN(TYPE, NAME, CLEAR)                       \
    do {                                               \
        struct TYPE rec = {0};                         \
        e = store_##NAME##_decode(mem, in, &rec);      \
        if (e == OK) {                                 \
            e = store_##NAME##_encode(mem, &rec, out); \
            CLEAR;                                     \
        }                                              \
    } while (0)

#define AGAIN_PLAIN(TYPE, NAME)                        \
    do {                                               \
        struct TYPE rec = {0};                         \
        e = store_##NAME##_decode(in, &rec);           \
        if (e == OK) {                                 \
            e = store_##NAME##_encode(mem, &rec, out); \
        }                                              \
    } while (0)

/* Decode and encode again. */
static enum err
again(const struct mem *mem, unsigned kind, struct view in, struct bytes *out)
{
    enum err e = ERR_INTERNAL;

    switch (kind) {
    case 0:
        AGAIN_PLAIN(store_event, event);
        break;
    case 1:
        AGAIN_PLAIN(store_audit, audit);
        break;
    case 2:
        AGAIN_PLAIN(store_outbox_entry, outbox);
        break;
    case 3:
        AGAIN_PLAIN(store_chunk, chunk);
        break;
    case 4:
        AGAIN(store_member, member, store_member_clear(&rec));
        break;
    case 5:
        AGAIN(store_contact, contact, store_contact_clear(&rec));
        break;
    case 6:
        AGAIN(store_note, note, phi_free(&rec.text));
        break;
    case 7:
        AGAIN(store_conv, conv, store_conv_clear(&rec));
        break;
    case 8:
        AGAIN(store_msg, msg, store_msg_clear(&rec));
        break;
    case 9:
        AGAIN(store_link, link, store_link_clear(&rec));
        break;
    case 10:
        AGAIN(store_clinic, clinic, store_clinic_clear(&rec));
        break;
    case 11:
        AGAIN(store_blob, blob, store_blob_clear(&rec));
        break;
    case 12:
        AGAIN(store_invite, invite, store_invite_clear(&rec));
        break;
    case 13:
        AGAIN(store_patient, patient, store_patient_clear(&rec));
        break;
    default:
        AGAIN(store_consent, consent, store_consent_clear(&rec));
        break;
    }
    return e;
}

static void
write_seed(unsigned kind, struct view v)
{
    const char *dir = getenv("BALSAM_CORPUS");
    char path[FIX_PATH];
    FILE *f;

    if (dir == NULL) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/record-%u", dir, kind);
    f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK(fputc((int)kind, f) == (int)kind);
    CHECK_EQ(fwrite(v.p, 1, v.len, f), v.len);
    CHECK_EQ(fclose(f), 0);
}

TEST(records_come_back_as_they_were)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct bytes a = {0};
        struct bytes b = {0};

        CHECK_OK(encode(mem_heap(), kind, &a));
        write_seed(kind, view_of(&a));
        CHECK_OK(again(mem_heap(), kind, view_of(&a), &b));
        CHECK_VIEW(view_of(&b), view_of(&a));
        bytes_free(&a);
        bytes_free(&b);
    }
}

TEST(changed_records_are_refused_or_one_encoding)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct bytes a = {0};

        CHECK_OK(encode(mem_heap(), kind, &a));
        for (size_t i = 0; i < a.len * 8; i++) {
            struct bytes b = {0};
            enum err e;

            a.p[i / 8] ^= (uint8_t)(1u << i % 8);
            e = again(mem_heap(), kind, view_of(&a), &b);
            CHECK(e == ERR_CORRUPT ||
                  (e == OK && view_equal(view_of(&a), view_of(&b))));
            bytes_free(&b);
            CHECK_ERR(again(mem_heap(), kind, view_make(a.p, i / 8), &b),
                      ERR_CORRUPT);
            a.p[i / 8] ^= (uint8_t)(1u << i % 8);
        }
        bytes_free(&a);
    }
}

TEST(no_failed_allocation_leaks)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (uint64_t n = 1;; n++) {
            struct fail_mem f;
            struct bytes a = {0};
            struct bytes b = {0};
            enum err e;

            fail_mem_init(&f, n);
            e = encode(&f.mem, kind, &a);
            if (e == OK) {
                e = again(&f.mem, kind, view_of(&a), &b);
            }
            bytes_free(&a);
            bytes_free(&b);
            CHECK_EQ(f.live, 0);
            if (!f.hit) {
                CHECK_OK(e);
                break;
            }
            CHECK_ERR(e, ERR_NOMEM);
        }
    }
}

int
main(void)
{
    return RUN(T(records_come_back_as_they_were),
               T(changed_records_are_refused_or_one_encoding),
               T(no_failed_allocation_leaks));
}
