/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind rec.h.  Bounds are generous: the bytes are our own.
 */
#include "federation/core/rec.h"

#include "proto/base/limits.h"
#include "proto/msg/peer.h"

static const struct proto_field self_fields[] = {
    PROTO_UINT(fed_rec_self, incarnation, UINT64_MAX),
    PROTO_BOOL(fed_rec_self, restored),
    PROTO_UINT(fed_rec_self, hour_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_self, hour_uses, UINT64_MAX),
    PROTO_BOOL(fed_rec_self, hour_told),
    PROTO_UINT(fed_rec_self, renewed, UINT64_MAX),
    PROTO_UINT(fed_rec_self, known_ms, UINT64_MAX),
};
const struct proto_shape fed_rec_self_shape =
    PROTO_SHAPE(fed_rec_self, self_fields);

static const struct proto_field party_fields[] = {
    PROTO_UINT(fed_rec_party, kind, UINT64_MAX),
    PROTO_FIXED(fed_rec_party, subject),
    PROTO_FIXED(fed_rec_party, via),
    PROTO_UINT(fed_rec_party, ours, UINT64_MAX),
    PROTO_UINT(fed_rec_party, theirs, UINT64_MAX),
    PROTO_BOOL(fed_rec_party, blocked),
    PROTO_BOOL(fed_rec_party, verified),
    PROTO_FIXED(fed_rec_party, direct),
    PROTO_UINT(fed_rec_party, generation, UINT64_MAX),
    PROTO_UINT(fed_rec_party, revoked, UINT64_MAX),
    PROTO_UINT(fed_rec_party, incarnation, UINT64_MAX),
    PROTO_FIXED(fed_rec_party, profile),
    PROTO_FIXED(fed_rec_party, picture),
    PROTO_UINT(fed_rec_party, picture_len, UINT64_MAX),
    PROTO_BOOL(fed_rec_party, pictured),
    PROTO_BIN(fed_rec_party, addrs, LIMIT_FRAME),
    PROTO_FIXED(fed_rec_party, link),
    PROTO_BOOL(fed_rec_party, link_ours),
    PROTO_BOOL(fed_rec_party, one_time),
    PROTO_BOOL(fed_rec_party, in_person),
    PROTO_FIXED(fed_rec_party, secret),
    PROTO_BIN(fed_rec_party, kp, LIMIT_FRAME),
    PROTO_UINT(fed_rec_party, creator, UINT64_MAX),
    PROTO_FIXED(fed_rec_party, out_stream),
    PROTO_FIXED(fed_rec_party, out_before),
    PROTO_BOOL(fed_rec_party, out_told),
    PROTO_UINT(fed_rec_party, out_next, UINT64_MAX),
    PROTO_UINT(fed_rec_party, out_acked, UINT64_MAX),
    PROTO_FIXED(fed_rec_party, in_stream),
    PROTO_UINT(fed_rec_party, in_applied, UINT64_MAX),
    PROTO_UINT(fed_rec_party, waits_ms, UINT64_MAX),
    PROTO_BOOL(fed_rec_party, overdue),
    PROTO_UINT(fed_rec_party, answers, UINT64_MAX),
    PROTO_UINT(fed_rec_party, answer_bytes, UINT64_MAX),
    PROTO_UINT(fed_rec_party, seen_ms, UINT64_MAX),
    PROTO_BOOL(fed_rec_party, deaf),
    PROTO_BOOL(fed_rec_party, away),
};
const struct proto_shape fed_rec_party_shape =
    PROTO_SHAPE(fed_rec_party, party_fields);

static const struct proto_field link_fields[] = {
    PROTO_BOOL(fed_rec_link, one_time),
    PROTO_BOOL(fed_rec_link, in_person),
    PROTO_BOOL(fed_rec_link, review),
    PROTO_BOOL(fed_rec_link, revoked),
    PROTO_UINT(fed_rec_link, expiry_s, UINT64_MAX),
    PROTO_UINT(fed_rec_link, uses_max, UINT64_MAX),
    PROTO_UINT(fed_rec_link, uses, UINT64_MAX),
    PROTO_UINT(fed_rec_link, hour_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_link, hour_uses, UINT64_MAX),
    PROTO_BOOL(fed_rec_link, hour_told),
    PROTO_FIXED(fed_rec_link, secret),
    PROTO_FIXED(fed_rec_link, bound),
    PROTO_BIN(fed_rec_link, label, LIMIT_FRAME),
    PROTO_BIN(fed_rec_link, forward, LIMIT_FRAME),
    PROTO_BOOL(fed_rec_link, patients),
    PROTO_BIN(fed_rec_link, birth, LIMIT_FRAME),
    PROTO_UINT(fed_rec_link, birth_tries, UINT64_MAX),
};
const struct proto_shape fed_rec_link_shape =
    PROTO_SHAPE(fed_rec_link, link_fields);

static const struct proto_field kp_fields[] = {
    PROTO_UINT(fed_rec_kp, made_ms, UINT64_MAX),
    PROTO_FIXED(fed_rec_kp, peer),
    PROTO_FIXED(fed_rec_kp, thread),
    PROTO_BOOL(fed_rec_kp, last_resort),
    PROTO_BIN(fed_rec_kp, record, LIMIT_FRAME),
};
const struct proto_shape fed_rec_kp_shape = PROTO_SHAPE(fed_rec_kp, kp_fields);

#define LOST_BRANCH(i)                                      \
    PROTO_UINT(fed_rec_thread, lost[i].from, UINT64_MAX),   \
        PROTO_UINT(fed_rec_thread, lost[i].to, UINT64_MAX), \
        PROTO_UINT(fed_rec_thread, lost[i].seq, UINT64_MAX)

_Static_assert(FED_BRANCHES_LOST == 3, "one line for each, below");

static const struct proto_field thread_fields[] = {
    PROTO_UINT(fed_rec_thread, state, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, flags, UINT64_MAX),
    PROTO_FIXED(fed_rec_thread, hub),
    PROTO_UINT(fed_rec_thread, term, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, seq, UINT64_MAX),
    PROTO_FIXED(fed_rec_thread, head),
    PROTO_UINT(fed_rec_thread, ts_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, epoch_seq, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, epoch_ts_ms, UINT64_MAX),
    PROTO_BOOL(fed_rec_thread, late),
    PROTO_UINT(fed_rec_thread, kept, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, bare, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, intents, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, gap_from, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, receipt_read, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, receipt_had, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, handed, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, others, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, had_seq, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, had_term, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, back_to, UINT64_MAX),
    LOST_BRANCH(0),
    LOST_BRANCH(1),
    LOST_BRANCH(2),
    PROTO_FIXED(fed_rec_thread, next),
    PROTO_UINT(fed_rec_thread, missing_term, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, missing_from, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, missing_to, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, missing_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, missing_asked, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, lively_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, woke_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, spoke_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, direct_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, look_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, said_seq, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, said_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, last_seq, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, last_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, refused, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, refused_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_thread, waits_ms, UINT64_MAX),
    PROTO_BIN(fed_rec_thread, group, LIMIT_FRAME),
};
const struct proto_shape fed_rec_thread_shape =
    PROTO_SHAPE(fed_rec_thread, thread_fields);

static const struct proto_field member_fields[] = {
    PROTO_UINT(fed_rec_member, acked, UINT64_MAX),
    PROTO_UINT(fed_rec_member, fanned, UINT64_MAX),
    PROTO_UINT(fed_rec_member, rows, UINT64_MAX),
    PROTO_BOOL(fed_rec_member, closed),
    PROTO_UINT(fed_rec_member, stood, UINT64_MAX),
    PROTO_UINT(fed_rec_member, stood_term, UINT64_MAX),
    PROTO_UINT(fed_rec_member, came, UINT64_MAX),
    PROTO_UINT(fed_rec_member, delivered, UINT64_MAX),
    PROTO_UINT(fed_rec_member, read, UINT64_MAX),
    PROTO_UINT(fed_rec_member, heard_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_member, ahead_seq, UINT64_MAX),
    PROTO_UINT(fed_rec_member, ahead_term, UINT64_MAX),
    PROTO_UINT(fed_rec_member, ahead_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_member, doubts, UINT64_MAX),
};
const struct proto_shape fed_rec_member_shape =
    PROTO_SHAPE(fed_rec_member, member_fields);

static const struct proto_field log_fields[] = {
    PROTO_UINT(fed_rec_log, term, UINT64_MAX),
    PROTO_UINT(fed_rec_log, ts_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_log, kind, UINT64_MAX),
    PROTO_FIXED(fed_rec_log, prev),
    PROTO_FIXED(fed_rec_log, head),
    PROTO_FIXED(fed_rec_log, hash),
};
const struct proto_shape fed_rec_log_shape =
    PROTO_SHAPE(fed_rec_log, log_fields);

static const struct proto_field intent_fields[] = {
    PROTO_UINT(fed_rec_intent, kind, UINT64_MAX),
    PROTO_BOOL(fed_rec_intent, held),
    PROTO_BOOL(fed_rec_intent, submitted),
    PROTO_FIXED(fed_rec_intent, id),
    PROTO_FIXED(fed_rec_intent, req),
    PROTO_FIXED(fed_rec_intent, hash),
    PROTO_UINT(fed_rec_intent, epoch, UINT64_MAX),
    PROTO_UINT(fed_rec_intent, tries, UINT64_MAX),
    PROTO_UINT(fed_rec_intent, made_ms, UINT64_MAX),
    PROTO_BOOL(fed_rec_intent, overdue),
    PROTO_BIN(fed_rec_intent, data, LIMIT_FRAME),
    PROTO_BIN(fed_rec_intent, addrs, LIMIT_FRAME),
};
const struct proto_shape fed_rec_intent_shape =
    PROTO_SHAPE(fed_rec_intent, intent_fields);

static const struct proto_field stage_fields[] = {
    PROTO_FIXED(fed_rec_stage, req),
    PROTO_FIXED(fed_rec_stage, hash),
    PROTO_BIN(fed_rec_stage, stage, LIMIT_FRAME),
};
const struct proto_shape fed_rec_stage_shape =
    PROTO_SHAPE(fed_rec_stage, stage_fields);

static const struct proto_field claim_fields[] = {
    PROTO_BIN(fed_rec_claim, name, LIMIT_FRAME),
    PROTO_BIN(fed_rec_claim, birth, LIMIT_FRAME),
};
const struct proto_shape fed_rec_claim_shape =
    PROTO_SHAPE(fed_rec_claim, claim_fields);

static const struct proto_field patient_fields[] = {
    PROTO_UINT(fed_rec_patient, learned, UINT64_MAX),
    PROTO_FIXED(fed_rec_patient, introducer),
    PROTO_BOOL(fed_rec_patient, alarm),
    PROTO_UINT(fed_rec_patient, believes_ms, UINT64_MAX),
    PROTO_BIN(fed_rec_patient, list, LIMIT_FRAME),
};
const struct proto_shape fed_rec_patient_shape =
    PROTO_SHAPE(fed_rec_patient, patient_fields);

static const struct proto_field pool_fields[] = {
    PROTO_BOOL(fed_rec_pool, last_resort),
    PROTO_UINT(fed_rec_pool, until_s, UINT64_MAX),
    PROTO_BIN(fed_rec_pool, kp, LIMIT_FRAME),
};
const struct proto_shape fed_rec_pool_shape =
    PROTO_SHAPE(fed_rec_pool, pool_fields);

static const struct proto_field kps_fields[] = {
    PROTO_LIST(fed_rec_kps, kps, PROTO_PATIENT_DEVICES,
               proto_key_package_shape),
};
const struct proto_shape fed_rec_kps_shape =
    PROTO_SHAPE(fed_rec_kps, kps_fields);

static const struct proto_field out_fields[] = {
    PROTO_FIXED(fed_rec_out, device),
};
const struct proto_shape fed_rec_out_shape =
    PROTO_SHAPE(fed_rec_out, out_fields);

static const struct proto_field allow_fields[] = {
    PROTO_BOOL(fed_rec_allow, allowed),
    PROTO_UINT(fed_rec_allow, serial, UINT64_MAX),
    PROTO_UINT(fed_rec_allow, claims, UINT64_MAX),
    PROTO_UINT(fed_rec_allow, since_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_allow, before_ms, UINT64_MAX),
};
const struct proto_shape fed_rec_allow_shape =
    PROTO_SHAPE(fed_rec_allow, allow_fields);

static const struct proto_field lack_fields[] = {
    PROTO_FIXED(fed_rec_lack, device),
    PROTO_UINT(fed_rec_lack, generation, UINT64_MAX),
    PROTO_UINT(fed_rec_lack, since_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_lack, count, UINT64_MAX),
};
const struct proto_shape fed_rec_lack_shape =
    PROTO_SHAPE(fed_rec_lack, lack_fields);

static const struct proto_field lacks_fields[] = {
    PROTO_LIST(fed_rec_lacks, rows, 16, fed_rec_lack_shape),
};
const struct proto_shape fed_rec_lacks_shape =
    PROTO_SHAPE(fed_rec_lacks, lacks_fields);

static const struct proto_field consent_fields[] = {
    PROTO_FIXED(fed_rec_consent, patient),
    PROTO_FIXED(fed_rec_consent, clinic),
    PROTO_BOOL(fed_rec_consent, desk),
    PROTO_UINT(fed_rec_consent, serial, UINT64_MAX),
    PROTO_UINT(fed_rec_consent, withdrawn, UINT64_MAX),
    PROTO_UINT(fed_rec_consent, scope, UINT64_MAX),
    PROTO_BIN(fed_rec_consent, consent, LIMIT_FRAME),
};
const struct proto_shape fed_rec_consent_shape =
    PROTO_SHAPE(fed_rec_consent, consent_fields);

static const struct proto_field ask_fields[] = {
    PROTO_FIXED(fed_rec_ask, author),
    PROTO_BOOL(fed_rec_ask, ours),
    PROTO_BOOL(fed_rec_ask, answered),
    PROTO_BIN(fed_rec_ask, content, LIMIT_FRAME),
    PROTO_BOOL(fed_rec_ask, yes),
};
const struct proto_shape fed_rec_ask_shape =
    PROTO_SHAPE(fed_rec_ask, ask_fields);

static const uint64_t version[] = {1};

static const struct proto_field frank_fields[] = {
    PROTO_UINT(fed_rec_frank, term, UINT64_MAX),
    PROTO_UINT(fed_rec_frank, ts_ms, UINT64_MAX),
    PROTO_FIXED(fed_rec_frank, author),
    PROTO_BIN(fed_rec_frank, ids, 32u * LIMIT_ENTRY_MESSAGES),
    PROTO_BIN(fed_rec_frank, sig, 64),
    PROTO_FIXED(fed_rec_frank, chain),
};
const struct proto_shape fed_rec_frank_shape =
    PROTO_SHAPE(fed_rec_frank, frank_fields);

static const struct proto_field reporter_fields[] = {
    PROTO_UINT(fed_rec_reporter, since_ms, UINT64_MAX),
    PROTO_UINT(fed_rec_reporter, count, UINT64_MAX),
};
const struct proto_shape fed_rec_reporter_shape =
    PROTO_SHAPE(fed_rec_reporter, reporter_fields);

static const struct proto_field reported_fields[] = {
    PROTO_UINT(fed_rec_reported, at_ms, UINT64_MAX),
    PROTO_BIN(fed_rec_reported, report, LIMIT_FRAME),
};
const struct proto_shape fed_rec_reported_shape =
    PROTO_SHAPE(fed_rec_reported, reported_fields);

enum err
fed_rec_encode(const struct mem *mem, const struct proto_shape *shape,
               const void *from, struct bytes *out)
{
    return proto_shape_encode(mem, shape, version, 1, from, out);
}

enum err
fed_rec_decode(struct view in, const struct proto_shape *shape, void *to)
{
    enum err e = proto_shape_decode(in, shape, version, 1, to);

    return e == OK || e == ERR_UNSUPPORTED ? e : ERR_CORRUPT;
}
