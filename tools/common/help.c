/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/help.h"

#include <ctype.h>
#include <string.h>

static void
print_flags(FILE *to, const struct tool_flag *flags)
{
    for (; flags->name != NULL; flags++) {
        char left[64];

        snprintf(left, sizeof(left), "%s%s%s", flags->name,
                 flags->value == NULL ? "" : " ",
                 flags->value == NULL ? "" : flags->value);
        fprintf(to, "  %-24s %s%s\n", left, flags->help,
                flags->repeats ? "; may be repeated" : "");
    }
}

void
tool_help_all(const struct tool_table *t, FILE *to)
{
    fprintf(to, "usage: %s COMMAND [ARGUMENT...] [FLAG...]\n\n", t->program);
    for (const struct tool_command *c = t->commands; c->name != NULL; c++) {
        char left[64];

        snprintf(left, sizeof(left), "%s%s%s", c->name,
                 c->args[0] == '\0' ? "" : " ", c->args);
        fprintf(to, "  %-32s %s\n", left, c->summary);
    }
    fprintf(to, "\nflags of every command:\n");
    print_flags(to, t->globals);
}

void
tool_help_command(const struct tool_table *t, FILE *to,
                  const struct tool_command *c)
{
    fprintf(to, "usage: %s %s%s%s [FLAG...]\n\n%s\n", t->program, c->name,
            c->args[0] == '\0' ? "" : " ", c->args, c->summary);
    if (c->details != NULL) {
        fprintf(to, "%s\n", c->details);
    }
    fprintf(to, "\n");
    print_flags(to, c->flags);
    print_flags(to, t->globals);
}

bool
tool_help_for(const struct tool_table *t, FILE *to, const char *const *words,
              size_t len)
{
    char name[64] = "";
    size_t n = 0;
    bool found = false;

    for (size_t i = 0; i < len && n < sizeof(name); i++) {
        n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%s",
                              i == 0 ? "" : " ", words[i]);
    }
    if (len == 0) {
        tool_help_all(t, to);
        return true;
    }
    for (const struct tool_command *c = t->commands;
         n < sizeof(name) && c->name != NULL; c++) {
        if (strncmp(c->name, name, n) == 0 &&
            (c->name[n] == '\0' || c->name[n] == ' ')) {
            fprintf(to, "%s", found ? "\n" : "");
            tool_help_command(t, to, c);
            found = true;
        }
    }
    return found;
}

static void
man_flags(FILE *to, const struct tool_flag *flags)
{
    if (flags->name == NULL) {
        return;
    }
    fprintf(to, ".Bl -tag -width Ds -compact\n");
    for (; flags->name != NULL; flags++) {
        fprintf(to, ".It Fl %s%s%s\n%s.\n", flags->name + 1,
                flags->value == NULL ? "" : " Ar ",
                flags->value == NULL ? "" : flags->value, flags->help);
    }
    fprintf(to, ".El\n");
}

void
tool_help_man(const struct tool_table *t, FILE *to)
{
    char upper[64];
    size_t n = 0;

    for (; t->program[n] != '\0' && n + 1 < sizeof(upper); n++) {
        upper[n] = (char)toupper((unsigned char)t->program[n]);
    }
    upper[n] = '\0';
    fprintf(to,
            ".Dd November 22, 2026\n.Dt %s 1\n.Os\n"
            ".Sh NAME\n.Nm %s\n.Nd %s\n"
            ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar argument ...\n"
            ".Op Fl -flag ...\n"
            ".Sh DESCRIPTION\nThe commands, with the flags of each:\n"
            ".Bl -tag -width Ds\n",
            upper, t->program, t->about);
    for (const struct tool_command *c = t->commands; c->name != NULL; c++) {
        fprintf(to, ".It Cm %s%s%s\n%s.\n", c->name,
                c->args[0] == '\0' ? "" : " Ar ", c->args, c->summary);
        if (c->details != NULL) {
            fprintf(to, "%s\n", c->details);
        }
        man_flags(to, c->flags);
    }
    fprintf(to, ".El\n.Pp\nFlags of every command:\n");
    man_flags(to, t->globals);
    fprintf(to, ".Sh EXIT STATUS\n%s\n.Sh SEE ALSO\n%s\n", t->exits, t->also);
}

/* A case branch with the words that may follow. */
static void
complete_case(FILE *to, const struct tool_command *c)
{
    fprintf(to, "  '%s') words=\"", c->name);
    for (const struct tool_flag *f = c->flags; f->name != NULL; f++) {
        fprintf(to, "%s ", f->name);
    }
    fprintf(to, "$globals\" ;;\n");
}

/* The second words of the commands that begin with the first word of c. */
static void
complete_second(const struct tool_table *t, FILE *to,
                const struct tool_command *c)
{
    size_t len = strcspn(c->name, " ");

    if (c->name[len] == '\0' ||
        (c != t->commands && strncmp(c[-1].name, c->name, len + 1) == 0)) {
        return;
    }
    fprintf(to, "  '%.*s') words=\"", (int)len, c->name);
    for (const struct tool_command *k = t->commands; k->name != NULL; k++) {
        if (strncmp(k->name, c->name, len + 1) == 0) {
            fprintf(to, "%s ", k->name + len + 1);
        }
    }
    fprintf(to, "\" ;;\n");
}

void
tool_help_completion(const struct tool_table *t, FILE *to)
{
    const struct tool_command *all = t->commands;

    char name[64];

    (void)snprintf(name, sizeof(name), "_%s", t->program);
    for (char *p = name; *p != '\0'; p++) {
        *p = *p == '-' ? '_' : *p;
    }
    fprintf(to,
            "# bash completion of %s: source <(%s completion)\n"
            "%s() {\n  local words globals=\"",
            t->program, t->program, name);
    for (const struct tool_flag *f = t->globals; f->name != NULL; f++) {
        fprintf(to, "%s ", f->name);
    }
    fprintf(to, "\"\n  local cur=${COMP_WORDS[COMP_CWORD]}\n"
                "  case \"$COMP_CWORD\" in\n  1) words=\"");
    for (const struct tool_command *c = all; c->name != NULL; c++) {
        size_t len = strcspn(c->name, " ");

        if (c == all || strncmp(c[-1].name, c->name, len) != 0 ||
            c[-1].name[len] != c->name[len]) {
            fprintf(to, "%.*s ", (int)len, c->name);
        }
    }
    fprintf(to, "\" ;;\n  *)\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" "
                "in\n");
    for (const struct tool_command *c = all; c->name != NULL; c++) {
        if (strchr(c->name, ' ') != NULL) {
            complete_case(to, c);
        }
    }
    fprintf(to, "  *) case \"${COMP_WORDS[1]}\" in\n");
    for (const struct tool_command *c = all; c->name != NULL; c++) {
        if (strchr(c->name, ' ') == NULL) {
            complete_case(to, c);
        } else {
            complete_second(t, to, c);
        }
    }
    fprintf(to,
            "  esac ;;\n  esac ;;\n  esac\n"
            "  # shellcheck disable=SC2207\n"
            "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
            "  [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null\n"
            "}\ncomplete -F %s %s\n",
            name, t->program);
}
