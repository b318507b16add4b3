/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said together: messages of one thread that wait at the moment of
 * sealing become one entry of its log (PROTO_CONTENT_BUNDLE), so that signing,
 * sealing, padding, numbering, sending and acknowledging are paid once.
 * Nothing ever waits for company: a lone message is sealed as itself.
 *
 * The intents stay one by one.  A bundle is only how they were submitted:
 * refused, lost or of an epoch that is over, it is formed anew of whatever
 * waits then.  That is safe, because every message has its own id, and an id
 * is shown once.
 */
#ifndef FEDERATION_CORE_BUNDLE_H
#define FEDERATION_CORE_BUNDLE_H

#include "federation/core/inside.h"

struct fed_bundle_part {
    uint64_t number;
    struct fed_rec_intent rec; /* views point into hold */
    struct bytes hold;
};

struct fed_bundle {
    struct fed_bundle_part part[LIMIT_BUNDLE_PARTS];
    size_t len;
    size_t size; /* of the contents */
    bool alone;  /* the first one takes no company */
};

/* Free with fed_bundle_free; NULL is fine there. */
MUST_CHECK enum err fed_bundle_new(struct fed_core *core,
                                   struct fed_bundle **out);
void fed_bundle_free(struct fed_core *core, struct fed_bundle *b);
/* Forget what was gathered. */
void fed_bundle_clear(struct fed_bundle *b);

/* Whether the message of an intent goes with what was gathered. */
bool fed_bundle_takes(const struct fed_bundle *b,
                      const struct fed_rec_intent *rec);
/* Takes *take_hold, into which rec's views point. */
void fed_bundle_add(struct fed_bundle *b, uint64_t number,
                    const struct fed_rec_intent *rec, struct bytes *take_hold);

/* What is sealed: *content points into b, or into *hold.  frank: its tag. */
MUST_CHECK enum err fed_bundle_content(struct fed_core *core,
                                       const struct fed_thread *t,
                                       const struct fed_bundle *b,
                                       struct view *content, uint8_t frank[32],
                                       struct bytes *hold);

/* Submit it to the hub, as one. */
MUST_CHECK enum err fed_bundle_submit(struct fed_core *core,
                                      struct fed_thread *t,
                                      struct fed_party *hub,
                                      struct fed_bundle *b);

/* Accept it as the hub: the next entry. */
MUST_CHECK enum err fed_bundle_say(struct fed_core *core, struct fed_thread *t,
                                   struct fed_bundle *b);

#endif
