/* SPDX-License-Identifier: Apache-2.0 */
/* The node's answers as lines for people. */
#include "tools/cli/show.h"
#include "tools/cli/cmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *
tool_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

long long
tool_number(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static bool
is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

void
tool_print_time(long long ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    char s[32] = "";

    if (ms > 0 && localtime_r(&t, &tm) != NULL) {
        (void)strftime(s, sizeof(s), "%Y-%m-%d %H:%M", &tm);
    }
    (void)printf("%s", s);
}

/* ----------------------------------------------------------------- messages */

static void
show_reactions(const json_t *m)
{
    size_t i;
    const json_t *r;

    json_array_foreach(json_object_get(m, "reactions"), i, r)
    {
        (void)printf("      ");
        tool_print_safe(tool_text(r, "emoji"));
        (void)printf("  ");
        tool_print_safe(tool_text(r, "from"));
        (void)printf("\n");
    }
}

static void
show_files(const json_t *m)
{
    size_t i;
    const json_t *f;

    json_array_foreach(json_object_get(m, "attachments"), i, f)
    {
        (void)printf("      file %zu: ", i + 1);
        tool_print_safe(tool_text(f, "name"));
        (void)printf(" (%lld bytes)\n", tool_number(f, "size"));
    }
}

static void
show_reply(const json_t *m)
{
    if (strcmp(tool_text(m, "kind"), "text") == 0 &&
        tool_number(m, "about") > 0) {
        (void)printf("  in reply to #%lld", tool_number(m, "about"));
    }
}

/* What a message says, in lines of its own. */
static void
show_words(const json_t *m)
{
    if (is(m, "deleted")) {
        (void)printf("      (deleted)\n");
    } else if (strcmp(tool_text(m, "kind"), "newer") == 0) {
        (void)printf("      (needs a newer version of Balsam)\n");
    } else if (strcmp(tool_text(m, "kind"), "ask") == 0 ||
               strcmp(tool_text(m, "kind"), "consent") == 0 ||
               strcmp(tool_text(m, "kind"), "withdrawal") == 0) {
        (void)printf("      ");
        tool_show_consent(m);
        (void)printf("\n");
    } else if (strcmp(tool_text(m, "kind"), "title") == 0) {
        (void)printf("      called this conversation \"");
        tool_print_safe(tool_text(m, "text"));
        (void)printf("\"\n");
    } else if (tool_text(m, "text")[0] != '\0') { /* not only a file */
        (void)printf("      ");
        tool_print_text(tool_text(m, "text"), 6);
        (void)printf("\n");
    }
}

void
tool_show_message(const json_t *m)
{
    bool ours = is(m, "ours");

    (void)printf("#%-5lld ", tool_number(m, "number"));
    tool_print_time(tool_number(m, "at_ms"));
    (void)printf("  ");
    tool_print_safe(tool_text(m, "from"));
    if (tool_text(m, "author")[0] != '\0' &&
        strcmp(tool_text(m, "author"), tool_text(m, "from")) != 0) {
        (void)printf(" (");
        tool_print_safe(tool_text(m, "author"));
        (void)printf(")");
    }
    if (ours) {
        (void)printf("  [%s]", tool_text(m, "state"));
    }
    show_reply(m);
    (void)printf("%s%s%s", is(m, "auto") ? "  automatic" : "",
                 is(m, "edited") ? "  edited" : "",
                 is(m, "resent") ? "  resent" : "");
    if (tool_text(m, "resent_by")[0] != '\0') {
        (void)printf(" by ");
        tool_print_safe(tool_text(m, "resent_by"));
    }
    if (is(m, "claimed")) {
        (void)printf(" (who says so)");
    }
    (void)printf("\n");
    show_words(m);
    show_files(m);
    show_reactions(m);
}

static void
show_thread(const json_t *a)
{
    size_t i;
    const json_t *m;

    tool_print_safe(tool_text(a, "title"));
    (void)printf("  (%lld message%s, %s%s)\n", tool_number(a, "total"),
                 tool_number(a, "total") == 1 ? "" : "s", tool_text(a, "state"),
                 is(a, "closed") ? ", closed" : "");
    if (tool_text(a, "spoken")[0] != '\0') {
        (void)printf("  Everybody in it calls it %s.\n",
                     tool_text(a, "spoken"));
    }
    if (tool_number(a, "hub_gone_since_ms") > 0) {
        (void)printf("  ! The clinic that orders it was last reached on ");
        tool_print_time(tool_number(a, "hub_gone_since_ms"));
        (void)printf(". When you write, your node takes it over.\n");
    }
    if (tool_number(a, "left_out_since_ms") > 0) {
        (void)printf("  ! The clinic that orders it was last reached on ");
        tool_print_time(tool_number(a, "left_out_since_ms"));
        (void)printf(", and your node lost its place in it. It comes back in "
                     "when that clinic is there again, or another that still "
                     "has its place goes on with it. If all have lost theirs, "
                     "nobody can: call them, and begin a new conversation.\n");
    }
    tool_show_doubts(a, "  ");
    tool_show_twins(a, "  known before? ");
    if (tool_number(a, "goes_on_from") > 0) {
        (void)printf("  It goes on from conversation %lld, which was begun "
                     "anew while your clinic was away.\n",
                     tool_number(a, "goes_on_from"));
    }
    if (tool_number(a, "goes_on_in") > 0) {
        (void)printf("  It goes on in conversation %lld.\n",
                     tool_number(a, "goes_on_in"));
    }
    if (is(a, "continues")) {
        (void)printf("  The patient asked for it, to go on after %s.\n",
                     tool_text(a, "after")[0] != '\0'
                         ? "an earlier conversation of yours"
                         : "a conversation elsewhere");
    }
    tool_show_changes(a, 0);
    json_array_foreach(json_object_get(a, "messages"), i, m)
    {
        tool_show_message(m);
        tool_show_changes(a, tool_number(m, "number"));
    }
}

static void
show_preview(const json_t *c)
{
    const char *words = tool_text(c, "preview");
    const char *file = tool_text(c, "file");

    if (words[0] == '\0' && file[0] == '\0') {
        return;
    }
    (void)printf("             %s%s", is(c, "ours") ? "You: " : "",
                 words[0] == '\0' ? "[file] " : "");
    tool_print_safe(words[0] == '\0' ? file : words);
    (void)printf("\n");
}

static void
show_inbox(const json_t *a)
{
    size_t i;
    const json_t *c;
    const json_t *list = json_object_get(a, "conversations");

    if (json_array_size(list) == 0) {
        (void)printf("No conversations yet. Make a link (balsam link create) "
                     "or open one (balsam connect LINK).\n");
    }
    json_array_foreach(list, i, c)
    {
        (void)printf("%3lld  %-7s  ", tool_number(c, "number"),
                     is(c, "clinics") && is(c, "patients") ? "both"
                     : is(c, "clinics")                    ? "clinic"
                     : is(c, "patients")                   ? "patient"
                                                           : "");
        if (tool_number(c, "at_ms") > 0) {
            tool_print_time(tool_number(c, "at_ms"));
        } else {
            (void)printf("%-16s", "nothing said yet");
        }
        (void)printf("  ");
        tool_print_safe(tool_text(c, "title"));
        if (tool_number(c, "unread") > 0) {
            (void)printf("  (%lld new)", tool_number(c, "unread"));
        }
        (void)printf("%s\n", is(c, "closed") ? "  closed" : "");
        if (is(c, "deleted")) {
            (void)printf("             (deleted)\n");
        }
        show_preview(c);
    }
}

/* ------------------------------------------------------------ links, clinics
 */

static void
show_link(const json_t *l)
{
    (void)printf(
        "%s  %-9s %s%s  used %lld", tool_text(l, "id"), tool_text(l, "state"),
        is(l, "one_time") ? "one-time" : "public",
        is(l, "review") ? ", with review" : "", tool_number(l, "uses"));
    if (tool_number(l, "uses_max") > 0) {
        (void)printf(" of %lld", tool_number(l, "uses_max"));
    }
    if (tool_number(l, "expires_ms") > 0) {
        (void)printf(", until ");
        tool_print_time(tool_number(l, "expires_ms"));
    }
    if (tool_text(l, "label")[0] != '\0') {
        (void)printf("  \"");
        tool_print_safe(tool_text(l, "label"));
        (void)printf("\"");
    }
    (void)printf("\n");
    if (tool_number(l, "again_ms") > 0) {
        (void)printf("    opened again by somebody else, last ");
        tool_print_time(tool_number(l, "again_ms"));
        (void)printf(", and refused\n");
    }
}

static void
show_link_text(const json_t *l)
{
    show_link(l);
    (void)printf("\n%s\n", tool_text(l, "link"));
}

static void
show_links(const json_t *a)
{
    size_t i;
    const json_t *l;

    if (json_array_size(json_object_get(a, "links")) == 0) {
        (void)printf("No links yet. Make one: balsam link create\n");
    }
    json_array_foreach(json_object_get(a, "links"), i, l)
    {
        show_link(l);
    }
}

static void
show_clinic(const json_t *c)
{
    (void)printf("%.8s  %-12s %-7s ", tool_text(c, "id"), tool_text(c, "state"),
                 is(c, "online") ? "online" : "");
    tool_print_safe(tool_text(c, "name"));
    if (tool_text(c, "own_name")[0] != '\0') {
        (void)printf(", which calls itself ");
        tool_print_safe(tool_text(c, "own_name"));
    }
    (void)printf("  (%s)", tool_text(c, "learned"));
    if (tool_text(c, "phone")[0] != '\0') {
        (void)printf("  ");
        tool_print_safe(tool_text(c, "phone"));
    }
    (void)printf("\n");
    if (tool_number(c, "refused_ms") > 0) {
        (void)printf("          They did not accept on ");
        tool_print_time(tool_number(c, "refused_ms"));
        (void)printf(". Call them, and\n          ask again by a new link of "
                     "theirs: balsam connect LINK\n");
    }
    if (tool_text(c, "clock_apart")[0] != '\0') {
        (void)printf("          ! Its clock is %s: balsam doctor\n",
                     tool_text(c, "clock_apart"));
    }
    tool_show_picture(c, "          ");
}

static void
show_one_clinic(const json_t *c)
{
    show_clinic(c);
    if (tool_text(c, "address")[0] != '\0') {
        (void)printf("          ");
        tool_print_safe(tool_text(c, "address"));
        (void)printf("\n");
    }
}

static void
show_clinics(const json_t *a)
{
    size_t i;
    const json_t *c;
    const json_t *list = json_object_get(a, "clinics");

    list = list == NULL ? json_object_get(a, "requests") : list;
    if (json_array_size(list) == 0) {
        (void)printf("None.\n");
    }
    json_array_foreach(list, i, c)
    {
        show_clinic(c);
    }
}

static void
show_requests(const json_t *a)
{
    size_t patients = json_array_size(json_object_get(a, "patients"));

    if (patients == 0 || json_array_size(json_object_get(a, "requests")) > 0) {
        show_clinics(a);
    }
    if (patients > 0) {
        tool_show_patients(a);
    }
}

/* ------------------------------------------------------------------- status */

static void
show_peers(const json_t *a)
{
    size_t i;
    const json_t *p;

    if (json_array_size(json_object_get(a, "peers")) == 0) {
        (void)printf("None. To connect with a clinic: balsam link create, or "
                     "balsam connect LINK\n");
    }
    json_array_foreach(json_object_get(a, "peers"), i, p)
    {
        (void)printf("%.8s  %-8s queued %-6lld %-22s ", tool_text(p, "id"),
                     is(p, "blocked")  ? "blocked"
                     : is(p, "online") ? "online"
                                       : "offline",
                     tool_number(p, "queued"),
                     strcmp(tool_text(p, "address"), ":0") == 0
                         ? "carried"
                         : tool_text(p, "address"));
        tool_print_safe(tool_text(p, "name"));
        (void)printf("\n");
    }
}

static void
show_doubted(const json_t *a)
{
    size_t i;
    const json_t *c;

    json_array_foreach(json_object_get(a, "doubted"), i, c)
    {
        (void)printf("  conversation ");
        tool_print_safe(tool_text(c, "title"));
        (void)printf(" (%.8s)\n", tool_text(c, "id"));
        tool_show_doubts(c, "               ");
    }
}

static void
show_gone(const json_t *a)
{
    size_t i;
    const json_t *g;

    json_array_foreach(json_object_get(a, "gone"), i, g)
    {
        (void)printf("  gone         ");
        tool_print_safe(tool_text(g, "clinic"));
        (void)printf(" was last reached on ");
        tool_print_time(tool_number(g, "since_ms"));
        (void)printf("; %lld conversation%s wait%s for it. Call them.\n",
                     tool_number(g, "threads"),
                     tool_number(g, "threads") == 1 ? "" : "s",
                     tool_number(g, "threads") == 1 ? "s" : "");
    }
}

static void
show_clocks(const json_t *a)
{
    size_t i;
    const json_t *c;

    json_array_foreach(json_object_get(a, "clocks"), i, c)
    {
        (void)printf("  clock        that of ");
        if (tool_text(c, "name")[0] != '\0') {
            tool_print_safe(tool_text(c, "name"));
        } else {
            (void)printf("a clinic not connected (key %.8s)",
                         tool_text(c, "id"));
        }
        (void)printf("\n               is %s (balsam doctor)\n",
                     tool_text(c, "apart"));
    }
}

static void
show_status(const json_t *a)
{
    const json_t *net = json_object_get(a, "network");
    const json_t *store = json_object_get(a, "store");
    size_t i;
    const json_t *addr;

    tool_print_safe(tool_text(a, "name"));
    (void)printf("\n  clinic       %s\n", tool_text(a, "clinic"));
    json_array_foreach(json_object_get(a, "addresses"), i, addr)
    {
        (void)printf("  address      %s\n", json_string_value(addr));
    }
    (void)printf("  up           %lld s\n", tool_number(a, "up_s"));
    (void)printf("  certificate  %lld days left, %s\n",
                 tool_number(a, "certificate_days"),
                 tool_number(a, "certificate_failed") == 0
                     ? "renewed by itself"
                     : "NOT RENEWED, tried again (balsam doctor)");
    if (is(a, "outdated")) {
        (void)printf("  copy         REFUSED: these data are an older copy of "
                     "this node (balsam doctor)\n");
    }
    if (is(a, "clock_behind")) {
        (void)printf("  clock        WRONG, or it was ahead before: it is "
                     "behind what was signed\n               or stored already "
                     "(balsam doctor)\n");
    }
    show_clocks(a);
    (void)printf("  clinics      %lld online, %lld not reached\n",
                 tool_number(net, "online"), tool_number(net, "unreachable"));
    (void)printf("  devices      %lld of patients online, %lld in browsers\n",
                 tool_number(net, "devices"), tool_number(net, "web_devices"));
    json_array_foreach(json_object_get(a, "web"), i, addr)
    {
        (void)printf("  web          %s\n", json_string_value(addr));
    }
    (void)printf("  data         %lld KiB%s\n",
                 tool_number(store, "used_bytes") / 1024,
                 is(store, "disk_full") ? ", DISK FULL: make room" : "");
    if (tool_number(store, "restored_ms") > 0) {
        (void)printf("  restored     ");
        tool_print_time(tool_number(store, "restored_ms"));
        (void)printf(
            " from a backup; the others give back what came after it\n");
    }
    (void)printf("  sandbox      %s\n",
                 is(a, "sandbox") ? "landlock and seccomp" : "not complete");
    json_array_foreach(json_object_get(a, "sandbox_missing"), i, addr)
    {
        (void)printf("               %s\n", json_string_value(addr));
    }
    show_gone(a);
    show_doubted(a);
    if (!is(a, "sheet_checked")) {
        (void)printf("  recovery     Your recovery sheet was never checked. "
                     "Print it (balsam recovery sheet),\n               then "
                     "run: balsam recovery check\n");
    }
}

/* --------------------------------------------------------------------- table
 */

static void
show_said(const json_t *a)
{
    (void)printf("#%lld to ", tool_number(a, "number"));
    tool_print_safe(tool_text(a, "title"));
    (void)printf(": %s\n", tool_text(a, "state"));
}

static void
show_done(const json_t *a)
{
    (void)printf("Done");
    if (tool_text(a, "name")[0] != '\0') {
        (void)printf(": ");
        tool_print_safe(tool_text(a, "name"));
    }
    (void)printf(".\n");
}

struct view_of_command {
    const char *name;
    void (*show)(const json_t *answer);
};

static const struct view_of_command views[] = {
    {"link create", show_link_text},
    {"link show", show_link_text},
    {"link rotate", show_link_text},
    {"link revoke", show_link},
    {"link list", show_links},
    {"invite", tool_show_invited},
    {"invite resend", tool_show_invited},
    {"invite revoke", tool_show_invite},
    {"invites", tool_show_invites},
    {"patients", tool_show_patients},
    {"devices", tool_show_devices},
    {"compare", tool_show_compare},
    {"consents", tool_show_consents},
    {"thread new", tool_show_asked},
    {"thread add", tool_show_asked},
    {"thread ask", tool_show_asked},
    {"thread members", tool_show_members},
    {"thread settle", tool_show_settled},
    {"requests", show_requests},
    {"clinics", show_clinics},
    {"clinics show", show_one_clinic},
    {"inbox", show_inbox},
    {"thread show", show_thread},
    {"send", show_said},
    {"edit", show_said},
    {"delete", show_said},
    {"react", show_said},
    {"status", show_status},
    {"peers", show_peers},
    {"splice allow", tool_show_spliced},
    {"splice deny", tool_show_spliced},
    {"contact add", tool_show_contact},
    {"contact show", tool_show_contact},
    {"contact edit", tool_show_contact},
    {"contact find", tool_show_contacts},
    {"profile show", tool_show_profile},
    {"profile set", tool_show_profile},
    {"audit", tool_show_audit},
    {"reports", tool_show_reports},
    {"doctor", tool_show_doctor},
};

void
tool_show(const struct tool_run *run, const json_t *answer)
{
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        if (strcmp(views[i].name, run->args.command->name) == 0) {
            views[i].show(answer);
            return;
        }
    }
    show_done(answer);
}
