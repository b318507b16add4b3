/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoders of stored records: the first byte chooses one.  What decodes
 * encodes to the same bytes; what does not leaves nothing behind.
 */
#include "proto/base/assert.h"
#include "proto/wire/mp_wr.h"
#include "store/convs.h"
#include "store/records.h"
#include "store/redo.h"
#include "store/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether out is in again, for a decode and an encode that said e and f. */
static void
same(enum err e, enum err f, struct view in, struct bytes *out)
{
    ASSERT(e == OK || e == ERR_CORRUPT);
    if (e == OK) {
        ASSERT(f == OK && view_equal(in, view_of(out)));
    }
    bytes_free(out);
}

#define PLAIN(TYPE, NAME)                                      \
    static void fuzz_##NAME(struct view in)                    \
    {                                                          \
        struct TYPE rec = {0};                                 \
        struct bytes out = {0};                                \
        enum err e = store_##NAME##_decode(in, &rec);          \
        enum err f = OK;                                       \
                                                               \
        if (e == OK) {                                         \
            f = store_##NAME##_encode(mem_heap(), &rec, &out); \
        }                                                      \
        same(e, f, in, &out);                                  \
    }

#define OWNING(TYPE, NAME, CLEAR)                                 \
    static void fuzz_##NAME(struct view in)                       \
    {                                                             \
        struct TYPE rec = {0};                                    \
        struct bytes out = {0};                                   \
        enum err e = store_##NAME##_decode(mem_heap(), in, &rec); \
        enum err f = OK;                                          \
                                                                  \
        if (e == OK) {                                            \
            f = store_##NAME##_encode(mem_heap(), &rec, &out);    \
            CLEAR;                                                \
        }                                                         \
        same(e, f, in, &out);                                     \
    }

PLAIN(store_event, event)
PLAIN(store_audit, audit)
PLAIN(store_outbox_entry, outbox)
PLAIN(store_chunk, chunk)
PLAIN(store_runs, runs)
OWNING(store_member, member, store_member_clear(&rec))
OWNING(store_contact, contact, store_contact_clear(&rec))
OWNING(store_note, note, phi_free(&rec.text))
OWNING(store_conv, conv, store_conv_clear(&rec))
OWNING(store_msg, msg, store_msg_clear(&rec))
OWNING(store_link, link, store_link_clear(&rec))
OWNING(store_clinic, clinic, store_clinic_clear(&rec))
OWNING(store_invite, invite, store_invite_clear(&rec))
OWNING(store_patient, patient, store_patient_clear(&rec))
OWNING(store_consent, consent, store_consent_clear(&rec))
OWNING(store_blob, blob, store_blob_clear(&rec))

/* Rows of a record: the views lie inside, and written again are the same. */
static void
fuzz_rows(struct view in)
{
    static const uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    struct proto_wr w = proto_wr_open(mem_heap());
    struct store_rows_rd rd;
    struct bytes out = {0};
    struct view row;
    uint64_t seq;

    store_rows_open(VIEW_ARRAY(key), in, &rd);
    proto_wr_array(&w, (size_t)2 * rd.left);
    while (store_rows_next(&rd, &row, &seq)) {
        ASSERT(seq == rd.seq - 1 && row.len >= rd.rest.len);
        ASSERT(row.len == 0 || rd.rest.len == 0 ||
               memcmp(row.p + row.len - rd.rest.len, rd.rest.p, rd.rest.len) ==
                   0);
        proto_wr_uint(&w, rd.like);
        proto_wr_bin(&w, rd.rest);
    }
    if (store_rows_end(&rd) == OK) {
        same(OK, proto_wr_take(&w, &out), in, &out);
    }
    proto_wr_clear(&w);
}

static void
fuzz_redo(struct view in)
{
    struct proto_wr w = proto_wr_open(mem_heap());
    struct store_redo_row row;
    struct store_redo_rd rd;
    struct bytes out = {0};

    store_redo_rows(in, &rd);
    proto_wr_array(&w, (size_t)3 * rd.left);
    while (store_redo_next(&rd, &row)) {
        ASSERT(row.key.len > 0 && row.t < STORE_T_COUNT_);
        store_redo_row_write(&w, &row);
    }
    if (store_redo_end(&rd) == OK) {
        same(OK, proto_wr_take(&w, &out), in, &out);
    }
    proto_wr_clear(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const all[])(struct view) = {
        fuzz_event,   fuzz_audit, fuzz_outbox, fuzz_chunk,   fuzz_member,
        fuzz_contact, fuzz_note,  fuzz_conv,   fuzz_msg,     fuzz_link,
        fuzz_clinic,  fuzz_blob,  fuzz_invite, fuzz_patient, fuzz_consent,
        fuzz_rows,    fuzz_redo,  fuzz_runs,
    };

    if (size > 0) {
        all[data[0] % (sizeof(all) / sizeof(all[0]))](
            view_make(data + 1, size - 1));
    }
    return 0;
}
