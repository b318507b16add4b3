/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did something: each stored item and each audit row has an actor
 * (decisions G 31).
 */
#ifndef STORE_ACTOR_H
#define STORE_ACTOR_H

#include "proto/base/id.h"

/* Numbers are on disk. */
enum store_actor_kind {
    STORE_ACTOR_SYSTEM = 0,     /* no id */
    STORE_ACTOR_MEMBER = 1,     /* member_id */
    STORE_ACTOR_DEVICE = 2,     /* device_id */
    STORE_ACTOR_PEER = 3,       /* clinic_id */
    STORE_ACTOR_AUTOMATION = 4, /* 16 bytes: the rule */
    STORE_ACTOR_PATIENT = 5,    /* patient_id */
    STORE_ACTOR_COUNT_
};

struct store_actor {
    enum store_actor_kind kind;
    uint8_t id[32]; /* as long as the kind says; the rest is zero */
};

/* 0, 16 or 32. */
size_t store_actor_id_len(enum store_actor_kind kind);

struct store_actor store_actor_system(void);
struct store_actor store_actor_member(const struct member_id *id);
struct store_actor store_actor_peer(const struct clinic_id *id);

struct store_actor store_actor_patient(const struct patient_id *id);

/* Somebody outside this clinic: a peer or a patient. */
bool store_actor_outside(const struct store_actor *a);

bool store_actor_equal(const struct store_actor *a,
                       const struct store_actor *b);

#endif
