/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/err.h"

const char *
err_name(enum err e)
{
    static const char *const names[ERR_COUNT_] = {
        [OK] = "ok",
        [ERR_NOMEM] = "nomem",
        [ERR_INVALID] = "invalid",
        [ERR_FORMAT] = "format",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_LIMIT] = "limit",
        [ERR_AUTH] = "auth",
        [ERR_DENIED] = "denied",
        [ERR_STATE] = "state",
        [ERR_STALE] = "stale",
        [ERR_EXISTS] = "exists",
        [ERR_MISSING] = "missing",
        [ERR_AGAIN] = "again",
        [ERR_TIMEOUT] = "timeout",
        [ERR_FULL] = "full",
        [ERR_IO] = "io",
        [ERR_CORRUPT] = "corrupt",
        [ERR_INTERNAL] = "internal",
    };

    if ((unsigned)e >= ERR_COUNT_ || names[e] == 0) {
        return "unknown";
    }
    return names[e];
}
