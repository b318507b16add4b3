/* SPDX-License-Identifier: Apache-2.0 */
#include "node/panel.h"

#include "node/plain.h"

#include "crypto/ident/profile.h"
#include "proto/base/limits.h"
#include "proto/base/phi.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    BIRTH_LEN = 10, /* 1980-02-29 */
    YEAR_MIN = 1880,
    PHONE_DIGITS = 5,
    COLUMNS_MAX = 32
};

/* The columns that we know, in the order of `cell`. */
enum column {
    COL_NAME,
    COL_PHONE,
    COL_EMAIL,
    COL_BIRTH,
    COL_PURPOSE,
    COL_COUNT,
    COL_NONE
};

static const char *const names[COL_COUNT] = {
    [COL_NAME] = "name",   [COL_PHONE] = "phone",     [COL_EMAIL] = "email",
    [COL_BIRTH] = "birth", [COL_PURPOSE] = "purpose",
};

/* -------------------------------------------------------------------- rules
 */

static unsigned
month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Written as 1980-02-29, and in the calendar. */
static bool
is_day(const char text[BIRTH_LEN + 1])
{
    unsigned year;
    unsigned month;
    unsigned day;

    for (size_t i = 0; i < BIRTH_LEN; i++) {
        bool dash = i == 4 || i == 7;

        if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return sscanf(text, "%4u-%2u-%2u", &year, &month, &day) == 3 &&
           year >= YEAR_MIN && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days(year, month);
}

/* A day that was. */
static bool
is_birth(struct view v, uint64_t now_ms)
{
    char text[BIRTH_LEN + 1];
    char today[BIRTH_LEN + 1] = "";
    time_t t = (time_t)(now_ms / 1000) + 86400; /* somewhere it is tomorrow */
    struct tm tm;

    if (v.len != BIRTH_LEN) {
        return false;
    }
    memcpy(text, v.p, BIRTH_LEN);
    text[BIRTH_LEN] = '\0';
    return is_day(text) && gmtime_r(&t, &tm) != NULL &&
           strftime(today, sizeof(today), "%Y-%m-%d", &tm) == BIRTH_LEN &&
           strcmp(text, today) <= 0;
}

static bool
is_phone(struct view v)
{
    unsigned digits = 0;

    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] >= '0' && v.p[i] <= '9') {
            digits++;
        } else if (v.p[i] == '\0' || strchr("+()-./ ", v.p[i]) == NULL) {
            return false;
        }
    }
    return digits >= PHONE_DIGITS;
}

static bool
is_email(struct view v)
{
    size_t at = 0;
    size_t ats = 0;

    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] == '@') {
            at = i;
            ats++;
        } else if (v.p[i] <= ' ' || v.p[i] == 0x7f) {
            return false;
        }
    }
    return ats == 1 && at > 0 && at + 1 < v.len;
}

/* The words, apart from what has a form. */
static const char *
judge_words(const struct node_panel_row *row)
{
    if (row->name.len == 0) {
        return "The name is missing.";
    }
    if (row->name.len > IDENT_NAME_MAX) {
        return "The name is too long: 200 bytes at most.";
    }
    if (row->purpose.len > LIMIT_PHI_SHORT) {
        return "The purpose is too long: 4,096 bytes at most.";
    }
    if (!proto_utf8_valid(row->name) || !proto_utf8_valid(row->purpose)) {
        return "The text is not UTF-8: save the table as \"CSV UTF-8\".";
    }
    /* a purpose may have lines: a cell of a table has them */
    return node_plain(row->name) ? NULL : "The name " NODE_PLAIN_SAY;
}

const char *
node_panel_judge(const struct node_panel_row *row, uint64_t now_ms)
{
    const char *what = judge_words(row);

    if (what != NULL) {
        return what;
    }
    if (row->phone.len > 0 &&
        (row->phone.len > LIMIT_PHI_SHORT || !is_phone(row->phone))) {
        return "The telephone number is not one: digits, spaces and +()-./ are "
               "in one.";
    }
    if (row->email.len > 0 &&
        (row->email.len > LIMIT_PHI_SHORT || !proto_utf8_valid(row->email) ||
         !is_email(row->email))) {
        return "The e-mail address is not one.";
    }
    if (row->birth.len > 0 && !is_birth(row->birth, now_ms)) {
        return "The date of birth is not a day that was, written as "
               "1980-02-29.";
    }
    return NULL;
}

/* ------------------------------------------------------------------ reading
 */

/* Reading: what is read is moved together in the text itself. */
struct reader {
    struct node_panel *panel;
    const struct node_panel_wrong *wrong;
    uint64_t now_ms;
    size_t at; /* next byte to read */
    uint32_t line;
    uint8_t separator;
    enum column column[COLUMNS_MAX];
    size_t columns_len;
    bool bad;
};

/* What ended a cell. */
enum end {
    END_CELL,
    END_LINE,
    END_FILE,
    END_BROKEN /* a quote is missing; the rest cannot be read */
};

static void
wrong(struct reader *r, uint32_t line, const char *what)
{
    r->bad = true;
    r->wrong->say(r->wrong->ctx, line, what);
}

static struct view
trim(struct view v)
{
    while (v.len > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
        v = view_skip(v, 1);
    }
    while (v.len > 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t')) {
        v.len--;
    }
    return v;
}

/* One byte of a quoted cell; false at its closing quote. */
static bool
quoted_byte(struct reader *r, uint8_t *to, size_t *n)
{
    const struct bytes *t = &r->panel->text;

    if (t->p[r->at] == '"') {
        if (r->at + 1 < t->len && t->p[r->at + 1] == '"') {
            r->at++;
        } else {
            r->at++;
            return false;
        }
    }
    if (t->p[r->at] == '\n') {
        r->line++;
    }
    to[(*n)++] = t->p[r->at++];
    return true;
}

/* The inside of quotes, moved to the front; false when one is missing. */
static bool
take_quoted(struct reader *r, uint8_t *to, size_t *n)
{
    const struct bytes *t = &r->panel->text;
    bool open = true;

    if (r->at == t->len || t->p[r->at] != '"') {
        return true;
    }
    r->at++;
    while (open && r->at < t->len) {
        open = quoted_byte(r, to, n);
    }
    return !open;
}

/* What stands where a cell ended. */
static enum end
end_cell(struct reader *r)
{
    const struct bytes *t = &r->panel->text;

    if (r->at < t->len && t->p[r->at] == r->separator) {
        r->at++;
        return END_CELL;
    }
    while (r->at < t->len && t->p[r->at] == '\r') {
        r->at++;
    }
    if (r->at < t->len && t->p[r->at] == '\n') {
        r->at++;
    }
    return r->at < t->len ? END_LINE : END_FILE;
}

/* The next cell; quotes are taken away in place. */
static enum end
next_cell(struct reader *r, struct view *out)
{
    const struct bytes *t = &r->panel->text;
    uint8_t *to = t->p + r->at;
    size_t n = 0;

    if (!take_quoted(r, to, &n)) {
        return END_BROKEN;
    }
    while (r->at < t->len && t->p[r->at] != r->separator &&
           t->p[r->at] != '\n' && t->p[r->at] != '\r') {
        to[n++] = t->p[r->at++];
    }
    *out = trim(view_make(to, n));
    return end_cell(r);
}

static enum column
column_of(struct view name)
{
    for (size_t i = 0; i < COL_COUNT; i++) {
        if (name.len == strlen(names[i]) &&
            strncasecmp((const char *)name.p, names[i], name.len) == 0) {
            return (enum column)i;
        }
    }
    return COL_NONE;
}

/* Commas, unless the first line has none and has something else. */
static uint8_t
separator_of(const struct bytes *text)
{
    static const char others[] = ",;\t";

    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < text->len && text->p[i] != '\n'; i++) {
            if (text->p[i] == (uint8_t)others[k]) {
                return (uint8_t)others[k];
            }
        }
    }
    return ',';
}

static enum end
read_head(struct reader *r)
{
    enum end end = END_CELL;
    bool seen[COL_COUNT] = {false};

    while (end == END_CELL) {
        struct view cell = {0};

        end = next_cell(r, &cell);
        if (r->columns_len == COLUMNS_MAX) {
            wrong(r, 1, "There are too many columns.");
            return END_BROKEN;
        }
        r->column[r->columns_len] = column_of(cell);
        if (r->column[r->columns_len] == COL_NONE) {
            wrong(r, 1,
                  "The first line names the columns: name, phone, email, "
                  "birth, purpose. Another one is there.");
        } else if (seen[r->column[r->columns_len]]) {
            wrong(r, 1, "A column is there twice.");
        } else {
            seen[r->column[r->columns_len]] = true;
        }
        r->columns_len++;
    }
    if (!r->bad && !seen[COL_NAME]) {
        wrong(r, 1, "There is no column \"name\".");
    }
    return end;
}

static bool
same_text(struct view a, struct view b)
{
    return a.len == b.len &&
           (a.len == 0 ||
            strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0);
}

/* Somebody who stands further up already. */
static bool
is_twice(const struct node_panel *p, const struct node_panel_row *row)
{
    for (size_t i = 0; i < p->rows_len; i++) {
        const struct node_panel_row *o = &p->rows[i];

        if (same_text(o->name, row->name) && same_text(o->birth, row->birth) &&
            same_text(o->phone, row->phone) &&
            same_text(o->email, row->email)) {
            return true;
        }
    }
    return false;
}

static void
take_row(struct reader *r, const struct node_panel_row *row, size_t cells)
{
    struct node_panel *p = r->panel;
    const char *what = node_panel_judge(row, r->now_ms);

    if (cells != r->columns_len) {
        what = "This line has more or fewer cells than the first.";
    } else if (what == NULL && is_twice(p, row)) {
        what = "This patient stands further up already.";
    }
    if (what != NULL) {
        wrong(r, row->line, what);
    } else {
        p->rows[p->rows_len++] = *row;
    }
}

/* *empty: a line without anything, which is passed over. */
static enum end
read_row(struct reader *r, struct node_panel_row *row, size_t *cells,
         bool *empty)
{
    enum end end = END_CELL;
    struct view by_column[COL_NONE + 1] = {{0}};
    uint32_t line = r->line;

    *cells = 0;
    *empty = true;
    while (end == END_CELL) {
        struct view cell = {0};

        end = next_cell(r, &cell);
        if (cell.len > 0) {
            *empty = false;
        }
        if (*cells < r->columns_len) {
            by_column[r->column[*cells]] = cell;
        }
        (*cells)++;
    }
    *row = (struct node_panel_row){line,
                                   by_column[COL_NAME],
                                   by_column[COL_PHONE],
                                   by_column[COL_EMAIL],
                                   by_column[COL_BIRTH],
                                   by_column[COL_PURPOSE]};
    return end;
}

static enum err
read_rows(struct reader *r, enum end end)
{
    while (end == END_LINE) {
        struct node_panel_row row;
        size_t cells;
        bool empty;

        r->line++;
        end = read_row(r, &row, &cells, &empty);
        if (end == END_BROKEN) {
            wrong(r, row.line, "A quotation mark is missing from here on.");
        } else if (!empty) {
            if (r->panel->rows_len == r->panel->rows_cap) {
                return ERR_LIMIT;
            }
            take_row(r, &row, cells);
        }
    }
    return OK;
}

enum err
node_panel_read(const struct mem *mem, struct view csv, uint64_t now_ms,
                const struct node_panel_wrong *wrong_to, struct node_panel *out)
{
    struct node_panel p = {.mem = mem, .rows_cap = NODE_PANEL_ROWS};
    struct reader r = {
        .panel = &p, .wrong = wrong_to, .now_ms = now_ms, .line = 1};
    enum end end;
    enum err e;

    TRY(csv.len <= NODE_PANEL_BYTES ? OK : ERR_LIMIT);
    if (csv.len == 0) {
        wrong(&r, 1, "The file is empty.");
        TRY(ERR_INVALID);
    }
    if (csv.len > 3 && memcmp(csv.p, "\xef\xbb\xbf", 3) == 0) {
        csv = view_skip(csv, 3); /* some programs begin so */
    }
    TRY(bytes_copy(mem, csv, &p.text));
    p.rows = mem_calloc(mem, p.rows_cap, sizeof(*p.rows));
    TRY(p.rows == NULL ? ERR_NOMEM : OK);
    r.separator = separator_of(&p.text);
    end = read_head(&r);
    if (!r.bad) { /* else the columns are not known */
        TRY(read_rows(&r, end));
    }
    if (!r.bad && p.rows_len == 0) {
        wrong(&r, 1, "There is nobody in the file.");
    }
    *out = p;
    return r.bad ? ERR_INVALID : OK;
out:
    node_panel_clear(&p);
    return e;
}

void
node_panel_clear(struct node_panel *p)
{
    bytes_free(&p->text);
    mem_free(p->mem, p->rows, p->rows_cap * sizeof(*p->rows));
    *p = (struct node_panel){0};
}
