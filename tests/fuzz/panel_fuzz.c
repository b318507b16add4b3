/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of patients to invite.  What is read and written again as a table is
 * read as the same rows; what is not read says at least one line.
 */
#include "node/panel.h"
#include "proto/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000000u

static void
count(void *ctx, uint32_t line, const char *what)
{
    ASSERT(line > 0 && what != NULL && what[0] != '\0');
    ++*(size_t *)ctx;
}

static void
put_cell(struct bytes *b, struct view v, char end)
{
    b->p[b->len++] = '"';
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] == '"') {
            b->p[b->len++] = '"';
        }
        b->p[b->len++] = v.p[i];
    }
    b->p[b->len++] = '"';
    b->p[b->len++] = (uint8_t)end;
}

static void
write_again(const struct node_panel *p, struct bytes *out)
{
    static const char head[] = "name,phone,email,birth,purpose\n";
    size_t room = sizeof(head);

    for (size_t i = 0; i < p->rows_len; i++) {
        const struct node_panel_row *r = &p->rows[i];

        room += 2 * (r->name.len + r->phone.len + r->email.len + r->birth.len +
                     r->purpose.len) +
                15;
    }
    ASSERT(bytes_alloc(mem_heap(), room, out) == OK);
    memcpy(out->p, head, sizeof(head) - 1);
    out->len = sizeof(head) - 1;
    for (size_t i = 0; i < p->rows_len; i++) {
        const struct node_panel_row *r = &p->rows[i];

        put_cell(out, r->name, ',');
        put_cell(out, r->phone, ',');
        put_cell(out, r->email, ',');
        put_cell(out, r->birth, ',');
        put_cell(out, r->purpose, '\n');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_panel a = {0};
    struct node_panel b = {0};
    struct bytes text = {0};
    size_t said = 0;
    struct node_panel_wrong w = {count, &said};
    enum err e =
        node_panel_read(mem_heap(), view_make(data, size), NOW, &w, &a);

    ASSERT(e == OK || e == ERR_INVALID || e == ERR_LIMIT);
    ASSERT((e == ERR_INVALID) <= (said > 0));
    if (e == OK) { /* else some rows are left out */
        write_again(&a, &text);
        if (text.len <= NODE_PANEL_BYTES) {
            ASSERT(node_panel_read(mem_heap(), view_of(&text), NOW, &w, &b) ==
                   OK);
            ASSERT(a.rows_len == b.rows_len);
        }
        for (size_t i = 0; i < b.rows_len; i++) {
            ASSERT(view_equal(a.rows[i].name, b.rows[i].name));
            ASSERT(view_equal(a.rows[i].phone, b.rows[i].phone));
            ASSERT(view_equal(a.rows[i].email, b.rows[i].email));
            ASSERT(view_equal(a.rows[i].birth, b.rows[i].birth));
            ASSERT(view_equal(a.rows[i].purpose, b.rows[i].purpose));
        }
    }
    bytes_free(&text);
    node_panel_clear(&a);
    node_panel_clear(&b);
    return 0;
}
