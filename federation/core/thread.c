/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads in memory: loaded when touched, saved with the batch, forgotten when
 * there are too many.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static size_t
thread_at(const struct fed_core *core, const struct thread_id *id)
{
    size_t lo = 0;
    size_t hi = core->threads_len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (thread_id_cmp(&core->threads[mid]->id, id) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static struct fed_thread *
cached(struct fed_core *core, const struct thread_id *id)
{
    size_t at = thread_at(core, id);

    if (at < core->threads_len && thread_id_equal(&core->threads[at]->id, id)) {
        core->threads[at]->used = ++core->uses;
        return core->threads[at];
    }
    return NULL;
}

void
fed_thread_free(struct fed_core *core, struct fed_thread *t)
{
    if (t == NULL) {
        return;
    }
    mls_stage_free(t->stage);
    mls_group_free(t->joining);
    mls_group_free(t->mls);
    fed_subs_clear(core, t);
    fed_veil_free(core, t);
    bytes_free(&t->unproven);
    bytes_free(&t->group_ext);
    mem_free(core->mem, t->members, t->members_len * sizeof(t->members[0]));
    mem_free(core->mem, t, sizeof(*t));
}

static enum err
insert(struct fed_core *core, struct fed_thread *t)
{
    size_t at = thread_at(core, &t->id);

    if (core->threads_len == core->threads_cap) {
        size_t cap = core->threads_cap == 0 ? 16 : core->threads_cap * 2;
        struct fed_thread **more =
            mem_calloc(core->mem, cap, sizeof(core->threads[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (core->threads_len > 0) {
            memcpy(more, core->threads,
                   core->threads_len * sizeof(core->threads[0]));
        }
        mem_free(core->mem, core->threads,
                 core->threads_cap * sizeof(core->threads[0]));
        core->threads = more;
        core->threads_cap = cap;
    }
    memmove(&core->threads[at + 1], &core->threads[at],
            (core->threads_len - at) * sizeof(core->threads[0]));
    core->threads[at] = t;
    core->threads_len++;
    t->used = ++core->uses;
    return OK;
}

void
fed_thread_trim(struct fed_core *core)
{
    while (core->threads_len > LIMIT_THREADS_LOADED) {
        size_t oldest = core->threads_len;

        for (size_t i = 0; i < core->threads_len; i++) {
            const struct fed_thread *t = core->threads[i];

            if (!t->dirty && t->joining == NULL && t->receipt_ms == 0 &&
                t->stand_ms == 0 &&
                (oldest == core->threads_len ||
                 t->used < core->threads[oldest]->used)) {
                oldest = i;
            }
        }
        if (oldest == core->threads_len) {
            return; /* all are in use: after the next take */
        }
        fed_thread_free(core, core->threads[oldest]);
        memmove(&core->threads[oldest], &core->threads[oldest + 1],
                (core->threads_len - oldest - 1) * sizeof(core->threads[0]));
        core->threads_len--;
    }
}

bool
fed_thread_hub_here(const struct fed_core *core, const struct fed_thread *t)
{
    return memcmp(t->rec.hub, core->config.self.root.b, 32) == 0;
}

/* ------------------------------------------------------------------ members */

struct fed_member *
fed_thread_member(struct fed_thread *t, const struct clinic_id *node)
{
    for (size_t i = 0; i < t->members_len; i++) {
        if (clinic_id_equal(&t->members[i].node, node)) {
            return &t->members[i];
        }
    }
    return NULL;
}

static struct fed_key
member_key(const struct fed_thread *t, const struct clinic_id *node)
{
    return fed_key_pair(thread_id_view(&t->id), clinic_id_view(node));
}

static enum err
load_member(struct fed_core *core, struct fed_thread *t, struct fed_member *m)
{
    enum err e;
    struct fed_member *known = fed_thread_member(t, &m->node);
    struct fed_key key = member_key(t, &m->node);
    struct bytes hold = {0};

    if (known != NULL) {
        *m = *known;
        return OK;
    }
    e = fed_tx_load(core, FED_NS_MEMBER, &key, &fed_rec_member_shape, &m->rec,
                    &hold);
    if (e == ERR_MISSING) {
        m->rec = (struct fed_rec_member){.acked = t->rec.seq,
                                         .fanned = t->rec.seq,
                                         .delivered = t->rec.seq,
                                         .came = t->rec.seq};
        m->dirty = true;
        e = OK;
    }
    bytes_free(&hold);
    return e;
}

/* What is known of a member only since the thread was loaded. */
static void
keep_memory(struct fed_thread *t, struct fed_member *m)
{
    const struct fed_member *was = fed_thread_member(t, &m->node);

    if (was != NULL) {
        memcpy(m->taken, was->taken, sizeof(m->taken));
        m->past = was->past;
        m->past_ms = was->past_ms;
    }
}

/* Who is not among them any more leaves no doubts behind. */
static enum err
part_with(struct fed_core *core, struct fed_thread *t,
          const struct fed_member *now, size_t len)
{
    enum err e = OK;

    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];
        struct fed_key key = member_key(t, &m->node);
        bool stays = false;

        for (size_t k = 0; k < len; k++) {
            stays = stays || clinic_id_equal(&now[k].node, &m->node);
        }
        if (!stays && m->rec.doubts != 0) {
            TRY(fed_watch_clear(core, t, m));
            TRY(fed_tx_save(core, FED_NS_MEMBER, &key, &fed_rec_member_shape,
                            &m->rec));
        }
    }
out:
    return e;
}

/* The subjects of a group other than ours. */
static enum err
gather_members(struct fed_core *core, struct fed_thread *t,
               const struct proto_group *group, struct fed_member **out,
               size_t *out_len)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    struct fed_member *members = NULL;
    size_t cap = group->subjects.len;
    size_t len = 0;

    *out = NULL;
    *out_len = 0;
    if (cap == 0) {
        return OK;
    }
    members = mem_calloc(core->mem, cap, sizeof(members[0]));
    TRY(members == NULL ? ERR_NOMEM : OK);
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        if (memcmp(s.root, core->me.b, 32) != 0) {
            memcpy(members[len].node.b, s.root, 32);
            TRY(load_member(core, t, &members[len]));
            keep_memory(t, &members[len]);
            len++;
        }
    }
    if (len > 0) {
        *out = mem_calloc(core->mem, len, sizeof(members[0]));
        TRY(*out == NULL ? ERR_NOMEM : OK);
        memcpy(*out, members, len * sizeof(members[0]));
        *out_len = len;
    }
out:
    mem_free(core->mem, members, cap * sizeof(members[0]));
    return e;
}

enum err
fed_thread_group(struct fed_core *core, struct fed_thread *t, struct view ext)
{
    enum err e;
    struct bytes copy = {0};
    struct proto_group group;
    struct fed_member *members;
    size_t len;

    TRY(bytes_copy(core->mem, ext, &copy));
    TRY(proto_group_decode(view_of(&copy), &group));
    TRY(gather_members(core, t, &group, &members, &len));
    e = part_with(core, t, members, len);
    if (e != OK) {
        mem_free(core->mem, members, len * sizeof(members[0]));
        goto out;
    }
    mem_free(core->mem, t->members, t->members_len * sizeof(t->members[0]));
    t->members = members;
    t->members_len = len;
    bytes_free(&t->group_ext);
    t->group_ext = bytes_take(&copy);
    t->group = group;
    t->rec.group = view_of(&t->group_ext);
    t->rec.flags = group.flags;
    t->dirty = true;
    fed_busy_note(core, t, NULL);
out:
    bytes_free(&copy);
    return e;
}

/* ------------------------------------------------------------ load and save */

/* Our submissions that have no answer yet are in the intents. */
static enum err
load_subs(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;

    fed_subs_clear(core, t);
    t->waiting = 0;
    for (;;) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        t->waiting += e == OK ? 1 : 0;
        if (e == OK && rec.submitted && rec.kind != FED_INTENT_ADD &&
            rec.kind != FED_INTENT_RESYNC && rec.kind != FED_INTENT_CHECK) {
            e = fed_sub_load(core, t, number, &rec);
        }
        bytes_free(&hold);
        if (e != OK) {
            /* In which order they were sent is not stored: answers first. */
            t->draining = t->subs_len > 0;
            return e == ERR_MISSING ? OK : e;
        }
        number++;
    }
}

/*
 * A commit of ours that is under way has an answer to come, also one that no
 * intent stands for: our leaf's new key.
 */
static void
load_commit_sub(struct fed_thread *t, const struct fed_rec_stage *rec)
{
    struct fed_sub *sub = &t->subs[t->subs_len];

    for (size_t i = 0; i < t->subs_len; i++) {
        if (t->subs[i].kind != FED_INTENT_SAY) {
            return;
        }
    }
    if (t->subs_len == LIMIT_SUBMIT_WINDOW) {
        return;
    }
    memset(sub, 0, sizeof(*sub));
    sub->kind = FED_INTENT_REKEY;
    sub->epoch = mls_group_epoch(t->mls);
    memcpy(sub->req, rec->req, sizeof(sub->req));
    memcpy(sub->hash, rec->hash, sizeof(sub->hash));
    t->subs_len++;
}

static enum err
load_stage(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct fed_key key = fed_key_of(thread_id_view(&t->id));
    struct fed_rec_stage rec;
    struct bytes hold = {0};

    e = fed_tx_load(core, FED_NS_STAGE, &key, &fed_rec_stage_shape, &rec,
                    &hold);
    if (e == OK) {
        e = mls_stage_load(t->mls, rec.stage, &t->stage);
        if (e == OK) {
            load_commit_sub(t, &rec);
        }
        if (e != OK && !fed_ours(e)) {
            e = fed_tx_del(core, FED_NS_STAGE, &key);
        }
    }
    bytes_free(&hold);
    return e == ERR_MISSING || e == ERR_STALE ? OK : e;
}

static bool
has_mls(const struct fed_core *core, const struct fed_thread *t)
{
    return t->rec.state == FED_THREAD_ACTIVE ||
           (t->rec.state == FED_THREAD_OPENING && fed_thread_hub_here(core, t));
}

static enum err
load(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct fed_key key = fed_key_of(thread_id_view(&t->id));
    struct bytes hold = {0};
    struct view group;

    TRY(fed_tx_load(core, FED_NS_THREAD, &key, &fed_rec_thread_shape, &t->rec,
                    &hold));
    group = t->rec.group;
    t->rec.group = (struct view){0};
    if (group.len > 0) {
        TRY(fed_thread_group(core, t, group));
    }
    t->dirty = false;
    TRY(load_subs(core, t));
    if (has_mls(core, t)) {
        e = fed_mls_load(core, &t->id, &t->mls);
        if (e == ERR_MISSING || e == ERR_STALE) {
            TRY(fed_resync_begin(core, t)); /* its secrets are gone */
            goto out;
        }
        TRY(e);
        TRY(load_stage(core, t));
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_thread_get(struct fed_core *core, const struct thread_id *id,
               struct fed_thread **out)
{
    enum err e;
    struct fed_thread *t = cached(core, id);

    if (t != NULL) {
        *out = t;
        return OK;
    }
    t = mem_alloc(core->mem, sizeof(*t));
    if (t == NULL) {
        return ERR_NOMEM;
    }
    t->id = *id;
    TRY(load(core, t));
    TRY(insert(core, t));
    *out = t;
    t = NULL;
out:
    fed_thread_free(core, t);
    return e == ERR_CORRUPT || e == ERR_FORMAT ? ERR_CORRUPT : e;
}

enum err
fed_thread_new(struct fed_core *core, const struct thread_id *id,
               const struct clinic_id *hub, enum fed_thread_state state,
               struct fed_thread **out)
{
    enum err e;
    struct fed_thread *t = mem_alloc(core->mem, sizeof(*t));

    if (t == NULL) {
        return ERR_NOMEM;
    }
    t->id = *id;
    t->rec.state = (uint64_t)state;
    t->rec.term = 1;
    t->rec.intents = 1;
    memcpy(t->rec.hub, hub->b, sizeof(t->rec.hub));
    t->dirty = true;
    TRY(insert(core, t));
    *out = t;
    t = NULL;
out:
    fed_thread_free(core, t);
    return e;
}

enum err
fed_thread_save(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct fed_key key = fed_key_of(thread_id_view(&t->id));

    TRY(fed_tx_save(core, FED_NS_THREAD, &key, &fed_rec_thread_shape, &t->rec));
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        if (m->dirty) {
            key = member_key(t, &m->node);
            TRY(fed_tx_save(core, FED_NS_MEMBER, &key, &fed_rec_member_shape,
                            &m->rec));
            m->dirty = false;
        }
    }
    t->dirty = false;
out:
    return e;
}

/* ------------------------------------------------------------------- states */

enum err
fed_thread_show(struct fed_core *core, const struct fed_thread *t)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_THREAD);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->thread = t->id;
    show->code = t->rec.state;
    show->value = t->rec.flags;
    memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
    show->term = t->rec.term;
    show->seq = t->rec.seq;
    show->ts_ms = t->rec.ts_ms;
    if ((t->rec.flags & PROTO_GROUP_DIRECT) != 0 && t->members_len > 0) {
        memcpy(show->other.b, t->members[0].node.b, sizeof(show->other.b));
    }
    TRY(bytes_copy(core->mem, view_of(&t->group_ext), &show->body));
    show->before = t->between;
out:
    return e;
}

enum err
fed_thread_state(struct fed_core *core, struct fed_thread *t,
                 enum fed_thread_state state)
{
    if (t->rec.state == (uint64_t)state) {
        return OK;
    }
    t->rec.state = (uint64_t)state;
    t->dirty = true;
    return fed_thread_show(core, t);
}

static enum err
fail_intents(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;

    for (;;) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        if (e == OK) {
            e = fed_intent_fail(core, t, number, &rec, PROTO_ANSWER_DENIED);
        }
        bytes_free(&hold);
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
        number++;
    }
}

enum err
fed_thread_over(struct fed_core *core, struct fed_thread *t,
                enum fed_thread_state state)
{
    enum err e;

    if (t->rec.state == FED_THREAD_ENDED ||
        t->rec.state == FED_THREAD_REMOVED) {
        return OK;
    }
    mls_stage_free(t->stage);
    t->stage = NULL;
    mls_group_free(t->joining);
    t->joining = NULL;
    mls_group_free(t->mls);
    t->mls = NULL;
    fed_subs_clear(core, t);
    t->receipt_ms = 0;
    TRY(fed_mls_drop(core, &t->id));
    TRY(fed_tx_drop(core, FED_NS_LOG, thread_id_view(&t->id)));
    TRY(fed_tx_drop(core, FED_NS_BODY, thread_id_view(&t->id)));
    TRY(fed_tx_drop(core, FED_NS_REPORTED, thread_id_view(&t->id)));
    TRY(fed_tx_drop(core, FED_NS_BROUGHT, thread_id_view(&t->id)));
    t->rec.kept = 0;
    TRY(fed_past_due(core, t, t));
    TRY(fail_intents(core, t));
    t->gone_ms = 0;
    fed_busy_del(core, &t->id);
    TRY(fed_thread_state(core, t, state));
out:
    return e;
}
