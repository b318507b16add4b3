/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include "crypto/prim/hash.h"
#include "store/audit.h"
#include "store/blob.h"
#include "store/contact.h"
#include "store/fed.h"
#include "store/journal.h"
#include "store/msg.h"
#include "store/outbox.h"
#include "tests/store/fix.h"

#include <fcntl.h>

static const struct clinic_id peer = {{1}};
static const struct conv_id conv = {{2}};

struct world {
    struct fix f;
    char dir[FIX_PATH]; /* of the backup */
    struct hash32 chunk;
    struct hash32 blob;
    unsigned bad;
    char last_bad[32];
};

/* A bit of everything. */
static enum err
fill_run(void *ctx, struct store_txn *txn)
{
    struct world *w = ctx;
    struct store_owner owner = {{9}};
    struct store_conv c = {.id = conv, .channel = STORE_CHANNEL_SECURE};
    struct store_contact contact = {.id = {{3}}};
    struct store_msg m = {.conv = conv, .id = {{1, 7}}};
    struct store_audit row = {.action = 1};
    struct store_event ev = {.kind = 1};
    uint64_t seq;
    enum err e;

    TRY(store_conv_create(txn, &c));
    TRY(bytes_copy(mem_heap(), VIEW_LIT("the words of a message"), &m.body));
    for (uint8_t i = 0; i < 70; i++) {
        m.id.b[2] = i;
        TRY(store_msg_add(txn, &m, NULL));
        TRY(store_audit_append(txn, &row));
        TRY(store_journal_append(txn, &ev, NULL));
    }
    TRY(phi_from(mem_heap(), VIEW_LIT("Some Body"), &contact.name));
    TRY(store_contact_put(txn, &contact));
    TRY(store_secret_put(txn, &owner, VIEW_LIT("epoch"), VIEW_LIT("secret")));
    TRY(store_fed_put(txn, 1, VIEW_LIT("state"), VIEW_LIT("public")));
    TRY(store_fed_put(txn, STORE_FED_NO_BACKUP, VIEW_LIT("a"),
                      VIEW_LIT("unsent")));
    TRY(store_fed_put(txn, 255, VIEW_LIT("a"), VIEW_LIT("unsent")));
    TRY(store_outbox_push(txn, &peer, VIEW_LIT("unsent"), 0, 0, &seq));
    TRY(store_outbox_push(txn, &peer, VIEW_LIT("unsent"), 0, 0, &seq));
    TRY(store_blob_put(txn, 5, &w->chunk, 1, &w->blob));
    TRY(store_blob_ref(txn, &w->blob, VIEW_LIT("m1")));
out:
    bytes_free(&m.body);
    store_contact_clear(&contact);
    return e;
}

static void
begin(struct world *w)
{
    memset(w, 0, sizeof(*w));
    fix_begin(&w->f);
    fix_dir(w->dir);
    prim_sha256(VIEW_LIT("chunk"), w->chunk.b);
    CHECK_OK(store_chunk_write(w->f.s, &w->chunk, VIEW_LIT("chunk")));
    FIX_WRITE(&w->f, fill_run, w);
}

static void
end(struct world *w)
{
    fix_end(&w->f);
    fix_rm(w->dir);
}

static void
found(void *ctx, const struct store_bad *bad)
{
    struct world *w = ctx;

    w->bad++;
    (void)snprintf(w->last_bad, sizeof(w->last_bad), "%s", bad->table);
}

static enum err
verify(struct world *w, struct store_verify_result *r)
{
    enum err e;

    store_close(w->f.s);
    w->f.s = NULL;
    w->bad = 0;
    e = fix_verify(&w->f.cfg, found, w, r);
    CHECK_EQ(r->bad, w->bad);
    CHECK_OK(store_open(&w->f.cfg, &w->f.s));
    return e;
}

static unsigned
messages(struct store *s)
{
    struct store_txn *txn;
    struct store_conv c = {0};
    unsigned n;

    CHECK_OK(store_read_begin(s, &txn));
    CHECK_OK(store_conv_get(txn, &conv, &c));
    n = (unsigned)c.msgs;
    for (uint64_t seq = 1; seq <= n; seq++) {
        struct store_msg m = {0};

        CHECK_OK(store_msg_get(txn, seq, &m));
        store_msg_clear(&m);
    }
    store_conv_clear(&c);
    store_read_end(txn);
    return n;
}

TEST(a_healthy_store_verifies)
{
    struct world w;
    struct store_verify_result r;

    begin(&w);
    CHECK_ERR(fix_verify(&w.f.cfg, found, &w, &r), ERR_STATE);
    CHECK_OK(verify(&w, &r));
    CHECK_STR(w.last_bad, "");
    CHECK_EQ(r.bad, 0);
    CHECK_EQ(r.chunks, 1);
    CHECK_EQ(r.audit_rows, 70);
    CHECK(r.records > 100);
    end(&w);
}

TEST(a_restored_store_has_all_but_secrets_and_knows_it)
{
    struct world w;
    struct fix to;
    struct store_status before;
    struct store_status after;
    struct store_verify_result r;
    struct store_txn *txn;
    struct store_owner owner = {{9}};
    struct store_outbox_status st;
    struct store_contact c = {0};
    struct contact_id id = {{3}};
    struct bytes b = {0};

    begin(&w);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_OK(store_status(w.f.s, &before));
    fix_config(&to, 99);
    fix_dir(to.dir);
    CHECK_OK(store_restore(&to.cfg, w.dir, NULL));
    CHECK_ERR(store_restore(&to.cfg, w.dir, NULL), ERR_EXISTS);
    CHECK_OK(store_open(&to.cfg, &to.s));
    CHECK_OK(store_status(to.s, &after));
    CHECK_EQ(before.restores, 0);
    CHECK_EQ(after.restores, 1);
    CHECK_EQ(after.restored_ms, to.wall_ms);
    CHECK_EQ(after.journal_seq, 70);
    CHECK(memcmp(before.env_id, after.env_id, 16) != 0);
    CHECK_EQ(messages(to.s), 70);
    CHECK_OK(store_read_begin(to.s, &txn));
    CHECK_OK(store_contact_get(txn, &id, &c));
    store_contact_clear(&c);
    CHECK_ERR(store_secret_get(txn, &owner, VIEW_LIT("epoch"), &b),
              ERR_MISSING);
    CHECK_ERR(store_outbox_status(txn, &peer, &st), ERR_MISSING);
    CHECK_OK(store_fed_get(txn, 1, VIEW_LIT("state"), &b));
    bytes_free(&b);
    CHECK_ERR(store_fed_get(txn, STORE_FED_NO_BACKUP, VIEW_LIT("a"), &b),
              ERR_MISSING);
    CHECK_ERR(store_fed_get(txn, 255, VIEW_LIT("a"), &b), ERR_MISSING);
    store_read_end(txn);
    CHECK_OK(store_chunk_read(to.s, &w.chunk, &b));
    bytes_free(&b);
    store_close(to.s);
    to.s = NULL;
    CHECK_OK(fix_verify(&to.cfg, found, &w, &r));
    CHECK_STR(w.last_bad, "");
    CHECK_EQ(r.bad, 0);
    fix_end(&to);
    end(&w);
}

TEST(a_second_backup_replaces_the_first)
{
    struct world w;
    struct world other;
    struct fix to;
    struct bytes b = {0};

    begin(&w);
    begin(&other);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_OK(fix_put(&w.f, STORE_T_FED, VIEW_LIT("later"), VIEW_LIT("x")));
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_ERR(store_backup(other.f.s, w.f.dir, NULL), ERR_EXISTS);
    fix_config(&to, 99);
    fix_dir(to.dir);
    CHECK_OK(store_restore(&to.cfg, w.dir, NULL));
    CHECK_OK(store_open(&to.cfg, &to.s));
    CHECK_OK(fix_get(&to, STORE_T_FED, VIEW_LIT("later"), &b));
    bytes_free(&b);
    /* Restored, it is another store: not into the backup of the first. */
    CHECK_ERR(store_backup(to.s, w.dir, NULL), ERR_EXISTS);
    fix_end(&to);
    end(&other);
    end(&w);
}

TEST(a_backup_is_of_no_use_without_the_key)
{
    static const uint8_t wrong[32] = {7};
    struct world w;
    struct fix to;

    begin(&w);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    fix_config(&to, 99);
    fix_dir(to.dir);
    to.cfg.key.secret = VIEW_ARRAY(wrong);
    CHECK_ERR(store_restore(&to.cfg, w.dir, NULL), ERR_AUTH);
    CHECK_ERR(store_open(&to.cfg, &to.s), ERR_MISSING);
    fix_end(&to);
    end(&w);
}

static bool
stop(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)done;
    (void)total;
    return false;
}

TEST(a_backup_can_be_stopped)
{
    struct world w;
    struct store_progress p = {stop, NULL};
    struct fix to;

    begin(&w);
    CHECK_ERR(store_backup(w.f.s, w.dir, &p), ERR_STATE);
    fix_config(&to, 99);
    fix_dir(to.dir);
    CHECK_ERR(store_restore(&to.cfg, w.dir, NULL), ERR_MISSING);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_OK(store_restore(&to.cfg, w.dir, NULL));
    fix_end(&to);
    end(&w);
}

static enum err
break_run(void *ctx, struct store_txn *txn)
{
    const char *what = ctx;
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 5};
    struct store_scan sc;
    enum err e = OK;

    if (strcmp(what, "msgs") == 0) {
        return store_del(txn, STORE_T_MSGS, VIEW_ARRAY(key));
    }
    TRY(store_scan_begin(txn,
                         strcmp(what, "conv_order") == 0  ? STORE_T_CONV_ORDER
                         : strcmp(what, "audit") == 0     ? STORE_T_AUDIT
                         : strcmp(what, "msg_ids") == 0   ? STORE_T_MSG_IDS
                         : strcmp(what, "msg_index") == 0 ? STORE_T_MSG_INDEX
                                                          : STORE_T_OUTBOX,
                         (struct view){0}, STORE_UP, &sc));
    CHECK(store_scan_next(&sc));
    e = store_scan_del(&sc);
    CHECK_OK(store_scan_end(&sc));
out:
    return e;
}

/* A backup looked through while the store works. */
static enum err
verify_backup(struct world *w, struct store_verify_result *r)
{
    const struct store_verify_how how = {
        .backup = w->dir, .found = found, .ctx = w};
    enum err e;

    w->bad = 0;
    e = store_verify(&w->f.cfg, &how, r);
    CHECK_EQ(r->bad, w->bad);
    return e;
}

/* Names, sizes and times of all files of a folder, in some order. */
static uint64_t
look_of(const char *dir)
{
    char command[2 * FIX_PATH];
    uint64_t sum = 5381;
    FILE *p;
    int c;

    (void)snprintf(command, sizeof(command),
                   "find %s -printf '%%P %%s %%T@ %%C@ %%m\\n' | sort", dir);
    p = popen(command, "r");
    CHECK(p != NULL);
    while ((c = fgetc(p)) != EOF) {
        sum = sum * 33 + (uint64_t)c;
    }
    CHECK_EQ(pclose(p), 0);
    return sum;
}

TEST(a_backup_is_looked_through_where_it_lies)
{
    struct store_verify_result r;
    struct world w;
    uint64_t look;

    begin(&w);
    w.f.wall_ms = 1234567;
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    look = look_of(w.dir);
    CHECK_OK(verify_backup(&w, &r));
    CHECK_STR(w.last_bad, "");
    CHECK_EQ(r.bad, 0);
    CHECK_EQ(r.made_ms, 1234567);
    CHECK_EQ(r.convs, 1);
    CHECK_EQ(r.msgs, 70);
    CHECK_EQ(r.chunks, 1);
    CHECK_EQ(r.audit_rows, 70);
    CHECK_EQ(look_of(w.dir), look);
    /* A restored store is none. */
    CHECK_OK(verify(&w, &r));
    CHECK_EQ(r.made_ms, 0);
    end(&w);
}

static void
flip_in(const char *dir, const char *name, long at)
{
    char path[FIX_PATH + 16];
    FILE *p;
    int c;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    p = fopen(path, "r+");
    CHECK(p != NULL && fseek(p, at, SEEK_SET) == 0);
    c = fgetc(p);
    CHECK(c != EOF && fseek(p, at, SEEK_SET) == 0);
    CHECK(fputc(c ^ 0x20, p) != EOF);
    CHECK_EQ(fclose(p), 0);
}

TEST(a_damaged_backup_is_named)
{
    static const uint8_t other[32] = {7};
    struct store_key_source right;
    struct store_verify_result r;
    char command[2 * FIX_PATH];
    struct world w;

    begin(&w);
    right = w.f.cfg.key;
    CHECK_ERR(verify_backup(&w, &r), ERR_MISSING);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    w.f.cfg.key.secret = VIEW_ARRAY(other);
    CHECK_ERR(verify_backup(&w, &r), ERR_AUTH);
    w.f.cfg.key = right;
    flip_in(w.dir, "keys", 40);
    CHECK(verify_backup(&w, &r) != OK);
    flip_in(w.dir, "keys", 40);
    flip_in(w.dir, "backup", 10);
    CHECK_OK(verify_backup(&w, &r));
    CHECK_EQ(r.bad, 1);
    CHECK_STR(w.last_bad, "file");
    flip_in(w.dir, "backup", 10);
    CHECK_OK(verify_backup(&w, &r));
    CHECK_EQ(r.bad, 0);
    /* Files of attachments that were there and are gone. */
    (void)snprintf(command, sizeof(command), "rm -r %s/blobs", w.dir);
    CHECK_EQ(system(command), 0);
    CHECK_OK(verify_backup(&w, &r));
    CHECK_EQ(r.bad, 1);
    CHECK_STR(w.last_bad, "blobs");
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_OK(verify_backup(&w, &r));
    CHECK_EQ(r.bad, 0);
    end(&w);
}

/* One that was made while a file had not all come yet is whole all the same. */
TEST(a_backup_knows_what_was_not_there)
{
    struct store_verify_result r;
    char command[2 * FIX_PATH];
    struct world w;

    begin(&w);
    (void)snprintf(command, sizeof(command), "rm -r %s/blobs/*", w.f.dir);
    CHECK_EQ(system(command), 0);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    CHECK_OK(verify_backup(&w, &r));
    CHECK_EQ(r.bad, 0);
    CHECK_EQ(r.chunks, 0);
    end(&w);
}

/* The data folder of a node that crashed is no backup: it stays as it is. */
TEST(a_file_with_a_base_is_no_backup)
{
    struct store_verify_result r;
    struct world w;
    char path[FIX_PATH + 16];
    int fd;

    begin(&w);
    CHECK_OK(store_backup(w.f.s, w.dir, NULL));
    (void)snprintf(path, sizeof(path), "%s/data.mdb", w.dir);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    CHECK_EQ(pwrite(fd, "x", 1, 1024), 1);
    (void)close(fd);
    CHECK_ERR(verify_backup(&w, &r), ERR_CORRUPT);
    CHECK_EQ(r.bad, 1);
    end(&w);
}

TEST(verify_names_what_is_missing)
{
    static const char *const parts[] = {"msgs",    "audit",     "conv_order",
                                        "msg_ids", "msg_index", "outbox"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct world w;
        struct store_verify_result r;

        begin(&w);
        CHECK_OK(store_write(w.f.s, break_run, (void *)(uintptr_t)parts[i], 0));
        CHECK_OK(verify(&w, &r));
        CHECK_EQ(r.bad, 1);
        CHECK_STR(w.last_bad, parts[i]);
        end(&w);
    }
}

TEST(verify_names_a_damaged_chunk)
{
    struct world w;
    struct store_verify_result r;
    char path[2 * FIX_PATH];
    char hex[PROTO_HEX_MAX + 1];
    int fd;

    begin(&w);
    proto_hex(hash32_view(&w.chunk), hex);
    (void)snprintf(path, sizeof(path), "%s/blobs/%.2s/%s", w.f.dir, hex,
                   hex + 2);
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "C", 1), 1);
    (void)close(fd);
    CHECK_OK(verify(&w, &r));
    CHECK_EQ(r.bad, 1);
    CHECK_STR(w.last_bad, "blobs");
    end(&w);
}

int
main(void)
{
    return RUN(
        T(a_healthy_store_verifies),
        T(a_restored_store_has_all_but_secrets_and_knows_it),
        T(a_second_backup_replaces_the_first),
        T(a_backup_is_of_no_use_without_the_key), T(a_backup_can_be_stopped),
        T(a_backup_is_looked_through_where_it_lies),
        T(a_damaged_backup_is_named), T(a_backup_knows_what_was_not_there),
        T(a_file_with_a_base_is_no_backup),
        T(a_backup_is_looked_through_where_it_lies),
        T(a_damaged_backup_is_named), T(a_backup_knows_what_was_not_there),
        T(a_file_with_a_base_is_no_backup), T(verify_names_what_is_missing),
        T(verify_names_a_damaged_chunk));
}
