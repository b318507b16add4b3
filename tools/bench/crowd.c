/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/crowd.h"

#include "crypto/ident/cert.h"
#include "crypto/ident/device_list.h"
#include "crypto/ident/profile.h"
#include "crypto/prim/random.h"
#include "federation/core/patient.h"
#include "federation/net.h"
#include "proto/base/assert.h"
#include "proto/msg/group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_MAX = 16 << 20,
    DAY_MS = 24 * 3600 * 1000,
    SILENCE_MS = 25 * 1000 /* then a peer says that it is still here */
};

static void
must(enum err e, const char *what)
{
    if (e != OK) {
        fprintf(stderr, "crowd: %s: %s\n", what, err_name(e));
        exit(1);
    }
}

static uint64_t
read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t
wall(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

static uint64_t
mono(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

void
tool_crowd_open(struct tool_crowd *c)
{
    *c = (struct tool_crowd){.clock = {wall, mono, NULL}};
}

/* ------------------------------------------------------------------ identity
 */

static void
new_key(struct prim_sign_key *out)
{
    uint8_t seed[PRIM_ED25519_SEED];

    must(rng_fill(prim_rng_system(), seed, sizeof(seed)), "random");
    prim_ed25519_from_seed(seed, out);
}

static void
be_clinic(struct tool_member *m)
{
    uint64_t now = wall(NULL);
    struct ident_cert cert = {.not_before_ms = now - 1000,
                              .not_after_ms = now + 365ull * DAY_MS,
                              .generation = ident_generation(1, 0)};
    struct ident_profile profile = {.name = VIEW_LIT("One of many"),
                                    .changed_ms = now};
    struct prim_sign_key renewal;
    struct bytes above = {0};
    struct bytes node = {0};

    new_key(&renewal);
    memcpy(cert.root.b, m->root.pub, sizeof(cert.root.b));
    memcpy(cert.key, renewal.pub, sizeof(cert.key));
    must(ident_cert_make(mem_heap(), IDENT_RENEWAL, &m->root, &cert, &above),
         "renewal");
    memcpy(cert.key, m->key.pub, sizeof(cert.key));
    cert.generation = ident_generation(1, 1);
    cert.not_after_ms = now + 80ull * DAY_MS;
    must(ident_cert_make(mem_heap(), IDENT_NODE, &renewal, &cert, &node),
         "certificate");
    must(ident_chain_make(mem_heap(), view_of(&above), view_of(&node),
                          &m->chain),
         "chain");
    profile.root = cert.root;
    must(ident_profile_make(mem_heap(), &m->key, view_of(&m->chain), &profile,
                            &m->profile),
         "profile");
    bytes_free(&above);
    bytes_free(&node);
}

static void
be_device(struct tool_member *m, const struct clinic_id *home)
{
    struct ident_devices list = {
        .generation = ident_generation(1, 0), .home = *home, .len = 1};
    struct ident_device_cert cert = {.home = *home};

    memcpy(list.patient.b, m->root.pub, sizeof(list.patient.b));
    memcpy(list.device[0].id.b, m->key.pub, sizeof(list.device[0].id.b));
    list.device[0].may_add = true;
    must(ident_devices_make(mem_heap(), &m->root, &list, &m->list), "list");
    cert.patient = list.patient;
    cert.device = list.device[0].id;
    must(ident_device_cert_make(mem_heap(), &m->root, &cert, &m->chain),
         "device certificate");
}

static struct fed_self
self_of(const struct tool_member *m)
{
    struct fed_self self = {
        .kind = m->device ? FED_KIND_DEVICE : FED_KIND_CLINIC,
        .chain = view_of(&m->chain),
        .node_seed = VIEW_ARRAY(m->key.seed),
        .list = view_of(&m->list),
        .profile = view_of(&m->profile),
    };

    memcpy(self.root.b, m->device ? m->key.pub : m->root.pub,
           sizeof(self.root.b));
    memcpy(self.patient.b, m->root.pub, sizeof(self.patient.b));
    return self;
}

/* ---------------------------------------------------------------- connection
 */

static void
flush(struct tool_member *m)
{
    struct bytes out = {0};
    size_t at = 0;

    tlsp_take_out(m->tls, &out);
    while (at < out.len) {
        ssize_t n = send(m->fd, out.p + at, out.len - at, MSG_NOSIGNAL);

        if (n <= 0) {
            break; /* reading tells */
        }
        at += (size_t)n;
    }
    bytes_free(&out);
}

static enum err
verify(void *ctx, struct view chain, const struct device_id *key)
{
    struct tool_member *m = ctx;
    struct ident_check check = {.now_ms = wall(NULL)};
    struct ident_node n;
    enum err e;

    (void)key;
    TRY(ident_chain_verify(mem_heap(), chain, &check, &n));
    m->generation = n.generation;
out:
    return e;
}

static void
hang_up(struct tool_member *m)
{
    if (m->fd >= 0) {
        close(m->fd);
        tlsp_free(m->tls);
        fed_frame_clear(&m->rd);
        m->tls = NULL;
        m->fd = -1;
    }
}

static void
dial(const struct tool_crowd *c, struct tool_member *m)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(c->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct tlsp_verifier v = {verify, m};
    int one = 1;

    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(m->fd >= 0);
    setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(m->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        perror("crowd: connect");
        exit(1);
    }
    m->up = false;
    m->serial++;
    m->rd = (struct fed_frame_rd){.mem = mem_heap()};
    must(tlsp_dial(mem_heap(), m->policy, &v, &m->tls), "dial");
    flush(m);
}

static void
send_frame(struct tool_member *m, struct view frame)
{
    uint8_t header[FED_FRAME_HEADER];

    if (m->fd >= 0 && m->up) {
        fed_frame_header((uint32_t)frame.len, header);
        must(tlsp_write(m->tls, VIEW_ARRAY(header)), "write");
        if (frame.len > 0) {
            must(tlsp_write(m->tls, frame), "write");
        }
        m->said_ms = mono(NULL);
        flush(m);
    }
}

/* ---------------------------------------------------------------------- core
 */

/* What would be shown to its people. */
static void
show(struct tool_member *m, const struct fed_show *s)
{
    bool refusable = s->kind == FED_SHOW_LINK || s->kind == FED_SHOW_ENROL;

    if (s->kind == FED_SHOW_BAD || (refusable && s->code != 0)) {
        fprintf(stderr, "crowd: refused: show %d, code %llu\n", (int)s->kind,
                (unsigned long long)s->code);
        m->failed = true;
    }
    m->messages += s->kind == FED_SHOW_MESSAGE;
    if (s->kind == FED_SHOW_THREAD && (s->value & PROTO_GROUP_DIRECT) == 0) {
        m->group = s->thread;
    }
}

static void
act(const struct tool_crowd *c, struct tool_member *m,
    const struct fed_batch *b)
{
    for (size_t i = 0; i < b->shows_len; i++) {
        show(m, &b->shows[i]);
    }
    for (size_t i = 0; i < b->acts_len; i++) {
        const struct fed_act *a = &b->acts[i];

        if (a->kind == FED_ACT_SEND && a->serial == m->serial) {
            send_frame(m, view_of(&a->body));
        } else if (a->kind == FED_ACT_WANT && m->fd < 0 &&
                   clinic_id_equal(&a->peer, &c->node)) {
            dial(c, m);
        } else if (a->kind == FED_ACT_CLOSE && a->serial == m->serial) {
            hang_up(m);
        }
    }
}

static void
stepped(const struct tool_crowd *c, struct tool_member *m, enum err e)
{
    const struct fed_batch *b = NULL;

    must(e, "step");
    for (;;) {
        must(fed_core_take(m->core, &b), "take");
        if (b == NULL) {
            return;
        }
        tool_rows_write(&m->rows, b);
        if (b->timer_ms != 0) {
            m->timer_ms = b->timer_ms;
        }
        act(c, m, b);
        fed_core_done(m->core, b);
    }
}

static void
went_down(const struct tool_crowd *c, struct tool_member *m)
{
    bool was = m->up;

    hang_up(m);
    m->up = false;
    if (was) {
        stepped(c, m, fed_core_peer_down(m->core, &c->node, m->serial));
    }
    if (m->fd < 0 && !m->failed) {
        dial(c, m);
    }
}

static void
came_up(const struct tool_crowd *c, struct tool_member *m)
{
    struct fed_up up = {.root = c->node,
                        .serial = m->serial,
                        .generation = m->generation,
                        .dialled = true};

    must(tlsp_export(m->tls, FED_EXPORTER_LABEL, (struct view){0}, up.exporter),
         "exporter");
    m->up = true;
    stepped(c, m, fed_core_peer_up(m->core, &up));
}

static void
heard(const struct tool_crowd *c, struct tool_member *m, struct view plain)
{
    uint64_t serial = m->serial;
    struct view frame;

    while (m->fd >= 0 && m->serial == serial &&
           fed_frame_next(&m->rd, FRAME_MAX, &plain, &frame) == OK) {
        if (!m->up) {
            came_up(c, m); /* the first one says "accepted" */
        } else if (frame.len > 0) {
            m->frame_max = frame.len > m->frame_max ? frame.len : m->frame_max;
            stepped(c, m, fed_core_frame(m->core, &c->node, m->serial, frame));
        }
    }
}

static void
readable(const struct tool_crowd *c, struct tool_member *m)
{
    static uint8_t wire[65536];
    static uint8_t plain[32768];
    uint64_t serial = m->serial;
    ssize_t n = recv(m->fd, wire, sizeof(wire), MSG_DONTWAIT);
    struct view in;
    enum err e = OK;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    in = view_make(wire, n > 0 ? (size_t)n : 0);
    while (n > 0 && e == OK && m->fd >= 0 && m->serial == serial) {
        size_t len = 0;

        e = tlsp_read(m->tls, &in, plain, sizeof(plain), &len);
        flush(m);
        heard(c, m, view_make(plain, len));
    }
    if (m->serial == serial && m->fd >= 0 &&
        (n <= 0 || (e != OK && e != ERR_AGAIN))) {
        went_down(c, m);
    }
}

void
tool_crowd_turn(struct tool_crowd *c, int wait_ms)
{
    struct pollfd *fds = mem_calloc(mem_heap(), c->len + 1, sizeof(fds[0]));
    uint64_t now;

    ASSERT(fds != NULL);
    for (size_t i = 0; i < c->len; i++) {
        fds[i].fd = c->members[i]->fd;
        fds[i].events = POLLIN;
    }
    (void)poll(fds, c->len, wait_ms);
    now = mono(NULL);
    for (size_t i = 0; i < c->len; i++) {
        struct tool_member *m = c->members[i];

        if (fds[i].fd >= 0 && fds[i].revents != 0 && m->fd == fds[i].fd) {
            readable(c, m);
        }
        if (m->timer_ms != 0 && m->timer_ms <= now) {
            m->timer_ms = 0;
            stepped(c, m, fed_core_tick(m->core));
        }
        if (now - m->said_ms > SILENCE_MS) {
            send_frame(m, (struct view){0});
        }
    }
    mem_free(mem_heap(), fds, (c->len + 1) * sizeof(fds[0]));
}

/* --------------------------------------------------------------------- crowd
 */

static void
add(struct tool_crowd *c, struct tool_member *m)
{
    if (c->len == c->cap) {
        size_t cap = c->cap == 0 ? 64 : c->cap * 2;
        struct tool_member **more =
            mem_calloc(mem_heap(), cap, sizeof(struct tool_member *));

        ASSERT(more != NULL);
        if (c->len > 0) {
            memcpy(more, c->members, c->len * sizeof(more[0]));
        }
        mem_free(mem_heap(), c->members, c->cap * sizeof(more[0]));
        c->members = more;
        c->cap = cap;
    }
    c->members[c->len++] = m;
}

static void
use_link(struct tool_crowd *c, struct tool_member *m, const char *text,
         struct fed_invitation *inv)
{
    struct proto_link link;
    enum proto_link_fault fault;

    must(proto_link_parse(view_str(text), 0, &link, &fault), "link");
    *inv = (struct fed_invitation){
        .root = link.root,
        .link = link.id,
        .one_time = (link.flags & PROTO_LINK_ONE_TIME) != 0,
        .in_person = (link.flags & PROTO_LINK_IN_PERSON) != 0};
    memcpy(inv->secret, link.secret, sizeof(inv->secret));
    c->node = link.root;
    c->port = link.addrs[0].port;
    for (size_t i = 0; i < link.addrs_len; i++) {
        must(proto_addr_append(mem_heap(), &m->addrs, &link.addrs[i]),
             "address");
    }
    inv->addrs = view_of(&m->addrs);
}

struct tool_member *
tool_crowd_join(struct tool_crowd *c, bool device, const char *link)
{
    struct tool_member *m = mem_alloc(mem_heap(), sizeof(*m));
    struct fed_core_config config = {
        .mem = mem_heap(), .rng = prim_rng_system(), .clock = &c->clock};
    struct fed_enrol enrol = {.name = VIEW_LIT("One of many")};
    struct fed_invitation inv;

    ASSERT(m != NULL);
    m->device = device;
    m->fd = -1;
    new_key(&m->root);
    new_key(&m->key);
    use_link(c, m, link, &inv);
    if (device) {
        be_device(m, &inv.root);
    } else {
        be_clinic(m);
    }
    must(tlsp_policy_node(mem_heap(), VIEW_ARRAY(m->key.seed),
                          view_of(&m->chain), &m->policy),
         "policy");
    config.store = tool_rows_store(&m->rows);
    config.self = self_of(m);
    must(fed_core_new(&config, &m->core), "core");
    add(c, m);
    stepped(c, m, OK);
    enrol.inv = inv;
    stepped(c, m,
            device ? fed_core_enrol(m->core, &enrol)
                   : fed_core_connect(m->core, &inv));
    return m;
}

bool
tool_member_in(const struct tool_crowd *c, struct tool_member *m)
{
    struct fed_party_info party;
    struct fed_thread_info thread;

    return fed_core_party(m->core, &c->node, &party) == OK &&
           fed_core_thread(m->core, &party.direct, &thread) == OK &&
           thread.state == FED_THREAD_ACTIVE;
}

bool
tool_member_up(const struct tool_crowd *c, struct tool_member *m)
{
    struct fed_party_info party;

    return fed_core_party(m->core, &c->node, &party) == OK && party.up;
}

static void
member_free(struct tool_member *m)
{
    hang_up(m);
    fed_core_free(m->core);
    tlsp_policy_unref(m->policy);
    tool_rows_clear(&m->rows);
    bytes_free(&m->chain);
    bytes_free(&m->profile);
    bytes_free(&m->list);
    bytes_free(&m->addrs);
    mem_free(mem_heap(), m, sizeof(*m));
}

void
tool_crowd_leave(struct tool_crowd *c, struct tool_member *m)
{
    for (size_t i = 0; i < c->len; i++) {
        if (c->members[i] == m) {
            c->members[i] = c->members[--c->len];
            member_free(m);
            return;
        }
    }
}

void
tool_crowd_close(struct tool_crowd *c)
{
    while (c->len > 0) {
        tool_crowd_leave(c, c->members[c->len - 1]);
    }
    mem_free(mem_heap(), c->members, c->cap * sizeof(c->members[0]));
}
