/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who rejoins a thread needs an answer: the GroupInfo, then that its commit was
 * taken.  Streams lose nothing, so a clinic that is connected and does not
 * answer within a minute does not mean to, or has forgotten: it is asked again,
 * ever less often, and a hub that was put back asks another member.  After a
 * quarter of an hour people are told (decisions D 19), until it answers.
 */
#include "federation/core/care.h"
#include "federation/core/watch.h"

#include <string.h>

enum {
    SOON_MS = 5000, /* an answer may be under way */
    FIRST_MS = 60000,
    DOUBLED = 6, /* at most an hour */
    TELL = 4     /* questions without an answer */
};

void
fed_unanswered_asked(struct fed_core *core, struct fed_thread *t,
                     const struct fed_party *p)
{
    uint64_t tries = t->unanswered < DOUBLED ? t->unanswered : DOUBLED;

    t->asked_of = p->root;
    t->answer_ms = 0; /* a phone may be off */
    if (p->kind == FED_KIND_CLINIC) {
        t->answer_ms = fed_mono(core) + ((uint64_t)FIRST_MS << tries);
        fed_tx_timer(core, t->answer_ms);
    }
    t->unanswered_ms = t->unanswered == 0 ? fed_now(core) : t->unanswered_ms;
}

size_t
fed_core_rejoining(const struct fed_core *core)
{
    size_t n = 0;

    for (size_t i = 0; i < core->threads_len; i++) {
        const struct fed_thread *t = core->threads[i];

        n += t->asked && t->rec.state == FED_THREAD_RESYNC &&
                     t->unanswered == 0 &&
                     fed_mono(core) + FIRST_MS < t->answer_ms + SOON_MS
                 ? 1
                 : 0;
    }
    return n;
}

enum err
fed_unanswered_due(struct fed_core *core, struct fed_thread *t, bool *again)
{
    enum err e = OK;
    struct fed_party *p = fed_party_find(core, &t->asked_of);
    struct fed_member *m = fed_thread_member(t, &t->asked_of);

    *again = t->asked && t->answer_ms != 0 && fed_mono(core) >= t->answer_ms;
    if (!*again) {
        goto out;
    }
    if (p == NULL || !fed_party_live(p)) {
        *again = false; /* the question waits for it */
        t->answer_ms = fed_mono(core) + FIRST_MS;
        goto out;
    }
    mls_group_free(t->joining);
    t->joining = NULL;
    t->asked = false;
    t->unanswered++;
    if (m != NULL) {
        m->mute = true;
        TRY(t->unanswered == TELL ? fed_watch_tell(core, t, m, FED_DOUBT_SILENT,
                                                   t->rec.seq, t->unanswered_ms)
                                  : OK);
    }
out:
    return e;
}

bool
fed_unanswered_other(struct fed_core *core, struct fed_thread *t)
{
    bool other = false;

    for (size_t i = 0; i < t->members_len; i++) {
        const struct fed_member *m = &t->members[i];
        const struct fed_party *p = fed_party_find(core, &m->node);

        other =
            other || (!m->mute && !m->lost && p != NULL && fed_party_live(p));
    }
    for (size_t i = 0; i < t->members_len && !other; i++) {
        t->members[i].mute = false; /* all of them once more */
    }
    return other;
}

enum err
fed_unanswered_over(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_member *m = &t->members[i];

        TRY(t->unanswered >= TELL && clinic_id_equal(&m->node, &t->asked_of)
                ? fed_watch_over(core, t, m, FED_DOUBT_SILENT)
                : OK);
        m->mute = false;
    }
    t->unanswered = 0;
    t->answer_ms = 0;
out:
    return e;
}
