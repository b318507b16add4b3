/* SPDX-License-Identifier: Apache-2.0 */
/* What people call a thread: the same everywhere, and nothing else's name. */
#include "federation/core/spoken.h"
#include "tests/support/check.h"

#include <ctype.h>
#include <string.h>

static struct thread_id
numbered(unsigned n)
{
    struct thread_id t = {{0}};

    t.b[0] = (uint8_t)n;
    t.b[1] = (uint8_t)(n >> 8);
    return t;
}

/* It is on two screens, maybe of two versions: it never changes. */
TEST(it_stays)
{
    struct thread_id t = numbered(1);
    char word[FED_SPOKEN_LEN + 1];

    fed_spoken(&t, word);
    CHECK(strcmp(word, "t8p-v8z") == 0);
}

TEST(no_number_and_no_id)
{
    char word[FED_SPOKEN_LEN + 1];

    for (unsigned n = 0; n < 5000; n++) {
        struct thread_id t = numbered(n);

        fed_spoken(&t, word);
        CHECK_EQ(strlen(word), FED_SPOKEN_LEN);
        for (size_t i = 0; i < FED_SPOKEN_LEN; i++) {
            bool digit = i == 1 || i == 5;

            CHECK(i == 3 ? word[i] == '-'
                         : (digit ? isdigit((unsigned char)word[i])
                                  : islower((unsigned char)word[i])) != 0);
            CHECK(digit || !isxdigit((unsigned char)word[i]));
            CHECK(strchr("0ilou1", word[i]) == NULL);
        }
    }
}

/* 2,000 threads have some 2,000 names. */
TEST(others_are_called_otherwise)
{
    static char words[2000][FED_SPOKEN_LEN + 1];
    size_t twice = 0;

    for (unsigned n = 0; n < 2000; n++) {
        struct thread_id t = numbered(n);

        fed_spoken(&t, words[n]);
        for (unsigned k = 0; k < n; k++) {
            twice += strcmp(words[k], words[n]) == 0 ? 1 : 0;
        }
    }
    CHECK(twice < 5);
}

TEST(as_people_write_it)
{
    struct thread_id t = numbered(1);
    struct thread_id other = numbered(2);
    char word[FED_SPOKEN_LEN + 1];
    char text[FED_SPOKEN_LEN + 2];

    fed_spoken(&t, word);
    CHECK(fed_spoken_is(&t, view_str(word)));
    CHECK(!fed_spoken_is(&other, view_str(word)));
    for (size_t i = 0; i < FED_SPOKEN_LEN; i++) {
        text[i] = (char)toupper((unsigned char)word[i]);
        CHECK(!fed_spoken_is(&t, view_make(word, i)));
    }
    CHECK(fed_spoken_is(&t, view_make(text, FED_SPOKEN_LEN)));
    memmove(text + 3, text + 4, 3);
    CHECK(fed_spoken_is(&t, view_make(text, FED_SPOKEN_LEN - 1)));
    memcpy(text, word, FED_SPOKEN_LEN);
    text[FED_SPOKEN_LEN] = 'x';
    CHECK(!fed_spoken_is(&t, view_make(text, FED_SPOKEN_LEN + 1)));
    text[0] = text[0] == 'g' ? 'h' : 'g';
    CHECK(!fed_spoken_is(&t, view_make(text, FED_SPOKEN_LEN)));
    CHECK(!fed_spoken_is(&t, (struct view){0}));
}

int
main(void)
{
    return RUN(T(it_stays), T(no_number_and_no_id),
               T(others_are_called_otherwise), T(as_people_write_it));
}
