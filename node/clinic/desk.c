/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/desk.h"

#include "node/clinic/picture.h"

#include "node/clinic/event.h"
#include "node/clinic/intro.h"
#include "node/clinic/line.h"
#include "node/clinic/past.h"
#include "node/clinic/report.h"
#include "store/journal.h"

void
node_desk_clear(struct node_desk *desk)
{
    for (size_t i = 0; i < NODE_DESK_PROFILES; i++) {
        bytes_free(&desk->profiles[i].profile);
    }
}

enum err
node_desk_event(struct store_txn *txn, uint16_t kind, struct view a, uint64_t n)
{
    struct store_event ev = {.kind = kind, .a = a, .n = n};

    return store_journal_append(txn, &ev, NULL);
}

/* A device is no party of people's. */
static enum err
party(struct store_txn *txn, struct node_desk *desk,
      const struct fed_show *show)
{
    switch (show->who) {
    case FED_KIND_CLINIC:
        return node_desk_party(txn, desk, show);
    case FED_KIND_PATIENT:
        return node_desk_patient_party(txn, desk, show);
    case FED_KIND_DEVICE:
        break;
    }
    return OK;
}

/* Two logs are an event of their own as well. */
static enum err
doubt(struct store_txn *txn, const struct fed_show *show)
{
    enum err e = OK;

    TRY(show->kind == FED_SHOW_FORK
            ? node_desk_trouble(txn, NODE_EVENT_FORK, show)
            : OK);
    TRY(node_desk_doubt(txn, show));
out:
    return e;
}

/* A line of the conversation, and a row of the journal. */
static enum err
member(struct store_txn *txn, const struct node_desk *desk,
       const struct fed_show *show)
{
    enum err e;

    TRY(node_line_put(txn, desk->mem, show));
    TRY(node_desk_member(txn, show));
out:
    return e;
}

static enum err
gap(struct store_txn *txn, const struct node_desk *desk,
    const struct fed_show *show)
{
    enum err e;

    TRY(node_line_put(txn, desk->mem, show));
    TRY(node_desk_trouble(txn, NODE_EVENT_GAP, show));
out:
    return e;
}

enum err
node_desk_show(struct store_txn *txn, struct node_desk *desk,
               const struct fed_show *show)
{
    switch (show->kind) {
    case FED_SHOW_PARTY:
        return party(txn, desk, show);
    case FED_SHOW_PROFILE:
        return node_desk_profile(txn, desk, show);
    case FED_SHOW_PICTURE:
        return node_desk_picture(txn, show);
    case FED_SHOW_LINK_USED:
        return node_desk_link_used(txn, show);
    case FED_SHOW_THREAD:
        return node_desk_thread(txn, desk, show);
    case FED_SHOW_CONTINUED:
        return node_past_link(txn, show);
    case FED_SHOW_MEMBER:
        return member(txn, desk, show);
    case FED_SHOW_HUB:
        return node_line_put(txn, desk->mem, show);
    case FED_SHOW_VOID:
        return node_line_void(txn, show);
    case FED_SHOW_MESSAGE:
        return node_desk_message(txn, desk, show);
    case FED_SHOW_STATE:
        return node_desk_state(txn, show);
    case FED_SHOW_GAP:
        return gap(txn, desk, show);
    case FED_SHOW_DOUBT:
    case FED_SHOW_FORK:
        return doubt(txn, show);
    case FED_SHOW_OVERDUE:
        return node_desk_trouble(txn, NODE_EVENT_OVERDUE, show);
    case FED_SHOW_ROLLBACK:
        return node_desk_event(txn, NODE_EVENT_ROLLBACK,
                               show->code == 0 ? (struct view){0}
                                               : clinic_id_view(&show->peer),
                               show->code);
    case FED_SHOW_PATIENT:
        return node_desk_patient(txn, desk, show);
    case FED_SHOW_DEVICES:
        return node_desk_devices(txn, desk, show);
    case FED_SHOW_CONSENT:
        return node_desk_consent(txn, desk, show);
    case FED_SHOW_HOME:
        return node_desk_home(txn, show);
    case FED_SHOW_INTRO:
        return node_desk_intro(txn, desk, show);
    case FED_SHOW_REPORT:
        return node_desk_report(txn, desk, show);
    case FED_SHOW_LINK:    /* an answer to whoever asked: the runner's */
    case FED_SHOW_REVOKED: /* the handshake's: the runner's */
    case FED_SHOW_BAD:     /* logged by the runner */
    case FED_SHOW_PROVEN:  /* an app's */
    case FED_SHOW_ARCHIVE: /* an app's */
    case FED_SHOW_ENROL:   /* an app's */
        return OK;
    }
    return OK;
}
