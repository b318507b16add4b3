/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well something fits what people call it; the best single one is taken.
 */
#ifndef NODE_FIT_H
#define NODE_FIT_H

#include "node/api.h"

enum node_fit {
    NODE_FIT_NO,
    NODE_FIT_ID_BEGINS,    /* a name may look like an id: the name it is then */
    NODE_FIT_WORDS,        /* the words are in it, not at its beginning */
    NODE_FIT_BEGINS_ENDED, /* what has ended gives way to what goes on */
    NODE_FIT_BEGINS,
    NODE_FIT_WHOLE_ENDED,
    NODE_FIT_WHOLE,
    NODE_FIT_ID
};

struct node_best {
    struct view ref; /* what was written */
    enum node_fit fit;
    size_t count; /* of things that fit as well as that */
};

/* By id, 4 digits of it at least, or by the beginning of a name. */
enum node_fit node_fit_of(struct view ref, struct view id, struct view name);

/* Whether what fits so well is now the best (the first of its kind). */
bool node_fit_best(struct node_best *b, enum node_fit f);

/* OK when there is one; else ERR_MISSING or ERR_INVALID, said. */
MUST_CHECK enum err node_fit_judge(struct node_call *c,
                                   const struct node_best *b, const char *what,
                                   const char *command);

/*
 * As node_fit_judge, for what bears the name of a contact: where a contact has
 * exactly the name that was written, what only begins so is somebody else's.
 * For a conversation, in are those in it.
 */
MUST_CHECK enum err
node_fit_judge_name(struct node_call *c, struct store_txn *txn,
                    const struct node_best *b, const struct contact_id *in,
                    size_t in_len, const char *what, const char *command);

#endif
