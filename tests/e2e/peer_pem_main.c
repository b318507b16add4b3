/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A puppet's papers: the TLS certificate and key of the node in a data folder,
 * as PEM, and its clinic id.  With them a test speaks to another node as this
 * one, after a handshake that is right in every way.
 *
 *     peer-pem FOLDER CERTIFICATE KEY
 */
#include "crypto/prim/init.h"
#include "crypto/tls/wrap.h"
#include "node/identity.h"
#include "node/vault.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* RFC 8410: what is before the seed in a PKCS #8 key. */
static const uint8_t pkcs8[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

static void
put_base64(FILE *f, struct view v)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";

    for (size_t i = 0; i < v.len; i += 3) {
        uint32_t n = (uint32_t)v.p[i] << 16;

        n |= i + 1 < v.len ? (uint32_t)v.p[i + 1] << 8 : 0;
        n |= i + 2 < v.len ? v.p[i + 2] : 0;
        (void)fputc(digits[n >> 18], f);
        (void)fputc(digits[n >> 12 & 63], f);
        (void)fputc(i + 1 < v.len ? digits[n >> 6 & 63] : '=', f);
        (void)fputc(i + 2 < v.len ? digits[n & 63] : '=', f);
        if (i % 48 == 45 || i + 3 >= v.len) {
            (void)fputc('\n', f);
        }
    }
}

static enum err
write_pem(const char *path, const char *what, struct view der)
{
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        return ERR_IO;
    }
    (void)fprintf(f, "-----BEGIN %s-----\n", what);
    put_base64(f, der);
    (void)fprintf(f, "-----END %s-----\n", what);
    return fclose(f) == 0 ? OK : ERR_IO;
}

static enum err
write_papers(const struct node_identity *id, const char *cert, const char *key)
{
    enum err e;
    struct bytes der = {0};
    uint8_t secret[sizeof(pkcs8) + PRIM_ED25519_SEED];

    memcpy(secret, pkcs8, sizeof(pkcs8));
    memcpy(secret + sizeof(pkcs8), id->node.seed, PRIM_ED25519_SEED);
    TRY(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(id->node.seed),
                       view_of(&id->chain), &der));
    TRY(write_pem(cert, "CERTIFICATE", view_of(&der)));
    TRY(write_pem(key, "PRIVATE KEY", VIEW_ARRAY(secret)));
out:
    bytes_free(&der);
    return e;
}

int
main(int argc, char **argv)
{
    const char *args[] = {"peer-pem", "--data", argc > 1 ? argv[1] : ""};
    struct node_config_input in = {3, args, NULL};
    struct node_config config;
    struct bytes problems = {0};
    struct node_vault vault = {0};
    struct store *store = NULL;
    struct store_txn *txn = NULL;
    struct node_identity id = {0};
    enum err e;

    TRY(argc == 4 ? OK : ERR_INVALID);
    TRY(prim_init());
    TRY(node_config_read(mem_heap(), &in, &config, &problems));
    TRY(node_vault_open(mem_heap(), NULL, &config, &vault));
    TRY(store_open(&vault.config, &store));
    TRY(store_read_begin(store, &txn));
    TRY(node_identity_load(txn, &id));
    TRY(write_papers(&id, argv[2], argv[3]));
    for (size_t i = 0; i < sizeof(id.root.b); i++) {
        (void)printf("%02x", id.root.b[i]);
    }
    (void)printf(" %llu\n", (unsigned long long)id.generation);
out:
    if (e != OK) {
        (void)fprintf(stderr, "peer-pem: %s\n", err_name(e));
    }
    store_read_end(txn);
    store_close(store);
    node_identity_clear(&id);
    node_vault_clear(&vault);
    bytes_free(&problems);
    return e == OK ? 0 : 1;
}
