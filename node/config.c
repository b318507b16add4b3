/* SPDX-License-Identifier: Apache-2.0 */
#include "node/config.h"

#include "federation/addr.h"
#include "proto/msg/addr.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char DEFAULT_DATA[] = "/var/lib/balsam";

enum kind {
    TEXT,
    LIST,
    SWITCH, /* yes or no */
    FORM,
    LEVEL
};

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define SETTING(name, kind, field)                      \
    {                                                   \
        name, kind, offsetof(struct node_config, field) \
    }

static const struct setting settings[] = {
    SETTING("config", TEXT, config),
    SETTING("data", TEXT, data),
    SETTING("control", TEXT, control),
    SETTING("listen", LIST, listen),
    SETTING("address", LIST, address),
    SETTING("host", TEXT, host),
    SETTING("web", LIST, web),
    SETTING("web-socket", TEXT, web_socket),
    SETTING("web-cert", TEXT, web_cert),
    SETTING("web-key", TEXT, web_key),
    SETTING("key-file", TEXT, key_file),
    SETTING("passphrase-file", TEXT, passphrase_file),
    SETTING("credential", TEXT, credential),
    SETTING("user", TEXT, user),
    SETTING("on-event", TEXT, on_event),
    SETTING("backup", LIST, backup),
    SETTING("log", FORM, log_form),
    SETTING("log-level", LEVEL, log_level),
    SETTING("sandbox", SWITCH, sandbox),
};

enum {
    SETTINGS = sizeof(settings) / sizeof(settings[0]),
    FILE_MAX = 64 * 1024
};

const char *
node_config_help(void)
{
    return "  --data DIR             folder of the node's data "
           "(/var/lib/balsam)\n"
           "  --listen HOST:PORT     node port, may be repeated "
           "(0.0.0.0:7443)\n"
           "  --address HOST:PORT    how other clinics reach this node; goes "
           "into links,\n"
           "                         may be repeated\n"
           "  --host NAME            web name for links, https://NAME/l#...\n"
           "  --web ADDRESS:PORT     web port, for browsers and for patients' "
           "apps in them;\n"
           "                         may be repeated (none)\n"
           "  --web-cert FILE        its certificate (PEM); without one only "
           "on loopback,\n"
           "                         behind a proxy that has one\n"
           "  --web-key FILE         its key (PEM)\n"
           "  --web-socket PATH      web port for a proxy, as a unix socket\n"
           "  --control PATH         control socket (DIR/control)\n"
           "  --key-file FILE        master key (DIR/master.key)\n"
           "  --passphrase-file FILE passphrase instead of a master key\n"
           "  --credential NAME      systemd credential instead of a master "
           "key\n"
           "  --user NAME            user to become when started as root "
           "(balsam)\n"
           "  --on-event COMMAND     run when someone connects or writes; gets "
           "ids only\n"
           "  --backup DIR           folder that backups may be written to, "
           "besides DIR of\n"
           "                         --data; may be repeated\n"
           "  --log human|json       form of the log (human)\n"
           "  --log-level LEVEL      debug, info, warn or error (info)\n"
           "  --sandbox yes|no       landlock and seccomp (yes)\n"
           "  --config FILE          settings, name = value "
           "(DIR/balsam.conf)\n"
           "  --help, --version\n"
           "\n"
           "Each setting can also be given in the environment, as "
           "BALSAM_LISTEN.\n";
}

/* What is being read, and from where, for messages. */
struct reading {
    const struct mem *mem;
    struct node_config *c;
    struct bytes problems;
    bool set[SETTINGS];  /* decided by an earlier source */
    bool here[SETTINGS]; /* named in this source */
    enum err e;          /* ERR_NOMEM while noting problems */
};

__attribute__((format(printf, 2, 3))) static void
problem(struct reading *r, const char *format, ...)
{
    char line[NODE_CONFIG_TEXT * 2];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (r->e == OK) {
        r->e = bytes_append(r->mem, &r->problems, view_str(line));
    }
    if (r->e == OK) {
        r->e = bytes_append(r->mem, &r->problems, VIEW_LIT("\n"));
    }
}

static bool
same_word(const char *name, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = word[i] == '_' ? '-' : (char)tolower((unsigned char)word[i]);

        if (name[i] == '\0' || name[i] != c) {
            return false;
        }
    }
    return name[len] == '\0';
}

/* The index of a setting, or SETTINGS. */
static size_t
setting_named(const char *word, size_t len)
{
    size_t i = 0;

    while (i < SETTINGS && !same_word(settings[i].name, word, len)) {
        i++;
    }
    return i;
}

/* The index of value in words, or -1 with a problem noted. */
static int
one_of(struct reading *r, const char *from, const char *value,
       const char *const *words)
{
    char choices[128] = "";

    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            return i;
        }
        strncat(choices, i == 0 ? "" : ", ",
                sizeof(choices) - strlen(choices) - 1);
        strncat(choices, words[i], sizeof(choices) - strlen(choices) - 1);
    }
    problem(r, "%s: \"%s\" is not one of: %s", from, value, choices);
    return -1;
}

static void
set_text(struct reading *r, const char *from, const char *value, char *to)
{
    if (value[0] == '\0') {
        problem(r, "%s: a value is missing", from);
    } else if (strlen(value) >= NODE_CONFIG_TEXT) {
        problem(r, "%s: longer than %d characters", from, NODE_CONFIG_TEXT - 1);
    } else {
        memcpy(to, value, strlen(value) + 1);
    }
}

static void
add_to_list(struct reading *r, const char *from, const char *value,
            struct node_config_list *list)
{
    if (list->len == NODE_CONFIG_LIST) {
        problem(r, "%s: more than %d values", from, NODE_CONFIG_LIST);
        return;
    }
    set_text(r, from, value, list->item[list->len]);
    list->len++;
}

static void
set_value(struct reading *r, size_t i, const char *from, const char *value)
{
    static const char *const switches[] = {"no", "yes", NULL};
    static const char *const forms[] = {"human", "json", NULL};
    static const char *const levels[] = {"debug", "info", "warn", "error",
                                         NULL};
    char *field = (char *)r->c + settings[i].offset;
    int choice;

    switch (settings[i].kind) {
    case TEXT:
        set_text(r, from, value, field);
        break;
    case LIST:
        add_to_list(r, from, value, (void *)field);
        break;
    case SWITCH:
        choice = one_of(r, from, value, switches);
        r->c->sandbox = choice != 0;
        break;
    case FORM:
        choice = one_of(r, from, value, forms);
        r->c->log_form = choice == 1 ? NODE_LOG_JSON : NODE_LOG_HUMAN;
        break;
    case LEVEL:
        choice = one_of(r, from, value, levels);
        r->c->log_level = choice < 0 ? LOG_INFO : (enum log_level)choice;
        break;
    }
}

/* One "name = value" of the present source. */
static void
take(struct reading *r, size_t i, const char *from, const char *value)
{
    if (r->set[i]) {
        return;
    }
    if (r->here[i] && settings[i].kind != LIST) {
        problem(r, "%s: given twice", from);
        return;
    }
    r->here[i] = true;
    set_value(r, i, from, value);
}

static void
end_source(struct reading *r)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        r->set[i] = r->set[i] || r->here[i];
        r->here[i] = false;
    }
}

static void
read_flags(struct reading *r, const struct node_config_input *in)
{
    for (int a = 1; a < in->argc; a++) {
        const char *flag = in->argv[a];
        const char *equals = strchr(flag, '=');
        size_t len = equals == NULL ? strlen(flag) : (size_t)(equals - flag);
        size_t i = SETTINGS;

        if (strcmp(flag, "--help") == 0) {
            r->c->help = true;
            continue;
        }
        if (strcmp(flag, "--version") == 0) {
            r->c->version = true;
            continue;
        }
        if (len > 2 && flag[0] == '-' && flag[1] == '-') {
            i = setting_named(flag + 2, len - 2);
        }
        if (i == SETTINGS) {
            problem(r, "%s: there is no such flag; --help lists them", flag);
        } else if (equals != NULL) {
            take(r, i, flag, equals + 1);
        } else if (a + 1 == in->argc) {
            problem(r, "%s: a value is missing", flag);
        } else {
            take(r, i, flag, in->argv[++a]);
        }
    }
    end_source(r);
}

/* Each word of a list in the environment is one item. */
static void
take_words(struct reading *r, size_t i, const char *from, const char *value)
{
    char word[NODE_CONFIG_TEXT];

    while (*value != '\0') {
        size_t len;

        value += strspn(value, " \t");
        len = strcspn(value, " \t");
        if (len >= sizeof(word)) {
            problem(r, "%s: longer than %d characters", from,
                    NODE_CONFIG_TEXT - 1);
            return;
        }
        if (len > 0) {
            memcpy(word, value, len);
            word[len] = '\0';
            take(r, i, from, word);
        }
        value += len;
    }
}

static void
read_environment(struct reading *r, const struct node_config_input *in)
{
    static const char prefix[] = "BALSAM_";
    size_t skip = sizeof(prefix) - 1;

    for (const char *const *p = in->envp; p != NULL && *p != NULL; p++) {
        const char *equals = strchr(*p, '=');
        char from[64];
        size_t i;

        if (equals == NULL || strncmp(*p, prefix, skip) != 0) {
            continue;
        }
        i = setting_named(*p + skip, (size_t)(equals - *p) - skip);
        if (i == SETTINGS) {
            continue; /* may be meant for another program of ours */
        }
        snprintf(from, sizeof(from), "%.*s", (int)(equals - *p), *p);
        if (settings[i].kind == LIST) {
            take_words(r, i, from, equals + 1);
        } else {
            take(r, i, from, equals + 1);
        }
    }
    end_source(r);
}

/* The text without blanks at either end; cuts s. */
static char *
trimmed(char *s)
{
    size_t len;

    s += strspn(s, " \t\r");
    len = strlen(s);
    while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL) {
        s[--len] = '\0';
    }
    return s;
}

static void
read_line(struct reading *r, const char *path, unsigned number, char *line)
{
    char from[NODE_CONFIG_TEXT + 64];
    char *equals = strchr(line, '=');
    char *name;
    size_t i;

    line = trimmed(line);
    if (line[0] == '\0' || line[0] == '#') {
        return;
    }
    snprintf(from, sizeof(from), "%s line %u", path, number);
    if (equals == NULL) {
        problem(r, "%s: write it as name = value", from);
        return;
    }
    *equals = '\0';
    name = trimmed(line);
    i = setting_named(name, strlen(name));
    if (i == SETTINGS || strcmp(name, "config") == 0) {
        problem(r, "%s: there is no setting \"%s\"", from, name);
        return;
    }
    take(r, i, from, trimmed(equals + 1));
}

/* The whole file, with a NUL behind; ERR_MISSING when there is none. */
static enum err
read_whole(const struct mem *mem, const char *path, struct bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct bytes b = {0};
    ssize_t n = 1;
    enum err e;

    if (fd < 0) {
        return errno == ENOENT ? ERR_MISSING : ERR_IO;
    }
    TRY(bytes_alloc(mem, FILE_MAX + 1, &b));
    b.len = 0;
    while (n > 0 && b.len <= FILE_MAX) {
        n = read(fd, b.p + b.len, FILE_MAX + 1 - b.len);
        b.len += n > 0 ? (size_t)n : 0;
    }
    TRY(n < 0 ? ERR_IO : b.len > FILE_MAX ? ERR_LIMIT : OK);
    b.p[b.len] = '\0';
    *out = bytes_take(&b);
out:
    close(fd);
    bytes_free(&b);
    return e;
}

/* named: somebody asked for this very file, so it must be there. */
static void
read_file(struct reading *r, const char *path, bool named)
{
    struct bytes text = {0};
    enum err e = read_whole(r->mem, path, &text);
    unsigned number = 1;
    char *line;

    if (e == ERR_MISSING && !named) {
        return;
    }
    if (e == ERR_NOMEM) {
        r->e = e;
        return;
    }
    if (e != OK) {
        problem(r, "%s: %s", path,
                e == ERR_MISSING ? "there is no such file"
                : e == ERR_LIMIT ? "longer than 64 KiB"
                : errno == EACCES
                    ? "not for this user; run this as the user who owns it"
                    : strerror(errno));
        return;
    }
    for (line = (char *)text.p; line != NULL; number++) {
        char *end = strchr(line, '\n');

        if (end != NULL) {
            *end = '\0';
        }
        read_line(r, path, number, line);
        line = end == NULL ? NULL : end + 1;
    }
    end_source(r);
    bytes_free(&text);
}

/* Unless it is set: dir, a slash and name, or only name. */
static void
default_text(struct reading *r, char *field, const char *dir, const char *name)
{
    int n;

    if (field[0] != '\0') {
        return;
    }
    n = snprintf(field, NODE_CONFIG_TEXT, "%s%s%s", dir == NULL ? "" : dir,
                 dir == NULL ? "" : "/", name);
    if (n < 0 || n >= NODE_CONFIG_TEXT) {
        problem(r, "data: the path is too long for %s in it", name);
    }
}

/* Without a certificate only a proxy may connect: everybody else's words would
 * be readable on the way. */
static void
check_web(struct reading *r)
{
    const struct node_config *c = r->c;
    bool cert = c->web_cert[0] != '\0';
    struct fed_addr addr;
    struct fed_ip ip;

    if (cert != (c->web_key[0] != '\0')) {
        problem(r, "web-cert and web-key: give both or neither");
    }
    if (cert && c->web.len == 0) {
        problem(r, "web-cert: it is for --web, which is missing");
    }
    for (size_t i = 0; i < c->web.len; i++) {
        if (fed_addr_parse(view_str(c->web.item[i]), 0, &addr) != OK ||
            fed_addr_numeric(&addr, &ip) != OK) {
            problem(r,
                    "web: \"%s\" is not an address in digits; write "
                    "ADDRESS:PORT",
                    c->web.item[i]);
        } else if (!cert && !fed_ip_is_loopback(&ip)) {
            problem(r,
                    "web: %s needs --web-cert and --web-key; without them "
                    "listen on 127.0.0.1, behind a proxy that has them",
                    c->web.item[i]);
        }
    }
    if (c->host[0] != '\0' &&
        (strchr(c->host, ':') != NULL ||
         fed_addr_parse(view_str(c->host), 443, &addr) != OK ||
         fed_addr_numeric(&addr, &ip) == OK)) { /* links have names alone */
        problem(r,
                "host: \"%s\" is not a name, such as clinic.example; write "
                "it without a port",
                c->host);
    }
    if (c->web_socket[0] != '\0' && c->web_socket[0] != '/') {
        problem(r, "web-socket: write the whole path, from /");
    }
}

/* What follows from the data folder, once that is known. */
static void
fill_defaults(struct reading *r)
{
    struct node_config *c = r->c;
    int keys = (c->key_file[0] != '\0') + (c->passphrase_file[0] != '\0') +
               (c->credential[0] != '\0');
    struct fed_addr addr;
    struct proto_addr own;

    default_text(r, c->control, c->data, "control");
    if (keys == 0) {
        default_text(r, c->key_file, c->data, "master.key");
    }
    if (keys > 1) {
        problem(r, "key-file, passphrase-file and credential: choose one");
    }
    for (size_t i = 0; i < c->listen.len; i++) {
        if (fed_addr_parse(view_str(c->listen.item[i]), 0, &addr) != OK) {
            problem(r, "listen: \"%s\" is not an address; write HOST:PORT",
                    c->listen.item[i]);
        }
    }
    for (size_t i = 0; i < c->address.len; i++) {
        if (proto_addr_parse(view_str(c->address.item[i]), &own) != OK) {
            problem(r,
                    "address: \"%s\" is not how others reach this machine; "
                    "write HOST:PORT, as in clinic.example:7443",
                    c->address.item[i]);
        }
    }
    check_web(r);
    if (c->listen.len == 0) {
        default_text(r, c->listen.item[0], NULL, "0.0.0.0:7443");
        c->listen.len = 1;
    }
}

enum err
node_config_read(const struct mem *mem, const struct node_config_input *in,
                 struct node_config *out, struct bytes *problems_out)
{
    struct node_config c = {.sandbox = true, .log_level = LOG_INFO};
    struct reading r = {.mem = mem, .c = &c};
    bool named;

    read_flags(&r, in);
    read_environment(&r, in);
    named = c.config[0] != '\0';
    default_text(&r, c.config, c.data[0] == '\0' ? DEFAULT_DATA : c.data,
                 "balsam.conf");
    read_file(&r, c.config, named);
    default_text(&r, c.data, NULL, DEFAULT_DATA);
    fill_defaults(&r);
    if (r.e != OK) {
        bytes_free(&r.problems);
        return r.e;
    }
    if (r.problems.len > 0) {
        *problems_out = r.problems;
        return ERR_INVALID;
    }
    *out = c;
    return OK;
}
