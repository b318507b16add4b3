/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp filter.  It refuses (EPERM) what is dangerous and unused rather
 * than allowing a list of what is used: libc, OpenSSL, nng and LMDB change
 * their calls from version to version, and a node that dies of an update
 * protects nobody.  Another architecture's calls end the process.
 */
#include "node/sandbox_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#define OUR_ARCH 0u
#endif

/* Never used; the comment says what for. */
static const int refused[] = {
    /* looking into other processes */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    SYS_pidfd_getfd, SYS_perf_event_open, SYS_userfaultfd, SYS_process_madvise,
    /* the kernel and the machine */
    SYS_bpf, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load, SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff,
    SYS_acct, SYS_syslog, SYS_quotactl, SYS_sethostname, SYS_setdomainname,
    SYS_vhangup, SYS_personality,
#if defined(__x86_64__)
    SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
    /* other views of the file tree */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount,
    SYS_open_tree, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
    SYS_mount_setattr, SYS_unshare, SYS_setns, SYS_open_by_handle_at,
    SYS_name_to_handle_at, SYS_fanotify_init,
    /* the clock */
    SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
    /* keys of the kernel, and a ring around this filter */
    SYS_add_key, SYS_request_key, SYS_keyctl, SYS_io_uring_setup,
    SYS_io_uring_enter, SYS_io_uring_register,
    /* becoming someone else */
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
    SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset};

static const int running[] = {SYS_execve, SYS_execveat};

static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

enum {
    N_REFUSED = sizeof(refused) / sizeof(refused[0]),
    N_RUNNING = sizeof(running) / sizeof(running[0]),
    N_FAMILIES = sizeof(families) / sizeof(families[0]),
    PROGRAM_MAX = 2 * (N_REFUSED + N_RUNNING) + N_FAMILIES + 24,
    NEW_SPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
};

#define LOAD(field)                                         \
    ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
                                  offsetof(struct seccomp_data, field)))
#define ANSWER(what) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (what)))
#define IF_EQ(k, yes, no) \
    ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no)))
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short len;
};

static void
add(struct program *p, struct sock_filter step)
{
    p->code[p->len++] = step;
}

static void
refuse_all(struct program *p, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(p, IF_EQ((uint32_t)calls[i], 0, 1));
        add(p, REFUSE);
    }
}

static void
write_program(struct program *p, bool exec)
{
    add(p, LOAD(arch));
    add(p, IF_EQ(OUR_ARCH, 1, 0));
    add(p, ANSWER(SECCOMP_RET_KILL_PROCESS));
    add(p, LOAD(nr));
#if defined(__x86_64__)
    /* the x32 variants of calls have their own numbers */
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u,
                                        0, 1));
    add(p, ANSWER(SECCOMP_RET_KILL_PROCESS));
#endif
    refuse_all(p, refused, N_REFUSED);
    if (!exec) {
        refuse_all(p, running, N_RUNNING);
    }
    /* clone3's flags cannot be seen: libc falls back to clone */
    add(p, IF_EQ(SYS_clone3, 0, 1));
    add(p, ANSWER(SECCOMP_RET_ERRNO | ENOSYS));
    add(p, IF_EQ(SYS_clone, 0, 4));
    add(p, LOAD(args[0]));
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_SPACES,
                                        0, 1));
    add(p, REFUSE);
    add(p, ANSWER(SECCOMP_RET_ALLOW));
    add(p, IF_EQ(SYS_socket, 1, 0));
    add(p, ANSWER(SECCOMP_RET_ALLOW));
    add(p, LOAD(args[0]));
    for (size_t i = 0; i < N_FAMILIES; i++) {
        add(p, IF_EQ(families[i], (uint8_t)(N_FAMILIES - i), 0));
    }
    add(p, REFUSE);
    add(p, ANSWER(SECCOMP_RET_ALLOW));
}

enum err
node_sandbox_calls(bool exec, bool *done_out)
{
    struct program p = {.len = 0};
    struct sock_fprog prog;

    *done_out = false;
    if (OUR_ARCH == 0 || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
        return OK; /* unknown processor, or a kernel without it */
    }
    write_program(&p, exec);
    prog = (struct sock_fprog){p.len, p.code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                &prog) != 0) {
        return errno == ENOSYS ? OK : ERR_IO;
    }
    *done_out = true;
    return OK;
}
