/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn has written is read back before the storage has it. */
#include "federation/app/kv.h"

#include "federation/app/rec.h"
#include "federation/core/rec.h"
#include "tests/federation/app/shelf.h"
#include "tests/support/fail_mem.h"
#include "tests/support/sample.h"

static struct fed_app_key
key_of(const char *s)
{
    return fed_app_key(view_str(s), (struct view){0});
}

static enum err
put(struct fed_app_kv *kv, const char *key, const char *value)
{
    struct fed_app_key k = key_of(key);

    return fed_app_put(kv, FED_APP_COUNT, &k, view_str(value));
}

/* The keys of a space from a place on, joined. */
static enum err
walk(struct fed_app_kv *kv, const char *prefix, char out[64])
{
    enum err e;
    struct fed_app_key at = key_of(prefix);
    struct bytes value = {0};

    out[0] = '\0';
    for (;;) {
        bytes_free(&value);
        TRY(fed_app_next(kv, FED_APP_COUNT, &at, view_str(prefix), &at,
                         &value));
        strncat(out, (const char *)at.b, at.len);
        strncat(out, "=", 2);
        strncat(out, (const char *)value.p, value.len);
        strncat(out, " ", 2);
        at = fed_app_key(fed_app_key_view(&at), VIEW_LIT("\0"));
    }
out:
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

static enum err
story(const struct mem *mem)
{
    enum err e;
    struct shelf shelf = {.len = 0};
    struct fed_app_store store = shelf_store(&shelf);
    struct fed_app_kv kv = {.mem = mem, .store = &store};
    struct fed_app_key b = key_of("b");
    struct fed_app_key away = key_of("zz");
    struct bytes value = {0};
    char text[64];
    uint64_t n;

    TRY(put(&kv, "b", "1"));
    TRY(put(&kv, "d", "1"));
    TRY(fed_app_kv_flush(&kv));
    CHECK_OK(store.commit(store.ctx, NULL, 0));
    TRY(put(&kv, "a", "2"));
    TRY(put(&kv, "c", "2"));
    TRY(put(&kv, "d", "2"));
    TRY(fed_app_del(&kv, FED_APP_COUNT, &b));
    TRY(walk(&kv, "", text));
    CHECK_STR(text, "a=2 c=2 d=2 ");
    TRY(walk(&kv, "c", text));
    CHECK_STR(text, "c=2 ");
    CHECK_ERR(fed_app_get(&kv, FED_APP_COUNT, &b, &value), ERR_MISSING);
    CHECK_ERR(fed_app_get(&kv, FED_APP_COUNT, &away, &value), ERR_MISSING);
    TRY(put(&kv, "b", "3"));
    TRY(fed_app_get(&kv, FED_APP_COUNT, &b, &value));
    CHECK_VIEW(view_of(&value), VIEW_LIT("3"));
    TRY(fed_app_count(&kv, "n", &n));
    CHECK_EQ(n, 1);
    TRY(fed_app_count(&kv, "n", &n));
    CHECK_EQ(n, 2);
    fed_app_kv_clear(&kv); /* as after a failed turn */
    TRY(walk(&kv, "", text));
    CHECK_STR(text, "b=1 d=1 ");
out:
    bytes_free(&value);
    fed_app_kv_clear(&kv);
    shelf_free(&shelf);
    return e;
}

TEST(reads_see_what_is_not_stored)
{
    CHECK_OK(story(mem_heap()));
}

TEST(every_allocation_may_fail)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        e = story(&f.mem);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(records_there_and_back)
{
    static const struct proto_shape *const shapes[] = {
        &fed_app_rec_me_shape,      &fed_app_rec_clinic_shape,
        &fed_app_rec_thread_shape,  &fed_app_rec_message_shape,
        &fed_app_rec_consent_shape, &fed_app_rec_file_shape,
        &fed_app_rec_request_shape, &fed_app_rec_grant_shape,
    };
    static _Alignas(max_align_t) uint8_t a[1024];
    static _Alignas(max_align_t) uint8_t b[1024];

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct bytes out = {0};
        struct bytes again = {0};

        sample_fill(shapes[i], a, (uint8_t)i, NULL);
        CHECK_OK(fed_rec_encode(mem_heap(), shapes[i], a, &out));
        CHECK_OK(fed_rec_decode(view_of(&out), shapes[i], b));
        CHECK_OK(fed_rec_encode(mem_heap(), shapes[i], b, &again));
        CHECK_VIEW(view_of(&again), view_of(&out));
        CHECK_ERR(fed_rec_decode(view_make(out.p, out.len - 1), shapes[i], b),
                  ERR_CORRUPT);
        bytes_free(&out);
        bytes_free(&again);
    }
}

int
main(void)
{
    return RUN(T(reads_see_what_is_not_stored), T(every_allocation_may_fail),
               T(records_there_and_back));
}
