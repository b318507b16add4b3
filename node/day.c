/* SPDX-License-Identifier: Apache-2.0 */
#include "node/day.h"

#include <string.h>
#include <time.h>

enum {
    DAY_LEN = 10 /* 2027-01-31 */
};

/* The number that n digits write, or -1. */
static int
digits(const uint8_t *p, size_t n)
{
    int number = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }
        number = number * 10 + (p[i] - '0');
    }
    return number;
}

enum err
node_day_ms(struct view text, bool end, uint64_t *out)
{
    struct tm tm = {.tm_isdst = -1};
    int day;
    int month;
    time_t t;

    if (text.len != DAY_LEN || text.p[4] != '-' || text.p[7] != '-' ||
        digits(text.p, 4) < 1970) {
        return ERR_INVALID;
    }
    month = digits(text.p + 5, 2);
    day = digits(text.p + 8, 2);
    if (month < 1 || day < 1) {
        return ERR_INVALID;
    }
    tm.tm_year = digits(text.p, 4) - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    if (end) {
        tm.tm_hour = 23;
        tm.tm_min = 59;
        tm.tm_sec = 59;
    }
    t = mktime(&tm);
    if (t < 0 || tm.tm_mon != month - 1 || tm.tm_mday != day) {
        return ERR_INVALID;
    }
    *out = (uint64_t)t * 1000;
    return OK;
}
