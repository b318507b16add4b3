/* SPDX-License-Identifier: Apache-2.0 */
/* init: a new node in the data folder, with its recovery sheet. */
#include "crypto/ident/profile.h"
#include "node/clinic/picture.h"
#include "node/init.h"
#include "node/plain.h"
#include "node/vault.h"
#include "proto/base/limits.h"
#include "tools/cli/cmd.h"
#include "tools/cli/folder.h"
#include "tools/cli/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PASSPHRASE_MIN = 12
};

/* The settings of the data folder, as the daemon will read them. */
static enum tool_exit
read_config(const struct tool_run *run, struct node_config *out)
{
    const char *pass = tool_args_value(&run->args, "--passphrase-file", NULL);
    const char *host = tool_args_value(&run->args, "--host", NULL);
    const char *argv[7 + 2 * (NODE_CONFIG_LIST + 1)] = {"balsam", "--data",
                                                        run->data};
    struct node_config_input in = {3, argv, run->envp};
    struct bytes problems = {0};
    const char *address;
    enum err e;

    if (pass != NULL) {
        argv[in.argc++] = "--passphrase-file";
        argv[in.argc++] = pass;
    }
    if (host != NULL) {
        argv[in.argc++] = "--host";
        argv[in.argc++] = host;
    }
    for (size_t i = 0;
         i <= NODE_CONFIG_LIST &&
         (address = tool_args_nth(&run->args, "--address", i)) != NULL;
         i++) {
        argv[in.argc++] = "--address";
        argv[in.argc++] = address;
    }
    e = node_config_read(mem_heap(), &in, out, &problems);
    if (e == ERR_INVALID) {
        (void)fwrite(problems.p, 1, problems.len, stderr);
        bytes_free(&problems);
        return TOOL_EXIT_USAGE;
    }
    return e == OK ? TOOL_EXIT_OK
                   : tool_say(TOOL_EXIT_FAILED, "There is no memory.");
}

/* What the daemon needs to know later goes into DIR/balsam.conf. */
static enum tool_exit
write_config(const struct tool_run *run)
{
    const char *host = tool_args_value(&run->args, "--host", NULL);
    const char *address;
    enum tool_exit code = TOOL_EXIT_OK;

    for (size_t i = 0;
         code == TOOL_EXIT_OK &&
         (address = tool_args_nth(&run->args, "--address", i)) != NULL;
         i++) {
        code = tool_add_setting(run, "address", address);
    }
    if (code == TOOL_EXIT_OK && host != NULL) {
        code = tool_add_setting(run, "host", host);
    }
    return code == TOOL_EXIT_OK ? tool_add_passphrase(run) : code;
}

/* A key that is somewhere else is there, and not short. */
static enum tool_exit
look_at_key(const struct node_config *config)
{
    struct node_vault vault = {0};
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e;

    if (config->key_file[0] != '\0') {
        return TOOL_EXIT_OK; /* is made */
    }
    e = node_vault_open(mem_heap(), NULL, config, &vault);
    if (e != OK) {
        code = tool_no_key(config, e);
    } else if (config->passphrase_file[0] != '\0' &&
               vault.key.len < PASSPHRASE_MIN) {
        code = tool_say(TOOL_EXIT_USAGE,
                        "The passphrase in %s is short: take %d letters at "
                        "least, such as five words that do not belong "
                        "together.",
                        config->passphrase_file, PASSPHRASE_MIN);
    }
    node_vault_clear(&vault);
    return code;
}

static enum tool_exit
give_sheet(const struct tool_run *run, const char *name,
           const struct node_sheet *sheet)
{
    char hex[PROTO_HEX_MAX + 1];
    char words[IDENT_WORDS_TEXT_MAX + 1] = "";
    char code[LIMIT_QR_TEXT + 1] = "";
    struct tool_sheet page = {name, hex, words, code};
    enum tool_exit exit_code;

    if (sheet->words.len >= sizeof(words) || sheet->code.len >= sizeof(code)) {
        return TOOL_EXIT_FAILED;
    }
    proto_hex(clinic_id_view(&sheet->root), hex);
    memcpy(words, sheet->words.p, sheet->words.len);
    memcpy(code, sheet->code.p, sheet->code.len);
    exit_code = tool_sheet_give(tool_args_value(&run->args, "--sheet", NULL),
                                run->json ? stderr : stdout, &page);
    mem_wipe(words, sizeof(words));
    mem_wipe(code, sizeof(code));
    return exit_code;
}

static enum tool_exit
say_why(const struct tool_run *run, enum err e)
{
    switch ((int)e) {
    case ERR_EXISTS:
    case ERR_STATE: /* and it runs */
        return tool_say(TOOL_EXIT_FAILED,
                        "There is a node in %s already. Choose another folder "
                        "with --data.",
                        run->data);
    case ERR_INVALID:
        return tool_say(TOOL_EXIT_USAGE,
                        "The clinic needs a name of at most %d letters: "
                        "--name \"...\"",
                        IDENT_NAME_MAX);
    case ERR_DENIED:
        return tool_say(TOOL_EXIT_FAILED,
                        "The folder %s cannot be made or read. Choose another "
                        "with --data, or run this as its owner.",
                        run->data);
    case ERR_FULL:
        return tool_say(TOOL_EXIT_FAILED, "The disk is full. Make room.");
    default:
        return tool_say(TOOL_EXIT_FAILED,
                        "The node cannot be made in %s (%s). Look whether the "
                        "folder is empty and can be written.",
                        run->data, err_name(e));
    }
}

static enum tool_exit
tell(const struct tool_run *run, const struct node_sheet *sheet)
{
    char hex[PROTO_HEX_MAX + 1];
    json_t *o;

    proto_hex(clinic_id_view(&sheet->root), hex);
    if (run->json) {
        o = json_pack("{s:b, s:s, s:s}", "ok", 1, "clinic", hex, "data",
                      run->data);
        tool_print_json(o);
        json_decref(o);
        return TOOL_EXIT_OK;
    }
    (void)printf("The node is made in %s.\nStart it: balsamd --data %s\n",
                 run->data, run->data);
    return TOOL_EXIT_OK;
}

/* --picture; *out is empty without it. */
static enum tool_exit
read_picture(const struct tool_run *run, struct bytes *out)
{
    const char *path = tool_args_value(&run->args, "--picture", NULL);
    int fd;
    enum err e;

    if (path == NULL) {
        return TOOL_EXIT_OK;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return tool_say(TOOL_EXIT_USAGE, "%s cannot be read: %s", path,
                        strerror(errno));
    }
    e = node_picture_file(mem_heap(), fd, out);
    (void)close(fd);
    return e == OK ? TOOL_EXIT_OK
                   : tool_say(TOOL_EXIT_USAGE, "%s", node_picture_fault(e));
}

/* Each word that is given, against its bound, before anything is made. */
static enum tool_exit
look_at_words(const struct node_init *init)
{
    const struct {
        const char *flag;
        struct view text;
        size_t max;
    } words[] = {{"--name", init->name, IDENT_NAME_MAX},
                 {"--street", init->address, IDENT_ADDRESS_MAX},
                 {"--phone", init->phone, IDENT_PHONE_MAX},
                 {"--member", init->member, IDENT_NAME_MAX}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].text.len > words[i].max) {
            return tool_say(TOOL_EXIT_USAGE,
                            "%s is too long: it has at most %zu bytes, and a "
                            "letter with an accent takes two or more.",
                            words[i].flag, words[i].max);
        }
        if (!node_plain(words[i].text)) {
            return tool_say(TOOL_EXIT_USAGE, "%s " NODE_PLAIN_SAY,
                            words[i].flag);
        }
    }
    return TOOL_EXIT_OK;
}

enum tool_exit
tool_cmd_init(const struct tool_run *run)
{
    struct node_config config;
    struct node_sheet sheet = {0};
    const char *name = tool_args_value(&run->args, "--name", "");
    struct node_init init = {
        .name = view_str(name),
        .address = view_str(tool_args_value(&run->args, "--street", "")),
        .phone = view_str(tool_args_value(&run->args, "--phone", "")),
        .member = view_str(tool_args_value(&run->args, "--member", "Admin")),
    };
    struct bytes picture = {0};
    enum tool_exit code = tool_folder_is_ours(run);
    enum err e;

    code = code == TOOL_EXIT_OK ? look_at_words(&init) : code;
    code = code == TOOL_EXIT_OK ? read_config(run, &config) : code;
    code = code == TOOL_EXIT_OK ? look_at_key(&config) : code;
    code = code == TOOL_EXIT_OK ? read_picture(run, &picture) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    init.picture = view_of(&picture);
    e = node_init(mem_heap(), NULL, &config, &init, &sheet);
    bytes_free(&picture);
    if (e != OK) {
        return say_why(run, e);
    }
    code = write_config(run);
    if (code == TOOL_EXIT_OK) {
        code = give_sheet(run, name, &sheet);
    }
    if (code == TOOL_EXIT_OK) {
        code = tell(run, &sheet);
    }
    node_sheet_clear(&sheet);
    return code;
}
