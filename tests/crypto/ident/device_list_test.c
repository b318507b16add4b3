/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/device_list.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "tests/crypto/ident/patient_fixture.h"
#include "tests/support/fail_mem.h"

static enum err
append(const struct patient *p, const struct prim_sign_key *by, struct view in,
       const struct prim_sign_key *device, bool may_add, struct bytes *out)
{
    struct device_id id = device_of(device);

    return ident_devices_append(mem_heap(), by, &p->id, in, &id, may_add, out);
}

static enum err
open_list(const struct patient *p, const struct bytes *in,
          struct ident_devices *out)
{
    return ident_devices_open(mem_heap(), &p->id, view_of(in), out);
}

TEST(a_list_by_the_patient_key)
{
    struct patient p;
    struct device_id id;

    patient_init(&p, 1);
    CHECK(p.list.generation == ident_generation(1, 0));
    CHECK_EQ(p.list.len, 2);
    CHECK(clinic_id_equal(&p.list.home, &p.want.home));
    id = device_of(&p.phone);
    CHECK(ident_devices_find(&p.list, &id)->may_add);
    id = device_of(&p.tablet);
    CHECK(!ident_devices_find(&p.list, &id)->may_add);
    CHECK_VIEW(subject_id_view(&p.list.device[1].added_by),
               patient_id_view(&p.id));
    id = device_of(&p.laptop);
    CHECK(ident_devices_find(&p.list, &id) == NULL);
    patient_clear(&p);
}

TEST(what_cannot_be_listed)
{
    struct patient p;
    struct bytes b = {0};

    patient_init(&p, 1);
    /* [devices-twice] */
    p.want.device[1] = p.want.device[0];
    CHECK_ERR(ident_devices_make(mem_heap(), &p.key, &p.want, &b), ERR_INVALID);
    /* [devices-patient-key] */
    p.want.device[1].id = device_of(&p.key);
    CHECK_ERR(ident_devices_make(mem_heap(), &p.key, &p.want, &b), ERR_INVALID);
    p.want.device[1].id = device_of(&p.tablet);
    p.want.generation = ident_generation(1, 1);
    CHECK_ERR(ident_devices_make(mem_heap(), &p.key, &p.want, &b), ERR_INVALID);
    p.want.generation = 0;
    CHECK_ERR(ident_devices_make(mem_heap(), &p.key, &p.want, &b), ERR_INVALID);
    p.want.generation = ident_generation(1, 0);
    p.want.len = IDENT_DEVICES_MAX + 1;
    CHECK_ERR(ident_devices_make(mem_heap(), &p.key, &p.want, &b), ERR_LIMIT);
    patient_clear(&p);
}

TEST(every_changed_byte_is_noticed)
{
    struct patient p;
    struct bytes b = {0};
    struct ident_devices l;

    patient_init(&p, 1);
    CHECK_OK(append(&p, &p.phone, view_of(&p.encoded), &p.laptop, false, &b));
    CHECK_OK(open_list(&p, &b, &l));
    for (size_t i = 0; i < b.len; i++) {
        b.p[i] ^= 1;
        CHECK(open_list(&p, &b, &l) != OK);
        b.p[i] ^= 1;
        CHECK(ident_devices_open(mem_heap(), &p.id, view_sub(view_of(&b), 0, i),
                                 &l) != OK);
    }
    bytes_free(&b);
    patient_clear(&p);
}

/* decisions F 23 [devices-may-add] */
TEST(only_a_device_that_may_add_appends)
{
    struct patient p;
    struct bytes b = {0};
    struct bytes c = {0};
    struct ident_devices l;
    struct device_id id;

    patient_init(&p, 1);
    CHECK_ERR(append(&p, &p.tablet, view_of(&p.encoded), &p.laptop, false, &b),
              ERR_DENIED);
    CHECK_ERR(append(&p, &p.laptop, view_of(&p.encoded), &p.laptop, true, &b),
              ERR_DENIED);
    CHECK_ERR(append(&p, &p.phone, view_of(&p.encoded), &p.tablet, true, &b),
              ERR_EXISTS);
    CHECK_ERR(append(&p, &p.phone, view_of(&p.encoded), &p.key, true, &b),
              ERR_INVALID);
    CHECK_OK(append(&p, &p.phone, view_of(&p.encoded), &p.laptop, true, &b));
    CHECK_OK(open_list(&p, &b, &l));
    CHECK(l.generation == ident_generation(1, 1));
    CHECK_EQ(l.len, 3);
    id = device_of(&p.phone);
    CHECK_VIEW(subject_id_view(&l.device[2].added_by), device_id_view(&id));
    /* what was appended may add in its turn */
    CHECK_OK(append(&p, &p.laptop, view_of(&b),
                    &(struct prim_sign_key){.pub = {9}}, false, &c));
    CHECK_OK(open_list(&p, &c, &l));
    CHECK_EQ(l.len, 4);
    CHECK(l.generation == ident_generation(1, 2));
    bytes_free(&b);
    bytes_free(&c);
    patient_clear(&p);
}

/* The two signed parts of a list with one append. */
static void
parts_of(const struct bytes *in, struct view *base, struct view *add)
{
    struct proto_rd r = proto_rd_open(view_of(in));

    proto_rd_array(&r, 3);
    (void)proto_rd_u8(&r);
    *base = proto_rd_bin(&r, 8192);
    *add = (struct view){0};
    if (proto_rd_list(&r, 1) == 1) {
        *add = proto_rd_bin(&r, 8192);
    }
    CHECK_OK(proto_rd_end(&r));
}

static void
list_of(struct view base, struct view add, struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem_heap());

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, 1);
    proto_wr_bin(&w, base);
    proto_wr_array(&w, 1);
    proto_wr_bin(&w, add);
    CHECK_OK(proto_wr_take(&w, out));
}

/* [devices-chain] [devices-may-add] on reading, not only on making */
TEST(an_append_fits_only_its_own_list)
{
    struct patient p;
    struct bytes first = {0};
    struct bytes second = {0};
    struct bytes mixed = {0};
    struct view base;
    struct view add;
    struct view unused;
    struct ident_devices l;

    patient_init(&p, 1);
    CHECK_OK(
        append(&p, &p.phone, view_of(&p.encoded), &p.laptop, true, &first));
    parts_of(&first, &base, &add);
    list_of(base, add, &mixed);
    CHECK_VIEW(view_of(&mixed), view_of(&first));
    bytes_free(&mixed);
    /* behind a newer list of the same devices */
    p.want.generation = ident_generation(2, 0);
    CHECK_OK(ident_devices_make(mem_heap(), &p.key, &p.want, &second));
    parts_of(&second, &base, &unused);
    list_of(base, add, &mixed);
    CHECK_ERR(open_list(&p, &mixed, &l), ERR_AUTH);
    bytes_free(&mixed);
    bytes_free(&second);
    /* behind one in which that device may not add */
    p.want.generation = ident_generation(1, 0);
    p.want.device[0].may_add = false;
    CHECK_OK(ident_devices_make(mem_heap(), &p.key, &p.want, &second));
    parts_of(&second, &base, &unused);
    list_of(base, add, &mixed);
    CHECK_ERR(open_list(&p, &mixed, &l), ERR_DENIED);
    bytes_free(&mixed);
    bytes_free(&second);
    bytes_free(&first);
    patient_clear(&p);
}

/* [devices-patient] [devices-generation] a patient signs its own, whole ones */
TEST(of_another_patient)
{
    struct patient p;
    struct patient q;
    struct ident_devices l;
    struct bytes statement = {0};
    struct bytes signed_ = {0};
    struct bytes list = {0};

    patient_init(&p, 1);
    patient_init(&q, 2);
    CHECK_ERR(open_list(&q, &p.encoded, &l), ERR_AUTH);
    for (int i = 0; i < 2; i++) {
        struct proto_wr w = proto_wr_open(mem_heap());
        struct proto_wr o = proto_wr_open(mem_heap());

        proto_wr_array(&w, 6);
        proto_wr_uint(&w, IDENT_DEVICES);
        proto_wr_uint(&w, 1);
        proto_wr_bin(&w, patient_id_view(i == 0 ? &q.id : &p.id));
        proto_wr_uint(&w, ident_generation(1, i == 0 ? 0 : 3));
        proto_wr_bin(&w, clinic_id_view(&p.want.home));
        proto_wr_array(&w, 0);
        CHECK_OK(proto_wr_take(&w, &statement));
        CHECK_OK(ident_signed_make(mem_heap(), IDENT_DEVICES, &p.key,
                                   view_of(&statement), &signed_));
        proto_wr_array(&o, 3);
        proto_wr_uint(&o, 1);
        proto_wr_bin(&o, view_of(&signed_));
        proto_wr_array(&o, 0);
        CHECK_OK(proto_wr_take(&o, &list));
        CHECK_ERR(open_list(&p, &list, &l), i == 0 ? ERR_AUTH : ERR_FORMAT);
        bytes_free(&statement);
        bytes_free(&signed_);
        bytes_free(&list);
    }
    patient_clear(&p);
    patient_clear(&q);
}

TEST(full_lists)
{
    struct patient p;
    struct bytes b = {0};
    struct ident_devices l;
    struct device_id id = {{0}};

    patient_init(&p, 1);
    b = bytes_take(&p.encoded);
    for (uint32_t i = 2; i <= IDENT_DEVICES_MAX; i++) {
        struct bytes next = {0};

        id.b[0] = (uint8_t)i;
        CHECK_ERR(ident_devices_append(mem_heap(), &p.phone, &p.id, view_of(&b),
                                       &id, false, &next),
                  i < IDENT_DEVICES_MAX ? OK : ERR_LIMIT);
        if (next.len > 0) {
            bytes_free(&b);
            b = bytes_take(&next);
        }
    }
    CHECK(b.len <= IDENT_LIST_MAX);
    CHECK_OK(open_list(&p, &b, &l));
    CHECK_EQ(l.len, IDENT_DEVICES_MAX);
    bytes_free(&b);
    patient_clear(&p);
}

/* decisions F 23 [devices-fork]: highest wins, two of one are an alarm */
TEST(which_list_counts)
{
    struct patient p;
    struct bytes b[3] = {{0}};
    struct ident_devices base;
    struct ident_devices one;
    struct ident_devices two;
    struct ident_devices other;
    struct ident_devices later;

    patient_init(&p, 1);
    base = p.list;
    CHECK_OK(
        append(&p, &p.phone, view_of(&p.encoded), &p.laptop, false, &b[0]));
    CHECK_OK(open_list(&p, &b[0], &one));
    CHECK_OK(append(&p, &p.phone, view_of(&b[0]),
                    &(struct prim_sign_key){.pub = {8}}, false, &b[1]));
    CHECK_OK(open_list(&p, &b[1], &two));
    CHECK_OK(append(&p, &p.phone, view_of(&p.encoded),
                    &(struct prim_sign_key){.pub = {9}}, false, &b[2]));
    CHECK_OK(open_list(&p, &b[2], &other));
    CHECK_OK(ident_devices_compare(&base, &one));
    CHECK_OK(ident_devices_compare(&base, &two));
    CHECK_ERR(ident_devices_compare(&two, &two), ERR_EXISTS);
    CHECK_ERR(ident_devices_compare(&two, &one), ERR_STALE);
    CHECK_ERR(ident_devices_compare(&one, &other), ERR_CORRUPT);
    /* also when one of them went on meanwhile, either way round */
    CHECK_ERR(ident_devices_compare(&two, &other), ERR_CORRUPT);
    CHECK_ERR(ident_devices_compare(&other, &two), ERR_CORRUPT);
    /* the patient key is above all that a stolen device appends */
    p.want.generation = ident_generation(2, 0);
    p.want.len = 1;
    patient_sign(&p);
    later = p.list;
    CHECK_OK(ident_devices_compare(&two, &later));
    CHECK_ERR(ident_devices_compare(&later, &two), ERR_STALE);
    /* two lists by the patient key itself */
    p.want.home.b[0] ^= 1;
    patient_sign(&p);
    CHECK_ERR(ident_devices_compare(&later, &p.list), ERR_CORRUPT);
    p.list.patient.b[0] ^= 1;
    CHECK_ERR(ident_devices_compare(&later, &p.list), ERR_INVALID);
    for (size_t i = 0; i < 3; i++) {
        bytes_free(&b[i]);
    }
    patient_clear(&p);
}

static struct ident_device_cert
cert_of(const struct patient *p, const struct prim_sign_key *device)
{
    return (struct ident_device_cert){
        .patient = p->id, .device = device_of(device), .home = p->want.home};
}

TEST(a_certificate)
{
    struct patient p;
    struct bytes b = {0};
    struct ident_device_cert c;
    struct ident_device_cert back = {0};
    struct ident_device_claim claim = {0};
    struct device_id id;

    patient_init(&p, 1);
    c = cert_of(&p, &p.phone);
    id = c.device;
    CHECK_OK(ident_device_cert_make(mem_heap(), &p.key, &c, &b));
    CHECK_OK(ident_device_cert_peek(view_of(&b), &claim));
    CHECK(patient_id_equal(&claim.patient, &p.id));
    CHECK_OK(
        ident_device_cert_verify(mem_heap(), view_of(&b), &p.list, &id, &back));
    CHECK(device_id_equal(&back.device, &id));
    CHECK(clinic_id_equal(&back.home, &p.want.home));
    CHECK_VIEW(subject_id_view(&back.issuer), patient_id_view(&p.id));
    for (size_t i = 0; i < b.len; i++) {
        b.p[i] ^= 1;
        CHECK(ident_device_cert_verify(mem_heap(), view_of(&b), &p.list, NULL,
                                       &back) != OK);
        b.p[i] ^= 1;
        CHECK_ERR(ident_device_cert_verify(mem_heap(),
                                           view_sub(view_of(&b), 0, i), &p.list,
                                           NULL, &back),
                  ERR_FORMAT);
    }
    bytes_free(&b);
    patient_clear(&p);
}

static enum err
verify(const struct ident_device_cert *c, const struct prim_sign_key *issuer,
       const struct ident_devices *list, const struct device_id *key)
{
    enum err e;
    struct bytes b = {0};
    struct ident_device_cert back;

    CHECK_OK(ident_device_cert_make(mem_heap(), issuer, c, &b));
    e = ident_device_cert_verify(mem_heap(), view_of(&b), list, key, &back);
    bytes_free(&b);
    return e;
}

TEST(certificates_that_are_refused)
{
    struct patient p;
    struct patient q;
    struct ident_device_cert c;
    struct device_id other;

    patient_init(&p, 1);
    patient_init(&q, 2);
    c = cert_of(&p, &p.phone);
    CHECK_OK(verify(&c, &p.key, &p.list, NULL));
    /* [device-cert-patient] */
    CHECK_ERR(verify(&c, &p.key, &q.list, NULL), ERR_AUTH);
    /* [device-cert-key] */
    other = device_of(&p.tablet);
    CHECK_ERR(verify(&c, &p.key, &p.list, &other), ERR_AUTH);
    /* [device-cert-issuer] a home clinic's ghost, and a device that did not
     * add this one, although it may add */
    CHECK_ERR(verify(&c, &q.key, &p.list, NULL), ERR_AUTH);
    c = cert_of(&p, &p.tablet);
    CHECK_ERR(verify(&c, &p.phone, &p.list, NULL), ERR_AUTH);
    /* [device-cert-listed] */
    c = cert_of(&p, &p.laptop);
    CHECK_ERR(verify(&c, &p.key, &p.list, NULL), ERR_STALE);
    /* where it was certified; the list says where home is now */
    c = cert_of(&p, &p.phone);
    c.home.b[0] ^= 1;
    CHECK_OK(verify(&c, &p.key, &p.list, NULL));
    patient_clear(&p);
    patient_clear(&q);
}

/* A device added by another keeps its certificate when that one is removed. */
TEST(certified_by_a_device)
{
    struct patient p;
    struct bytes b = {0};
    struct ident_devices l;
    struct ident_device_cert c;

    patient_init(&p, 1);
    CHECK_OK(append(&p, &p.phone, view_of(&p.encoded), &p.laptop, false, &b));
    CHECK_OK(open_list(&p, &b, &l));
    c = cert_of(&p, &p.laptop);
    CHECK_OK(verify(&c, &p.phone, &l, NULL));
    p.want.generation = ident_generation(2, 0);
    p.want.len = 1;
    p.want.device[0] = l.device[2];
    patient_sign(&p);
    CHECK_OK(verify(&c, &p.phone, &p.list, NULL));
    c = cert_of(&p, &p.phone);
    CHECK_ERR(verify(&c, &p.key, &p.list, NULL), ERR_STALE);
    c = cert_of(&p, &p.tablet);
    CHECK_ERR(verify(&c, &p.phone, &p.list, NULL), ERR_STALE);
    bytes_free(&b);
    patient_clear(&p);
}

static enum err
all_of_it(const struct mem *mem, const struct patient *p)
{
    enum err e;
    struct bytes list = {0};
    struct bytes more = {0};
    struct bytes cert = {0};
    struct ident_devices l;
    struct ident_device_cert c = cert_of(p, &p->laptop);

    TRY(ident_devices_make(mem, &p->key, &p->want, &list));
    TRY(ident_devices_append(mem, &p->phone, &p->id, view_of(&list), &c.device,
                             true, &more));
    TRY(ident_devices_open(mem, &p->id, view_of(&more), &l));
    TRY(ident_device_cert_make(mem, &p->phone, &c, &cert));
    TRY(ident_device_cert_verify(mem, view_of(&cert), &l, NULL, &c));
out:
    bytes_free(&list);
    bytes_free(&more);
    bytes_free(&cert);
    return e;
}

TEST(no_memory)
{
    struct patient p;

    patient_init(&p, 1);
    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        enum err e;

        fail_mem_init(&m, i);
        e = all_of_it(&m.mem, &p);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    patient_clear(&p);
}

int
main(void)
{
    return RUN(T(a_list_by_the_patient_key), T(what_cannot_be_listed),
               T(every_changed_byte_is_noticed),
               T(only_a_device_that_may_add_appends),
               T(an_append_fits_only_its_own_list), T(of_another_patient),
               T(full_lists), T(which_list_counts), T(a_certificate),
               T(certificates_that_are_refused), T(certified_by_a_device),
               T(no_memory));
}
