/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a core: loaded from records, closed into batches, woken by time.
 */
#include "federation/core/core.h"

#include "crypto/prim/curve.h"
#include "crypto/prim/hash.h"
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/picture.h"
#include "federation/core/rows.h"
#include "federation/core/trust.h"
#include "federation/core/watch.h"

#include <string.h>

static enum err
replace(struct fed_core *core, struct bytes *to, struct view from)
{
    enum err e;
    struct bytes copy = {0};

    TRY(bytes_copy(core->mem, from, &copy));
    bytes_free(to);
    *to = bytes_take(&copy);
out:
    return e;
}

/* A device: its certificate and the list that it came with, kept if newer. */
static enum err
set_device(struct fed_core *core, const struct fed_self *self,
           const struct device_id *key)
{
    enum err e;
    struct ident_devices list;
    struct ident_device_cert cert;

    TRY(memcmp(key->b, self->root.b, sizeof(key->b)) == 0 ? OK : ERR_INVALID);
    TRY(ident_devices_open(core->mem, &self->patient, self->list, &list));
    TRY(ident_device_cert_verify(core->mem, self->chain, &list, key, &cert));
    TRY(replace(core, &core->list, self->list));
    memcpy(core->me.b, self->patient.b, sizeof(core->me.b));
out:
    return e;
}

static enum err
set_clinic(struct fed_core *core, const struct fed_self *self,
           const struct device_id *key, uint64_t *generation)
{
    enum err e;
    struct ident_check check = {
        .root = &self->root, .now_ms = 0, .key = key->b};
    struct ident_node node;

    TRY(ident_chain_verify(core->mem, self->chain, &check, &node));
    *generation = node.generation;
    core->me = self->root;
out:
    return e;
}

static enum err
set_self(struct fed_core *core, const struct fed_self *self)
{
    enum err e;
    struct prim_sign_key key;
    struct device_id node;
    uint64_t generation = 0;
    uint64_t revoked = 0;

    memset(&key, 0, sizeof(key));
    TRY(self->node_seed.len == sizeof(core->seed) ? OK : ERR_INVALID);
    prim_ed25519_from_seed(self->node_seed.p, &key);
    memcpy(node.b, key.pub, sizeof(node.b));
    TRY(self->kind == FED_KIND_DEVICE
            ? set_device(core, self, &node)
            : set_clinic(core, self, &node, &generation));
    core->kind = self->kind;
    if (self->revocation.len > 0) {
        TRY(ident_revoke_open(core->mem, &self->root, self->revocation,
                              &revoked));
    }
    TRY(replace(core, &core->chain, self->chain));
    TRY(replace(core, &core->addrs, self->addrs));
    TRY(replace(core, &core->profile, self->profile));
    TRY(replace(core, &core->picture, self->picture));
    TRY(replace(core, &core->revocation, self->revocation));
    memcpy(core->seed, self->node_seed.p, sizeof(core->seed));
    core->node = node;
    core->generation = generation;
    core->revoked = revoked;
    memset(core->profile_hash, 0, sizeof(core->profile_hash));
    if (self->profile.len > 0) {
        prim_sha256(self->profile, core->profile_hash);
    }
    memset(core->picture_hash, 0, sizeof(core->picture_hash));
    if (self->picture.len > 0) {
        prim_sha256(self->picture, core->picture_hash);
    }
    core->config.self = (struct fed_self){.root = self->root};
out:
    mem_wipe(&key, sizeof(key));
    return e;
}

enum err
fed_core_set_self(struct fed_core *core, const struct fed_self *self)
{
    enum err e;
    uint64_t before = core->generation;

    TRY(clinic_id_equal(&self->root, &core->config.self.root) ? OK
                                                              : ERR_INVALID);
    TRY(set_self(core, self));
    if (core->generation > before) {
        fed_party_renewed(core);
    }
    TRY(fed_revoke_own(core));
    core->touched_all = true;
    for (size_t i = 0; i < core->parties_len; i++) {
        if (fed_party_live(core->parties[i])) {
            TRY(fed_contact_profile(core, core->parties[i]));
        }
    }
out:
    return e;
}

/* Threads that have intents: one look per thread, not per intent. */
static enum err
find_busy(struct fed_core *core)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_INTENT, (struct view){0});

    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct thread_id id;

        TRY(rows.key.len == 40 ? OK : ERR_CORRUPT);
        memcpy(id.b, rows.key.p, sizeof(id.b));
        TRY(fed_busy_add(core, &id));
        core->busy[core->busy_len - 1].whom = UINT64_MAX; /* not loaded */
        rows.at = fed_key_num(thread_id_view(&id), UINT64_MAX);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* The newer of the list that we were given and the one that we keep. */
static enum err
own_list(struct fed_core *core)
{
    enum err e;
    struct patient_id me;
    struct fed_rec_patient rec;
    struct bytes given = {0};
    struct bytes hold = {0};

    memcpy(me.b, core->me.b, sizeof(me.b));
    TRY(bytes_copy(core->mem, view_of(&core->list), &given));
    e = fed_patient_learn(core, &me, view_of(&given), FED_LEARNED_LINK, NULL);
    TRY(fed_ours(e) ? e : OK);
    TRY(fed_patient_load(core, &me, &rec, &hold));
    TRY(replace(core, &core->list, rec.list));
out:
    bytes_free(&given);
    bytes_free(&hold);
    return e;
}

static enum err
load(struct fed_core *core)
{
    enum err e;
    struct fed_key key = {.len = 0};
    struct bytes hold = {0};

    core->start_ms = fed_mono(core);
    e = fed_tx_load(core, FED_NS_SELF, &key, &fed_rec_self_shape, &core->self,
                    &hold);
    if (e == ERR_MISSING) {
        core->self = (struct fed_rec_self){.incarnation = 1};
        TRY(fed_tx_save(core, FED_NS_SELF, &key, &fed_rec_self_shape,
                        &core->self));
    }
    TRY(e);
    TRY(fed_party_load_all(core));
    TRY(core->kind == FED_KIND_DEVICE ? own_list(core) : OK);
    TRY(find_busy(core));
    TRY(fed_revoke_own(core));
    fed_tx_timer(core, core->start_ms + LIMIT_BUSY_MS);
out:
    bytes_free(&hold);
    return e;
}

static void
unload(struct fed_core *core)
{
    for (size_t i = 0; i < core->threads_len; i++) {
        fed_thread_free(core, core->threads[i]);
    }
    for (size_t i = 0; i < core->parties_len; i++) {
        fed_party_free(core, core->parties[i]);
    }
    mem_free(core->mem, core->threads,
             core->threads_cap * sizeof(core->threads[0]));
    mem_free(core->mem, core->parties,
             core->parties_cap * sizeof(core->parties[0]));
    mem_free(core->mem, core->busy, core->busy_cap * sizeof(core->busy[0]));
    mem_free(core->mem, core->lists, core->lists_cap * sizeof(core->lists[0]));
    core->lists = NULL;
    core->lists_len = core->lists_cap = 0;
    core->threads = NULL;
    core->threads_len = core->threads_cap = 0;
    mem_free(core->mem, core->touched,
             core->touched_cap * sizeof(core->touched[0]));
    core->touched = NULL;
    core->touched_len = core->touched_cap = 0;
    core->touched_all = false;
    core->parties = NULL;
    core->parties_len = core->parties_cap = 0;
    core->busy = NULL;
    core->busy_len = core->busy_cap = 0;
    fed_batch_free(core, core->cur);
    core->cur = NULL;
    while (core->taken != NULL) {
        struct fed_batch *b = core->taken;

        core->taken = b->next_;
        fed_batch_free(core, b);
    }
    core->timer_ms = 0;
    core->timer_told = 0;
}

enum err
fed_core_new(const struct fed_core_config *config, struct fed_core **out)
{
    enum err e;
    struct fed_core *core = mem_alloc(config->mem, sizeof(*core));

    if (core == NULL) {
        return ERR_NOMEM;
    }
    core->config = *config;
    core->mem = config->mem;
    if (core->config.suite == 0) {
        core->config.suite = MLS_SUITE_X25519_CHACHA20;
    }
    TRY(set_self(core, &config->self));
    TRY(load(core));
    *out = core;
    core = NULL;
out:
    fed_core_free(core);
    return e;
}

void
fed_core_free(struct fed_core *core)
{
    if (core == NULL) {
        return;
    }
    unload(core);
    bytes_free(&core->chain);
    bytes_free(&core->addrs);
    bytes_free(&core->profile);
    bytes_free(&core->picture);
    bytes_free(&core->revocation);
    bytes_free(&core->list);
    mem_free(core->mem, core, sizeof(*core));
}

enum err
fed_core_reset(struct fed_core *core)
{
    unload(core);
    return load(core);
}

enum err
fed_core_restored(struct fed_core *core)
{
    return fed_rollback(core);
}

/* ------------------------------------------------------------------ batches */

static enum err
flush_party(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;
    struct proto_peer_msg msg = {.type = PROTO_PEER_ACK};

    if (p->ack_due) {
        p->ack_due = false;
        msg.u.ack.applied = p->rec.in_applied;
        TRY(fed_party_say(core, p, &msg));
    }
    if (p->dirty && p->stored) {
        TRY(fed_party_save(core, p));
    }
out:
    return e;
}

/* Those that were looked up since the last time, or all. */
static enum err
flush_parties(struct fed_core *core)
{
    enum err e = OK;

    if (core->touched_all) {
        for (size_t i = 0; i < core->parties_len; i++) {
            TRY(flush_party(core, core->parties[i]));
        }
    } else {
        for (size_t i = 0; i < core->touched_len; i++) {
            TRY(flush_party(core, core->touched[i]));
        }
    }
    for (size_t i = 0; i < core->touched_len; i++) {
        core->touched[i]->touched = false;
    }
    core->touched_len = 0;
    core->touched_all = false;
out:
    return e;
}

enum err
fed_core_take(struct fed_core *core, const struct fed_batch **out)
{
    enum err e = OK;
    struct fed_batch *b;

    *out = NULL;
    TRY(fed_intent_pump_all(core));
    for (size_t i = 0; i < core->threads_len; i++) {
        if (core->threads[i]->dirty) {
            TRY(fed_thread_save(core, core->threads[i]));
        }
    }
    fed_patient_trim(core);
    TRY(flush_parties(core));
    fed_thread_trim(core);
    if (core->cur == NULL && core->timer_ms != core->timer_told) {
        core->cur = mem_alloc(core->mem, sizeof(*core->cur));
        TRY(core->cur == NULL ? ERR_NOMEM : OK);
    }
    b = core->cur;
    if (b == NULL) {
        goto out;
    }
    b->timer_ms = core->timer_ms;
    core->timer_told = core->timer_ms;
    b->next_ = core->taken;
    core->taken = b;
    core->cur = NULL;
    *out = b;
out:
    return e;
}

void
fed_core_done(struct fed_core *core, const struct fed_batch *batch)
{
    struct fed_batch **at = &core->taken;

    while (*at != NULL && (*at)->next_ != NULL) {
        at = &(*at)->next_;
    }
    ASSERT(*at == batch && batch != NULL); /* the oldest first */
    fed_batch_free(core, *at);
    *at = NULL;
}

/* --------------------------------------------------------------------- time */

static enum err
say_receipt(struct fed_core *core, struct fed_thread *t)
{
    struct proto_content c = {.kind = PROTO_CONTENT_RECEIPT};
    struct proto_receipt *r = &c.u.receipt;

    t->receipt_ms = 0;
    if (t->rec.state != FED_THREAD_ACTIVE) {
        return OK;
    }
    r->what = PROTO_RECEIPT_DELIVERED;
    r->term = t->rec.term;
    r->upto = t->rec.seq;
    memcpy(r->head, t->rec.head, sizeof(r->head));
    return fed_intent_say(core, t, &c, false, NULL);
}

enum err
fed_core_receipts(struct fed_core *core, bool *any_out)
{
    enum err e = OK;
    bool told;

    *any_out = false;
    for (size_t i = 0; i < core->threads_len; i++) {
        if (core->threads[i]->receipt_ms != 0) {
            *any_out = true;
            TRY(say_receipt(core, core->threads[i]));
        }
    }
    TRY(fed_watch_rest(core, &told));
    *any_out = *any_out || told;
out:
    return e;
}

/* The sender learns of what is too long under way. */
static enum err
overdue(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;
    uint64_t now = fed_now(core);

    for (;;) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool late;

        e = fed_intent_next(core, &t->id, &number, &rec, &hold);
        late = e == OK && now > rec.made_ms &&
               now - rec.made_ms >= LIMIT_OVERDUE_MS;
        if (late && rec.kind == FED_INTENT_SAY && !rec.overdue) {
            struct fed_show *show = fed_tx_show(core, FED_SHOW_OVERDUE);

            e = show == NULL ? ERR_NOMEM : OK;
            if (e == OK) {
                show->thread = t->id;
                memcpy(show->message.b, rec.id, sizeof(show->message.b));
                rec.overdue = true;
                e = fed_intent_put(core, t, number, &rec);
            }
        }
        bytes_free(&hold);
        if (e != OK || !late) {
            return e == ERR_MISSING ? OK : e;
        }
        number++;
    }
}

/* What a clinic has not received for a day: its senders are told once. */
static enum err
party_overdue(struct fed_core *core, struct fed_party *p)
{
    struct fed_show *show;
    uint64_t now = fed_now(core);

    if (!p->stored || p->rec.out_next == p->rec.out_acked + 1 ||
        p->rec.overdue) {
        return OK;
    }
    if (now < p->rec.waits_ms || now - p->rec.waits_ms < LIMIT_OVERDUE_MS) {
        fed_tx_timer(core, fed_mono(core) + LIMIT_OVERDUE_MS / 24);
        return OK;
    }
    show = fed_tx_show(core, FED_SHOW_OVERDUE);
    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->root;
    p->rec.overdue = true;
    p->dirty = true;
    return OK;
}

enum err
fed_core_tick(struct fed_core *core)
{
    enum err e = OK;
    uint64_t now = fed_mono(core);

    core->touched_all = true; /* below all are looked at */
    core->timer_ms = 0;
    TRY(fed_clock_tick(core));
    for (size_t i = 0; i < core->threads_len; i++) {
        struct fed_thread *t = core->threads[i];

        if (t->receipt_ms != 0 && t->receipt_ms <= now) {
            TRY(say_receipt(core, t));
        } else if (t->receipt_ms != 0) {
            fed_tx_timer(core, t->receipt_ms);
        }
        if (t->wait_ms > now) {
            fed_tx_timer(core, t->wait_ms);
        }
        TRY(fed_missing_turn(core, t));
        TRY(fed_named_step(core, t));
    }
    for (size_t i = core->busy_len; i > 0; i--) {
        struct fed_thread *t;

        e = i > core->busy_len
                ? ERR_MISSING
                : fed_thread_get(core, &core->busy[i - 1].id, &t);
        if (e == OK) {
            TRY(overdue(core, t));
            TRY(fed_move_step(core, t));
            TRY(fed_gone_step(core, t));
            TRY(fed_orphan_phone(core, t));
            TRY(fed_intent_pump(core, t));
        }
        TRY(e == ERR_MISSING ? OK : e);
    }
    for (size_t i = 0; i < core->parties_len; i++) {
        if (core->parties[i]->greeted) {
            fed_gone_met(core, core->parties[i]);
            fed_tx_timer(core, now + LIMIT_HOUR_MS);
        }
        TRY(party_overdue(core, core->parties[i]));
    }
    TRY(fed_contact_later(core));
    TRY(fed_idle_tick(core));
    TRY(fed_picture_later(core));
    TRY(fed_watch_tick(core));
    if (core->busy_len > 0) {
        fed_tx_timer(core, now + LIMIT_BUSY_MS);
    }
    e = OK;
out:
    return e;
}
