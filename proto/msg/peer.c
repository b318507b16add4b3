/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind peer.h: one line per field, with its bound.
 */
#include "proto/msg/peer.h"

#include "proto/base/limits.h"
#include "proto/msg/typed.h"

static const struct proto_field node_addr_fields[] = {
    PROTO_FIXED(proto_node_addr, root),
    PROTO_BIN(proto_node_addr, addrs, LIMIT_MSG_ADDRS),
};
const struct proto_shape proto_node_addr_shape =
    PROTO_SHAPE(proto_node_addr, node_addr_fields);

static const struct proto_field log_entry_fields[] = {
    PROTO_UINT(proto_log_entry, term, UINT64_MAX),
    PROTO_UINT(proto_log_entry, seq, UINT64_MAX),
    PROTO_UINT(proto_log_entry, ts_ms, UINT64_MAX),
    PROTO_UINT(proto_log_entry, kind, PROTO_ENTRY_GONE),
    PROTO_BIN(proto_log_entry, message, LIMIT_MLS_MESSAGE),
};
const struct proto_shape proto_log_entry_shape =
    PROTO_SHAPE(proto_log_entry, log_entry_fields);

static const struct proto_field key_package_fields[] = {
    PROTO_BIN(proto_key_package, kp, LIMIT_MSG_KEY_PACKAGE),
};
const struct proto_shape proto_key_package_shape =
    PROTO_SHAPE(proto_key_package, key_package_fields);

static const struct proto_field hello_fields[] = {
    PROTO_UINT(proto_hello, version_min, 255),
    PROTO_UINT(proto_hello, version_max, 255),
    PROTO_UINT(proto_hello, suites, 0xffff),
    PROTO_UINT(proto_hello, frame_max, UINT32_MAX),
    PROTO_UINT(proto_hello, now_ms, UINT64_MAX),
    PROTO_UINT(proto_hello, generation, UINT64_MAX),
    PROTO_BIN(proto_hello, revocation, LIMIT_MSG_STATEMENT),
    PROTO_UINT(proto_hello, stance, PROTO_STANCE_COUNT - 1),
    PROTO_FIXED(proto_hello, profile_seen),
    PROTO_FIXED(proto_hello, out_stream),
    PROTO_UINT(proto_hello, out_acked, UINT64_MAX),
    PROTO_UINT(proto_hello, out_last, UINT64_MAX),
    PROTO_FIXED(proto_hello, in_stream),
    PROTO_UINT(proto_hello, in_applied, UINT64_MAX),
    PROTO_UINT(proto_hello, incarnation, UINT64_MAX),
    PROTO_UINT(proto_hello, incarnation_seen, UINT64_MAX),
    PROTO_BIN(proto_hello, addrs, LIMIT_MSG_ADDRS),
};

static const struct proto_field ack_fields[] = {
    PROTO_UINT(proto_ack, applied, UINT64_MAX),
};

static const struct proto_field data_fields[] = {
    PROTO_UINT(proto_data, seq, UINT64_MAX),
    PROTO_BIN(proto_data, body, LIMIT_FRAME),
};

static const struct proto_field link_open_fields[] = {
    PROTO_FIXED(proto_link_open, link),
};

static const struct proto_field link_info_fields[] = {
    PROTO_FIXED(proto_link_info, link),
    PROTO_UINT(proto_link_info, code, PROTO_REDEEM_CODE_COUNT - 1),
    PROTO_BOOL(proto_link_info, one_time),
    PROTO_BOOL(proto_link_info, in_person),
    PROTO_BOOL(proto_link_info, review),
    PROTO_UINT(proto_link_info, expiry_s, UINT64_MAX),
    PROTO_TEXT(proto_link_info, label, LIMIT_MSG_LABEL),
    PROTO_BIN(proto_link_info, forward, LIMIT_MSG_FORWARD),
};

static const struct proto_field link_redeem_fields[] = {
    PROTO_FIXED(proto_link_redeem, link),
    PROTO_BIN(proto_link_redeem, proof, 32),
    PROTO_BIN(proto_link_redeem, kp, LIMIT_MSG_KEY_PACKAGE),
};

static const struct proto_field link_result_fields[] = {
    PROTO_FIXED(proto_link_result, link),
    PROTO_UINT(proto_link_result, code, PROTO_REDEEM_CODE_COUNT - 1),
    PROTO_UINT(proto_link_result, creator, 2),
    PROTO_BIN(proto_link_result, kp, LIMIT_MSG_KEY_PACKAGE),
    PROTO_BIN(proto_link_result, forward, LIMIT_MSG_FORWARD),
};

static const struct proto_field contact_fields[] = {
    PROTO_UINT(proto_contact, stance, PROTO_STANCE_COUNT - 1),
    PROTO_UINT(proto_contact, creator, 2),
    PROTO_BIN(proto_contact, kp, LIMIT_MSG_KEY_PACKAGE),
    PROTO_BIN(proto_contact, addrs, LIMIT_MSG_ADDRS),
};

static const struct proto_field profile_fields[] = {
    PROTO_BIN(proto_profile_msg, profile, LIMIT_MSG_PROFILE),
};

static const struct proto_field bye_fields[] = {
    PROTO_UINT(proto_bye, code, 255),
};

static const struct proto_field welcome_fields[] = {
    PROTO_FIXED(proto_welcome, thread),
    PROTO_UINT(proto_welcome, term, UINT64_MAX),
    PROTO_UINT(proto_welcome, seq, UINT64_MAX),
    PROTO_UINT(proto_welcome, ts_ms, UINT64_MAX),
    PROTO_FIXED(proto_welcome, head),
    PROTO_BIN(proto_welcome, welcome, LIMIT_MLS_MESSAGE),
};

static const struct proto_field app_submit_fields[] = {
    PROTO_FIXED(proto_app_submit, req),
    PROTO_FIXED(proto_app_submit, thread),
    PROTO_FIXED(proto_app_submit, after),
    PROTO_UINT(proto_app_submit, term, UINT64_MAX),
    PROTO_BIN(proto_app_submit, message, LIMIT_MLS_MESSAGE),
};

static const struct proto_field hs_submit_fields[] = {
    PROTO_FIXED(proto_hs_submit, req),
    PROTO_FIXED(proto_hs_submit, thread),
    PROTO_UINT(proto_hs_submit, term, UINT64_MAX),
    PROTO_BIN(proto_hs_submit, message, LIMIT_MLS_MESSAGE),
    PROTO_BIN(proto_hs_submit, welcome, LIMIT_MLS_MESSAGE),
    PROTO_LIST(proto_hs_submit, added, LIMIT_THREAD_SUBJECTS,
               proto_node_addr_shape),
};

static const struct proto_field answer_fields[] = {
    PROTO_FIXED(proto_answer, req),
    PROTO_FIXED(proto_answer, thread),
    PROTO_UINT(proto_answer, code, PROTO_ANSWER_CODE_COUNT - 1),
    PROTO_UINT(proto_answer, term, UINT64_MAX),
    PROTO_UINT(proto_answer, seq, UINT64_MAX),
    PROTO_UINT(proto_answer, ts_ms, UINT64_MAX),
    PROTO_UINT(proto_answer, epoch, UINT64_MAX),
};

static const struct proto_field fan_fields[] = {
    PROTO_FIXED(proto_fan, thread),
    PROTO_UINT(proto_fan, term, UINT64_MAX),
    PROTO_UINT(proto_fan, seq, UINT64_MAX),
    PROTO_FIXED(proto_fan, prev),
    PROTO_UINT(proto_fan, ts_ms, UINT64_MAX),
    PROTO_UINT(proto_fan, kind, PROTO_ENTRY_GONE),
    PROTO_BIN(proto_fan, message, LIMIT_MLS_MESSAGE),
    PROTO_BIN(proto_fan, frank, 64),
};

static const struct proto_field log_pull_fields[] = {
    PROTO_FIXED(proto_log_pull, thread),
    PROTO_UINT(proto_log_pull, term, UINT64_MAX),
    PROTO_UINT(proto_log_pull, from, UINT64_MAX),
    PROTO_UINT(proto_log_pull, max, LIMIT_LOG_PART),
};

static const struct proto_field log_part_fields[] = {
    PROTO_FIXED(proto_log_part, thread),
    PROTO_UINT(proto_log_part, code, PROTO_LOG_CODE_COUNT - 1),
    PROTO_UINT(proto_log_part, term, UINT64_MAX),
    PROTO_UINT(proto_log_part, first, UINT64_MAX),
    PROTO_UINT(proto_log_part, last, UINT64_MAX),
    PROTO_FIXED(proto_log_part, prev),
    PROTO_LIST(proto_log_part, entries, LIMIT_LOG_PART, proto_log_entry_shape),
};

static const struct proto_field kp_claim_fields[] = {
    PROTO_FIXED(proto_kp_claim, req),
    PROTO_FIXED(proto_kp_claim, thread),
    PROTO_FIXED(proto_kp_claim, hub),
    PROTO_BIN(proto_kp_claim, hub_addrs, LIMIT_MSG_ADDRS),
    PROTO_UINT(proto_kp_claim, suite, 0xffff),
    PROTO_FIXED(proto_kp_claim, who),
};

static const struct proto_field kp_answer_fields[] = {
    PROTO_FIXED(proto_kp_answer, req),
    PROTO_FIXED(proto_kp_answer, thread),
    PROTO_UINT(proto_kp_answer, code, PROTO_ANSWER_CODE_COUNT - 1),
    PROTO_BIN(proto_kp_answer, kp, LIMIT_MSG_KEY_PACKAGE),
    PROTO_BIN(proto_kp_answer, addrs, LIMIT_MSG_ADDRS),
    PROTO_FIXED(proto_kp_answer, who),
    PROTO_LIST(proto_kp_answer, kps, PROTO_PATIENT_DEVICES,
               proto_key_package_shape),
    PROTO_BIN(proto_kp_answer, list, PROTO_PATIENT_LIST),
};

static const struct proto_field gi_get_fields[] = {
    PROTO_FIXED(proto_gi_get, req),
    PROTO_FIXED(proto_gi_get, thread),
    PROTO_UINT(proto_gi_get, term, UINT64_MAX),
    PROTO_UINT(proto_gi_get, seq, UINT64_MAX),
    PROTO_FIXED(proto_gi_get, head),
    PROTO_FIXED(proto_gi_get, seal),
};

static const struct proto_field gi_fields[] = {
    PROTO_FIXED(proto_gi, req),
    PROTO_FIXED(proto_gi, thread),
    PROTO_UINT(proto_gi, code, PROTO_ANSWER_CODE_COUNT - 1),
    PROTO_UINT(proto_gi, term, UINT64_MAX),
    PROTO_UINT(proto_gi, seq, UINT64_MAX),
    PROTO_UINT(proto_gi, ts_ms, UINT64_MAX),
    PROTO_FIXED(proto_gi, head),
    PROTO_UINT(proto_gi, leaf, UINT32_MAX),
    PROTO_BIN(proto_gi, group_info, LIMIT_MLS_MESSAGE),
};

static const struct proto_field fork_alert_fields[] = {
    PROTO_FIXED(proto_fork_alert, thread),
    PROTO_UINT(proto_fork_alert, term, UINT64_MAX),
    PROTO_UINT(proto_fork_alert, seq, UINT64_MAX),
    PROTO_FIXED(proto_fork_alert, head),
    PROTO_UINT(proto_fork_alert, epoch, UINT64_MAX),
    PROTO_FIXED(proto_fork_alert, authenticator),
};

static const struct proto_field hub_offer_fields[] = {
    PROTO_FIXED(proto_hub_offer, req),
    PROTO_FIXED(proto_hub_offer, thread),
    PROTO_UINT(proto_hub_offer, term, UINT64_MAX),
    PROTO_UINT(proto_hub_offer, seq, UINT64_MAX),
    PROTO_FIXED(proto_hub_offer, head),
};

static const struct proto_field hub_accept_fields[] = {
    PROTO_FIXED(proto_hub_accept, req),
    PROTO_FIXED(proto_hub_accept, thread),
    PROTO_UINT(proto_hub_accept, code, PROTO_ANSWER_CODE_COUNT - 1),
};

static const struct proto_field hub_said_fields[] = {
    PROTO_FIXED(proto_hub_said, thread),
    PROTO_UINT(proto_hub_said, term, UINT64_MAX),
    PROTO_UINT(proto_hub_said, began, UINT64_MAX),
    PROTO_FIXED(proto_hub_said, hub),
    PROTO_FIXED(proto_hub_said, to),
    PROTO_UINT(proto_hub_said, seq, UINT64_MAX),
    PROTO_FIXED(proto_hub_said, head),
    PROTO_UINT(proto_hub_said, epoch, UINT64_MAX),
    PROTO_FIXED(proto_hub_said, authenticator),
    PROTO_UINT(proto_hub_said, since_ms, UINT64_MAX),
    PROTO_UINT(proto_hub_said, ts_ms, UINT64_MAX),
};
const struct proto_shape proto_hub_said_shape =
    PROTO_SHAPE(proto_hub_said, hub_said_fields);

static const struct proto_field hub_signed_fields[] = {
    PROTO_BIN(proto_hub_signed, statement, LIMIT_HUB_STATEMENT),
};
const struct proto_shape proto_hub_signed_shape =
    PROTO_SHAPE(proto_hub_signed, hub_signed_fields);

static const struct proto_field hub_gone_fields[] = {
    PROTO_FIXED(proto_hub_gone, thread),
    PROTO_BIN(proto_hub_gone, statement, LIMIT_HUB_STATEMENT),
};

static const struct proto_field hub_seen_fields[] = {
    PROTO_FIXED(proto_hub_seen, thread),
    PROTO_UINT(proto_hub_seen, term, UINT64_MAX),
    PROTO_UINT(proto_hub_seen, moved, UINT64_MAX),
};

static const struct proto_field hub_move_fields[] = {
    PROTO_FIXED(proto_hub_move, thread),
    PROTO_UINT(proto_hub_move, term, UINT64_MAX),
    PROTO_UINT(proto_hub_move, began, UINT64_MAX),
    PROTO_FIXED(proto_hub_move, hub),
    PROTO_FIXED(proto_hub_move, to),
    PROTO_BOOL(proto_hub_move, planned),
    PROTO_UINT(proto_hub_move, seq, UINT64_MAX),
    PROTO_FIXED(proto_hub_move, head),
    PROTO_UINT(proto_hub_move, ts_ms, UINT64_MAX),
    PROTO_BIN(proto_hub_move, commit, LIMIT_MLS_MESSAGE),
    PROTO_LIST(proto_hub_move, statements, LIMIT_THREAD_SUBJECTS,
               proto_hub_signed_shape),
};

static const struct proto_field roster_fields[] = {
    PROTO_FIXED(proto_roster, thread),
    PROTO_LIST(proto_roster, nodes, LIMIT_THREAD_SUBJECTS,
               proto_node_addr_shape),
};

static const struct proto_field checkpoint_fields[] = {
    PROTO_FIXED(proto_checkpoint_msg, thread),
    PROTO_BIN(proto_checkpoint_msg, said, LIMIT_HUB_STATEMENT),
};

static const struct proto_field stand_fields[] = {
    PROTO_FIXED(proto_stand, thread),
    PROTO_UINT(proto_stand, term, UINT64_MAX),
    PROTO_UINT(proto_stand, seq, UINT64_MAX),
    PROTO_FIXED(proto_stand, head),
    PROTO_FIXED(proto_stand, hub),
    PROTO_UINT(proto_stand, epoch, UINT64_MAX),
    PROTO_UINT(proto_stand, generation, UINT64_MAX),
    PROTO_UINT(proto_stand, ts_ms, UINT64_MAX),
};
const struct proto_shape proto_stand_shape =
    PROTO_SHAPE(proto_stand, stand_fields);

static const struct proto_field frank_fields[] = {
    PROTO_FIXED(proto_frank, thread),
    PROTO_UINT(proto_frank, term, UINT64_MAX),
    PROTO_UINT(proto_frank, seq, UINT64_MAX),
    PROTO_UINT(proto_frank, ts_ms, UINT64_MAX),
    PROTO_FIXED(proto_frank, author),
    PROTO_FIXED(proto_frank, tag),
};
const struct proto_shape proto_frank_shape =
    PROTO_SHAPE(proto_frank, frank_fields);

static const struct proto_field picture_get_fields[] = {
    PROTO_FIXED(proto_picture_get, hash),
};

static const struct proto_field picture_fields[] = {
    PROTO_FIXED(proto_picture_msg, hash),
    PROTO_UINT(proto_picture_msg, code, PROTO_PICTURE_CODE_COUNT - 1),
    PROTO_BIN(proto_picture_msg, bytes, LIMIT_PICTURE),
};

static const struct proto_field report_fields[] = {
    PROTO_FIXED(proto_report, thread),
    PROTO_FIXED(proto_report, message),
    PROTO_FIXED(proto_report, author),
    PROTO_UINT(proto_report, term, UINT64_MAX),
    PROTO_UINT(proto_report, seq, UINT64_MAX),
    PROTO_UINT(proto_report, ts_ms, UINT64_MAX),
    PROTO_UINT(proto_report, reason, PROTO_REPORT_REASON_COUNT - 1),
    PROTO_TEXT(proto_report, words, LIMIT_REPORT_WORDS),
    PROTO_BIN(proto_report, content, LIMIT_CONTENT),
    PROTO_BIN(proto_report, ids, 32u * LIMIT_ENTRY_MESSAGES),
    PROTO_BIN(proto_report, proof, LIMIT_HUB_STATEMENT),
    PROTO_BIN(proto_report, before, LIMIT_CONTENT),
};

static const struct proto_field report_sealed_fields[] = {
    PROTO_FIXED(proto_report_sealed, thread),
    PROTO_BIN(proto_report_sealed, sealed, LIMIT_REPORT_SEALED),
};

static const struct proto_field report_seen_fields[] = {
    PROTO_FIXED(proto_report_seen, thread),
    PROTO_FIXED(proto_report_seen, hash),
    PROTO_UINT(proto_report_seen, opened, 1),
    PROTO_BIN(proto_report_seen, chain, LIMIT_REPORT_CHAIN),
};

static const struct proto_field report_said_fields[] = {
    PROTO_FIXED(proto_report_said, to),
    PROTO_FIXED(proto_report_said, hash),
};
const struct proto_shape proto_report_said_shape =
    PROTO_SHAPE(proto_report_said, report_said_fields);

static const struct proto_field report_inside_fields[] = {
    PROTO_BIN(proto_report_inside, report, LIMIT_REPORT_SEALED),
    PROTO_FIXED(proto_report_inside, sig),
    PROTO_BIN(proto_report_inside, pad, PROTO_REPORT_STEP),
};
const struct proto_shape proto_report_inside_shape =
    PROTO_SHAPE(proto_report_inside, report_inside_fields);

static const struct proto_field thread_end_fields[] = {
    PROTO_FIXED(proto_thread_end, thread),
    PROTO_UINT(proto_thread_end, reason, 255),
};

static const struct proto_field route_fields[] = {
    PROTO_FIXED(proto_route, to),
    PROTO_BIN(proto_route, body, LIMIT_FRAME),
};

static const struct proto_field routed_fields[] = {
    PROTO_FIXED(proto_routed, from),
    PROTO_FIXED(proto_routed, patient),
    PROTO_BIN(proto_routed, body, LIMIT_FRAME),
};

static const struct proto_field away_fields[] = {
    PROTO_FIXED(proto_away, patient),
    PROTO_FIXED(proto_away, device),
    PROTO_BOOL(proto_away, away),
};

static const struct proto_field blob_open_fields[] = {
    PROTO_FIXED(proto_blob_open, thread),
    PROTO_FIXED(proto_blob_open, far),
    PROTO_FIXED(proto_blob_open, blob),
    PROTO_UINT(proto_blob_open, size, LIMIT_BLOB_SEALED),
    PROTO_BIN(proto_blob_open, chunks, 32u * LIMIT_BLOB_CHUNKS),
};

static const struct proto_field blob_state_fields[] = {
    PROTO_FIXED(proto_blob_state, thread),
    PROTO_FIXED(proto_blob_state, blob),
    PROTO_UINT(proto_blob_state, code, PROTO_BLOB_CODE_COUNT - 1),
    PROTO_UINT(proto_blob_state, next, LIMIT_BLOB_CHUNKS),
};

static const struct proto_field blob_put_fields[] = {
    PROTO_FIXED(proto_blob_put, thread),
    PROTO_FIXED(proto_blob_put, blob),
    PROTO_UINT(proto_blob_put, index, LIMIT_BLOB_CHUNKS),
    PROTO_BIN(proto_blob_put, chunk, LIMIT_BLOB_CHUNK),
};

static const struct proto_field blob_get_fields[] = {
    PROTO_FIXED(proto_blob_get, thread),
    PROTO_FIXED(proto_blob_get, far),
    PROTO_FIXED(proto_blob_get, blob),
    PROTO_UINT(proto_blob_get, first, LIMIT_BLOB_CHUNKS),
    PROTO_UINT(proto_blob_get, count, LIMIT_BLOB_CHUNKS),
};

static const struct proto_field splice_open_fields[] = {
    PROTO_UINT(proto_splice_open, id, UINT64_MAX),
    PROTO_FIXED(proto_splice_open, root),
};

static const struct proto_field splice_data_fields[] = {
    PROTO_UINT(proto_splice_data, id, UINT64_MAX),
    PROTO_BIN(proto_splice_data, bytes, LIMIT_SPLICE_CHUNK),
};

static const struct proto_field splice_more_fields[] = {
    PROTO_UINT(proto_splice_more, id, UINT64_MAX),
    PROTO_UINT(proto_splice_more, credit, LIMIT_SPLICE_WINDOW),
};

static const struct proto_field splice_close_fields[] = {
    PROTO_UINT(proto_splice_close, id, UINT64_MAX),
    PROTO_UINT(proto_splice_close, code, PROTO_SPLICE_CODE_COUNT - 1),
};

static const struct proto_typed entries[] = {
    {PROTO_PEER_HELLO, 1, PROTO_SHAPE(proto_hello, hello_fields)},
    {PROTO_PEER_ACK, 1, PROTO_SHAPE(proto_ack, ack_fields)},
    {PROTO_PEER_DATA, 1, PROTO_SHAPE(proto_data, data_fields)},
    {PROTO_PEER_LINK_OPEN, 1, PROTO_SHAPE(proto_link_open, link_open_fields)},
    {PROTO_PEER_LINK_INFO, 1, PROTO_SHAPE(proto_link_info, link_info_fields)},
    {PROTO_PEER_LINK_REDEEM, 1,
     PROTO_SHAPE(proto_link_redeem, link_redeem_fields)},
    {PROTO_PEER_LINK_RESULT, 1,
     PROTO_SHAPE(proto_link_result, link_result_fields)},
    {PROTO_PEER_CONTACT, 1, PROTO_SHAPE(proto_contact, contact_fields)},
    {PROTO_PEER_PROFILE, 1, PROTO_SHAPE(proto_profile_msg, profile_fields)},
    {PROTO_PEER_BYE, 1, PROTO_SHAPE(proto_bye, bye_fields)},
    {PROTO_PEER_WELCOME, 1, PROTO_SHAPE(proto_welcome, welcome_fields)},
    {PROTO_PEER_APP_SUBMIT, 1,
     PROTO_SHAPE(proto_app_submit, app_submit_fields)},
    {PROTO_PEER_HS_SUBMIT, 1, PROTO_SHAPE(proto_hs_submit, hs_submit_fields)},
    {PROTO_PEER_ANSWER, 1, PROTO_SHAPE(proto_answer, answer_fields)},
    {PROTO_PEER_FAN, 1, PROTO_SHAPE(proto_fan, fan_fields)},
    {PROTO_PEER_LOG_PULL, 1, PROTO_SHAPE(proto_log_pull, log_pull_fields)},
    {PROTO_PEER_LOG_PART, 1, PROTO_SHAPE(proto_log_part, log_part_fields)},
    {PROTO_PEER_KP_CLAIM, 1, PROTO_SHAPE(proto_kp_claim, kp_claim_fields)},
    {PROTO_PEER_KP_ANSWER, 1, PROTO_SHAPE(proto_kp_answer, kp_answer_fields)},
    {PROTO_PEER_GI_GET, 1, PROTO_SHAPE(proto_gi_get, gi_get_fields)},
    {PROTO_PEER_GI, 1, PROTO_SHAPE(proto_gi, gi_fields)},
    {PROTO_PEER_FORK_ALERT, 1,
     PROTO_SHAPE(proto_fork_alert, fork_alert_fields)},
    {PROTO_PEER_THREAD_END, 1,
     PROTO_SHAPE(proto_thread_end, thread_end_fields)},
    {PROTO_PEER_HUB_OFFER, 1, PROTO_SHAPE(proto_hub_offer, hub_offer_fields)},
    {PROTO_PEER_HUB_ACCEPT, 1,
     PROTO_SHAPE(proto_hub_accept, hub_accept_fields)},
    {PROTO_PEER_HUB_GONE, 1, PROTO_SHAPE(proto_hub_gone, hub_gone_fields)},
    {PROTO_PEER_HUB_SEEN, 1, PROTO_SHAPE(proto_hub_seen, hub_seen_fields)},
    {PROTO_PEER_HUB_MOVE, 1, PROTO_SHAPE(proto_hub_move, hub_move_fields)},
    {PROTO_PEER_ROSTER, 1, PROTO_SHAPE(proto_roster, roster_fields)},
    {PROTO_PEER_CHECKPOINT, 1,
     PROTO_SHAPE(proto_checkpoint_msg, checkpoint_fields)},
    {PROTO_PEER_REPORT, 1, PROTO_SHAPE(proto_report, report_fields)},
    {PROTO_PEER_REPORT_SEALED, 1,
     PROTO_SHAPE(proto_report_sealed, report_sealed_fields)},
    {PROTO_PEER_REPORT_SEEN, 1,
     PROTO_SHAPE(proto_report_seen, report_seen_fields)},
    {PROTO_PEER_PICTURE_GET, 1,
     PROTO_SHAPE(proto_picture_get, picture_get_fields)},
    {PROTO_PEER_PICTURE, 1, PROTO_SHAPE(proto_picture_msg, picture_fields)},
    {PROTO_PEER_ROUTE, 1, PROTO_SHAPE(proto_route, route_fields)},
    {PROTO_PEER_ROUTED, 1, PROTO_SHAPE(proto_routed, routed_fields)},
    {PROTO_PEER_AWAY, 1, PROTO_SHAPE(proto_away, away_fields)},
    {PROTO_PEER_BLOB_OPEN, 1, PROTO_SHAPE(proto_blob_open, blob_open_fields)},
    {PROTO_PEER_BLOB_STATE, 1,
     PROTO_SHAPE(proto_blob_state, blob_state_fields)},
    {PROTO_PEER_BLOB_PUT, 1, PROTO_SHAPE(proto_blob_put, blob_put_fields)},
    {PROTO_PEER_BLOB_GET, 1, PROTO_SHAPE(proto_blob_get, blob_get_fields)},
    {PROTO_PEER_BLOB_WANT, 1, PROTO_SHAPE(proto_blob_open, blob_open_fields)},
    {PROTO_PEER_SPLICE_OPEN, 1,
     PROTO_SHAPE(proto_splice_open, splice_open_fields)},
    {PROTO_PEER_SPLICE_DATA, 1,
     PROTO_SHAPE(proto_splice_data, splice_data_fields)},
    {PROTO_PEER_SPLICE_MORE, 1,
     PROTO_SHAPE(proto_splice_more, splice_more_fields)},
    {PROTO_PEER_SPLICE_CLOSE, 1,
     PROTO_SHAPE(proto_splice_close, splice_close_fields)},
};

static const struct proto_typed_table table = PROTO_TYPED_TABLE(entries);

const struct proto_shape *
proto_peer_shape(uint64_t type)
{
    return proto_typed_shape(&table, type);
}

enum err
proto_peer_encode(const struct mem *mem, const struct proto_peer_msg *in,
                  struct bytes *out)
{
    return proto_typed_encode(mem, &table, (uint64_t)in->type, &in->u, out);
}

enum err
proto_peer_decode(struct view in, struct proto_peer_msg *out)
{
    uint64_t type = 0;
    enum err e = proto_typed_decode(in, &table, &type, &out->u);

    if (type != 0) {
        out->type = (enum proto_peer_type)type;
    }
    return e;
}

uint16_t
proto_peer_peek(struct view in)
{
    return proto_typed_peek(in);
}
