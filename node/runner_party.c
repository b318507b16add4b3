/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handshake may know of a clinic without asking the core, and people
 * who wait for what a clinic answers.
 */
#include "node/runner_impl.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Index of root among the sorted parties, or where it would be. */
static size_t
search(const struct node_runner *r, const struct clinic_id *root)
{
    size_t low = 0;
    size_t high = r->parties_len;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (clinic_id_cmp(&r->parties[mid].root, root) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool
is_at(const struct node_runner *r, size_t i, const struct clinic_id *root)
{
    return i < r->parties_len && clinic_id_equal(&r->parties[i].root, root);
}

bool
node_runner_party_find(struct node_runner *r, const struct clinic_id *root,
                       struct node_party *out)
{
    bool found;
    size_t i;

    (void)pthread_rwlock_rdlock(&r->parties_lock);
    i = search(r, root);
    found = is_at(r, i, root);
    if (found) {
        *out = r->parties[i];
    }
    (void)pthread_rwlock_unlock(&r->parties_lock);
    return found;
}

static bool
grow(struct node_runner *r)
{
    size_t cap = r->parties_cap == 0 ? 64 : 2 * r->parties_cap;
    struct node_party *more;

    if (r->parties_len < r->parties_cap) {
        return true;
    }
    more = mem_calloc(r->c.mem, cap, sizeof(*more));
    if (more == NULL) {
        return false;
    }
    if (r->parties_len > 0) {
        memcpy(more, r->parties, r->parties_len * sizeof(*more));
    }
    mem_free(r->c.mem, r->parties, r->parties_cap * sizeof(*more));
    r->parties = more;
    r->parties_cap = cap;
    return true;
}

static enum err
put(struct node_runner *r, const struct fed_party_info *info)
{
    struct node_party p = {
        .root = info->root, .kind = info->kind, .patient = info->patient};
    enum err e = OK;
    size_t i;

    p.known = info->kind == FED_KIND_DEVICE ||
              info->ours == PROTO_STANCE_GRANTED ||
              info->ours == PROTO_STANCE_THREAD;
    p.blocked = info->blocked;
    p.generation =
        info->generation > info->revoked ? info->generation : info->revoked;
    (void)pthread_rwlock_wrlock(&r->parties_lock);
    i = search(r, &p.root);
    if (is_at(r, i, &p.root)) {
        r->parties[i] = p;
    } else if (grow(r)) {
        memmove(r->parties + i + 1, r->parties + i,
                (r->parties_len - i) * sizeof(p));
        r->parties[i] = p;
        r->parties_len++;
    } else {
        e = ERR_NOMEM;
    }
    (void)pthread_rwlock_unlock(&r->parties_lock);
    return e;
}

enum err
node_runner_parties_load(struct node_runner *r)
{
    struct fed_party_info info;
    enum err e = fed_core_party_next(r->core, NULL, &info);

    while (e == OK) {
        struct clinic_id last = info.root;

        e = put(r, &info);
        if (e == OK) {
            e = fed_core_party_next(r->core, &last, &info);
        }
    }
    return e == ERR_MISSING ? OK : e;
}

void
node_runner_party_update(struct node_runner *r, const struct clinic_id *root)
{
    struct fed_party_info info;
    enum err e = fed_core_party(r->core, root, &info);

    if (e == OK) {
        e = put(r, &info);
    }
    if (e != OK && e != ERR_MISSING) {
        LOG(r->c.log, LOG_ERROR, "node.party.not_updated",
            LOG_TAG("peer", log_tag_of(clinic_id_view(root))), LOG_ERR(e));
    }
}

void
node_runner_party_follow(struct node_runner *r, const struct fed_batch *batch)
{
    for (size_t i = 0; i < batch->shows_len; i++) {
        const struct fed_show *show = &batch->shows[i];
        struct clinic_id device;

        if (show->kind == FED_SHOW_PARTY || show->kind == FED_SHOW_REVOKED) {
            node_runner_party_update(r, &show->peer);
        } else if (show->kind == FED_SHOW_DEVICES) { /* suspended, or again */
            memcpy(device.b, show->message.b, sizeof(device.b));
            node_runner_party_update(r, &device);
        }
    }
}

/* ----------------------------------------------------------------- answers */

void
node_answer_clear(struct node_answer *a)
{
    bytes_free(&a->label);
    bytes_free(&a->profile);
}

static void
keep(struct node_runner *r, const struct bytes *from, struct bytes *to)
{
    bytes_free(to);
    ERR_IGNORE(bytes_copy(r->c.mem, view_of(from), to),
               "whoever waits sees no words and asks again");
}

/* The profile that root's present connection has brought already. */
static void
prefill(struct node_runner *r, struct node_follow *f)
{
    for (size_t i = 0; i < NODE_PROFILES; i++) {
        if (r->profiles[i].profile.len > 0 &&
            clinic_id_equal(&r->profiles[i].root, &f->root)) {
            keep(r, &r->profiles[i].profile, &f->answer.profile);
        }
    }
}

static void
keep_profile(struct node_runner *r, const struct fed_show *show)
{
    size_t at = r->profiles_next % NODE_PROFILES;

    for (size_t i = 0; i < NODE_PROFILES; i++) {
        if (clinic_id_equal(&r->profiles[i].root, &show->peer)) {
            at = i;
        }
    }
    if (at == r->profiles_next % NODE_PROFILES) {
        r->profiles_next++;
    }
    r->profiles[at].root = show->peer;
    keep(r, &show->body, &r->profiles[at].profile);
}

enum err
node_runner_follow(struct node_runner *r, const struct clinic_id *root,
                   struct node_follow **out)
{
    enum err e = ERR_LIMIT;

    (void)pthread_mutex_lock(&r->follow_mx);
    for (size_t i = 0; i < NODE_FOLLOWS; i++) {
        struct node_follow *f = &r->follows[i];

        if (!f->used) {
            *f = (struct node_follow){.r = r, .used = true, .root = *root};
            prefill(r, f);
            *out = f;
            e = OK;
            break;
        }
    }
    (void)pthread_mutex_unlock(&r->follow_mx);
    return e;
}

void
node_runner_unfollow(struct node_runner *r, struct node_follow *f)
{
    if (f == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&r->follow_mx);
    node_answer_clear(&f->answer);
    f->used = false;
    (void)pthread_mutex_unlock(&r->follow_mx);
}

/* A copy of what is known, under the lock. */
static enum err
copy_answer(const struct mem *mem, const struct node_answer *from,
            struct node_answer *out)
{
    enum err e;
    struct node_answer a = *from;

    a.label = (struct bytes){0};
    a.profile = (struct bytes){0};
    TRY(bytes_copy(mem, view_of(&from->label), &a.label));
    TRY(bytes_copy(mem, view_of(&from->profile), &a.profile));
    node_answer_clear(out);
    *out = a;
    a = (struct node_answer){0};
out:
    node_answer_clear(&a);
    return e;
}

enum err
node_follow_wait(struct node_follow *f, uint64_t wait_ms,
                 struct node_answer *out)
{
    struct node_runner *r = f->r;
    uint64_t seen = out->changes;
    struct timespec until;
    enum err e = OK;

    if (seen == 0 && out->profile.len == 0) {
        (void)pthread_mutex_lock(&r->follow_mx);
        e = copy_answer(r->c.mem, &f->answer, out);
        (void)pthread_mutex_unlock(&r->follow_mx);
        if (e != OK || out->changes != seen) {
            return e;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&r->follow_mx);
    while (f->answer.changes == seen && e == OK) {
        if (pthread_cond_timedwait(&r->follow_cond, &r->follow_mx, &until) ==
            ETIMEDOUT) {
            e = ERR_TIMEOUT;
        }
    }
    if (f->answer.changes != seen) {
        e = copy_answer(r->c.mem, &f->answer, out);
    }
    (void)pthread_mutex_unlock(&r->follow_mx);
    return e;
}

void
node_runner_answer(struct node_runner *r, const struct fed_show *show)
{
    bool any = false;

    (void)pthread_mutex_lock(&r->follow_mx);
    if (show->kind == FED_SHOW_PROFILE) {
        keep_profile(r, show);
    }
    for (size_t i = 0; i < NODE_FOLLOWS; i++) {
        struct node_follow *f = &r->follows[i];
        struct node_answer *a = &f->answer;

        if (!f->used || !clinic_id_equal(&f->root, &show->peer)) {
            continue;
        }
        if (show->kind == FED_SHOW_LINK) {
            a->has_link = true;
            a->code = show->code;
            a->bits = show->value;
            keep(r, &show->body, &a->label);
        } else if (show->kind == FED_SHOW_PARTY) {
            a->has_party = true;
            a->ours = show->code;
            a->theirs = show->value;
        } else {
            keep(r, &show->body, &a->profile);
        }
        a->changes++;
        any = true;
    }
    if (any) {
        (void)pthread_cond_broadcast(&r->follow_cond);
    }
    (void)pthread_mutex_unlock(&r->follow_mx);
}

void
node_runner_unreachable(struct node_runner *r, const struct clinic_id *root,
                        enum fed_why why)
{
    (void)pthread_mutex_lock(&r->follow_mx);
    for (size_t i = 0; i < NODE_FOLLOWS; i++) {
        struct node_follow *f = &r->follows[i];

        if (f->used && clinic_id_equal(&f->root, root)) {
            f->answer.why = why;
            f->answer.changes++;
            (void)pthread_cond_broadcast(&r->follow_cond);
        }
    }
    (void)pthread_mutex_unlock(&r->follow_mx);
}
