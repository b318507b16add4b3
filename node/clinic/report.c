/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/report.h"

#include "crypto/prim/hash.h"
#include "node/clinic/event.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/audit.h"
#include "store/fed.h"
#include "store/journal.h"

#include <string.h>

static const uint64_t version[] = {1};

static const struct proto_field fields[] = {
    PROTO_FIXED(node_report, by),
    PROTO_BOOL(node_report, patient),
    PROTO_UINT(node_report, proof, FED_PROOF_HUB),
    PROTO_FIXED(node_report, hub),
    PROTO_UINT(node_report, at_ms, UINT64_MAX),
    PROTO_UINT(node_report, closed_ms, UINT64_MAX),
    PROTO_BIN(node_report, message, LIMIT_FRAME),
};
static const struct proto_shape shape = PROTO_SHAPE(node_report, fields);

enum err
node_report_decode(struct view in, struct node_report *out)
{
    return proto_shape_decode(in, &shape, version, 1, out) == OK ? OK
                                                                 : ERR_CORRUPT;
}

static enum err
put(struct store_txn *txn, const struct mem *mem, struct view id,
    const struct node_report *r)
{
    enum err e;
    struct bytes b = {0};

    TRY(proto_shape_encode(mem, &shape, version, 1, r, &b));
    TRY(store_fed_put(txn, NODE_NS_REPORT, id, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* Who reported what, in one thread. */
static void
id_of(const struct fed_show *show, uint8_t out[NODE_REPORT_ID])
{
    uint8_t hash[32];
    struct view parts[] = {
        clinic_id_view(&show->peer),
        thread_id_view(&show->thread),
        message_id_view(&show->message),
    };

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
    memcpy(out, hash, NODE_REPORT_ID);
}

static enum err
note(struct store_txn *txn, const struct node_desk *desk,
     const struct fed_show *show, struct view id)
{
    enum err e;
    struct store_event ev = {.kind = NODE_EVENT_REPORTED,
                             .a = clinic_id_view(&show->peer),
                             .b = id,
                             .n = show->value};
    struct store_audit row = {
        .action = NODE_AUDIT_REPORTED, .object = id, .n = show->value};
    struct patient_id patient;

    if (show->known) {
        ev.n = NODE_REPORTED_TOO_OFTEN;
        row.n = ev.n;
    }
    TRY(store_journal_append(txn, &ev, NULL));
    if (clinic_id_equal(&show->peer, &desk->self)) {
        goto out; /* the member's own row says it */
    }
    if (show->who == FED_KIND_PATIENT) {
        memcpy(patient.b, show->peer.b, sizeof(patient.b));
        row.actor = store_actor_patient(&patient);
    } else {
        row.actor = store_actor_peer(&show->peer);
    }
    TRY(store_audit_append(txn, &row));
out:
    return e;
}

static bool
proves(uint64_t proof)
{
    return proof == FED_PROOF_OWN || proof == FED_PROOF_AUTHOR ||
           proof == FED_PROOF_HUB;
}

enum err
node_desk_report(struct store_txn *txn, struct node_desk *desk,
                 const struct fed_show *show)
{
    enum err e;
    uint8_t id[NODE_REPORT_ID];
    struct bytes have = {0};
    struct node_report old;
    struct node_report r = {.patient = show->who == FED_KIND_PATIENT,
                            .proof = show->value,
                            .at_ms = store_now_ms(store_txn_store(txn)),
                            .message = view_of(&show->body)};

    if (show->known) {
        return note(txn, desk, show, (struct view){0});
    }
    id_of(show, id);
    e = store_fed_get(txn, NODE_NS_REPORT, VIEW_ARRAY(id), &have);
    TRY(e == ERR_MISSING ? OK : e);
    if (have.len > 0) {
        TRY(node_report_decode(view_of(&have), &old));
        if (proves(old.proof) || !proves(r.proof)) {
            goto out; /* shown before, and as well */
        }
    }
    memcpy(r.by, show->peer.b, sizeof(r.by));
    memcpy(r.hub, show->other.b, sizeof(r.hub));
    TRY(put(txn, desk->mem, VIEW_ARRAY(id), &r));
    TRY(note(txn, desk, show, VIEW_ARRAY(id)));
out:
    bytes_free(&have);
    return e;
}

enum err
node_report_close(struct store_txn *txn, const struct mem *mem,
                  const uint8_t id[NODE_REPORT_ID])
{
    enum err e;
    struct bytes have = {0};
    struct node_report r;
    struct view key = view_make(id, NODE_REPORT_ID);

    TRY(store_fed_get(txn, NODE_NS_REPORT, key, &have));
    TRY(node_report_decode(view_of(&have), &r));
    r.closed_ms = store_now_ms(store_txn_store(txn));
    TRY(put(txn, mem, key, &r));
out:
    bytes_free(&have);
    return e;
}
