/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a device's channel, with real chains and certificates. */
#ifndef TESTS_FEDERATION_CORE_CHAN_FIXTURE_H
#define TESTS_FEDERATION_CORE_CHAN_FIXTURE_H

#include "federation/core/device_chan.h"
#include "tests/crypto/ident/ident_fixture.h"
#include "tests/crypto/ident/patient_fixture.h"

struct pair {
    struct seed_rng rng;
    struct fixture clinic;
    struct patient patient;
    struct bytes cert; /* of the phone */
    struct fed_chan_app app_config;
    struct fed_chan_node node_config;
    struct fed_chan *app;
    struct fed_chan *node;
    struct bytes open;
    int judged;
    const struct mem *mem;
};

/* As a node does it for a patient that it knows. */
static inline enum err
pair_judge(void *ctx, struct view cert, const struct device_id *key)
{
    struct pair *p = ctx;
    struct ident_device_cert out;

    p->judged++;
    return ident_device_cert_verify(p->mem, cert, &p->patient.list, key, &out);
}

static inline void
pair_init(struct pair *p, uint64_t seed)
{
    struct ident_device_cert cert;

    *p = (struct pair){.mem = mem_heap()};
    seed_rng_init(&p->rng, seed);
    fixture_init(&p->clinic, seed);
    patient_init(&p->patient, seed + 1);
    cert = (struct ident_device_cert){
        .patient = p->patient.id,
        .device = device_of(&p->patient.phone),
        .home = p->patient.list.home,
    };
    CHECK_OK(
        ident_device_cert_make(mem_heap(), &p->patient.key, &cert, &p->cert));
    p->app_config = (struct fed_chan_app){
        .host = VIEW_LIT("clinic.example"),
        .seed = VIEW_ARRAY(p->patient.phone.seed),
        .cert = view_of(&p->cert),
        .check = {.root = &p->clinic.id, .now_ms = FIXTURE_NOW_MS},
    };
    p->node_config = (struct fed_chan_node){
        .host = VIEW_LIT("clinic.example"),
        .root = p->clinic.id,
        .seed = VIEW_ARRAY(p->clinic.node.seed),
        .chain = view_of(&p->clinic.chain),
        .judge = {pair_judge, p},
    };
}

static inline enum err
pair_open(struct pair *p)
{
    enum err e;

    TRY(fed_chan_app_new(p->mem, &p->rng.rng, &p->app_config, &p->open,
                         &p->app));
    TRY(fed_chan_node_new(p->mem, &p->rng.rng, &p->node_config, &p->node));
out:
    return e;
}

/* The whole handshake. */
static inline enum err
pair_connect(struct pair *p)
{
    struct bytes answer = {0};
    struct bytes prove = {0};
    struct bytes done = {0};
    struct bytes none = {0};
    enum err e;

    TRY(pair_open(p));
    TRY(fed_chan_step(p->node, view_of(&p->open), &answer));
    TRY(fed_chan_step(p->app, view_of(&answer), &prove));
    TRY(fed_chan_step(p->node, view_of(&prove), &done));
    TRY(fed_chan_step(p->app, view_of(&done), &none));
    CHECK_EQ(none.len, 0);
out:
    bytes_free(&answer);
    bytes_free(&prove);
    bytes_free(&done);
    return e;
}

static inline void
pair_close(struct pair *p)
{
    fed_chan_free(p->app);
    fed_chan_free(p->node);
    p->app = NULL;
    p->node = NULL;
    bytes_free(&p->open);
}

static inline void
pair_clear(struct pair *p)
{
    pair_close(p);
    bytes_free(&p->cert);
    patient_clear(&p->patient);
    fixture_clear(&p->clinic);
}

#endif
