/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic's picture travels apart from its profile, which names it by hash:
 * asked for once by each connected clinic and each device of a patient of its
 * own, never through a relay.  Question and answer are items of the streams,
 * so that neither is lost; at most one question is under way.
 */
#ifndef FEDERATION_CORE_PICTURE_H
#define FEDERATION_CORE_PICTURE_H

#include "crypto/ident/profile.h"
#include "federation/core/inside.h"

/* A verified profile came. */
MUST_CHECK enum err fed_picture_profile(struct fed_core *core,
                                        struct fed_party *p,
                                        const struct ident_profile *profile);
/* Ask for what is missing, if p can be asked now. */
MUST_CHECK enum err fed_picture_ask(struct fed_core *core, struct fed_party *p);
/* Who was asked too often is asked again when its hour is over. */
MUST_CHECK enum err fed_picture_later(struct fed_core *core);
/* Where we stand changed: what is no contact has no picture. */
void fed_picture_stance(struct fed_party *p);

/* Items.  ERR_DENIED  not from or to p; ERR_AUTH, ERR_FORMAT  not what its
   profile names */
MUST_CHECK enum err fed_picture_give(struct fed_core *core, struct fed_party *p,
                                     const struct proto_picture_get *in);
MUST_CHECK enum err fed_picture_recv(struct fed_core *core, struct fed_party *p,
                                     const struct proto_picture_msg *in);

#endif
