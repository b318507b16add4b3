/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9110 12.5.4: what browsers say about languages, and what they get. */
#include "federation/http.h"
#include "tests/support/check.h"

#include <string.h>

TEST(what_browsers_say)
{
    static const struct view tags[] = {{(const uint8_t *)"en", 2},
                                       {(const uint8_t *)"de", 2},
                                       {(const uint8_t *)"fr", 2}};
    static const struct {
        const char *says;
        size_t gets;
    } rows[] = {
        {"", 0},
        {"de", 1},
        {"DE-at", 1},
        {"en-US,en;q=0.9,de;q=0.8", 0},
        {"it,de;q=0.5,fr;q=0.7", 2},
        {"it-CH, fr ; q=0.300 , de;q=0.301", 1},
        {"de;q=0, fr;q=0.001", 2},
        {"de;q=0", 0},
        {"it, *", 0},
        {"de;q=0.5,fr;q=0.5", 1},
        /* weights that are none: that part is not looked at */
        {"de;q=2,fr;q=0.1", 2},
        {"de;q=1.001,fr;q=0.1", 2},
        {"de;q=,fr;q=0.1", 2},
        {"de;q=0,5,fr", 2},
        {"de;q=0.5x,fr;q=0.1", 2},
        {"de;level=1,fr;q=0.1", 2},
        {"de;q=0.1234,fr;q=0.1", 2},
        {",,;;,-,de", 1},
        {"deu,german,d,e", 0},
    };
    char many[512] = "";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_EQ(fed_http_language(view_str(rows[i].says), tags, 3),
                 rows[i].gets);
    }
    for (int i = 0; i < 40; i++) {
        strcat(many, "xx,");
    }
    strcat(many, "de");
    CHECK_EQ(fed_http_language(view_str(many), tags, 3), 0);
}

int
main(void)
{
    return RUN(T(what_browsers_say));
}
