/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports that came to this clinic: one message each that somebody shows us,
 * what proves it, and whether we are done with it.  Sealed records of the
 * node (node/ns.h), as whatever people write.
 */
#ifndef NODE_CLINIC_REPORT_H
#define NODE_CLINIC_REPORT_H

#include "node/clinic/desk.h"
#include "proto/msg/shape.h"

enum {
    NODE_REPORT_ID = 16
};

struct node_report {
    uint8_t by[32];
    bool patient;   /* by is one */
    uint64_t proof; /* enum fed_proof */
    uint8_t hub[32];
    uint64_t at_ms;
    uint64_t closed_ms;  /* 0: open */
    struct view message; /* encoded PROTO_PEER_REPORT */
};

/* ERR_CORRUPT; views of *out point into in. */
MUST_CHECK enum err node_report_decode(struct view in, struct node_report *out);

/* Write: REPORT.  What one shows twice is one report: the first, or the first
   that is proven. */
MUST_CHECK enum err node_desk_report(struct store_txn *txn,
                                     struct node_desk *desk,
                                     const struct fed_show *show);

/* Write: we are done with it.  ERR_MISSING */
MUST_CHECK enum err node_report_close(struct store_txn *txn,
                                      const struct mem *mem,
                                      const uint8_t id[NODE_REPORT_ID]);

#endif
