/* SPDX-License-Identifier: Apache-2.0 */
#include "node/daemon.h"

#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "node/addrs.h"
#include "node/confine.h"
#include "node/control.h"
#include "node/hook.h"
#include "node/restored.h"
#include "node/sd_notify.h"
#include "node/self.h"
#include "node/sysclock.h"
#include "node/tidy.h"
#include "node/trail.h"
#include "node/web.h"

#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    SIGN_TRAIL_MS = 3600 * 1000,
    STUCK_MS = 30 * 1000,   /* a core that does nothing this long */
    WEB_LOOK_MS = 60 * 1000 /* how often at the web certificate */
};

struct daemon {
    const struct mem *mem;
    const struct log *log;
    const struct node_config *config;
    char *say;
    struct node_vault vault;
    struct store *store;
    struct fed_io io;
    pthread_t early; /* starts the network's threads while the store opens */
    bool early_runs;
    struct node_runner *runner;
    struct node_control *control;
    struct node_hook *hook;
    struct node_api api;
    struct node_sd sd;
    struct bytes addrs;
    struct bytes profile;
    bool restored;
    uint64_t beats;
    uint64_t beat_ms;
    uint64_t web_seen; /* which certificate files */
    uint64_t web_ms;   /* when to look at them again */
};

static enum err fail(struct daemon *d, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err
fail(struct daemon *d, enum err e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(d->say, NODE_DAEMON_SAY, format, args);
    va_end(args);
    return e;
}

static void
wake_set(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
}

void
node_daemon_signals(void)
{
    sigset_t set;
    struct rlimit none = {0, 0};

    wake_set(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

/* ------------------------------------------------------------------- store */

static void
on_commit(void *ctx, uint64_t journal_seq)
{
    struct daemon *d = ctx;

    node_api_journal(&d->api, journal_seq, false);
}

/* Never advise a new node where there is one whose key is looked for. */
static enum err
no_key(struct daemon *d)
{
    if (!node_vault_is_made(d->config)) {
        return fail(d, ERR_MISSING,
                    "There is no node in %s yet. Make one: balsam init",
                    d->config->data);
    }
    node_vault_no_key(ERR_MISSING, d->config, d->say, NODE_DAEMON_SAY);
    return ERR_MISSING;
}

static void *
start_early(void *arg)
{
    (void)arg;
    fed_io_nng_early();
    return NULL;
}

/* What reads the store and makes keys goes on meanwhile.  Without a thread for
   it the network starts when it is first used. */
static void
network_early(struct daemon *d)
{
    d->early_runs = pthread_create(&d->early, NULL, start_early, NULL) == 0;
}

static void
end_early(struct daemon *d)
{
    if (d->early_runs) {
        (void)pthread_join(d->early, NULL);
        d->early_runs = false;
    }
}

static enum err
open_store(struct daemon *d)
{
    const char *dir = d->config->data;
    enum err e = node_vault_open(d->mem, d->log, d->config, &d->vault);
    struct node_absent absent;

    if (e == ERR_MISSING) {
        return no_key(d);
    }
    if (e != OK) {
        node_vault_no_key(e, d->config, d->say, NODE_DAEMON_SAY);
        return e;
    }
    d->vault.config.on_commit = on_commit;
    d->vault.config.on_commit_ctx = d;
    e = node_confine(d->log, d->config, &d->api.sandbox, &absent);
    if (e != OK && absent.setting != NULL) {
        return fail(d, e, "%s is not there, and the setting %s names it.",
                    absent.path, absent.setting);
    }
    if (e == ERR_MISSING && d->config->user[0] != '\0' &&
        getpwnam(d->config->user) == NULL) {
        return fail(d, e,
                    "There is no user %s on this machine, as --user says.",
                    d->config->user);
    }
    if (e == ERR_MISSING && !node_vault_is_made(d->config)) {
        return no_key(d); /* a passphrase is no sign of a node */
    }
    if (e != OK) {
        return fail(d, e,
                    "The sandbox cannot be closed (%s). Does %s belong "
                    "to the user that runs balsamd? --sandbox no leaves "
                    "it out.",
                    err_name(e), dir);
    }
    network_early(d); /* the sandbox is closed */
    e = store_open(&d->vault.config, &d->store);
    if (e != OK) {
        node_vault_why(e, d->config, d->say, NODE_DAEMON_SAY);
    }
    return e;
}

static enum err
first_member(void *ctx, const struct store_member *m)
{
    struct daemon *d = ctx;

    if (member_id_is_zero(&d->api.member) && m->admin) {
        return node_api_act_as(&d->api, m);
    }
    return OK;
}

static enum err
load(struct daemon *d)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_status status;

    d->api.mem = d->mem;
    TRY(store_status(d->store, &status));
    TRY(store_read_begin(d->store, &txn));
    TRY(node_identity_load(txn, &d->api.identity));
    d->api.root = d->api.identity.root;
    TRY(node_profile_load(txn, &d->api.profile));
    TRY(store_member_list(txn, first_member, d));
    d->restored = node_is_restored(txn, &status);
    d->api.journal_seq = status.journal_seq;
out:
    store_read_end(txn);
    return e;
}

/* ---------------------------------------------------------------- identity */

static enum err
write_identity(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct daemon *d = ctx;
    struct store_status status;

    TRY(node_identity_save(txn, &d->api.identity));
    TRY(store_status(d->store, &status));
    TRY(node_restored_note(txn, &status));
out:
    return e;
}

static enum err
renew(struct daemon *d)
{
    enum err e;
    uint64_t now = store_now_ms(d->store);
    struct node_identity *id = &d->api.identity;

    TRY(node_identity_raise(id, node_identity_after_loss(id, now)));
    TRY(node_identity_renew(d->mem, prim_rng_system(), now, true, id));
    TRY(store_write(d->store, write_identity, d, STORE_JOB_FREES));
    LOG(d->log, LOG_INFO, "node.certificate.renewed",
        LOG_NUM("generation", id->generation & UINT32_MAX),
        LOG_NUM("restored", true));
out:
    return e;
}

/*
 * After a restore: a fresh key and certificate (decisions E 21), of a
 * generation above all that others may remember of us.  When that does not
 * succeed the node starts as it is, and node_renewal_turn goes on trying.
 */
static enum err
renew_restored(struct daemon *d)
{
    struct store_txn *txn = NULL;
    enum err e = d->restored ? renew(d) : OK;

    if (e == OK) {
        return OK;
    }
    LOG(d->log, LOG_ERROR, "node.certificate.not_renewed", LOG_ERR(e),
        LOG_NUM("restored", true));
    node_identity_clear(&d->api.identity);
    TRY(store_read_begin(d->store, &txn));
    TRY(node_identity_load(txn, &d->api.identity));
out:
    store_read_end(txn);
    return e;
}

static enum err
sign_profile(struct daemon *d)
{
    bytes_free(&d->profile);
    return node_profile_sign(d->mem, &d->api.identity, &d->api.profile,
                             &d->profile);
}

/* ------------------------------------------------------------------- start */

static enum err
find_addrs(struct daemon *d)
{
    enum err e;
    const char *bad = "";

    e = node_addrs(d->config, d->api.addrs, NODE_API_ADDRS, &d->api.addrs_len,
                   &bad);
    if (e != OK) {
        return fail(d, e, "\"%s\" is not an address. Write host:port.", bad);
    }
    for (size_t i = 0; i < d->api.addrs_len; i++) {
        TRY(proto_addr_append(d->mem, &d->addrs, &d->api.addrs[i]));
    }
out:
    return e;
}

static enum err
start_runner(struct daemon *d)
{
    struct node_runner_config c = {
        .mem = d->mem,
        .clock = node_sysclock(),
        .rng = prim_rng_system(),
        .log = d->log,
        .io = &d->io,
        .store = d->store,
        .identity = &d->api.identity,
        .addrs = view_of(&d->addrs),
        .profile = view_of(&d->profile),
        .picture = view_of(&d->api.profile.picture),
        .member = d->api.member,
        .restored = d->restored,
        .on_news = node_news_tell,
        .on_news_ctx = &d->api,
    };

    d->io = fed_io_nng(d->mem);
    return node_runner_start(&c, &d->runner);
}

static enum err
listen_all(struct daemon *d)
{
    for (size_t i = 0; i < d->config->listen.len; i++) {
        const char *text = d->config->listen.item[i];
        struct fed_addr a;
        enum err e = fed_addr_parse(view_str(text), 0, &a);

        if (e == OK) {
            e = fed_net_listen(node_runner_net(d->runner), &a, NULL);
        }
        if (e == ERR_EXISTS) {
            return fail(d, e,
                        "Something else listens on %s already. Stop it, "
                        "or choose another port with --listen, or "
                        "BALSAM_LISTEN.",
                        text);
        }
        if (e == ERR_DENIED) {
            return fail(d, e,
                        "The system does not allow listening on %s. "
                        "Choose a port above 1023.",
                        text);
        }
        if (e != OK) {
            return fail(d, e,
                        "Cannot listen on %s. It needs an address of "
                        "this machine in digits, and a port.",
                        text);
        }
    }
    return OK;
}

static enum err
start_web(struct daemon *d)
{
    struct fed_net *net = node_runner_net(d->runner);
    struct node_web_owner owner = {d->api.root,
                                   view_of(&d->api.profile.picture)};
    enum err e;

    if (!node_web_wanted(d->config)) {
        return OK;
    }
    e = node_web_start(d->mem, net, d->config, &owner, d->say, NODE_DAEMON_SAY);
    if (e == OK) {
        ERR_IGNORE(node_web_reload(d->mem, net, d->config, false, &d->web_seen),
                   "it only notes which files were read");
    }
    return e;
}

/* The certificate's owner has renewed it, or says so (SIGHUP). */
static void
renew_web(struct daemon *d, bool asked)
{
    enum err e;

    uint64_t now = clock_mono_ms(node_sysclock());

    if (d->config->web_cert[0] == '\0' || (!asked && now < d->web_ms)) {
        return;
    }
    d->web_ms = now + WEB_LOOK_MS;
    e = node_web_reload(d->mem, node_runner_net(d->runner), d->config, asked,
                        &d->web_seen);
    if (e != ERR_EXISTS) {
        LOG(d->log, e == OK ? LOG_INFO : LOG_ERROR, "node.web.certificate",
            LOG_ERR(e));
    }
}

static enum err
start_control(struct daemon *d)
{
    enum err e;

    d->api.log = d->log;
    d->api.config = d->config;
    d->api.store = d->store;
    d->api.runner = d->runner;
    d->api.vault = &d->vault;
    d->api.started_ms = store_now_ms(d->store);
    e = node_control_start(&d->api, d->config->control, &d->control);
    return e == OK ? OK
                   : fail(d, e,
                          "The control socket %s cannot be made (%s). "
                          "Choose another path with --control.",
                          d->config->control, err_name(e));
}

static enum err
start(struct daemon *d)
{
    enum err e;

    TRY(open_store(d));
    TRY(load(d));
    TRY(renew_restored(d));
    TRY(sign_profile(d));
    TRY(find_addrs(d));
    TRY(start_runner(d));
    end_early(d);
    TRY(listen_all(d));
    TRY(start_web(d));
    TRY(start_control(d));
    if (d->config->on_event[0] != '\0') {
        TRY(node_hook_start(&d->api, d->config->on_event, &d->hook));
    }
out:
    return e;
}

/* -------------------------------------------------------------- looking on */

/* Whether the core still turns; the service manager is told only then. */
static bool
is_alive(struct daemon *d, const struct node_runner_stats *s)
{
    uint64_t now = clock_mono_ms(node_sysclock());

    if (s->beats != d->beats) {
        d->beats = s->beats;
        d->beat_ms = now;
    }
    return now - d->beat_ms < STUCK_MS;
}

static enum err
nothing(void *ctx, struct store_txn *txn)
{
    (void)ctx;
    (void)txn;
    return OK;
}

/* On a full disk nobody writes: whether there is room again is found out. */
static void
look_for_room(struct daemon *d)
{
    if (store_is_full(d->store)) {
        ERR_IGNORE(store_write(d->store, nothing, NULL, 0), "it looks");
    }
}

static enum err
write_trail(void *ctx, struct store_txn *txn)
{
    return node_trail_sign(txn, ctx);
}

/* Sign what the audit trail has come to. */
static void
sign_trail(struct daemon *d)
{
    enum err e;

    (void)pthread_mutex_lock(&d->api.identity_mx);
    e = store_write(d->store, write_trail, &d->api.identity, STORE_JOB_FREES);
    (void)pthread_mutex_unlock(&d->api.identity_mx);
    if (e != OK) {
        LOG(d->log, LOG_ERROR, "node.trail.not_signed", LOG_ERR(e));
    }
}

/* Until somebody ends it, or ERR_STATE: a newer copy of this node runs. */
static enum err
look_after(struct daemon *d)
{
    struct node_runner_stats stats;
    sigset_t set;
    struct timespec second = {1, 0};
    struct node_renewal renewal = {.api = &d->api};
    struct node_tidy tidy = {0};
    uint64_t sign_ms = 0;
    int sig;

    wake_set(&set);
    d->beat_ms = clock_mono_ms(node_sysclock());
    node_renewal_turn(&renewal); /* it may have been off for long */
    for (;;) {
        sig = sigtimedwait(&set, NULL, &second);
        if (sig == SIGTERM || sig == SIGINT) {
            return OK;
        }
        node_runner_stats(d->runner, &stats);
        if (stats.superseded) {
            return fail(d, ERR_STALE,
                        "Another copy of this node was started later and "
                        "speaks to the other clinics. This one stops, so that "
                        "they do not answer for each other. Keep only one.");
        }
        if (sig == SIGHUP) {
            renew_web(d, true);
        }
        look_for_room(d);
        if (is_alive(d, &stats)) {
            node_sd_watchdog(&d->sd);
        }
        node_renewal_turn(&renewal);
        node_runner_clocks_turn(d->runner);
        renew_web(d, false);
        (void)node_tidy_turn(&tidy, stats.steps);
        if (clock_mono_ms(node_sysclock()) >= sign_ms) {
            sign_trail(d);
            sign_ms = clock_mono_ms(node_sysclock()) + SIGN_TRAIL_MS;
        }
    }
}

static void
stop(struct daemon *d)
{
    end_early(d);
    node_api_journal(&d->api, 0, true);
    node_control_stop(d->control);
    node_hook_stop(d->hook);
    node_runner_stop(d->runner);
    if (d->runner != NULL) {
        sign_trail(d);
    }
    store_close(d->store);
    node_vault_clear(&d->vault);
    node_identity_clear(&d->api.identity);
    node_profile_clear(&d->api.profile);
    phi_free(&d->api.member_name);
    bytes_free(&d->addrs);
    bytes_free(&d->profile);
}

enum err
node_daemon_run(const struct mem *mem, const struct log *log,
                const struct node_config *config, char say_out[NODE_DAEMON_SAY])
{
    enum err e;
    struct daemon d = {
        .mem = mem, .log = log, .config = config, .say = say_out};
    pthread_condattr_t attr;

    say_out[0] = '\0';
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&d.api.identity_mx, NULL);
    (void)pthread_mutex_init(&d.api.self_mx, NULL);
    (void)pthread_mutex_init(&d.api.journal_mx, NULL);
    (void)pthread_cond_init(&d.api.journal_cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    node_sd_open(&d.sd);
    node_json_init();
    TRY(prim_init());
    TRY(start(&d));
    LOG(log, LOG_INFO, "node.started",
        LOG_TAG("clinic", log_tag_of(clinic_id_view(&d.api.identity.root))));
    node_sd_ready(&d.sd);
    e = look_after(&d);
    node_sd_stopping(&d.sd);
out:
    if (e != OK && say_out[0] == '\0') {
        (void)fail(&d, e, "The node does not start (%s). The log says more.",
                   err_name(e));
    }
    stop(&d);
    LOG(log, LOG_INFO, "node.stopped", LOG_ERR(e));
    node_sd_close(&d.sd);
    return e;
}
