/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/args.h"

#include <stdio.h>
#include <string.h>

static const struct tool_flag *
flag_in(const struct tool_flag *flags, const char *word, size_t len)
{
    for (; flags->name != NULL; flags++) {
        if (strlen(flags->name) == len && memcmp(flags->name, word, len) == 0) {
            return flags;
        }
    }
    return NULL;
}

static const struct tool_flag *
flag_named(const struct tool_table *t, const struct tool_command *c,
           const char *word, size_t len)
{
    const struct tool_flag *f = flag_in(t->globals, word, len);

    return f != NULL || c == NULL ? f : flag_in(c->flags, word, len);
}

/* Whether the flag word at argv[i] takes the next word as its value. */
static bool
takes_next(const struct tool_flag *f, const char *word)
{
    return f != NULL && f->value != NULL && strchr(word, '=') == NULL;
}

/*
 * The command is the first one or two words that are not flags.  Global flags
 * with a value may stand before it; *first and *second are their places.
 */
static const struct tool_command *
find_command(const struct tool_table *t, int argc, const char *const *argv,
             int *first, int *second)
{
    const struct tool_command *c;
    char two[64];
    int at[2] = {0, 0};
    int found = 0;

    for (int i = 1; i < argc && found < 2; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            const struct tool_flag *f =
                flag_named(t, NULL, argv[i], strlen(argv[i]));

            i += takes_next(f, argv[i]) ? 1 : 0;
        } else {
            at[found++] = i;
        }
    }
    *first = at[0];
    *second = 0;
    if (found == 0) {
        return NULL;
    }
    if (found == 2) {
        snprintf(two, sizeof(two), "%s %s", argv[at[0]], argv[at[1]]);
        c = tool_command_named(t, two);
        if (c != NULL) {
            *second = at[1];
            return c;
        }
    }
    return tool_command_named(t, argv[at[0]]);
}

static enum err
take_flag(struct tool_args *a, const char *word, const char *next,
          bool *took_next, char *problem)
{
    const char *equals = strchr(word, '=');
    size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const struct tool_flag *f = flag_named(a->table, a->command, word, len);
    struct tool_given g;

    *took_next = false;
    if (f == NULL) {
        snprintf(
            problem, TOOL_PROBLEM_MAX,
            "%s %s has no flag %.*s; %s %s --help lists them%s",
            a->table->program, a->command->name, (int)(len > 60 ? 60 : len),
            word, a->table->program, a->command->name,
            word[1] == '-' ? "" : ". A text that begins so goes behind --");
        return ERR_INVALID;
    }
    g.name = f->name;
    g.value = equals == NULL ? NULL : equals + 1;
    if (f->value == NULL && equals != NULL) {
        snprintf(problem, TOOL_PROBLEM_MAX, "%s takes no value", f->name);
        return ERR_INVALID;
    }
    if (f->value != NULL && equals == NULL) {
        g.value = next;
        *took_next = true;
    }
    if (f->value != NULL && g.value == NULL) {
        snprintf(problem, TOOL_PROBLEM_MAX, "%s needs a value: %s %s", f->name,
                 f->name, f->value);
        return ERR_INVALID;
    }
    if (!f->repeats && tool_args_has(a, f->name)) {
        snprintf(problem, TOOL_PROBLEM_MAX, "%s is given twice", f->name);
        return ERR_INVALID;
    }
    if (a->given_len == TOOL_GIVEN_MAX) {
        snprintf(problem, TOOL_PROBLEM_MAX, "too many flags");
        return ERR_INVALID;
    }
    a->given[a->given_len++] = g;
    return OK;
}

static enum err
check_count(const struct tool_args *a, char *problem)
{
    const struct tool_command *c = a->command;

    if (tool_args_has(a, "--help") ||
        (a->arg_len >= c->args_min && a->arg_len <= c->args_max)) {
        return OK;
    }
    snprintf(problem, TOOL_PROBLEM_MAX, "%s; write: %s %s%s%s",
             a->arg_len < c->args_min ? "something is missing"
                                      : "there is a word too many",
             a->table->program, c->name, c->args[0] == '\0' ? "" : " ",
             c->args);
    return ERR_INVALID;
}

/* No command; of "balsam thread" alone, what can follow. */
static void
say_unknown(const struct tool_table *t, const char *word,
            char problem_out[TOOL_PROBLEM_MAX])
{
    size_t len = strlen(word);
    size_t at = 0;

    for (const struct tool_command *c = t->commands; c->name != NULL; c++) {
        if (strncmp(c->name, word, len) != 0 || c->name[len] != ' ') {
            continue;
        }
        if (at == 0) {
            at = (size_t)snprintf(problem_out, TOOL_PROBLEM_MAX,
                                  "%.20s needs one of these: %s", word,
                                  c->name + len + 1);
        } else {
            at += (size_t)snprintf(problem_out + at, TOOL_PROBLEM_MAX - at,
                                   ", %s", c->name + len + 1);
        }
        if (at >= TOOL_PROBLEM_MAX) {
            at = TOOL_PROBLEM_MAX - 1;
        }
    }
    if (at > 0) {
        snprintf(problem_out + at, TOOL_PROBLEM_MAX - at,
                 "; %s --help explains them", t->program);
    } else {
        snprintf(problem_out, TOOL_PROBLEM_MAX,
                 "there is no command \"%.60s\"; %s --help lists them", word,
                 t->program);
    }
}

enum err
tool_args_read(const struct tool_table *table, int argc,
               const char *const *argv, struct tool_args *out,
               char problem_out[TOOL_PROBLEM_MAX])
{
    struct tool_args a = {.table = table};
    bool flags_ended = false;
    int first;
    int second;
    enum err e;

    a.command = find_command(table, argc, argv, &first, &second);
    if (first == 0) {
        return ERR_MISSING;
    }
    if (a.command == NULL) {
        say_unknown(table, argv[first], problem_out);
        return ERR_INVALID;
    }
    for (int i = 1; i < argc; i++) {
        bool took_next;

        if (i == first || i == second) {
            continue;
        }
        if (!flags_ended && strcmp(argv[i], "--") == 0) {
            flags_ended = true;
        } else if (!flags_ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            TRY(take_flag(&a, argv[i], i + 1 < argc ? argv[i + 1] : NULL,
                          &took_next, problem_out));
            i += took_next ? 1 : 0;
        } else if (a.arg_len == TOOL_ARGS_MAX) {
            snprintf(problem_out, TOOL_PROBLEM_MAX, "too many words");
            return ERR_INVALID;
        } else {
            a.arg[a.arg_len++] = argv[i];
        }
    }
    TRY(check_count(&a, problem_out));
    *out = a;
out:
    return e;
}

bool
tool_args_has(const struct tool_args *a, const char *flag)
{
    for (size_t i = 0; i < a->given_len; i++) {
        if (strcmp(a->given[i].name, flag) == 0) {
            return true;
        }
    }
    return false;
}

const char *
tool_args_nth(const struct tool_args *a, const char *flag, size_t n)
{
    for (size_t i = 0; i < a->given_len; i++) {
        if (strcmp(a->given[i].name, flag) == 0 && n-- == 0) {
            return a->given[i].value;
        }
    }
    return NULL;
}

const char *
tool_args_value(const struct tool_args *a, const char *flag,
                const char *otherwise)
{
    const char *value = otherwise;

    for (size_t n = 0; tool_args_nth(a, flag, n) != NULL; n++) {
        value = tool_args_nth(a, flag, n);
    }
    return value;
}
