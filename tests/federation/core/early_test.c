/* SPDX-License-Identifier: Apache-2.0 */
/* What of a batch may leave once it is durable. */
#include "federation/core/early.h"
#include "tests/support/check.h"

static uint8_t frame[64];

static struct fed_act
act(enum fed_act_kind kind, size_t len)
{
    return (struct fed_act){.kind = kind, .body = {.p = frame, .len = len}};
}

TEST(a_frame_that_says_something)
{
    struct fed_act acts[] = {act(FED_ACT_SEND, 20), act(FED_ACT_SEND, 48)};
    struct fed_batch b = {.acts = acts, .acts_len = 2};

    CHECK(fed_batch_sends_early(&b));
    b.acts_len = 1; /* an acknowledgement alone */
    CHECK(!fed_batch_sends_early(&b));
    b.acts_len = 0;
    CHECK(!fed_batch_sends_early(&b));
    CHECK(!fed_batch_sends_early(NULL));
}

TEST(whatever_else_there_is_to_do_waits)
{
    static const enum fed_act_kind other[] = {FED_ACT_CLOSE,  FED_ACT_WANT,
                                              FED_ACT_UNWANT, FED_ACT_KNOWN,
                                              FED_ACT_RENEW,  FED_ACT_ROTATE};

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        struct fed_act acts[] = {act(FED_ACT_SEND, 64), act(other[i], 0)};
        struct fed_batch b = {.acts = acts, .acts_len = 2};

        CHECK(!fed_batch_sends_early(&b));
    }
}

int
main(void)
{
    return RUN(T(a_frame_that_says_something),
               T(whatever_else_there_is_to_do_waits));
}
