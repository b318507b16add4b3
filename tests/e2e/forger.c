/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient's app that forges: linked before the core's sending (--wrap), it
 * puts another report in the place of the one that its person made, on the way
 * to each clinic.  It is the real app in all else.  BALSAM_TEST_FORGE says what
 * it does:
 *
 *     text    other words under the same id
 *     words   other words, with the id that fits them
 *     bare    the same, without the signature
 *     author  another author (that in BALSAM_TEST_AUTHOR)
 *     thread  another thread's record
 *     place   a replay: the signature of another place
 *     before  an edit of something that was never said
 */
#include "federation/core/frank.h"

#include <stdlib.h>
#include <string.h>

enum err __real_fed_stream_put(struct fed_core *core, struct fed_party *p,
                               const struct proto_peer_msg *msg);
enum err __wrap_fed_stream_put(struct fed_core *core, struct fed_party *p,
                               const struct proto_peer_msg *msg);
enum err __real_fed_report_seal(struct fed_core *core, struct fed_thread *t,
                                const struct proto_peer_msg *report,
                                struct bytes *out);
enum err __wrap_fed_report_seal(struct fed_core *core, struct fed_thread *t,
                                const struct proto_peer_msg *report,
                                struct bytes *out);

static bool
doing(const char *what)
{
    const char *told = getenv("BALSAM_TEST_FORGE");

    return told != NULL && strcmp(told, what) == 0;
}

/* What was never said. */
static enum err
invent(struct view content, struct bytes *out)
{
    enum err e;
    struct proto_content c;

    TRY(proto_content_decode(content, &c));
    c.u.text.text = VIEW_LIT("Plainforged, and never said");
    TRY(proto_content_encode(mem_heap(), &c, out));
out:
    return e;
}

static enum err
forge(struct proto_report *r, struct bytes *hold)
{
    enum err e;
    struct clinic_id author;
    struct message_id id;
    const char *name = getenv("BALSAM_TEST_AUTHOR");

    memcpy(author.b, r->author, sizeof(author.b));
    TRY(invent(r->content, hold));
    if (doing("text") || doing("words") || doing("bare")) {
        r->content = view_of(hold);
    }
    if (doing("words") || doing("bare")) {
        fed_message_id(&author, r->content, &id);
        memcpy(r->message, id.b, sizeof(r->message));
    }
    if (doing("bare")) {
        r->proof = (struct view){0};
        r->ids = (struct view){0};
    }
    if (doing("author") && name != NULL) {
        TRY(proto_unhex(view_str(name), r->author, sizeof(r->author)));
    }
    if (doing("thread")) {
        r->thread[0] ^= 1;
    }
    if (doing("place")) {
        r->seq += LIMIT_BUNDLE_PARTS;
    }
    if (doing("before")) {
        r->before = view_of(hold);
    }
out:
    return e;
}

enum err
__wrap_fed_stream_put(struct fed_core *core, struct fed_party *p,
                      const struct proto_peer_msg *msg)
{
    struct proto_peer_msg forged = *msg;
    struct bytes hold = {0};
    enum err e;

    if (msg->type == PROTO_PEER_REPORT &&
        forge(&forged.u.report, &hold) != OK) {
        abort();
    }
    e = __real_fed_stream_put(core, p, &forged);
    bytes_free(&hold);
    return e;
}

enum err
__wrap_fed_report_seal(struct fed_core *core, struct fed_thread *t,
                       const struct proto_peer_msg *report, struct bytes *out)
{
    struct proto_peer_msg forged = *report;
    struct bytes hold = {0};
    enum err e;

    if (forge(&forged.u.report, &hold) != OK) {
        abort();
    }
    e = __real_fed_report_seal(core, t, &forged, out);
    bytes_free(&hold);
    return e;
}
