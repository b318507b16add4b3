/* SPDX-License-Identifier: Apache-2.0 */
/* What happens, as lines for who watches. */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"

#include "federation/core/effects.h"
#include "proto/msg/peer.h"
#include "store/clinic.h"
#include "store/patient.h"

#include <stdio.h>
#include <string.h>

/* Who came into a conversation, or is out of it; devices are not told of. */
static void
show_member(const json_t *e)
{
    const char *clinic = tool_text(e, "clinic_name");
    long long n = tool_number(e, "n");

    if (n > 1) {
        return;
    }
    tool_print_safe(tool_text(e, "title"));
    (void)printf("\n      ");
    tool_print_safe(clinic[0] != '\0' ? clinic : tool_text(e, "patient_name"));
    (void)printf(n == 1 ? " came in\n" : " is not in it any more\n");
}

/* Whom or what a link of ours was for. */
static void
show_link_name(const json_t *e)
{
    const char *invited = tool_text(e, "invited");

    (void)printf(invited[0] != '\0' ? "The invitation of " : "The link ");
    if (invited[0] != '\0' || tool_text(e, "label")[0] != '\0') {
        tool_print_safe(invited[0] != '\0' ? invited : tool_text(e, "label"));
    } else {
        (void)printf("%.8s", tool_text(e, "about"));
    }
}

/* Who came in by a link is told of as a clinic, a request or a patient. */
static void
show_link_used(const json_t *e)
{
    static const char *const words[PROTO_REDEEM_CODE_COUNT] = {
        [PROTO_REDEEM_EXPIRED] = "was opened, and is expired",
        [PROTO_REDEEM_REVOKED] = "was opened, and is revoked",
        [PROTO_REDEEM_USED] =
            "was opened again, by somebody else than who used it, and refused",
        [PROTO_REDEEM_ROTATED] = "was opened, and is replaced by a newer one",
        [PROTO_REDEEM_PROOF] = "was opened with a wrong secret",
        [PROTO_REDEEM_LATER] = "is used too often: they are asked to wait",
    };
    long long n = tool_number(e, "n");

    if (n >= 0 && n < PROTO_REDEEM_CODE_COUNT && words[n] != NULL) {
        show_link_name(e);
        (void)printf(" %s\n", words[n]);
    }
}

/* What became of whom, by kind of event and n. */
static const char *
words_of(const char *event, long long n)
{
    static const struct {
        const char *event;
        long long n;
        const char *words;
    } all[] = {
        {"patient", STORE_PATIENT_KNOWN, " is in a conversation with you"},
        {"patient", STORE_PATIENT_ASKS,
         " (a patient) asks to be let in: balsam accept or balsam refuse"},
        {"patient", STORE_PATIENT_JOINED, " (a patient) has joined"},
        {"patient", STORE_PATIENT_ENDED, " (a patient) is not connected now"},
        {"patient", STORE_PATIENT_BLOCKED, " (a patient) is blocked"},
        {"devices", FED_DEVICES_NEW, " has other devices now: balsam devices"},
        {"devices", FED_DEVICES_ALARM,
         ": two lists of devices contradict each other: balsam doctor"},
        {"devices", FED_DEVICES_SUSPENDED, ": a device is suspended"},
        {"devices", FED_DEVICES_RESUMED, ": a device is let in again"},
        {"devices", FED_DEVICES_IDLE, ": a device was not seen for 90 days"},
        {"devices", FED_DEVICES_BACK, ": a device is back"},
        {"consent", FED_CONSENT_ASKED, " is asked: balsam consents"},
        {"consent", FED_CONSENT_GIVEN, " said yes: balsam consents"},
        {"consent", FED_CONSENT_REFUSED, " said no: balsam consents"},
        {"consent", FED_CONSENT_DESK,
         " has agreed at a desk, as a clinic records: balsam consents"},
        {"consent", FED_CONSENT_WITHDRAWN,
         " took a consent back: balsam consents"},
        {"clinic", STORE_CLINIC_CONNECTED,
         " is connected, or changed what it "
         "says of itself"},
        {"clinic", STORE_CLINIC_DISCONNECTED, " is not connected any more"},
        {"clinic", STORE_CLINIC_BLOCKED, " is blocked"},
        {"clinic", STORE_CLINIC_REFUSED, " said no to connecting"},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].n == n && strcmp(all[i].event, event) == 0) {
            return all[i].words;
        }
    }
    return strcmp(event, "identity changed") == 0
               ? " has another key than before: balsam doctor"
               : ": something changed";
}

void
tool_show_event(const json_t *e)
{
    const char *event = tool_text(e, "event");
    const json_t *m = json_object_get(e, "message");

    if (strcmp(event, "message") == 0 && m != NULL) {
        tool_print_safe(tool_text(e, "title"));
        (void)printf("\n");
        tool_show_message(m);
    } else if (strcmp(event, "request") == 0) {
        tool_print_safe(tool_text(e, "clinic_name"));
        (void)printf(" asks to connect: balsam accept or balsam refuse\n");
    } else if (strcmp(event, "patient") == 0 || strcmp(event, "devices") == 0 ||
               strcmp(event, "consent") == 0 ||
               strcmp(event, "identity changed") == 0) {
        tool_print_safe(tool_text(e, "patient_name"));
        (void)printf("%s\n", words_of(event, tool_number(e, "n")));
    } else if (strcmp(event, "link used") == 0) {
        show_link_used(e);
    } else if (strcmp(event, "reported") == 0) {
        (void)printf("A message was reported: balsam reports\n");
    } else if (strcmp(event, "doubt") == 0 ||
               strcmp(event, "doubt settled") == 0) {
        tool_print_safe(tool_text(e, "title"));
        (void)printf(": %s\n", event);
        tool_show_doubts(e, "  ");
    } else if (strcmp(event, "members") == 0) {
        show_member(e);
    } else if (strcmp(event, "clinic") == 0) {
        tool_print_safe(tool_text(e, "clinic_name"));
        (void)printf("%s\n", words_of(event, tool_number(e, "n")));
    }
    (void)fflush(stdout);
}
