/* SPDX-License-Identifier: Apache-2.0 */
/* Reports at the desk: each once, said in the journal without words, closed. */
#include "node/clinic/report.h"
#include "node/ns.h"
#include "proto/msg/peer.h"
#include "store/fed.h"
#include "tests/node/clinic/desk_fix.h"
#include "tests/support/fail_mem.h"

static struct desk_fix f;
static enum fed_proof proof = FED_PROOF_AUTHOR;

static enum err
report(uint8_t message, bool too_many)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT};
    struct fed_show show = {.kind = FED_SHOW_REPORT,
                            .code = PROTO_REPORT_ABUSE,
                            .value = proof,
                            .known = too_many,
                            .who = FED_KIND_PATIENT};

    show.peer = f.peer;
    show.thread = f.thread;
    show.message = desk_id(message);
    msg.u.report.words = VIEW_LIT("words of a person");
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &show.body));
    e = desk_show(&f, &show);
    bytes_free(&show.body);
    return e;
}

struct found {
    size_t n;
    size_t open;
    uint8_t id[NODE_REPORT_ID];
};

static enum err
each(void *ctx, struct view key, struct view value)
{
    struct found *found = ctx;
    struct node_report r;

    CHECK_OK(node_report_decode(value, &r));
    CHECK_EQ(r.proof, proof);
    CHECK(r.patient && memcmp(r.by, f.peer.b, sizeof(r.by)) == 0);
    CHECK_EQ(key.len, NODE_REPORT_ID);
    memcpy(found->id, key.p, NODE_REPORT_ID);
    found->n++;
    found->open += r.closed_ms == 0 ? 1 : 0;
    return OK;
}

static struct found
reports(void)
{
    struct found found = {0};
    struct store_txn *txn = NULL;

    CHECK_OK(store_read_begin(f.fix.s, &txn));
    CHECK_OK(store_fed_scan(txn, NODE_NS_REPORT, (struct view){0},
                            (struct view){0}, STORE_UP, 100, each, &found));
    store_read_end(txn);
    return found;
}

static enum err
close_it(void *ctx, struct store_txn *txn)
{
    const struct found *found = ctx;

    return node_report_close(txn, mem_heap(), found->id);
}

TEST(each_once)
{
    struct found found;

    desk_begin(&f);
    CHECK_OK(report(1, false));
    CHECK_OK(report(1, false));
    CHECK_EQ(reports().n, 1);
    CHECK_OK(report(2, false));
    CHECK_OK(report(3, true)); /* not taken, but said */
    found = reports();
    CHECK_EQ(found.n, 2);
    CHECK_EQ(found.open, 2);
    CHECK_OK(store_write(f.fix.s, close_it, &found, 0));
    CHECK_EQ(reports().open, 1);
    CHECK_OK(report(1, false));
    CHECK_OK(report(2, false));
    CHECK_EQ(reports().open, 1); /* what is closed stays so */
    memset(found.id, 0, sizeof(found.id));
    CHECK_ERR(store_write(f.fix.s, close_it, &found, 0), ERR_MISSING);
    desk_end(&f);
}

/* It was not proven, and then it is; never the other way. */
TEST(a_better_one_takes_its_place)
{
    struct found found;

    desk_begin(&f);
    proof = FED_PROOF_NONE;
    CHECK_OK(report(1, false));
    found = reports();
    CHECK_OK(store_write(f.fix.s, close_it, &found, 0));
    proof = FED_PROOF_FALSE;
    CHECK_OK(report(1, false));
    proof = FED_PROOF_NONE;
    CHECK_EQ(reports().open, 0);
    proof = FED_PROOF_HUB;
    CHECK_OK(report(1, false));
    CHECK_EQ(reports().open, 1);
    proof = FED_PROOF_AUTHOR;
    CHECK_OK(report(1, false));
    proof = FED_PROOF_HUB;
    CHECK_EQ(reports().n, 1);
    proof = FED_PROOF_AUTHOR;
    desk_end(&f);
}

TEST(what_is_no_record)
{
    struct node_report r;

    CHECK_ERR(node_report_decode(VIEW_LIT(""), &r), ERR_CORRUPT);
    CHECK_ERR(node_report_decode(VIEW_LIT("\x93\x01\x02\x03"), &r),
              ERR_CORRUPT);
}

TEST(every_allocation_may_fail)
{
    struct fail_mem mem;

    for (size_t n = 1;; n++) {
        enum err e;

        desk_begin(&f);
        fail_mem_init(&mem, n);
        f.desk.mem = &mem.mem;
        e = report(1, false);
        CHECK_EQ(reports().n, e == OK ? 1 : 0);
        CHECK_EQ(mem.live, 0);
        desk_end(&f);
        if (!mem.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(each_once), T(a_better_one_takes_its_place),
               T(what_is_no_record), T(every_allocation_may_fail));
}
