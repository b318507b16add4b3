/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery codes, device lists, certificates and consents from anybody.  The
 * first byte says what the rest is; a statement is signed here, so that the
 * reader behind the signature is reached too, and what it takes is made again
 * and compared.
 */
#include "crypto/ident/consent.h"
#include "crypto/ident/patient.h"
#include "proto/base/assert.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct prim_sign_key patient;
    struct prim_sign_key device;
    struct patient_id id;
    struct ident_devices list; /* the device may add */
    struct bytes encoded;
};

static void
world_init(struct world *w)
{
    static const uint8_t seed[2][PRIM_ED25519_SEED] = {{1}, {2}};
    struct ident_devices want = {.generation = ident_generation(1, 0),
                                 .len = 1};

    prim_ed25519_from_seed(seed[0], &w->patient);
    prim_ed25519_from_seed(seed[1], &w->device);
    memcpy(w->id.b, w->patient.pub, sizeof(w->id.b));
    memcpy(want.device[0].id.b, w->device.pub, sizeof(w->device.pub));
    want.device[0].may_add = true;
    ASSERT(ident_devices_make(mem_heap(), &w->patient, &want, &w->encoded) ==
           OK);
    ASSERT(ident_devices_open(mem_heap(), &w->id, view_of(&w->encoded),
                              &w->list) == OK);
}

static void
check_code(struct view in)
{
    uint8_t code[IDENT_CODE];
    uint8_t again[IDENT_CODE];
    struct bytes words = {0};
    struct hash32 hash = {{0}};
    unsigned bad;

    ASSERT(ident_compare_check(in, &hash) != OK || in.len > sizeof(hash.b));
    if (ident_code_read(in, code, &bad) == OK) {
        ASSERT(ident_code_words(mem_heap(), code, &words) == OK);
        ASSERT(ident_code_read(view_of(&words), again, &bad) == OK);
        ASSERT(view_equal(VIEW_ARRAY(code), VIEW_ARRAY(again)));
        bytes_free(&words);
    }
}

/* [1, base, [append]], or [] without one */
static void
list_of(struct view base, struct view add, struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem_heap());

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, 1);
    proto_wr_bin(&w, base);
    proto_wr_array(&w, add.len > 0);
    if (add.len > 0) {
        proto_wr_bin(&w, add);
    }
    ASSERT(proto_wr_take(&w, out) == OK);
}

static void
check_base(const struct world *w, struct view in)
{
    struct bytes base = {0};
    struct bytes list = {0};
    struct bytes again = {0};
    struct ident_devices l;

    if (ident_signed_make(mem_heap(), IDENT_DEVICES, &w->patient, in, &base) !=
        OK) {
        return;
    }
    list_of(view_of(&base), (struct view){0}, &list);
    if (ident_devices_open(mem_heap(), &w->id, view_of(&list), &l) == OK) {
        bool zeros = false;

        for (uint32_t i = 0; i < l.len; i++) {
            zeros = zeros || subject_id_is_zero(&l.device[i].added_by);
        }
        ASSERT(ident_devices_compare(&l, &l) == ERR_EXISTS);
        ASSERT(ident_devices_make(mem_heap(), &w->patient, &l, &again) == OK);
        ASSERT(zeros || view_equal(view_of(&again), view_of(&list)));
    }
    bytes_free(&base);
    bytes_free(&list);
    bytes_free(&again);
}

/* An append is made from the device and flag of what was read. */
static void
check_append(const struct world *w, struct view in)
{
    struct bytes add = {0};
    struct bytes list = {0};
    struct bytes again = {0};
    struct ident_devices l;
    struct proto_rd r = proto_rd_open(view_of(&w->encoded));

    if (ident_signed_make(mem_heap(), IDENT_DEVICE_ADD, &w->device, in, &add) !=
        OK) {
        return;
    }
    proto_rd_array(&r, 3);
    (void)proto_rd_u8(&r);
    list_of(proto_rd_bin(&r, IDENT_LIST_MAX), view_of(&add), &list);
    if (ident_devices_open(mem_heap(), &w->id, view_of(&list), &l) == OK) {
        const struct ident_device *d = &l.device[l.len - 1];

        ASSERT(ident_devices_append(mem_heap(), &w->device, &w->id,
                                    view_of(&w->encoded), &d->id, d->may_add,
                                    &again) == OK);
        ASSERT(view_equal(view_of(&again), view_of(&list)));
        ASSERT(ident_devices_compare(&w->list, &l) == OK);
    }
    bytes_free(&add);
    bytes_free(&list);
    bytes_free(&again);
}

static void
check_cert(const struct world *w, struct view in)
{
    struct bytes cert = {0};
    struct bytes again = {0};
    struct ident_device_cert c;

    if (ident_signed_make(mem_heap(), IDENT_PATIENT, &w->patient, in, &cert) ==
            OK &&
        ident_device_cert_verify(mem_heap(), view_of(&cert), &w->list, NULL,
                                 &c) == OK) {
        ASSERT(ident_device_cert_make(mem_heap(), &w->patient, &c, &again) ==
               OK);
        ASSERT(view_equal(view_of(&again), view_of(&cert)));
    }
    bytes_free(&cert);
    bytes_free(&again);
}

static void
check_consent(const struct world *w, struct view in)
{
    struct bytes b = {0};
    struct bytes again = {0};
    struct ident_consent c;
    struct ident_withdrawal wd;

    if (ident_signed_make(mem_heap(), IDENT_CONSENT, &w->device, in, &b) ==
            OK &&
        ident_consent_open(mem_heap(), view_of(&b), &w->list, &c) == OK) {
        ASSERT(ident_consent_make(mem_heap(), &w->device, &c, &again) == OK);
        ASSERT(view_equal(view_of(&again), view_of(&b)));
    }
    bytes_free(&b);
    bytes_free(&again);
    if (ident_signed_make(mem_heap(), IDENT_WITHDRAWAL, &w->device, in, &b) ==
            OK &&
        ident_withdrawal_open(mem_heap(), view_of(&b), &w->list, &wd) == OK) {
        ASSERT(ident_withdrawal_make(mem_heap(), &w->device, &wd, &again) ==
               OK);
        ASSERT(view_equal(view_of(&again), view_of(&b)));
    }
    bytes_free(&b);
    bytes_free(&again);
}

/* Signed by nobody: never taken. */
static void
check_raw(struct view in)
{
    struct ident_devices l;
    struct ident_device_claim claim;
    struct ident_desk_consent d;
    struct ident_introduction i;
    struct clinic_id root = {{0}};
    struct ident_check check = {.root = &root};
    struct patient_id other = {{3}};

    ASSERT(ident_devices_open(mem_heap(), &other, in, &l) != OK);
    if (ident_device_cert_peek(in, &claim) == OK) {
        ASSERT(in.len <= IDENT_DEVICE_CERT_MAX);
    }
    ASSERT(ident_desk_consent_open(mem_heap(), in, &check, &d) != OK);
    ASSERT(ident_introduction_open(mem_heap(), in, &check, &i) != OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {0};
    struct view in;

    if (size == 0) {
        return 0;
    }
    in = view_make(data + 1, size - 1);
    world_init(&w);
    switch (data[0]) {
    case 'w':
        check_code(in);
        break;
    case 'l':
        check_base(&w, in);
        break;
    case 'a':
        check_append(&w, in);
        break;
    case 'd':
        check_cert(&w, in);
        break;
    case 'c':
        check_consent(&w, in);
        break;
    default:
        check_raw(in);
        break;
    }
    bytes_free(&w.encoded);
    return 0;
}
