/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/log.h"

#include "proto/base/id.h"

#include <string.h>

void
log_emit(const struct log *log, enum log_level level, const char *event,
         const struct log_field *fields, size_t fields_len)
{
    struct log_event ev = {level, event, fields, fields_len};

    if (log != NULL && log->emit != NULL && level >= log->min) {
        log->emit(log->ctx, &ev);
    }
}

const char *
log_level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "unknown";
}

struct log_tag
log_tag_of(struct view id)
{
    struct log_tag tag = {""};
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(view_sub(id, 0, id.len < 4 ? id.len : 4), hex);
    memcpy(tag.s, hex, sizeof(tag.s) - 1);
    return tag;
}
