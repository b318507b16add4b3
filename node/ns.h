/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces of store_fed_* that the node uses beside those of the federation
 * core (enum fed_ns, from 1).
 */
#ifndef NODE_NS_H
#define NODE_NS_H

enum node_ns {
    NODE_NS_BLOB_TASK = 128,  /* direction, thread, blob -> peer, patient */
    NODE_NS_BLOB_GRANT = 129, /* thread, blob -> nothing: members may fetch */
    NODE_NS_BLOB_QUOTA = 130, /* peer -> [day, bytes taken on it] */
    NODE_NS_HUB = 131,        /* thread -> who orders it */
    NODE_NS_HELD = 132,       /* thread, blob -> message that waits for it */
    NODE_NS_SPLICE = 133,     /* clinic that we carry -> bytes a day */
    NODE_NS_GROUP = 134,      /* thread -> its encoded struct proto_group */
    NODE_NS_CARRY = 135,      /* thread, blob, device -> what is carried */
    NODE_NS_REPORT = 136,     /* id -> node/clinic/report.h */
    NODE_NS_PICTURE = 137,    /* clinic, or nothing: ours -> its bytes */
    NODE_NS_LINE = 138,       /* thread, place, what, who: core/line.h */
    NODE_NS_FROM = 139,       /* thread -> the one that it goes on from */
    NODE_NS_NEXT = 140,       /* thread -> the one that goes on from it */
    NODE_NS_BEFORE = 141      /* thread -> the one before it in its
                                 conversation, where its group names another */
};

#endif
