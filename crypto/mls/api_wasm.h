/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/mls for a host that is not C.  One function takes an operation number
 * and its arguments, and leaves a result; both are bytes in the presentation
 * language, read and written field by field, so that the host needs nothing but
 * a small reader and writer (node/web/shared/core/codec.ts).  The fields of
 * each operation are listed where it is implemented, and in the same order in
 * node/web/shared/core/mls.ts.
 *
 * Groups, stages and changes are handed out as numbers (their addresses); the
 * host gives each back once, by the operation that consumes or frees it.
 */
#ifndef CRYPTO_MLS_API_WASM_H
#define CRYPTO_MLS_API_WASM_H

#include "crypto/mls/mls.h"
#include "proto/wire/tls_rd.h"
#include "proto/wire/tls_wr.h"

/* The numbers are node/web/shared/core/mls.ts's, too. */
enum mls_api_op {
    MLS_API_SIGN_KEY = 1,
    MLS_API_KEY_PACKAGE = 2,
    MLS_API_KEY_PACKAGE_CHECK = 3,
    MLS_API_CREATE = 4,
    MLS_API_JOIN = 5,
    MLS_API_JOIN_EXTERNAL = 6,
    MLS_API_GROUP_FREE = 7,
    MLS_API_INFO = 8,
    MLS_API_MEMBER = 9,
    MLS_API_EXPORT = 10,
    MLS_API_GROUP_INFO = 11,
    MLS_API_PROTECT = 12,
    MLS_API_UNPROTECT = 13,
    MLS_API_UNDO = 14,
    MLS_API_CHANGE_FREE = 15,
    MLS_API_PROPOSE = 16,
    MLS_API_COMMIT = 17,
    MLS_API_PROCESS = 18,
    MLS_API_STAGE_INFO = 19,
    MLS_API_MERGE = 20,
    MLS_API_STAGE_FREE = 21,
    MLS_API_STAGE_SAVE = 22,
    MLS_API_STAGE_LOAD = 23,
    MLS_API_SAVE = 24,
    MLS_API_LOAD = 25,
    MLS_API_WELCOME_IS_FOR = 26,
    MLS_API_PEEK = 27
};

struct mls_api {
    struct mls_env env;
    struct clock clock;
    enum mls_rule rule; /* broken by the last call */
    struct bytes out;   /* result of the last call */
    struct arena arena; /* of the arguments of a call */
};

/* An operation: reads its arguments, writes its result. */
#define MLS_API_FN(NAME)                                        \
    enum err NAME(struct mls_api *api, struct proto_tls_rd *in, \
                  struct proto_tls_wr *out)

MLS_API_FN(mls_api_sign_key);
MLS_API_FN(mls_api_key_package);
MLS_API_FN(mls_api_key_package_check);
MLS_API_FN(mls_api_create);
MLS_API_FN(mls_api_join);
MLS_API_FN(mls_api_join_external);
MLS_API_FN(mls_api_group_free);
MLS_API_FN(mls_api_info);
MLS_API_FN(mls_api_member);
MLS_API_FN(mls_api_export);
MLS_API_FN(mls_api_group_info);
MLS_API_FN(mls_api_undo);
MLS_API_FN(mls_api_change_free);
MLS_API_FN(mls_api_merge);
MLS_API_FN(mls_api_stage_free);
MLS_API_FN(mls_api_stage_save);
MLS_API_FN(mls_api_stage_load);
MLS_API_FN(mls_api_welcome_is_for);
MLS_API_FN(mls_api_peek);
MLS_API_FN(mls_api_protect);
MLS_API_FN(mls_api_unprotect);
MLS_API_FN(mls_api_propose);
MLS_API_FN(mls_api_commit);
MLS_API_FN(mls_api_process);
MLS_API_FN(mls_api_stage_info);
MLS_API_FN(mls_api_save);
MLS_API_FN(mls_api_load);

/* A handle as pointer, and back. */
void *mls_api_handle(struct proto_tls_rd *in);
void mls_api_put_handle(struct proto_tls_wr *out, const void *p);

/* Who, from arena: credential, seed, u16[] extension types, u16[] proposal
 * types, u16[] credential types, leaf extensions. */
MUST_CHECK enum err mls_api_identity(struct mls_api *api,
                                     struct proto_tls_rd *in,
                                     struct mls_identity *out);
/* An extension list; its content was checked. */
MUST_CHECK enum err mls_api_extensions(struct proto_tls_rd *in,
                                       struct mls_extensions *out);
/* leaf, credential type, credential, signature key */
void mls_api_put_member(struct proto_tls_wr *out, const struct mls_member *m);
/* handle (0 for none), then the records as one vector of kind, key, bytes */
void mls_api_put_change(struct proto_tls_wr *out,
                        const struct mls_change *change);

#endif
