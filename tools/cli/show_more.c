/* SPDX-License-Identifier: Apache-2.0 */
/* More answers for people: contacts, profile, audit trail, doctor. */
#include "tools/cli/show.h"

#include <stdbool.h>
#include <stdio.h>

static void
show_identities(const json_t *a)
{
    size_t i;
    const json_t *x;

    json_array_foreach(json_object_get(a, "identities"), i, x)
    {
        (void)printf("  %-12s ", tool_text(x, "kind"));
        tool_print_safe(tool_text(x, "value"));
        if (tool_text(x, "learned")[0] != '\0') {
            (void)printf("  (%s)", tool_text(x, "learned"));
        }
        (void)printf("\n");
    }
}

void
tool_show_spliced(const json_t *a)
{
    const char *address = tool_text(a, "address");

    if (tool_number(a, "mib_a_day") == 0) {
        (void)printf("It is no longer carried. What passed through here has "
                     "ended.\n");
    } else if (address[0] == '\0') {
        (void)printf("Carried. Others cannot know the way before this node "
                     "has an address of its own: balsamd --address.\n");
    } else {
        (void)printf("Carried, at most %lld MiB a day. That clinic now writes "
                     "this into its balsam.conf, in the place of an address "
                     "that nobody reaches, and restarts its node:\n"
                     "    address = %s\n"
                     "Links that it makes then lead through here.\n",
                     tool_number(a, "mib_a_day"), address);
    }
}

void
tool_show_twins(const json_t *a, const char *before)
{
    size_t i;
    const json_t *n;

    json_array_foreach(json_object_get(a, "maybe_same"), i, n)
    {
        (void)printf("%s", before);
        tool_print_safe(tool_text(n, "name"));
        (void)printf("  (if yes: balsam contact link %.8s %.8s)\n",
                     tool_text(n, "id"), tool_text(n, "of"));
    }
}

void
tool_show_contact(const json_t *a)
{
    size_t i;
    const json_t *n;

    tool_print_safe(tool_text(a, "name"));
    (void)printf(
        "  (%s, %s%s%.8s)\n", tool_text(a, "kind"), tool_text(a, "app"),
        tool_text(a, "app")[0] == '\0' ? "" : ", ", tool_text(a, "id"));
    show_identities(a);
    json_array_foreach(json_object_get(a, "conversations"), i, n)
    {
        (void)printf("  %-12s ", tool_text(n, "channel"));
        tool_print_safe(tool_text(n, "title"));
        (void)printf("  (%.8s)\n", tool_text(n, "id"));
    }
    tool_show_twins(a, "  the same?    ");
    json_array_foreach(json_object_get(a, "notes"), i, n)
    {
        (void)printf("  note  ");
        tool_print_time(tool_number(n, "at_ms"));
        (void)printf("  ");
        tool_print_text(tool_text(n, "text"), 8);
        (void)printf("\n");
    }
}

void
tool_show_contacts(const json_t *a)
{
    size_t i;
    const json_t *c;

    json_array_foreach(json_object_get(a, "contacts"), i, c)
    {
        (void)printf("%.8s  %-12s ", tool_text(c, "id"), tool_text(c, "kind"));
        tool_print_safe(tool_text(c, "name"));
        if (tool_text(c, "app")[0] != '\0') {
            (void)printf("  (%s)", tool_text(c, "app"));
        }
        (void)printf("\n");
    }
    if (i == 0) {
        (void)printf("No contact has this in its name.\n");
    }
}

void
tool_show_profile(const json_t *a)
{
    tool_print_safe(tool_text(a, "name"));
    (void)printf("\n");
    tool_print_safe(tool_text(a, "address"));
    (void)printf("\n");
    tool_print_safe(tool_text(a, "phone"));
    (void)printf("\n");
    tool_show_picture(a, "");
    (void)printf("clinic %s\n", tool_text(a, "id"));
}

void
tool_show_picture(const json_t *a, const char *before)
{
    const json_t *p = json_object_get(a, "picture");

    if (p != NULL) {
        (void)printf("%spicture: %s %lldx%lld, %lld KB\n", before,
                     tool_text(p, "type"), tool_number(p, "width"),
                     tool_number(p, "height"),
                     (tool_number(p, "size") + 1023) / 1024);
    }
}

/* By name; where there is none, by what it is and the beginning of its id. */
static void
show_name(const json_t *o, const char *name, const char *kind, const char *id)
{
    if (tool_text(o, name)[0] != '\0') {
        tool_print_safe(tool_text(o, name));
    } else {
        (void)printf("%s%s%.8s", kind, kind[0] != '\0' && id[0] ? " " : "", id);
    }
}

void
tool_show_audit(const json_t *a)
{
    size_t i;
    const json_t *r;

    json_array_foreach(json_object_get(a, "entries"), i, r)
    {
        (void)printf("%6lld  ", tool_number(r, "number"));
        tool_print_time(tool_number(r, "at_ms"));
        (void)printf("  ");
        show_name(r, "actor_name", tool_text(r, "actor"),
                  tool_text(r, "actor_id"));
        (void)printf(": %s", tool_text(r, "action"));
        if (tool_text(r, "about")[0] != '\0') {
            (void)printf(": ");
            show_name(r, "about_name", "", tool_text(r, "about"));
        }
        if (tool_number(r, "conversation") > 0) {
            (void)printf(" (conversation %lld)",
                         tool_number(r, "conversation"));
        }
        (void)printf("\n");
    }
    if (tool_number(a, "earlier") > 0) {
        (void)printf("%lld earlier entries are not shown: --limit takes up to "
                     "10000.\n",
                     tool_number(a, "earlier"));
    }
    if (json_object_get(a, "intact") != NULL) {
        (void)printf("All %lld entries follow from each other; %lld signed "
                     "heads are right.\n",
                     tool_number(a, "rows"), tool_number(a, "signed_heads"));
    }
}

void
tool_show_doctor(const json_t *a)
{
    size_t i;
    const json_t *f;

    json_array_foreach(json_object_get(a, "findings"), i, f)
    {
        bool good = json_is_true(json_object_get(f, "good"));

        (void)printf("%-4s  %s\n", good ? "ok" : "!", tool_text(f, "what"));
        if (!good) {
            (void)printf("      %s\n", tool_text(f, "do"));
        }
    }
    (void)printf("\n%s\n", tool_text(a, "note"));
}
