/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch: what steps read through it, and add to it.  Not for others.
 */
#ifndef FEDERATION_CORE_TX_H
#define FEDERATION_CORE_TX_H

#include "federation/core/state.h"

struct fed_key {
    uint8_t b[FED_KEY_MAX];
    size_t len;
};

struct fed_key fed_key_of(struct view a);
struct fed_key fed_key_pair(struct view a, struct view b);
struct fed_key fed_key_num(struct view a, uint64_t n);
struct view fed_key_view(const struct fed_key *key);
/* The number at the end of a key. */
uint64_t fed_key_tail(struct view key);

MUST_CHECK enum err fed_tx_put(struct fed_core *core, enum fed_ns ns,
                               const struct fed_key *key, struct view value);
MUST_CHECK enum err fed_tx_del(struct fed_core *core, enum fed_ns ns,
                               const struct fed_key *key);
/* ERR_MISSING.  *out must be empty. */
MUST_CHECK enum err fed_tx_get(struct fed_core *core, enum fed_ns ns,
                               const struct fed_key *key, struct bytes *out);
/* Whether this was changed, and is not known to be stored yet. */
bool fed_tx_pending(const struct fed_core *core, enum fed_ns ns,
                    const struct fed_key *key);
/* The first record with key >= from that starts with prefix.  ERR_MISSING */
MUST_CHECK enum err fed_tx_next(struct fed_core *core, enum fed_ns ns,
                                const struct fed_key *from, struct view prefix,
                                struct bytes *key_out, struct bytes *value_out);
/* The record of this shape under key; views of *to point into *hold. */
MUST_CHECK enum err fed_tx_load(struct fed_core *core, enum fed_ns ns,
                                const struct fed_key *key,
                                const struct proto_shape *shape, void *to,
                                struct bytes *hold);
MUST_CHECK enum err fed_tx_save(struct fed_core *core, enum fed_ns ns,
                                const struct fed_key *key,
                                const struct proto_shape *shape,
                                const void *from);
/* Delete every record that starts with prefix. */
MUST_CHECK enum err fed_tx_drop(struct fed_core *core, enum fed_ns ns,
                                struct view prefix);

/* The place of a message that was shown (fed_store.known), committed or not. */
MUST_CHECK enum err fed_tx_known(struct fed_core *core,
                                 const struct thread_id *thread,
                                 const struct message_id *id,
                                 uint64_t *term_out, uint64_t *seq_out);
/* A new show at the end of the batch, zeroed but for kind; NULL: no memory. */
struct fed_show *fed_tx_show(struct fed_core *core, enum fed_show_kind kind);
MUST_CHECK enum err fed_tx_act(struct fed_core *core, enum fed_act_kind kind,
                               const struct fed_party *party,
                               struct bytes *take_body);
MUST_CHECK enum err fed_tx_rotate(struct fed_core *core,
                                  const struct thread_id *thread);
void fed_batch_free(struct fed_core *core, struct fed_batch *batch);
/* Mono time at which a tick is needed. */
void fed_tx_timer(struct fed_core *core, uint64_t at_ms);

uint64_t fed_now(const struct fed_core *core);
uint64_t fed_mono(const struct fed_core *core);

#endif
