/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that lies: linked before the network (--wrap), it looks at what
 * leaves for one other and puts something else in its place.  It is the real
 * node in all else, so what it has said is signed, numbered and encrypted as
 * it should be.  BALSAM_TEST_LIE names a file that says what it does, which may
 * change at any time:
 *
 *     -            honest
 *     k ID         keeps the log and what it carries from the one with this id
 *     r ID         gives it the first entry that it got again, instead
 *     f ID         keeps the log from it, and forges what it asks for again
 *     i ID         lets it in again by the oldest state that it gave anybody
 *     o ID         gives it, for a patient's devices, the key of a device of
 *                  its own: the last one that came and filled its store here
 *     x ID         says every second entry, or item that it carries, before the
 *                  one before it
 *     g ID         does not answer it when it asks to be let in again
 *     p ID         gives it another picture than its profile names
 *     s ID         is not at home to it: two copies of the daemon, each at home
 *                  to one half of the members, are a hub with two logs
 */
#include "federation/net.h"
#include "proto/base/bytes.h"
#include "proto/msg/device.h"
#include "proto/msg/peer.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TOLD = 2 + 2 * 32,
    STATES = 8
};

enum err __real_fed_net_send(struct fed_net *net, const struct fed_peer *peer,
                             struct bytes *take_frame);
enum err __wrap_fed_net_send(struct fed_net *net, const struct fed_peer *peer,
                             struct bytes *take_frame);

enum err __real_fed_net_start(const struct fed_net_config *config,
                              struct fed_net **out);
enum err __wrap_fed_net_start(const struct fed_net_config *config,
                              struct fed_net **out);

static const char *told;                /* mapped before the sandbox closes */
static struct bytes old;                /* the first entry that the other got */
static struct bytes old_states[STATES]; /* the first of each thread */
static struct bytes held;               /* said after the next one */
static bool held_next;
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static struct bytes own; /* a key package of a device that is ours */
static struct fed_net_user honest;

__attribute__((constructor)) static void
hear(void)
{
    const char *path = getenv("BALSAM_TEST_LIE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *at =
        fd < 0 ? MAP_FAILED : mmap(NULL, TOLD, PROT_READ, MAP_SHARED, fd, 0);

    if (fd >= 0) {
        (void)close(fd);
    }
    told = at == MAP_FAILED ? NULL : at;
}

static bool
is_victim(const struct clinic_id *root)
{
    uint8_t id[32];

    return told != NULL && told[0] != '-' &&
           proto_unhex(view_make((const uint8_t *)told + 2, 64), id, 32) ==
               OK &&
           memcmp(id, root->b, sizeof(id)) == 0;
}

/* ------------------------------------------------------------- not at home */

static enum err
verify(void *ctx, struct view chain, const struct device_id *tls_key,
       const struct clinic_id *expected, struct fed_verdict *out)
{
    enum err e = honest.verify(ctx, chain, tls_key, expected, out);

    return e == OK && told != NULL && told[0] == 's' && is_victim(&out->root)
               ? ERR_DENIED
               : e;
}

/* -------------------------------------------------------- a device of its own
 */

static void
keep_own(struct view body)
{
    struct proto_device_msg msg;
    struct proto_list_at at = {0};
    struct proto_key_package kp;

    if (proto_device_decode(body, &msg) != OK ||
        msg.type != PROTO_DEVICE_KP_PUBLISH ||
        !proto_list_next(&msg.u.kp_publish.kps, &proto_key_package_shape, &at,
                         &kp)) {
        return;
    }
    (void)pthread_mutex_lock(&own_lock);
    bytes_free(&own);
    if (bytes_copy(mem_heap(), kp.kp, &own) != OK) {
        abort();
    }
    (void)pthread_mutex_unlock(&own_lock);
}

static enum fed_flow
overhear(void *ctx, void *peer_ctx, const struct fed_peer *peer,
         struct view frame)
{
    struct proto_peer_msg msg;

    if (proto_peer_decode(frame, &msg) == OK && msg.type == PROTO_PEER_DATA) {
        keep_own(msg.u.data.body);
    }
    return honest.on_frame(ctx, peer_ctx, peer, frame);
}

/* It, in the place of the patient's. */
static enum err
of_our_own(struct view body, struct bytes *out)
{
    struct proto_peer_msg msg;
    struct proto_key_package kp;
    enum err e;

    (void)pthread_mutex_lock(&own_lock);
    kp.kp = view_of(&own);
    TRY(proto_peer_decode(body, &msg));
    if (msg.u.kp_answer.kps.len > 0 && own.len > 0) {
        msg.u.kp_answer.kps = (struct proto_list){.items = &kp, .len = 1};
        TRY(proto_peer_encode(mem_heap(), &msg, out));
    }
out:
    (void)pthread_mutex_unlock(&own_lock);
    return e;
}

/* ---------------------------------------------------------------------------
 */

enum err
__wrap_fed_net_start(const struct fed_net_config *config, struct fed_net **out)
{
    struct fed_net_config mine = *config;

    honest = config->user;
    mine.user.verify = verify;
    mine.user.on_frame = overhear;
    return __real_fed_net_start(&mine, out);
}

/* ---------------------------------------------------------- something else */

/* The same picture, but for its last byte. */
static enum err
another_picture(struct view body, struct bytes *out)
{
    struct proto_peer_msg msg;
    struct bytes bytes = {0};
    enum err e;

    TRY(proto_peer_decode(body, &msg));
    TRY(bytes_copy(mem_heap(), msg.u.picture.bytes, &bytes));
    if (bytes.len > 0) {
        bytes.p[bytes.len - 1] ^= 1;
    }
    msg.u.picture.bytes = view_of(&bytes);
    TRY(proto_peer_encode(mem_heap(), &msg, out));
out:
    bytes_free(&bytes);
    return e;
}

/* The entries that it lacks, each but for one byte of what was said. */
static enum err
forged(struct view body, struct bytes *out)
{
    static struct proto_log_entry entries[LIMIT_LOG_PART];
    static struct bytes said[LIMIT_LOG_PART];
    struct proto_peer_msg msg;
    struct proto_list_at at = {0};
    uint32_t n = 0;
    enum err e;

    TRY(proto_peer_decode(body, &msg));
    while (n < LIMIT_LOG_PART &&
           proto_list_next(&msg.u.log_part.entries, &proto_log_entry_shape, &at,
                           &entries[n])) {
        TRY(bytes_copy(mem_heap(), entries[n].message, &said[n]));
        if (said[n].len > 0) {
            said[n].p[said[n].len / 2] ^= 1;
        }
        entries[n].message = view_of(&said[n]);
        n++;
    }
    msg.u.log_part.entries = (struct proto_list){.items = entries, .len = n};
    TRY(proto_peer_encode(mem_heap(), &msg, out));
out:
    for (uint32_t i = 0; i < n; i++) {
        bytes_free(&said[i]);
    }
    return e;
}

/* The state that was given first of the thread of gi; the free place if none.
 */
static struct bytes *
state_of(const struct proto_gi *gi)
{
    for (size_t i = 0; i < STATES; i++) {
        struct proto_peer_msg then;

        if (old_states[i].len == 0 ||
            (proto_peer_decode(view_of(&old_states[i]), &then) == OK &&
             memcmp(then.u.gi.thread, gi->thread, 32) == 0)) {
            return &old_states[i];
        }
    }
    abort();
}

/* What is given of a thread for the first time. */
static enum err
keep_state(struct view body)
{
    enum err e;
    struct proto_peer_msg msg;
    struct bytes *at;

    TRY(proto_peer_decode(body, &msg));
    if (msg.u.gi.code != PROTO_ANSWER_ACCEPTED) {
        goto out;
    }
    at = state_of(&msg.u.gi);
    TRY(at->len > 0 ? OK : bytes_copy(mem_heap(), body, at));
out:
    return e;
}

/* The state of long ago, in the answer to a new question. */
static enum err
of_before(struct view body, struct bytes *out)
{
    struct proto_peer_msg now;
    struct proto_peer_msg then;
    const struct bytes *at;
    enum err e;

    TRY(proto_peer_decode(body, &now));
    at = state_of(&now.u.gi);
    if (at->len == 0) {
        goto out;
    }
    TRY(proto_peer_decode(view_of(at), &then));
    memcpy(then.u.gi.req, now.u.gi.req, sizeof(then.u.gi.req));
    TRY(proto_peer_encode(mem_heap(), &then, out));
out:
    return e;
}

/* The first waits for the second, which goes before it. */
static enum err
other_order(struct view body, struct bytes *out)
{
    static const struct proto_peer_msg nothing = {.type = PROTO_PEER_ROSTER};
    struct bytes first = {0};
    enum err e = OK;

    if (held_next) {
        first = bytes_take(&held);
        held_next = false;
        TRY(bytes_copy(mem_heap(), body, &held));
        *out = bytes_take(&first);
    } else if (held.len > 0) {
        held_next = true; /* body itself, and then what was before it */
    } else {
        TRY(bytes_copy(mem_heap(), body, &held));
        TRY(proto_peer_encode(mem_heap(), &nothing, out));
    }
out:
    bytes_free(&first);
    return e;
}

/* What goes in the place of body; empty: body itself. */
static enum err
instead(struct view body, struct bytes *out)
{
    struct proto_peer_msg nothing = {.type = PROTO_PEER_ROSTER};
    uint64_t type = proto_peer_peek(body);
    enum err e = OK;

    if (told[0] == 'i') {
        return type == PROTO_PEER_GI ? of_before(body, out) : OK;
    }
    if (told[0] == 'o') {
        return type == PROTO_PEER_KP_ANSWER ? of_our_own(body, out) : OK;
    }
    if (told[0] == 'x') {
        return type == PROTO_PEER_FAN || type == PROTO_PEER_ROUTED
                   ? other_order(body, out)
                   : OK;
    }
    if (told[0] == 'f' && type == PROTO_PEER_LOG_PART) {
        return forged(body, out);
    }
    if (told[0] == 'p') {
        return type == PROTO_PEER_PICTURE ? another_picture(body, out) : OK;
    }
    if (told[0] == 'g') {
        return type == PROTO_PEER_GI
                   ? proto_peer_encode(mem_heap(), &nothing, out)
                   : OK;
    }
    if (type != PROTO_PEER_FAN && type != PROTO_PEER_LOG_PART &&
        type != PROTO_PEER_ROUTED) {
        return OK;
    }
    if (told[0] == 'r' && old.len > 0 && type == PROTO_PEER_FAN) {
        return bytes_copy(mem_heap(), view_of(&old), out);
    }
    TRY(proto_peer_encode(mem_heap(), &nothing, out));
out:
    return e;
}

enum err
__wrap_fed_net_send(struct fed_net *net, const struct fed_peer *peer,
                    struct bytes *take_frame)
{
    struct proto_peer_msg msg;
    struct bytes body = {0};
    struct bytes frame = {0};

    if (proto_peer_decode(view_of(take_frame), &msg) == OK &&
        msg.type == PROTO_PEER_DATA) {
        if (proto_peer_peek(msg.u.data.body) == PROTO_PEER_FAN &&
            old.len == 0 &&
            bytes_copy(mem_heap(), msg.u.data.body, &old) != OK) {
            abort();
        }
        if (proto_peer_peek(msg.u.data.body) == PROTO_PEER_GI &&
            keep_state(msg.u.data.body) != OK) {
            abort();
        }
        if (told != NULL && told[0] != 's' && is_victim(&peer->root) &&
            instead(msg.u.data.body, &body) != OK) {
            abort();
        }
    }
    if (body.len > 0) {
        msg.u.data.body = view_of(&body);
        if (proto_peer_encode(mem_heap(), &msg, &frame) != OK) {
            abort();
        }
        bytes_free(take_frame);
        *take_frame = bytes_take(&frame);
        bytes_free(&body);
    }
    return __real_fed_net_send(net, peer, take_frame);
}
