/* SPDX-License-Identifier: Apache-2.0 */
/* Growing lists of nodes and leaves. */
#include "crypto/mls/tree_int.h"

#include <string.h>

enum {
    LIST_MIN = 8
};

enum err
mls_u32_grow(const struct mem *mem, uint32_t **at, uint32_t count,
             uint32_t *cap)
{
    uint32_t more = *cap == 0 ? LIST_MIN : *cap * 2;
    uint32_t *bigger;

    if (count < *cap) {
        return OK;
    }
    bigger = mem_calloc(mem, more, sizeof(*bigger));
    if (bigger == NULL) {
        return ERR_NOMEM;
    }
    if (count > 0) {
        memcpy(bigger, *at, count * sizeof(*bigger));
    }
    mem_free(mem, *at, *cap * sizeof(*bigger));
    *at = bigger;
    *cap = more;
    return OK;
}

enum err
mls_list_push(const struct mem *mem, struct mls_list *list, uint32_t value)
{
    enum err e;

    list->mem_ = mem;
    TRY(mls_u32_grow(mem, &list->at, list->count, &list->cap_));
    list->at[list->count] = value;
    list->count++;
out:
    return e;
}

void
mls_list_free(struct mls_list *list)
{
    if (list->at != NULL) {
        mem_free(list->mem_, list->at, list->cap_ * sizeof(*list->at));
    }
    *list = (struct mls_list){0};
}

bool
mls_list_has(const struct mls_list *list, uint32_t value)
{
    uint32_t lo = 0;
    uint32_t hi = list == NULL ? 0 : list->count;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (list->at[mid] == value) {
            return true;
        }
        if (list->at[mid] < value) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}
