/* SPDX-License-Identifier: Apache-2.0 */
/* What a page tells a person about how a thread is carried. */
#include "federation/app/api_wasm.h"
#include "federation/app/doubt.h"

/* thread, whether after, after's what, who -> what, who, carries, since ms */
FED_API_FN(fed_api_doubt_next)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct fed_app_doubt after = {.what = 0};
    struct fed_app_doubt d;
    bool has;

    fed_api_rd_id(in, thread.b);
    has = proto_tls_rd_u8(in) != 0;
    after.what = proto_tls_rd_u8(in);
    fed_api_rd_id(in, after.who.b);
    TRY(in->e);
    TRY(fed_app_doubt_next(api->app, &thread, has ? &after : NULL, &d));
    proto_tls_wr_u8(out, (uint8_t)d.what);
    proto_tls_wr_fixed(out, clinic_id_view(&d.who));
    proto_tls_wr_fixed(out, clinic_id_view(&d.carries));
    proto_tls_wr_u64(out, d.since_ms);
out:
    return e;
}

/* thread -> how many were seen to */
FED_API_FN(fed_api_settle)
{
    enum err e;
    struct thread_id thread = {{0}};
    uint64_t settled;

    fed_api_rd_id(in, thread.b);
    TRY(in->e);
    TRY(fed_app_settle(api->app, &thread, &settled));
    proto_tls_wr_u32(out, (uint32_t)settled);
out:
    return e;
}
