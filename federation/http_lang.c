/* SPDX-License-Identifier: Apache-2.0 */
/* Which of our languages a browser would rather have. */
#include "federation/http.h"

#include <string.h>

enum {
    RANGES_MAX = 32, /* more than anybody reads */
    WHOLE = 1000     /* a weight of 1 */
};

/* Take what is before c off the front of *in, and c. */
static struct view
take(struct view *in, uint8_t c)
{
    const uint8_t *at = in->len == 0 ? NULL : memchr(in->p, c, in->len);
    size_t n = at == NULL ? in->len : (size_t)(at - in->p);
    struct view part = view_sub(*in, 0, n);

    *in = view_skip(*in, at == NULL ? n : n + 1);
    while (part.len > 0 && (part.p[0] == ' ' || part.p[0] == '\t')) {
        part = view_skip(part, 1);
    }
    while (part.len > 0 &&
           (part.p[part.len - 1] == ' ' || part.p[part.len - 1] == '\t')) {
        part.len--;
    }
    return part;
}

/* RFC 9110 12.4.2: "q=0.75" in thousandths; absent: all.  False: no weight. */
static bool
weight(struct view v, unsigned *out)
{
    unsigned n = 0;
    unsigned unit = WHOLE;

    if (v.len == 0) {
        *out = WHOLE;
        return true;
    }
    if (v.len < 3 || v.len > 7 || (v.p[0] != 'q' && v.p[0] != 'Q') ||
        v.p[1] != '=' || (v.len > 3 && v.p[3] != '.')) {
        return false;
    }
    for (size_t i = 2; i < v.len; i++) {
        if (i == 3) {
            continue;
        }
        if (v.p[i] < '0' || v.p[i] > '9') {
            return false;
        }
        n += (unsigned)(v.p[i] - '0') * unit;
        unit /= 10;
    }
    *out = n;
    return n <= WHOLE;
}

size_t
fed_http_language(struct view accept, const struct view *tags, size_t len)
{
    size_t best = 0;
    unsigned most = 0;

    for (int i = 0; i < RANGES_MAX && accept.len > 0; i++) {
        struct view params = take(&accept, ',');
        struct view range = take(&params, ';');
        struct view tag = take(&range, '-');
        unsigned q;

        if (!weight(take(&params, ';'), &q) || q <= most) {
            continue;
        }
        for (size_t k = 0; k < len; k++) {
            if (fed_http_same(tag, tags[k])) {
                best = k;
                most = q;
                break;
            }
        }
    }
    return best;
}
