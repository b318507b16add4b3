/* SPDX-License-Identifier: Apache-2.0 */
/* What a patient loses whose connection this node ends. */
#include "node/cut_off.h"

#include "proto/msg/group.h"
#include "store/patient.h"
#include "tests/node/clinic/desk_fix.h"

static struct desk_fix f;

static const struct patient_id ann = {{0xa1}};
static const struct contact_id card = {{0xc1}};

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    struct store_patient p = {.id = ann,
                              .state = STORE_PATIENT_JOINED,
                              .learned = STORE_LEARNED_LINK,
                              .has_contact = true,
                              .contact = card};
    struct store_contact c = {.id = card, .kind = STORE_CONTACT_PATIENT};
    enum err e;

    (void)ctx;
    TRY(store_contact_put(txn, &c));
    TRY(store_patient_put(txn, &p));
out:
    return e;
}

/* A thread n of us, Ann by way of via, and another clinic if so. */
static void
thread(uint8_t n, const struct clinic_id *via, bool other, const char *title)
{
    struct proto_content name = {.kind = PROTO_CONTENT_TITLE};
    struct fed_show show = {0};

    memset(f.thread.b, n, sizeof(f.thread.b));
    desk_members(&f, other, &ann, via, &show);
    name.u.title.title = view_str(title);
    desk_message(&f, &f.desk.self, n, 1, false, &name);
}

/* Their names, each behind a comma. */
static void
expect(const char *want)
{
    struct store_txn *txn = desk_read(&f);
    json_t *o = json_object();
    char got[256] = "";
    const json_t *name;
    size_t i;

    CHECK_OK(node_cut_off(txn, &f.desk.self, &ann, o));
    store_read_end(txn);
    json_array_foreach(json_object_get(o, "cut_off"), i, name)
    {
        (void)strncat(got, json_string_value(name), 64);
        (void)strncat(got, ",", 2);
    }
    CHECK_VIEW(view_str(got), view_str(want));
    json_decref(o);
}

TEST(what_goes_through_us_with_others)
{
    desk_begin(&f);
    expect("");
    FIX_WRITE(&f.fix, put_run, NULL);
    expect("");
    thread(1, &f.desk.self, false, "alone");
    thread(2, &f.peer, true, "by the other");
    expect("");
    thread(3, &f.desk.self, true, "shared");
    expect("shared,");
    desk_end(&f);
}

int
main(void)
{
    return RUN(T(what_goes_through_us_with_others));
}
