/* SPDX-License-Identifier: Apache-2.0 */
#include "node/day.h"

#include "tests/support/check.h"

#include <stdlib.h>
#include <time.h>

TEST(a_day_has_a_beginning_and_an_end)
{
    uint64_t begin = 0;
    uint64_t end = 0;

    CHECK_EQ(setenv("TZ", "UTC", 1), 0);
    tzset();
    CHECK_OK(node_day_ms(VIEW_LIT("2027-01-31"), false, &begin));
    CHECK_OK(node_day_ms(VIEW_LIT("2027-01-31"), true, &end));
    CHECK_EQ(begin, 1801353600000u);
    CHECK_EQ(end - begin, 86399000);
    CHECK_OK(node_day_ms(VIEW_LIT("2028-02-29"), false, &begin));
}

TEST(a_day_that_no_calendar_has_is_refused)
{
    static const char *const wrong[] = {
        "",           "2027-13-01", "2027-02-29",  "2027-04-31",
        "2027-00-10", "2027-01-00", "2027-1-31",   "31.01.2027",
        "2027-01-3x", "2027/01/31", "2027-01-31 ", "1969-12-31",
        "-027-01-31", "2027-+1-31",
    };
    uint64_t out = 7;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK_ERR(node_day_ms(view_str(wrong[i]), false, &out), ERR_INVALID);
    }
    CHECK_EQ(out, 7);
}

int
main(void)
{
    return RUN(T(a_day_has_a_beginning_and_an_end),
               T(a_day_that_no_calendar_has_is_refused));
}
