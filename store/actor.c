/* SPDX-License-Identifier: Apache-2.0 */
#include "store/actor.h"

#include "proto/base/assert.h"

size_t
store_actor_id_len(enum store_actor_kind kind)
{
    switch (kind) {
    case STORE_ACTOR_MEMBER:
    case STORE_ACTOR_AUTOMATION:
        return 16;
    case STORE_ACTOR_DEVICE:
    case STORE_ACTOR_PEER:
    case STORE_ACTOR_PATIENT:
        return 32;
    case STORE_ACTOR_SYSTEM:
    case STORE_ACTOR_COUNT_:
        break;
    }
    return 0;
}

static struct store_actor
actor_of(enum store_actor_kind kind, struct view id)
{
    struct store_actor a = {.kind = kind};

    ASSERT(id.len == store_actor_id_len(kind));
    if (id.len > 0) {
        memcpy(a.id, id.p, id.len);
    }
    return a;
}

struct store_actor
store_actor_system(void)
{
    return actor_of(STORE_ACTOR_SYSTEM, (struct view){0});
}

struct store_actor
store_actor_member(const struct member_id *id)
{
    return actor_of(STORE_ACTOR_MEMBER, member_id_view(id));
}

struct store_actor
store_actor_peer(const struct clinic_id *id)
{
    return actor_of(STORE_ACTOR_PEER, clinic_id_view(id));
}

struct store_actor
store_actor_patient(const struct patient_id *id)
{
    return actor_of(STORE_ACTOR_PATIENT, patient_id_view(id));
}

bool
store_actor_outside(const struct store_actor *a)
{
    return a->kind == STORE_ACTOR_PEER || a->kind == STORE_ACTOR_PATIENT;
}

bool
store_actor_equal(const struct store_actor *a, const struct store_actor *b)
{
    return a->kind == b->kind && memcmp(a->id, b->id, sizeof(a->id)) == 0;
}
