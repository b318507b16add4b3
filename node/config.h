/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's settings: flags, then environment, then file, then defaults;
 * the first that names a setting decides it.  Everything is read before
 * anything is judged, so that all mistakes are reported together.
 *
 *     flag         --listen 0.0.0.0:7443     (lists: repeat it)
 *     environment  BALSAM_LISTEN=...         (lists: separated by blanks)
 *     file         listen = ...              (lists: repeat the line)
 *
 * The file is --config, $BALSAM_CONFIG, or balsam.conf in the data folder if
 * there is one.  Lines are "name = value", blank, or begin with #.
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "node/log_sink.h"
#include "proto/base/bytes.h"

enum {
    NODE_CONFIG_TEXT = 512, /* of one value, with its NUL */
    NODE_CONFIG_LIST = 8
};

struct node_config_list {
    char item[NODE_CONFIG_LIST][NODE_CONFIG_TEXT];
    size_t len;
};

/* Empty text: not set. */
struct node_config {
    char config[NODE_CONFIG_TEXT];     /* the file that was read */
    char data[NODE_CONFIG_TEXT];       /* folder of the node's data */
    char control[NODE_CONFIG_TEXT];    /* control socket */
    struct node_config_list listen;    /* node port: host:port */
    struct node_config_list address;   /* how others reach us, for links */
    char host[NODE_CONFIG_TEXT];       /* web name for links, web port */
    struct node_config_list web;       /* web port: address:port */
    char web_socket[NODE_CONFIG_TEXT]; /* the same for a proxy */
    char web_cert[NODE_CONFIG_TEXT];   /* PEM; empty: plain */
    char web_key[NODE_CONFIG_TEXT];
    char key_file[NODE_CONFIG_TEXT];        /* master key */
    char passphrase_file[NODE_CONFIG_TEXT]; /* or a passphrase */
    char credential[NODE_CONFIG_TEXT];      /* or a systemd credential */
    char user[NODE_CONFIG_TEXT];            /* to become when started as root */
    char on_event[NODE_CONFIG_TEXT];        /* command told of events */
    struct node_config_list backup;         /* folders for backups */
    enum node_log_form log_form;
    enum log_level log_level;
    bool sandbox; /* landlock and seccomp */
    bool help;    /* --help was given: print node_config_help, do nothing */
    bool version; /* --version likewise */
};

/* Where settings come from; envp as in main, argv[0] is passed over. */
struct node_config_input {
    int argc;
    const char *const *argv;
    const char *const *envp;
};

/*
 * Read and judge everything.
 *
 * ERR_INVALID  *problems_out has one line for each mistake, saying what to do;
 *              owned by the caller; *out is not to be used
 */
MUST_CHECK enum err node_config_read(const struct mem *mem,
                                     const struct node_config_input *in,
                                     struct node_config *out,
                                     struct bytes *problems_out);

/* The settings, a line or two each, for --help.  Static. */
const char *node_config_help(void);

#endif
