/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each test runs in a child process, because there is no way back: it enters
 * the sandbox, tries things, and answers with its exit code.
 */
#include "node/sandbox.h"
#include "node/sandbox_calls.h"

#include "tests/federation/world.h"
#include "tests/support/tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: 0 is good, 77 skipped, else the line that failed. */
#define MUST(cond)                                                         \
    do {                                                                   \
        if (!(cond)) {                                                     \
            fprintf(stderr, "  line %d: %s (errno %d)\n", __LINE__, #cond, \
                    errno);                                                \
            _exit(1);                                                      \
        }                                                                  \
    } while (0)

enum {
    SKIPPED = 77
};

/* A folder for the test, gone afterwards. */
struct place {
    char dir[TMP_PATH];
    char file[TMP_PATH + 8];
};

static void
place_make(struct place *p)
{
    int fd;

    tmp_dir(p->dir, sizeof(p->dir), "balsam-sandbox.XXXXXX");
    (void)snprintf(p->file, sizeof(p->file), "%s/file", p->dir);
    fd = open(p->file, O_CREAT | O_RDWR, 0666);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    CHECK(chmod(p->dir, 0777) == 0 && chmod(p->file, 0666) == 0);
}

static void
place_remove(struct place *p)
{
    unlink(p->file);
    rmdir(p->dir);
}

static void
in_child(void (*run)(const struct place *p))
{
    struct place p;
    int status = 0;
    pid_t pid;

    place_make(&p);
    pid = fork();
    if (pid == 0) {
        run(&p);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    place_remove(&p);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        SKIP("this kernel has no landlock");
    }
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

static struct node_sandbox
enter(const struct place *p, const char *user, bool exec, uint16_t port)
{
    const char *write[] = {p->dir};
    struct node_sandbox_wish w = {.user = user,
                                  .write = write,
                                  .write_len = 1,
                                  .ports = &port,
                                  .ports_len = port != 0 ? 1 : 0,
                                  .exec = exec};
    struct node_sandbox s;

    MUST(node_sandbox_enter(&w, &s) == OK);
    MUST(s.no_core && s.no_new_privs);
    return s;
}

static void
files(const struct place *p)
{
    struct node_sandbox s = enter(p, NULL, false, 0);
    int fd;

    if (s.landlock == 0) {
        _exit(SKIPPED);
    }
    fd = open(p->file, O_RDWR | O_TRUNC);
    MUST(fd >= 0 && write(fd, "y", 1) == 1 && ftruncate(fd, 0) == 0);
    MUST(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    MUST(close(open("/etc/passwd", O_RDONLY)) == 0);
    MUST(open("/etc/passwd", O_RDWR) < 0 && errno == EACCES);
    MUST(open("/tmp/balsam-elsewhere", O_CREAT | O_RDWR, 0600) < 0);
    MUST(errno == EACCES);
    MUST(open("/root", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    MUST(open("/var/lib", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    MUST(open("/proc/1/status", O_RDONLY) < 0);
    MUST(getaddrinfo("localhost", "1", NULL,
                     (struct addrinfo **)&(void *){NULL}) == 0);
}

static void
calls(const struct place *p)
{
    struct node_sandbox s = enter(p, NULL, false, 0);
    char *argv[] = {(char *)(uintptr_t) "true", NULL};

    MUST(s.seccomp);
    MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && errno == EPERM);
    MUST(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
    MUST(close(socket(AF_INET6, SOCK_STREAM, 0)) == 0);
    MUST(close(socket(AF_UNIX, SOCK_DGRAM, 0)) == 0);
    MUST(execv("/bin/true", argv) < 0 && errno == EPERM);
    MUST(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
    MUST(syscall(SYS_unshare, 0x10000000) < 0 && errno == EPERM);
    MUST(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EPERM);
    MUST(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
    MUST(syscall(SYS_clone, 0x10000000 | 17, NULL, NULL, NULL, NULL) < 0);
    MUST(errno == EPERM);
    MUST(setuid(0) < 0 && errno == EPERM);
}

static void
no_cores(const struct place *p)
{
    struct rlimit l;

    (void)enter(p, NULL, false, 0);
    MUST(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max == 0);
    MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void
programs(const struct place *p)
{
    char *argv[] = {(char *)(uintptr_t) "true", NULL};

    (void)enter(p, NULL, true, 0);
    execv("/bin/true", argv);
    MUST(false);
}

static void
another_user(const struct place *p)
{
    struct node_sandbox s = enter(p, "nobody", false, 0);

    MUST(s.unprivileged && geteuid() != 0 && getuid() != 0 && getgid() != 0);
    MUST(getgroups(0, NULL) <= 1);
    MUST(open("/etc/shadow", O_RDONLY) < 0);
    MUST(open(p->file, O_RDWR) >= 0);
}

static bool
can_bind(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    bool ok;

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    ok = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
    close(fd);
    return ok;
}

static void
ports(const struct place *p)
{
    struct node_sandbox s = enter(p, NULL, false, 47443);

    if (!s.ports) {
        _exit(SKIPPED);
    }
    MUST(can_bind(47443));
    MUST(!can_bind(47444) && errno == EACCES);
}

/* Two nodes inside: threads, nng, TLS and look-ups do what they should. */
static void
network(const struct place *p)
{
    static struct node a, b;

    (void)enter(p, getuid() == 0 ? "nobody" : NULL, false, 0);
    node_start(&a, 1, NULL);
    node_start(&b, 2, NULL);
    node_dial(&a, &b, false);
    MUST(node_wait(&a, &a.ups, 1) && node_wait(&b, &b.ups, 1));
    for (uint32_t i = 0; i < 100; i++) {
        MUST(node_send(&a, &b.root, i, 5000) == OK);
    }
    MUST(node_wait_u64(&b, &b.frames, 100));
    MUST(open("/etc/passwd", O_RDWR) < 0);
    node_stop(&a);
    node_stop(&b);
}

TEST(only_its_files)
{
    in_child(files);
}

TEST(only_its_calls)
{
    in_child(calls);
}

TEST(no_core_dumps)
{
    in_child(no_cores);
}

TEST(programs_when_asked_for)
{
    in_child(programs);
}

TEST(root_becomes_the_user)
{
    if (geteuid() != 0) {
        SKIP("not root");
    }
    in_child(another_user);
}

TEST(only_its_ports)
{
    in_child(ports);
}

TEST(the_network_works_inside)
{
    in_child(network);
}

TEST(mistakes_are_named)
{
    struct node_sandbox s;
    struct node_sandbox_wish w = {.user = "no-such-user"};

    if (geteuid() == 0) {
        CHECK_ERR(node_sandbox_enter(&w, &s), ERR_MISSING);
    }
    s = (struct node_sandbox){
        .unprivileged = true, .no_core = true, .landlock = 4, .seccomp = true};
    CHECK(node_sandbox_missing(&s, 0) == NULL);
    s.unprivileged = false;
    s.landlock = 0;
    CHECK(node_sandbox_missing(&s, 0) != NULL);
    CHECK(node_sandbox_missing(&s, 1) != NULL);
    CHECK(node_sandbox_missing(&s, 2) == NULL);
}

int
main(void)
{
    return RUN(T(only_its_files), T(only_its_calls), T(no_core_dumps),
               T(programs_when_asked_for), T(root_becomes_the_user),
               T(only_its_ports), T(the_network_works_inside),
               T(mistakes_are_named));
}
