/* SPDX-License-Identifier: Apache-2.0 */
/* Order matters: become the user, give up gaining rights, then files, then
 * calls (which forbid the steps before). */
#include "node/sandbox.h"

#include "node/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Landlock's interface up to version 5; Debian's headers know version 2. */
enum {
    LL_EXECUTE = 1 << 0,
    LL_WRITE_FILE = 1 << 1,
    LL_READ_FILE = 1 << 2,
    LL_READ_DIR = 1 << 3,
    LL_ALL_V1 = (1 << 13) - 1,
    LL_REFER = 1 << 13,     /* 2 */
    LL_TRUNCATE = 1 << 14,  /* 3 */
    LL_IOCTL_DEV = 1 << 15, /* 5 */
    LL_NET_BIND = 1 << 0,   /* 4 */
    LL_RULE_PATH = 1,
    LL_RULE_PORT = 2,
    LL_CREATE_VERSION = 1
};

struct ll_ruleset {
    uint64_t fs;
    uint64_t net; /* not read before version 4 */
};

struct ll_path {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

struct ll_port {
    uint64_t access;
    uint64_t port;
};

static const char *const system_read[] = {"/etc",
                                          "/usr",
                                          "/lib",
                                          "/lib64",
                                          "/run/systemd/resolve",
                                          "/run/resolvconf",
                                          "/run/NetworkManager",
                                          "/sys/devices/system/cpu",
                                          "/proc/self",
                                          "/dev/urandom",
                                          "/dev/null"};

static enum err
no_core(struct node_sandbox *s)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return ERR_IO;
    }
    s->no_core = true;
    return OK;
}

static enum err
become(const char *user, struct node_sandbox *s)
{
    const struct passwd *pw;

    if (geteuid() != 0) {
        s->unprivileged = getuid() != 0;
        return OK;
    }
    if (user == NULL || user[0] == 0) {
        return OK;
    }
    pw = getpwnam(user);
    if (pw == NULL) {
        return ERR_MISSING;
    }
    if (initgroups(user, pw->pw_gid) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
        return ERR_DENIED;
    }
    if (pw->pw_uid != 0 && setuid(0) == 0) {
        return ERR_IO; /* there is a way back */
    }
    s->unprivileged = pw->pw_uid != 0;
    return OK;
}

/* must: a path that is not there is an error. */
static enum err
allow(int ruleset, const char *path, uint64_t access, bool must)
{
    struct ll_path rule = {.access = access};
    struct stat st;
    enum err e = OK;

    rule.fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0) {
        return must ? ERR_MISSING : OK;
    }
    if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        rule.access &= LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE |
                       LL_IOCTL_DEV;
    }
    if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule, 0) != 0) {
        e = ERR_IO;
    }
    close(rule.fd);
    return e;
}

static enum err
allow_paths(int ruleset, const struct node_sandbox_wish *w, uint64_t all)
{
    uint64_t reading =
        LL_READ_FILE | LL_READ_DIR | (w->exec ? (uint64_t)LL_EXECUTE : 0);
    enum err e = OK;

    for (size_t i = 0; e == OK && i < w->write_len; i++) {
        e = allow(ruleset, w->write[i], all & ~(uint64_t)LL_EXECUTE, true);
    }
    for (size_t i = 0; e == OK && i < w->read_len; i++) {
        e = allow(ruleset, w->read[i], reading, true);
    }
    for (size_t i = 0;
         e == OK && i < sizeof(system_read) / sizeof(system_read[0]); i++) {
        e = allow(ruleset, system_read[i], reading, false);
    }
    if (e == OK) {
        e = allow(ruleset, "/dev/null", LL_READ_FILE | LL_WRITE_FILE, false);
    }
    return e;
}

static enum err
allow_ports(int ruleset, const struct node_sandbox_wish *w)
{
    for (size_t i = 0; i < w->ports_len; i++) {
        struct ll_port rule = {LL_NET_BIND, w->ports[i]};

        if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PORT, &rule, 0) !=
            0) {
            return ERR_IO;
        }
    }
    return OK;
}

static uint64_t
all_of_version(int version)
{
    uint64_t all = LL_ALL_V1;

    all |= version >= 2 ? LL_REFER : 0;
    all |= version >= 3 ? LL_TRUNCATE : 0;
    all |= version >= 5 ? LL_IOCTL_DEV : 0;
    return all;
}

static enum err
landlock(const struct node_sandbox_wish *w, struct node_sandbox *s)
{
    enum err e = OK;
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);
    struct ll_ruleset set = {0};
    int fd;

    if (version < 1) {
        return OK; /* not in this kernel, or switched off */
    }
    set.fs = all_of_version((int)version);
    set.net = version >= 4 && w->ports_len > 0 ? LL_NET_BIND : 0;
    fd = (int)syscall(SYS_landlock_create_ruleset, &set,
                      version >= 4 ? sizeof(set) : sizeof(set.fs), 0);
    if (fd < 0) {
        return ERR_IO;
    }
    TRY(allow_paths(fd, w, set.fs));
    if (set.net != 0) {
        TRY(allow_ports(fd, w));
    }
    TRY(syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? OK : ERR_IO);
    s->landlock = (int)version;
    s->ports = set.net != 0;
out:
    close(fd);
    return e;
}

enum err
node_sandbox_enter(const struct node_sandbox_wish *wish,
                   struct node_sandbox *out)
{
    enum err e;
    struct node_sandbox s = {.landlock = 0};

    TRY(become(wish->user, &s));
    TRY(no_core(&s)); /* changing the user made it dumpable again */
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? OK : ERR_IO);
    s.no_new_privs = true;
    TRY(landlock(wish, &s));
    TRY(node_sandbox_calls(wish->exec, &s.seccomp));
    *out = s;
out:
    return e;
}

const char *
node_sandbox_missing(const struct node_sandbox *s, size_t i)
{
    const char *found[5];
    size_t n = 0;

    if (!s->unprivileged) {
        found[n++] = "The node runs as root. Start it as an ordinary user, or "
                     "name one with --user.";
    }
    if (s->landlock == 0) {
        found[n++] = "This kernel has no Landlock: the node is not confined "
                     "to its folders. Linux 5.13 or later can do that.";
    }
    if (!s->seccomp) {
        found[n++] = "This kernel does not filter system calls (seccomp).";
    }
    if (!s->no_core) {
        found[n++] = "Core dumps could not be switched off.";
    }
    return i < n ? found[i] : NULL;
}
