/* SPDX-License-Identifier: Apache-2.0 */
#include "node/panel.h"

#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <stdio.h>
#include <string.h>

#define NOW 1800000000000u /* in January 2027 */

struct said {
    uint32_t line[8];
    const char *what[8];
    size_t len;
};

static void
say(void *ctx, uint32_t line, const char *what)
{
    struct said *s = ctx;

    if (s->len < 8) {
        s->line[s->len] = line;
        s->what[s->len] = what;
    }
    s->len++;
}

static enum err
read_text(const struct mem *mem, struct view csv, struct said *s,
          struct node_panel *p)
{
    struct node_panel_wrong w = {say, s};

    *s = (struct said){.len = 0};
    return node_panel_read(mem, csv, NOW, &w, p);
}

static enum err
read_csv(const char *csv, struct said *s, struct node_panel *p)
{
    return read_text(mem_heap(), view_str(csv), s, p);
}

TEST(a_table_becomes_rows)
{
    struct node_panel p = {0};
    struct said s;

    CHECK_OK(read_csv("\xef\xbb\xbfName,Phone,Email,Birth,Purpose\r\n"
                      "Ann Miller, +1 (555) 0100 ,,1980-02-29,plan\r\n"
                      "\r\n"
                      "\"Miller, \"\"Bob\"\"\",,bob@example.org,,\r\n",
                      &s, &p));
    CHECK_EQ(p.rows_len, 2);
    CHECK_EQ(p.rows[0].line, 2);
    CHECK_VIEW(p.rows[0].phone, VIEW_LIT("+1 (555) 0100"));
    CHECK_VIEW(p.rows[0].birth, VIEW_LIT("1980-02-29"));
    CHECK_EQ(p.rows[1].line, 4);
    CHECK_VIEW(p.rows[1].name, VIEW_LIT("Miller, \"Bob\""));
    CHECK_VIEW(p.rows[1].email, VIEW_LIT("bob@example.org"));
    CHECK_EQ(p.rows[1].birth.len, 0);
    node_panel_clear(&p);
}

TEST(semicolons_and_tabs_separate_as_well)
{
    struct node_panel p = {0};
    struct said s;

    CHECK_OK(read_csv("email;name\na@b;Ann", &s, &p));
    CHECK_VIEW(p.rows[0].name, VIEW_LIT("Ann"));
    node_panel_clear(&p);
    CHECK_OK(read_csv("name\tbirth\nAnn, the elder\t1930-01-01\n", &s, &p));
    CHECK_VIEW(p.rows[0].name, VIEW_LIT("Ann, the elder"));
    node_panel_clear(&p);
    CHECK_OK(read_csv("name\nAnn\nBob\n", &s, &p));
    CHECK_EQ(p.rows_len, 2);
    node_panel_clear(&p);
}

TEST(every_wrong_line_is_said_with_its_number)
{
    struct node_panel p = {0};
    struct said s;

    CHECK_ERR(read_csv("name,phone,email,birth\n"
                       "Ann,,,1981-02-29\n"
                       "Bob,,,\n"
                       ",,,\n"
                       "Cyd,12,,\n"
                       "Dee,,at home,\n"
                       "Eva,,,2999-01-01\n"
                       "bob,,,\n"
                       "Fay,,\n",
                       &s, &p),
              ERR_INVALID);
    CHECK_EQ(s.len, 6);
    CHECK_EQ(s.line[0], 2);
    CHECK_EQ(s.line[1], 5);
    CHECK_EQ(s.line[2], 6);
    CHECK_EQ(s.line[3], 7);
    CHECK_EQ(s.line[4], 8);
    CHECK_EQ(s.line[5], 9);
    CHECK(strstr(s.what[4], "further up") != NULL);
    CHECK_EQ(p.rows_len, 1); /* what else may be wrong can still be said */
    CHECK_EQ(p.rows[0].line, 3);
    node_panel_clear(&p);
}

TEST(a_quoted_line_break_counts_as_a_line)
{
    struct node_panel p = {0};
    struct said s;

    CHECK_ERR(read_csv("name,purpose\nAnn,\"a\nb\"\n,x\n", &s, &p),
              ERR_INVALID);
    CHECK_EQ(s.line[0], 4);
    node_panel_clear(&p);
    CHECK_ERR(read_csv("name\n\"Ann\nMiller\"\n", &s, &p), ERR_INVALID);
    CHECK(strstr(s.what[0], "control character") != NULL);
    node_panel_clear(&p);
    CHECK_ERR(read_csv("name\nAnn\n\"Bob\n", &s, &p), ERR_INVALID);
    CHECK_EQ(s.line[0], 3);
    CHECK(strstr(s.what[0], "quotation") != NULL);
    node_panel_clear(&p);
}

TEST(columns_must_be_named)
{
    struct node_panel p = {0};
    struct said s;

    CHECK_ERR(read_csv("Ann,+15550100\n", &s, &p), ERR_INVALID);
    node_panel_clear(&p);
    CHECK_EQ(s.line[0], 1);
    CHECK_ERR(read_csv("phone\n+15550100\n", &s, &p), ERR_INVALID);
    node_panel_clear(&p);
    CHECK(strstr(s.what[0], "name") != NULL);
    CHECK_ERR(read_csv("name,name\na,b\n", &s, &p), ERR_INVALID);
    node_panel_clear(&p);
    CHECK_ERR(read_csv("name\n", &s, &p), ERR_INVALID);
    node_panel_clear(&p);
    CHECK_ERR(read_csv("", &s, &p), ERR_INVALID);
    node_panel_clear(&p);
}

TEST(dates_of_birth)
{
    static const char *const good[] = {"2000-02-29", "1980-12-31",
                                       "2027-01-01"};
    static const char *const bad[] = {
        "1900-02-29", "1980-13-01", "1980-00-10", "1980-01-00", "1980-01-32",
        "80-01-01",   "1980/01/01", "2027-03-01", "1879-12-31", "+980-01-01"};
    struct node_panel_row row = {.name = VIEW_LIT("Ann")};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        row.birth = view_str(good[i]);
        CHECK(node_panel_judge(&row, NOW) == NULL);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        row.birth = view_str(bad[i]);
        CHECK(node_panel_judge(&row, NOW) != NULL);
    }
}

TEST(too_many_patients_are_refused)
{
    static char csv[NODE_PANEL_ROWS * 16 + 64];
    struct node_panel p = {0};
    struct said s;
    size_t n = (size_t)snprintf(csv, sizeof(csv), "name\n");

    for (int i = 0; i < NODE_PANEL_ROWS; i++) {
        n += (size_t)snprintf(csv + n, sizeof(csv) - n, "P%d\n", i);
    }
    CHECK_OK(read_csv(csv, &s, &p));
    CHECK_EQ(p.rows_len, NODE_PANEL_ROWS);
    node_panel_clear(&p);
    (void)snprintf(csv + n, sizeof(csv) - n, "one more\n");
    CHECK_ERR(read_csv(csv, &s, &p), ERR_LIMIT);
}

TEST(no_failed_allocation_leaks)
{
    struct said s;

    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct node_panel p = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = read_text(&f.mem, VIEW_LIT("name\nAnn\n"), &s, &p);
        node_panel_clear(&p);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(a_table_becomes_rows), T(semicolons_and_tabs_separate_as_well),
               T(every_wrong_line_is_said_with_its_number),
               T(a_quoted_line_break_counts_as_a_line),
               T(columns_must_be_named), T(dates_of_birth),
               T(too_many_patients_are_refused), T(no_failed_allocation_leaks));
}
