/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/safe.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The length of the character at s and its number; a broken one is a byte. */
static size_t
take(const unsigned char *s, uint32_t *out)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    uint32_t c = n == 1 ? s[0] : n == 0 ? 0 : s[0] & (0x7fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            n = 0;
            break;
        }
        c = c << 6 | (s[i] & 0x3fu);
    }
    *out = c;
    return n;
}

static bool
is_harmless(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        return false; /* C0, DEL, C1 */
    }
    if (c == 0x061c || c == 0x200e || c == 0x200f || c == 0xfeff) {
        return false; /* marks of direction, byte order mark */
    }
    /* separators, embeddings and overrides; isolates */
    return (c < 0x2028 || c > 0x202e) && (c < 0x2060 || c > 0x206f) &&
           (c & ~0x7fu) != 0xe0000; /* tags */
}

static void
put(FILE *f, const char *s, bool lines, int indent)
{
    const unsigned char *p = (const unsigned char *)s;

    while (*p != '\0') {
        uint32_t c = 0;
        size_t n = take(p, &c);

        if (lines && c == '\n' && n == 1) {
            (void)fprintf(f, "\n%*s", indent, "");
        } else if (lines && c == '\t' && n == 1) {
            (void)fputc(' ', f);
        } else if (n > 0 && is_harmless(c)) {
            (void)fwrite(p, 1, n, f);
        } else {
            (void)fputc('?', f);
        }
        p += n == 0 ? 1 : n;
    }
}

void
tool_put_safe(FILE *f, const char *s)
{
    put(f, s, false, 0);
}

void
tool_print_safe(const char *s)
{
    put(stdout, s, false, 0);
}

void
tool_print_text(const char *s, int indent)
{
    put(stdout, s, true, indent);
}
