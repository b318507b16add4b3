/* SPDX-License-Identifier: Apache-2.0 */
#include "node/confine.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The user to become: as set, else the owner of the data if it is balsam. */
static const char *
user_of(const struct node_config *config)
{
    static const char standard[] = "balsam";
    const struct passwd *pw = getpwnam(standard);
    struct stat st;

    if (config->user[0] != '\0') {
        return config->user;
    }
    return pw != NULL && stat(config->data, &st) == 0 && st.st_uid == pw->pw_uid
               ? standard
               : NULL;
}

/* The folder that a path is in. */
static void
folder_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    len = len == 0 ? 1 : len < size ? len : size - 1;
    memcpy(out, slash == NULL ? "." : path, len);
    out[len] = '\0';
}

/*
 * Folders of the web certificate and its key, as named and where they really
 * are: renewal replaces the files, and often moves a link.  False: no more.
 */
static bool
pem_folder(const struct node_config *config, size_t i, char out[4][PATH_MAX])
{
    const char *path = i % 2 == 0 ? config->web_cert : config->web_key;
    char real[PATH_MAX];

    if (config->web_cert[0] == '\0') {
        return false;
    }
    if (i >= 2 && realpath(path, real) != NULL) {
        path = real;
    }
    folder_of(path, out[i], PATH_MAX);
    return true;
}

/* The file that the command of --on-event begins with; false: another word. */
static bool
command_file(const char *command, char *out, size_t size)
{
    const char *from = command + strspn(command, " \t");
    bool quoted = *from == '\'' || *from == '"';
    const char ends[] = {quoted ? *from : ' ', quoted ? '\0' : '\t', '\0'};
    size_t len;

    from += quoted ? 1 : 0;
    len = strcspn(from, ends);
    if (*from != '/' || len >= size) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static bool
is_absent(const char *setting, const char *path, struct node_absent *out)
{
    struct stat st;

    if (stat(path, &st) == 0 || errno != ENOENT) {
        return false;
    }
    out->setting = setting;
    (void)snprintf(out->path, sizeof(out->path), "%s", path);
    return true;
}

enum err
node_confine(const struct log *log, const struct node_config *config,
             struct node_sandbox *out, struct node_absent *absent)
{
    const char *write[NODE_CONFIG_LIST + 3];
    const char *read[5];
    char event[PATH_MAX];
    char control[NODE_CONFIG_TEXT];
    char web[NODE_CONFIG_TEXT];
    char pem[4][PATH_MAX];
    struct node_sandbox_wish wish = {
        .user = user_of(config), .write = write, .read = read};
    enum err e;

    absent->setting = NULL;
    if (!config->sandbox) {
        return OK;
    }
    folder_of(config->control, control, sizeof(control));
    write[wish.write_len++] = config->data;
    write[wish.write_len++] = control;
    for (size_t i = 0; i < config->backup.len; i++) {
        if (is_absent("backup", config->backup.item[i], absent)) {
            return ERR_MISSING;
        }
        write[wish.write_len++] = config->backup.item[i];
    }
    if (config->web_socket[0] != '\0') {
        folder_of(config->web_socket, web, sizeof(web));
        write[wish.write_len++] = web;
    }
    while (wish.read_len < 4 && pem_folder(config, wish.read_len, pem)) {
        read[wish.read_len] = pem[wish.read_len];
        wish.read_len++;
    }
    wish.exec = config->on_event[0] != '\0';
    if (wish.exec && command_file(config->on_event, event, sizeof(event))) {
        if (is_absent("on-event", event, absent)) {
            return ERR_MISSING;
        }
        read[wish.read_len++] = event;
    }
    e = node_sandbox_enter(&wish, out);
    LOG(log, e == OK ? LOG_INFO : LOG_ERROR, "node.sandbox", LOG_ERR(e),
        LOG_NUM("landlock", out->landlock), LOG_NUM("seccomp", out->seccomp),
        LOG_NUM("unprivileged", out->unprivileged));
    return e;
}
