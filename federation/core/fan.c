/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the log to the members' nodes.  A row in a stream only points to an
 * entry, and a member's node that takes nothing has at most LIMIT_FAN_ROWS of
 * them queued in one thread: the member's record says up to which entry rows
 * were put, and each acknowledgement puts the next ones.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"

static uint64_t
rows_max(const struct fed_core *core)
{
    uint64_t n = core->config.limits.fan_rows;

    return n != 0 ? n : LIMIT_FAN_ROWS;
}

/*
 * A patient's entries are copied to its devices' queues, or to who delivers:
 * there they are safe, and our log need not wait for a phone.
 */
static enum err
to_patient(struct fed_core *core, struct fed_thread *t, struct fed_member *m,
           struct fed_party *p, const struct fed_party *except)
{
    enum err e = OK;

    if (m->rec.closed) {
        goto out; /* it says first where it stands */
    }
    while (m->rec.fanned < t->rec.seq) {
        m->rec.fanned++;
        TRY(fed_route_fan(core, t, p, m->rec.fanned, except));
    }
    m->rec.acked = m->rec.fanned;
    m->dirty = true;
    t->dirty = true;
out:
    return e;
}

/* How far the entries go that we send it: ours, or those we handed over. */
static uint64_t
upto_of(const struct fed_core *core, const struct fed_thread *t,
        const struct fed_member *m)
{
    bool hub = fed_thread_hub_here(core, t);

    if (m->rec.closed) {
        return hub ? t->rec.handed : 0;
    }
    return hub ? t->rec.seq : t->rec.handed;
}

enum err
fed_fan_member(struct fed_core *core, struct fed_thread *t,
               struct fed_member *m)
{
    enum err e = OK;
    struct fed_party *p;
    uint64_t upto = upto_of(core, t, m);

    if (m->rec.fanned >= upto) {
        return OK;
    }
    TRY(fed_party_get(core, &m->node, &p));
    if (fed_route_needed(p)) {
        return to_patient(core, t, m, p, NULL);
    }
    while (m->rec.fanned < upto && m->rec.rows < rows_max(core)) {
        m->rec.fanned++;
        m->rec.rows++;
        m->dirty = true;
        t->dirty = true;
        TRY(fed_stream_fan(core, p, &t->id, m->rec.fanned));
    }
out:
    return e;
}

void
fed_fan_from(struct fed_thread *t, uint64_t seq)
{
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        m->rec.fanned = seq;
        m->rec.acked = m->rec.acked < seq ? m->rec.acked : seq;
        m->rec.rows = 0;
        m->dirty = true;
    }
    t->dirty = true;
}

enum err
fed_fan_acked(struct fed_core *core, struct fed_thread *t, struct fed_member *m,
              uint64_t rows)
{
    m->rec.rows -= rows < m->rec.rows ? rows : m->rec.rows;
    m->dirty = true;
    t->dirty = true;
    return fed_fan_member(core, t, m);
}

/* Send the newest entry to everybody but us and except, who has it. */
enum err
fed_hub_fan(struct fed_core *core, struct fed_thread *t,
            const struct fed_party *except)
{
    enum err e = OK;

    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];
        struct fed_party *p;

        TRY(fed_party_get(core, &m->node, &p));
        if (fed_route_needed(p)) {
            TRY(to_patient(core, t, m, p, except));
            continue;
        }
        if (except != NULL && clinic_id_equal(&m->node, &except->subject) &&
            m->rec.fanned + 1 == t->rec.seq) {
            m->rec.fanned = t->rec.seq;
            m->dirty = true;
            t->dirty = true;
            continue;
        }
        TRY(fed_fan_member(core, t, m));
    }
out:
    return e;
}
