/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs that a thread has another hub: statements of clinics' nodes about one
 * thread, term and hub, signed with their chains, so that they hold wherever
 * and by whomever they are shown, and for nothing else.
 */
#include "federation/core/move.h"
#include "federation/core/rows.h"

#include <string.h>

/* ------------------------------------------------------------- the clinics */

size_t
fed_move_others(const struct proto_group *group, const uint8_t hub[32])
{
    struct proto_list_at at = {0};
    struct proto_subject s;
    size_t n = 0;

    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        n += s.kind == PROTO_SUBJECT_CLINIC && memcmp(s.root, hub, 32) != 0;
    }
    return n;
}

static bool
is_clinic(const struct proto_group *group, const uint8_t root[32])
{
    struct proto_subject s;

    return proto_group_find(group, root, &s) && s.kind == PROTO_SUBJECT_CLINIC;
}

/* Named successors first, in their order, then the other clinics by root. */
size_t
fed_move_order(const struct proto_group *group, const uint8_t hub[32],
               const uint8_t root[32])
{
    struct proto_list_at at = {0};
    struct proto_subject_ref ref;
    struct proto_subject s;
    size_t n = 0;

    if (!is_clinic(group, root) || memcmp(root, hub, 32) == 0) {
        return SIZE_MAX;
    }
    while (proto_list_next(&group->successors, &proto_subject_ref_shape, &at,
                           &ref)) {
        if (memcmp(ref.root, root, 32) == 0) {
            return n;
        }
        n++;
    }
    at = (struct proto_list_at){0};
    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        if (memcmp(s.root, root, 32) == 0) {
            break;
        }
        n++;
    }
    return n;
}

/* -------------------------------------------------------------- statements */

enum err
fed_said_make(struct fed_core *core, uint64_t head,
              const struct proto_hub_said *said, struct bytes *out)
{
    enum err e;
    const uint64_t heads[] = {head, 1};
    struct bytes statement = {0};
    struct prim_sign_key key;

    memset(&key, 0, sizeof(key));
    TRY(proto_shape_encode(core->mem, &proto_hub_said_shape, heads, 2, said,
                           &statement));
    prim_ed25519_from_seed(core->seed, &key);
    TRY(ident_by_node_make(core->mem, IDENT_STATEMENT, &key,
                           view_of(&core->chain), view_of(&statement), out));
out:
    mem_wipe(&key, sizeof(key));
    bytes_free(&statement);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

enum err
fed_said_open(struct fed_core *core, uint64_t head, struct view in,
              struct clinic_id *by, struct proto_hub_said *out)
{
    enum err e;
    const uint64_t heads[] = {head, 1};
    /* Its time is judged by what it says, its key by revocation. */
    struct ident_check check = {.now_ms = 0};
    struct ident_node node;
    struct view statement;
    const struct fed_party *p;

    TRY(ident_by_node_open(core->mem, IDENT_STATEMENT, in, &check, &node,
                           &statement));
    TRY(proto_shape_decode(statement, &proto_hub_said_shape, heads, 2, out));
    p = fed_party_find(core, &node.root);
    TRY(p != NULL && node.generation < p->rec.revoked ? ERR_DENIED : OK);
    *by = node.root;
out:
    return e;
}

/* ------------------------------------------------------------------ proofs */

static bool
about(const struct proto_hub_said *said, const struct proto_hub_move *in)
{
    return memcmp(said->thread, in->thread, 32) == 0 &&
           memcmp(said->hub, in->hub, 32) == 0 && said->began == in->began;
}

/* [move-planned] the hub that goes says so itself */
static enum err
check_planned(struct fed_core *core, const struct proto_hub_move *in)
{
    enum err e;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;
    struct proto_hub_said said;
    struct clinic_id by;

    TRY(proto_list_next(&in->statements, &proto_hub_signed_shape, &at, &one)
            ? OK
            : ERR_DENIED);
    TRY(fed_said_open(core, PROTO_HUB_HANDED, one.statement, &by, &said));
    TRY(about(&said, in) && memcmp(by.b, in->hub, 32) == 0 &&
                said.term == in->term && in->term > in->began &&
                memcmp(said.to, in->to, 32) == 0 && said.seq == in->seq &&
                memcmp(said.head, in->head, 32) == 0
            ? OK
            : ERR_DENIED);
out:
    return e;
}

/* Who stands best: furthest in the log, then first in the order. */
struct standing {
    bool any;
    uint64_t last; /* the latest term that any of them knows of */
    uint64_t term;
    uint64_t seq;
    size_t order;
    struct clinic_id root;
    uint8_t head[32];
};

bool
fed_said_further(const struct proto_hub_said *said, size_t order, uint64_t term,
                 uint64_t seq, size_t than)
{
    if (said->term != term) {
        return said->term > term;
    }
    return said->seq != seq ? said->seq > seq : order < than;
}

static void
stand(struct standing *best, const struct proto_hub_said *said, size_t order,
      const struct clinic_id *by)
{
    best->last = said->term > best->last ? said->term : best->last;
    /* [move-bare] who rejoins counts, and does not lead */
    if (fed_said_bare(said)) {
        return;
    }
    if (best->any &&
        !fed_said_further(said, order, best->term, best->seq, best->order)) {
        return;
    }
    best->any = true;
    best->term = said->term;
    best->seq = said->seq;
    best->order = order;
    best->root = *by;
    memcpy(best->head, said->head, sizeof(best->head));
}

/* How far a clinic said, inside MLS, that it has the log: all who follow it say
   the same of it, and so does it itself. */
static uint64_t
had(const struct fed_core *core, const struct fed_thread *t,
    const struct clinic_id *who)
{
    if (clinic_id_equal(who, &core->config.self.root)) {
        return t->rec.receipt_had;
    }
    for (size_t i = 0; i < t->members_len; i++) {
        if (clinic_id_equal(&t->members[i].node, who)) {
            return t->members[i].rec.delivered;
        }
    }
    return 0;
}

/* [move-statement-void] Its author had more of that hub's log since then. */
static bool
is_void(const struct fed_core *core, const struct fed_thread *t,
        const struct proto_hub_move *in, const struct proto_hub_said *said,
        const struct clinic_id *by)
{
    return memcmp(t->rec.hub, in->hub, 32) == 0 && !fed_said_bare(said) &&
           had(core, t, by) > said->seq;
}

/* Was it true when in was made of it, and since, as far as we know? */
static bool
holds(const struct fed_core *core, const struct fed_thread *t,
      const struct proto_hub_move *in, const struct proto_hub_said *said,
      const struct clinic_id *by)
{
    if (is_void(core, t, in, said, by)) {
        return false;
    }
    /* [move-statement-after] the hub was not heard of after it */
    if (t->rec.state == FED_THREAD_ACTIVE && !fed_thread_hub_here(core, t) &&
        t->rec.seq <= in->seq && t->rec.term < in->term &&
        t->rec.ts_ms > said->ts_ms + IDENT_TOLERANCE_MS) {
        return false;
    }
    /* [move-statement-time] gone long enough when it was said; said lately */
    return said->ts_ms >= said->since_ms &&
           said->ts_ms - said->since_ms >= LIMIT_CHECK_MS &&
           in->ts_ms + IDENT_TOLERANCE_MS >= said->ts_ms &&
           (in->ts_ms < said->ts_ms ||
            in->ts_ms - said->ts_ms <= LIMIT_MOVE_FRESH_MS);
}

/* One statement of a proof; last: roots in order, so that none counts twice. */
static enum err
check_one(struct fed_core *core, const struct fed_thread *t,
          const struct proto_hub_move *in, struct view statement,
          struct clinic_id *last, struct standing *best)
{
    enum err e;
    struct proto_hub_said said;
    struct clinic_id by;
    size_t order;

    TRY(fed_said_open(core, PROTO_HUB_GONE, statement, &by, &said));
    /* [move-statement-once] each clinic counts once */
    TRY(clinic_id_cmp(last, &by) < 0 ? OK : ERR_DENIED);
    *last = by;
    /* [move-statement-about] this thread, and this hub since it began; who was
       put back may not know of the newest term that this hub began */
    TRY(about(&said, in) && said.term < in->term ? OK : ERR_DENIED);
    /* [move-statement-member] of another clinic that takes part */
    order = fed_move_order(&t->group, in->hub, by.b);
    TRY(order != SIZE_MAX ? OK : ERR_DENIED);
    TRY(holds(core, t, in, &said, &by) ? OK : ERR_DENIED);
    stand(best, &said, order, &by);
out:
    return e;
}

uint64_t
fed_proof_others(const struct fed_thread *t, const struct proto_hub_move *in)
{
    return in->began < t->group.term && t->rec.others != 0
               ? t->rec.others
               : fed_move_others(&t->group, in->hub);
}

static enum err
check_unplanned(struct fed_core *core, const struct fed_thread *t,
                const struct proto_hub_move *in)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;
    struct clinic_id last = {{0}};
    struct standing best = {.any = false};
    uint64_t others = fed_proof_others(t, in);

    while (
        proto_list_next(&in->statements, &proto_hub_signed_shape, &at, &one)) {
        TRY(check_one(core, t, in, one.statement, &last, &best));
    }
    /* [move-quorum] at least half of the other clinics, rounded up */
    TRY(in->statements.len >= (others + 1) / 2 && best.any ? OK : ERR_DENIED);
    /* [move-successor] the first of those who have most of the log, in a term
       behind all that they know of */
    TRY(memcmp(best.root.b, in->to, 32) == 0 && best.last + 1 == in->term &&
                best.seq == in->seq && memcmp(best.head, in->head, 32) == 0
            ? OK
            : ERR_DENIED);
out:
    return e;
}

enum err
fed_proof_said(struct fed_core *core, const struct proto_hub_move *in,
               const struct clinic_id *by, struct proto_hub_said *out)
{
    enum err e = ERR_MISSING;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;
    struct clinic_id who;

    while (
        e == ERR_MISSING &&
        proto_list_next(&in->statements, &proto_hub_signed_shape, &at, &one)) {
        TRY(fed_said_open(core, PROTO_HUB_GONE, one.statement, &who, out));
        e = clinic_id_equal(&who, by) ? OK : ERR_MISSING;
    }
out:
    return e;
}

enum err
fed_proof_void(struct fed_core *core, const struct fed_thread *t,
               const struct proto_hub_move *in, bool *out)
{
    enum err e;
    struct proto_hub_said said;
    const struct clinic_id *me = &core->config.self.root;

    e = in->planned ? ERR_MISSING : fed_proof_said(core, in, me, &said);
    *out = e == OK && is_void(core, t, in, &said, me);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_proof_check(struct fed_core *core, const struct fed_thread *t,
                const struct proto_hub_move *in)
{
    /* [move-clinic] only another member clinic orders a thread */
    if (fed_move_order(&t->group, in->hub, in->to) == SIZE_MAX) {
        return ERR_DENIED;
    }
    return in->planned ? check_planned(core, in) : check_unplanned(core, t, in);
}

enum err
fed_proof_behind(struct fed_core *core, const struct fed_thread *t,
                 const struct proto_hub_move *in, uint64_t *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;
    struct standing best = {.term = in->term - 1};

    while (
        !in->planned &&
        proto_list_next(&in->statements, &proto_hub_signed_shape, &at, &one)) {
        struct proto_hub_said said;
        struct clinic_id by;

        TRY(fed_said_open(core, PROTO_HUB_GONE, one.statement, &by, &said));
        stand(&best, &said, fed_move_order(&t->group, in->hub, by.b), &by);
    }
    *out = best.term;
out:
    return e;
}

uint64_t
fed_move_next(const struct fed_thread *t)
{
    return t->moving != NULL ? t->moving->term : t->rec.term + 1;
}

bool
fed_move_far(const struct fed_thread *t, uint64_t term)
{
    /* a hub was not put back a thousand times */
    return term > t->rec.term && term - t->rec.term > LIMIT_MOVE_JUMP;
}

bool
fed_proof_beats(const struct fed_thread *t, const struct proto_hub_move *a,
                const struct proto_hub_move *b)
{
    if (a->seq != b->seq) {
        return a->seq > b->seq;
    }
    if (a->planned != b->planned) {
        return a->planned;
    }
    if (memcmp(a->to, b->to, 32) != 0) {
        return fed_move_order(&t->group, a->hub, a->to) <
               fed_move_order(&t->group, b->hub, b->to);
    }
    /* It was put back, and took it again. */
    return a->term != b->term ? a->term > b->term
                              : memcmp(a->head, b->head, 32) > 0;
}

/* ------------------------------------------------------------------ stored */

enum err
fed_proof_get(struct fed_core *core, const struct thread_id *id, uint64_t term,
              struct proto_hub_move *out, struct bytes *hold)
{
    enum err e;
    struct fed_key key = fed_key_num(thread_id_view(id), term);
    struct proto_peer_msg msg;

    TRY(fed_tx_get(core, FED_NS_MOVE, &key, hold));
    TRY(proto_peer_decode(view_of(hold), &msg) == OK &&
                msg.type == PROTO_PEER_HUB_MOVE
            ? OK
            : ERR_CORRUPT);
    *out = msg.u.hub_move;
out:
    return e;
}

enum err
fed_proof_put(struct fed_core *core, const struct proto_hub_move *in)
{
    enum err e;
    struct fed_key key = fed_key_num(VIEW_ARRAY(in->thread), in->term);
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct bytes value = {0};

    msg.u.hub_move = *in;
    TRY(proto_peer_encode(core->mem, &msg, &value));
    TRY(fed_tx_put(core, FED_NS_MOVE, &key, view_of(&value)));
out:
    bytes_free(&value);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

bool
fed_move_gone(struct fed_core *core, const struct fed_thread *t,
              const struct clinic_id *node)
{
    struct proto_hub_move move;
    struct bytes hold = {0};
    const struct fed_party *p = fed_party_find(core, node);
    bool gone =
        fed_proof_get(core, &t->id, t->group.term, &move, &hold) == OK &&
        !move.planned && memcmp(move.hub, node->b, 32) == 0 &&
        (p == NULL || p->rec.seen_ms <= move.ts_ms);

    bytes_free(&hold);
    return gone;
}

/* The stored proofs of term and later. */
static struct fed_rows
proofs_from(const struct fed_thread *t, uint64_t term)
{
    struct fed_rows rows = fed_rows_of(FED_NS_MOVE, thread_id_view(&t->id));

    rows.at = fed_key_num(thread_id_view(&t->id), term);
    return rows;
}

/* On to the next; *out points into it.  ERR_MISSING: there is none */
static enum err
next_proof(struct fed_core *core, struct fed_rows *rows,
           struct proto_peer_msg *out)
{
    enum err e;

    TRY(fed_rows_next(core, rows));
    TRY(proto_peer_decode(view_of(&rows->value), out) == OK &&
                out->type == PROTO_PEER_HUB_MOVE
            ? OK
            : ERR_CORRUPT);
out:
    return e;
}

enum err
fed_move_began(struct fed_core *core, const struct fed_thread *t, uint64_t *out)
{
    enum err e = OK;
    struct fed_rows rows = proofs_from(t, t->group.term + 1);
    struct proto_peer_msg msg;

    *out = t->group.term;
    /* Who rejoins may know of a hub behind that of the group it had. */
    while (t->rec.state != FED_THREAD_ACTIVE &&
           (e = next_proof(core, &rows, &msg)) == OK) {
        if (memcmp(msg.u.hub_move.to, t->rec.hub, 32) == 0) {
            *out = msg.u.hub_move.term;
        }
    }
    fed_rows_free(&rows);
    return fed_rows_all(e);
}

enum err
fed_proof_ended(struct fed_core *core, const struct fed_thread *t,
                uint64_t began, struct proto_hub_move *out, struct bytes *hold)
{
    enum err e;
    struct fed_rows rows = proofs_from(t, began + 1);
    struct proto_peer_msg msg;

    do {
        TRY(next_proof(core, &rows, &msg));
    } while (msg.u.hub_move.began != began);
    *out = msg.u.hub_move;
    *hold = bytes_take(&rows.value);
out:
    fed_rows_free(&rows);
    return e;
}

/* The proofs of hubs that began in began or later are void. */
enum err
fed_proof_drop(struct fed_core *core, const struct fed_thread *t,
               uint64_t began)
{
    enum err e;
    struct fed_rows rows = proofs_from(t, began + 1);
    struct proto_peer_msg msg;

    while ((e = next_proof(core, &rows, &msg)) == OK) {
        struct fed_key key = fed_rows_key(&rows);

        TRY(msg.u.hub_move.began >= began ? fed_tx_del(core, FED_NS_MOVE, &key)
                                          : OK);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/*
 * Who is in another term than we, or in ours with another hub, has missed
 * what follows from the last proof that is not behind its term.
 */
enum err
fed_move_tell(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
              uint64_t term)
{
    enum err e;
    struct fed_rows rows = proofs_from(t, 0);
    struct fed_key from = rows.at;
    struct proto_peer_msg msg;
    bool agree =
        term == t->rec.term && (fed_thread_hub_here(core, t) ||
                                memcmp(t->rec.hub, p->root.b, 32) == 0);

    if (fed_thread_member(t, &p->subject) == NULL || agree) {
        return OK;
    }
    while ((e = next_proof(core, &rows, &msg)) == OK &&
           msg.u.hub_move.term <= term) {
        from = fed_rows_key(&rows);
    }
    TRY(fed_rows_all(e));
    rows.at = from;
    while ((e = next_proof(core, &rows, &msg)) == OK) {
        TRY(fed_reword_tell(core, t, p, &msg.u.hub_move));
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_move_remind(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    for (size_t i = 0; i < t->members_len && t->group.term > 0; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        TRY(p != NULL ? fed_move_tell(core, t, p, t->group.term - 1) : OK);
    }
out:
    return e;
}
