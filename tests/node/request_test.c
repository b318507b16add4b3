/* SPDX-License-Identifier: Apache-2.0 */
/* Plain requests are read as any other, and only those that are JSON. */
#include "node/request.h"

#include "tests/support/check.h"

#include <string.h>

static void
same(const char *line, bool plain)
{
    struct view v = view_str(line);
    json_error_t error;
    json_t *want = json_loadb(line, v.len, JSON_REJECT_DUPLICATES, &error);
    json_t *got = node_request_plain(v);

    CHECK_EQ(got != NULL, plain);
    CHECK(got == NULL || (want != NULL && json_equal(got, want)));
    json_decref(got);
    got = node_request_read(v);
    CHECK_EQ(got != NULL, want != NULL);
    CHECK(got == NULL || json_equal(got, want));
    json_decref(got);
    json_decref(want);
}

TEST(plain_requests)
{
    static const char *const lines[] = {
        "{}",
        " { } \n",
        "{\"do\":\"send\",\"args\":[\"x\",\"a text\"],\"flags\":{}}",
        "{\"do\": \"send\", \"args\": [], \"flags\": {\"brief\": true}}\n",
        "{\"a\":\"\",\"\":null,\"b\":false,\"c\":{\"d\":\"\",\"e\":true}}",
        "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8d and \x7f so on, long\"}",
        "{\"a\"\t:\r[\"1\" , \"2\" ]\n}",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        same(lines[i], true);
    }
}

TEST(all_others)
{
    static const char *const lines[] = {
        "",
        "{",
        "}",
        "[]",
        "\"text\"",
        "{\"a\":1}",                   /* a number */
        "{\"a\":\"\\n\"}",             /* an escape */
        "{\"\\u0041\":true}",          /* in a name */
        "{\"a\":\"1\",\"a\":\"2\"}",   /* twice */
        "{\"a\":[[]]}",                /* deeper */
        "{\"a\":{\"b\":{}}}",          /* deeper */
        "{\"a\":[\"1\",]}",            /* more to come */
        "{\"a\":\"1\",}",              /* likewise */
        "{\"a\":\"1\"} x",             /* something behind */
        "{\"a\" \"1\"}",               /* nothing between */
        "{\"a\":\"1\" \"b\":\"1\"}",   /* likewise */
        "{a:\"1\"}",                   /* no quotes */
        "{\"a\":\"tab\there\"}",       /* a control */
        "{\"a\":\"12345678\x01xyz\"}", /* likewise */
        "{\"a\":\"\xff\"}",            /* no UTF-8 */
        "{\"a\":\"\xc0\xaf\"}",        /* likewise */
        "{\"a\":\"\xed\xa0\x80\"}",    /* a surrogate */
        "{\"a\":true1}",
        "{\"a\":\"no end}",
        "{\"a\":",
        "{\"a\":[\"1\"",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        same(lines[i], false);
    }
}

int
main(void)
{
    return RUN(T(plain_requests), T(all_others));
}
