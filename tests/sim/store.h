/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a simulated node, and what node.c and net.c share. */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include "tests/sim/world.h"

/* A message as the desk keeps it, before its content; key: thread, id. */
struct desk {
    uint64_t term;
    uint64_t seq; /* 0: queued */
    uint64_t ts_ms;
    struct subject_id author;
    uint64_t state;  /* of our own: enum fed_message_state */
    uint64_t copies; /* how often it was shown */
    bool resent;
};

size_t rows_lower(const struct rows *rows, uint16_t ns, struct view key);
const struct row *rows_find(const struct rows *rows, uint16_t ns,
                            struct view key);
size_t rows_count(const struct rows *rows, uint16_t ns);
void rows_put(struct rows *rows, uint16_t ns, struct view key,
              struct view value);
void rows_del(struct rows *rows, uint16_t ns, struct view key);
void rows_copy(const struct rows *from, struct rows *to);
struct fed_store sim_store(struct node *n);

/* device.c */
void sim_device_self(const struct node *n, struct fed_self *self);
enum err sim_intro(void *ctx, const struct thread_id *thread,
                   const struct proto_group *group, const struct mem *mem,
                   struct bytes *content_out);
void sim_show_patient(struct node *n, const struct fed_show *s);
void sim_certify(struct world *w, struct node *n);
struct fed_self sim_self(const struct node *n);
void sim_node_init(struct world *w, size_t i);
void sim_node_free(struct node *n);
void sim_take(struct world *w, size_t i);
void sim_commit_due(struct world *w, size_t i, bool all);
void sim_send(struct world *w, size_t node, uint64_t serial, struct view frame);
/* sealed.c: these of n are durable now. */
void sim_sealed(struct world *w, const struct node *n,
                const struct sealed *sealed, size_t len);
/* A frame of node has arrived somewhere. */
void sim_heard(struct world *w, size_t node, struct view frame);
/* All connections of a node are gone, and it knows. */
void sim_hang_up(struct world *w, size_t node);
void sim_close(struct world *w, size_t node, uint64_t serial);

#endif
