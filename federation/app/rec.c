/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind rec.h.  Bounds are generous: the bytes are our own. */
#include "federation/app/rec.h"

#include "proto/base/limits.h"

static const struct proto_field me_fields[] = {
    PROTO_UINT(fed_app_rec_me, stage, UINT64_MAX),
    PROTO_UINT(fed_app_rec_me, code, UINT64_MAX),
    PROTO_BOOL(fed_app_rec_me, alarm),
    PROTO_BOOL(fed_app_rec_me, settled),
    PROTO_BOOL(fed_app_rec_me, removed),
    PROTO_FIXED(fed_app_rec_me, patient),
    PROTO_FIXED(fed_app_rec_me, home),
    PROTO_BIN(fed_app_rec_me, list, LIMIT_FRAME),
    PROTO_BIN(fed_app_rec_me, cert, LIMIT_FRAME),
    PROTO_TEXT(fed_app_rec_me, name, LIMIT_NAME),
    PROTO_TEXT(fed_app_rec_me, birth, LIMIT_NAME),
    PROTO_UINT(fed_app_rec_me, made_ms, UINT64_MAX),
};
const struct proto_shape fed_app_rec_me_shape =
    PROTO_SHAPE(fed_app_rec_me, me_fields);

static const struct proto_field clinic_fields[] = {
    PROTO_UINT(fed_app_rec_clinic, number, UINT64_MAX),
    PROTO_UINT(fed_app_rec_clinic, state, UINT64_MAX),
    PROTO_UINT(fed_app_rec_clinic, learned, UINT64_MAX),
    PROTO_FIXED(fed_app_rec_clinic, by),
    PROTO_FIXED(fed_app_rec_clinic, link),
    PROTO_UINT(fed_app_rec_clinic, answer, UINT64_MAX),
    PROTO_BOOL(fed_app_rec_clinic, birth),
    PROTO_UINT(fed_app_rec_clinic, birth_tries, UINT64_MAX),
    PROTO_UINT(fed_app_rec_clinic, since_ms, UINT64_MAX),
    PROTO_BIN(fed_app_rec_clinic, addrs, LIMIT_FRAME),
    PROTO_BIN(fed_app_rec_clinic, profile, LIMIT_FRAME),
    PROTO_BIN(fed_app_rec_clinic, label, LIMIT_FRAME),
    PROTO_BOOL(fed_app_rec_clinic, blocked),
};
const struct proto_shape fed_app_rec_clinic_shape =
    PROTO_SHAPE(fed_app_rec_clinic, clinic_fields);

static const struct proto_field thread_fields[] = {
    PROTO_UINT(fed_app_rec_thread, number, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, state, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, flags, UINT64_MAX),
    PROTO_FIXED(fed_app_rec_thread, hub),
    PROTO_UINT(fed_app_rec_thread, messages, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, unread, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, waiting, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, queued, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, last_ms, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, last_term, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, last_seq, UINT64_MAX),
    PROTO_UINT(fed_app_rec_thread, between, UINT64_MAX),
    PROTO_BIN(fed_app_rec_thread, title, LIMIT_FRAME),
    PROTO_BIN(fed_app_rec_thread, group, LIMIT_FRAME),
};
const struct proto_shape fed_app_rec_thread_shape =
    PROTO_SHAPE(fed_app_rec_thread, thread_fields);

static const struct proto_field message_fields[] = {
    PROTO_UINT(fed_app_rec_message, number, UINT64_MAX),
    PROTO_FIXED(fed_app_rec_message, id),
    PROTO_FIXED(fed_app_rec_message, author),
    PROTO_UINT(fed_app_rec_message, state, UINT64_MAX),
    PROTO_UINT(fed_app_rec_message, flags, UINT64_MAX),
    PROTO_UINT(fed_app_rec_message, term, UINT64_MAX),
    PROTO_UINT(fed_app_rec_message, seq, UINT64_MAX),
    PROTO_UINT(fed_app_rec_message, at_ms, UINT64_MAX),
    PROTO_UINT(fed_app_rec_message, edited, UINT64_MAX),
    PROTO_BIN(fed_app_rec_message, text, LIMIT_FRAME),
    PROTO_BIN(fed_app_rec_message, content, LIMIT_FRAME),
};
const struct proto_shape fed_app_rec_message_shape =
    PROTO_SHAPE(fed_app_rec_message, message_fields);

static const struct proto_field doubt_fields[] = {
    PROTO_FIXED(fed_app_rec_doubt, carries),
    PROTO_UINT(fed_app_rec_doubt, since_ms, UINT64_MAX),
};
const struct proto_shape fed_app_rec_doubt_shape =
    PROTO_SHAPE(fed_app_rec_doubt, doubt_fields);

static const struct proto_field consent_fields[] = {
    PROTO_UINT(fed_app_rec_consent, state, UINT64_MAX),
    PROTO_FIXED(fed_app_rec_consent, thread),
    PROTO_FIXED(fed_app_rec_consent, question),
    PROTO_FIXED(fed_app_rec_consent, clinic),
    PROTO_FIXED(fed_app_rec_consent, asker),
    PROTO_UINT(fed_app_rec_consent, at_ms, UINT64_MAX),
    PROTO_BIN(fed_app_rec_consent, content, LIMIT_FRAME),
};
const struct proto_shape fed_app_rec_consent_shape =
    PROTO_SHAPE(fed_app_rec_consent, consent_fields);

static const struct proto_field file_fields[] = {
    PROTO_BOOL(fed_app_rec_file, up),
    PROTO_BOOL(fed_app_rec_file, done),
    PROTO_BOOL(fed_app_rec_file, failed),
    PROTO_FIXED(fed_app_rec_file, peer),
    PROTO_FIXED(fed_app_rec_file, message),
    PROTO_UINT(fed_app_rec_file, next, UINT64_MAX),
    PROTO_BIN(fed_app_rec_file, chunks, LIMIT_FRAME),
};
const struct proto_shape fed_app_rec_file_shape =
    PROTO_SHAPE(fed_app_rec_file, file_fields);

static const struct proto_field entry_fields[] = {
    PROTO_UINT(fed_app_rec_entry, kind, UINT64_MAX),
    PROTO_FIXED(fed_app_rec_entry, thread),
    PROTO_FIXED(fed_app_rec_entry, id),
    PROTO_FIXED(fed_app_rec_entry, author),
    PROTO_UINT(fed_app_rec_entry, term, UINT64_MAX),
    PROTO_UINT(fed_app_rec_entry, seq, UINT64_MAX),
    PROTO_UINT(fed_app_rec_entry, at_ms, UINT64_MAX),
    PROTO_BIN(fed_app_rec_entry, body, LIMIT_CONTENT),
    PROTO_BIN(fed_app_rec_entry, more, LIMIT_CONTENT),
};
const struct proto_shape fed_app_rec_entry_shape =
    PROTO_SHAPE(fed_app_rec_entry, entry_fields);

static const struct proto_field part_fields[] = {
    PROTO_LIST(fed_app_rec_part, entries, 64, fed_app_rec_entry_shape),
};
const struct proto_shape fed_app_rec_part_shape =
    PROTO_SHAPE(fed_app_rec_part, part_fields);

static const struct proto_field ring_key_fields[] = {
    PROTO_UINT(fed_app_rec_ring_key, n, UINT32_MAX),
    PROTO_FIXED(fed_app_rec_ring_key, key),
};
const struct proto_shape fed_app_rec_ring_key_shape =
    PROTO_SHAPE(fed_app_rec_ring_key, ring_key_fields);

static const struct proto_field ring_fields[] = {
    PROTO_LIST(fed_app_rec_ring, keys, 512, fed_app_rec_ring_key_shape),
};
const struct proto_shape fed_app_rec_ring_shape =
    PROTO_SHAPE(fed_app_rec_ring, ring_fields);

static const struct proto_field sealed_fields[] = {
    PROTO_FIXED(fed_app_rec_sealed, device),
    PROTO_FIXED(fed_app_rec_sealed, enc),
    PROTO_FIXED(fed_app_rec_sealed, ct),
};
const struct proto_shape fed_app_rec_sealed_shape =
    PROTO_SHAPE(fed_app_rec_sealed, sealed_fields);

static const struct proto_field keys_fields[] = {
    PROTO_FIXED(fed_app_rec_keys, patient),
    PROTO_UINT(fed_app_rec_keys, n, UINT32_MAX),
    PROTO_LIST(fed_app_rec_keys, sealed, 16, fed_app_rec_sealed_shape),
};
const struct proto_shape fed_app_rec_keys_shape =
    PROTO_SHAPE(fed_app_rec_keys, keys_fields);

static const struct proto_field given_fields[] = {
    PROTO_FIXED(fed_app_rec_given, patient),
    PROTO_UINT(fed_app_rec_given, n, UINT32_MAX),
    PROTO_FIXED(fed_app_rec_given, device),
    PROTO_FIXED(fed_app_rec_given, enc),
    PROTO_FIXED(fed_app_rec_given, ct),
};
const struct proto_shape fed_app_rec_given_shape =
    PROTO_SHAPE(fed_app_rec_given, given_fields);

static const struct proto_field choice_fields[] = {
    PROTO_UINT(fed_app_rec_choice, kind, 255),
    PROTO_FIXED(fed_app_rec_choice, clinic),
    PROTO_UINT(fed_app_rec_choice, serial, UINT64_MAX),
    PROTO_BOOL(fed_app_rec_choice, on),
    PROTO_FIXED(fed_app_rec_choice, device),
    PROTO_UINT(fed_app_rec_choice, at_ms, UINT64_MAX),
    PROTO_BIN(fed_app_rec_choice, data, LIMIT_MSG_ADDRS),
    PROTO_BOOL(fed_app_rec_choice, done),
};
const struct proto_shape fed_app_rec_choice_shape =
    PROTO_SHAPE(fed_app_rec_choice, choice_fields);

static const struct proto_field shared_fields[] = {
    PROTO_LIST(fed_app_rec_shared, choices, 256, fed_app_rec_choice_shape),
};
const struct proto_shape fed_app_rec_shared_shape =
    PROTO_SHAPE(fed_app_rec_shared, shared_fields);

static const struct proto_field request_fields[] = {
    PROTO_FIXED(fed_app_rec_request, device),
    PROTO_FIXED(fed_app_rec_request, seal),
};
const struct proto_shape fed_app_rec_request_shape =
    PROTO_SHAPE(fed_app_rec_request, request_fields);

static const struct proto_field grant_fields[] = {
    PROTO_FIXED(fed_app_rec_grant, patient),
    PROTO_FIXED(fed_app_rec_grant, home),
    PROTO_FIXED(fed_app_rec_grant, archive),
    PROTO_BIN(fed_app_rec_grant, cert, 512),
    PROTO_BIN(fed_app_rec_grant, list, 8192),
    PROTO_BIN(fed_app_rec_grant, addrs, LIMIT_MSG_ADDRS),
};
const struct proto_shape fed_app_rec_grant_shape =
    PROTO_SHAPE(fed_app_rec_grant, grant_fields);
