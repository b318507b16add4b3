/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/picture.h"

#include "crypto/ident/profile.h"
#include "crypto/prim/hash.h"
#include "node/clinic/event.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/clinic.h"
#include "store/fed.h"
#include "store/journal.h"

#include <errno.h>
#include <unistd.h>

static struct view
key_of(const struct clinic_id *who)
{
    return who == NULL ? (struct view){0} : clinic_id_view(who);
}

enum err
node_picture_get(struct store_txn *txn, const struct clinic_id *who,
                 struct bytes *out)
{
    return store_fed_get(txn, NODE_NS_PICTURE, key_of(who), out);
}

enum err
node_picture_put(struct store_txn *txn, const struct clinic_id *who,
                 struct view picture)
{
    enum err e;

    if (picture.len > 0) {
        return store_fed_put(txn, NODE_NS_PICTURE, key_of(who), picture);
    }
    e = store_fed_del(txn, NODE_NS_PICTURE, key_of(who));
    return e == ERR_MISSING ? OK : e;
}

enum err
node_desk_picture(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct store_clinic c = {0};
    struct store_event ev = {.kind = NODE_EVENT_CLINIC};

    e = store_clinic_get(txn, &show->peer, &c);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(node_picture_put(txn, &show->peer, view_of(&show->body)));
    ev.a = clinic_id_view(&show->peer);
    ev.n = (uint64_t)c.state;
    TRY(store_journal_append(txn, &ev, NULL));
out:
    store_clinic_clear(&c);
    return e;
}

enum err
node_desk_picture_profile(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct ident_check check = {.root = &show->peer, .known_ms = 1};
    struct ident_profile p;
    struct bytes old = {0};
    struct hash32 hash;

    e = node_picture_get(txn, &show->peer, &old);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(ident_profile_open(store_txn_mem(txn), view_of(&show->body), &check,
                           &p));
    prim_sha256(view_of(&old), hash.b);
    if (p.picture.type == PROTO_PICTURE_NONE ||
        !hash32_equal(&hash, &p.picture_hash)) {
        TRY(node_picture_put(txn, &show->peer, (struct view){0}));
    }
out:
    bytes_free(&old);
    return e;
}

enum err
node_picture_file(const struct mem *mem, int fd, struct bytes *out)
{
    enum err e;
    struct bytes b = {0};
    struct proto_picture what;
    ssize_t n = 1;

    TRY(bytes_alloc(mem, LIMIT_PICTURE + 1, &b));
    b.len = 0;
    while (n != 0 && b.len < b.cap) {
        n = read(fd, b.p + b.len, b.cap - b.len);
        if (n < 0 && errno != EINTR) {
            TRY(ERR_IO);
        }
        b.len += n > 0 ? (size_t)n : 0;
    }
    TRY(proto_picture_read(view_of(&b), &what));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

const char *
node_picture_fault(enum err e)
{
    switch ((int)e) {
    case ERR_UNSUPPORTED:
        return "The picture is neither a PNG nor a JPEG file. Save it as one "
               "of these first.";
    case ERR_LIMIT:
        return "The picture is too large: it may have 64 KB, and 1024 by 1024 "
               "pixels. Make it smaller first.";
    case ERR_FORMAT:
        return "The picture is damaged: it begins like a PNG or JPEG file, but "
               "does not say how large it is. Save it anew.";
    default:
        return "The picture cannot be read. Look whether the file is there.";
    }
}

enum err
node_picture_write(int fd, struct view picture)
{
    while (picture.len > 0) {
        ssize_t n = write(fd, picture.p, picture.len);

        if (n < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
        }
        picture = view_skip(picture, n > 0 ? (size_t)n : 0);
    }
    return OK;
}
