/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients of the simulated world.  A device is a node like any other: the
 * same runner around the same core, with a device's keys.
 */
#include "tests/sim/changes.h"
#include "tests/sim/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(enum err e)
{
    if (e != OK) {
        abort();
    }
}

static void
new_key(struct world *w, struct prim_sign_key *out)
{
    uint8_t seed[PRIM_ED25519_SEED];

    for (size_t i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)seed_rng_next(&w->rng);
    }
    prim_ed25519_from_seed(seed, out);
}

struct subject_id
node_subject(const struct world *w, size_t i)
{
    const struct node *n = &w->nodes[i];
    struct subject_id id;

    memcpy(id.b,
           n->kind == FED_KIND_DEVICE ? w->patients[n->patient].key.pub
                                      : n->root.pub,
           sizeof(id.b));
    return id;
}

void
sim_device_self(const struct node *n, struct fed_self *self)
{
    self->kind = FED_KIND_DEVICE;
    self->list = view_of(&n->list);
    self->addrs = (struct view){0};
    self->profile = (struct view){0};
    self->revocation = (struct view){0};
    memcpy(self->patient.b, n->world->patients[n->patient].key.pub, 32);
}

enum err
sim_intro(void *ctx, const struct thread_id *thread,
          const struct proto_group *group, const struct mem *mem,
          struct bytes *content_out)
{
    const struct node *n = ctx;
    struct proto_intro_name me = {.name = VIEW_LIT("Ida Moss")};
    struct proto_content c = {.kind = PROTO_CONTENT_INTRO};
    struct subject_id self = node_subject(n->world, n->index);

    (void)thread;
    (void)group;
    memcpy(me.subject, self.b, sizeof(me.subject));
    c.u.intro.names = (struct proto_list){.items = &me, .len = 1};
    return proto_content_encode(mem, &c, content_out);
}

void
sim_show_patient(struct node *n, const struct fed_show *s)
{
    if (s->kind == FED_SHOW_MEMBER) {
        n->members[s->code]++;
        sim_show_line(n, s);
    } else if (s->kind == FED_SHOW_PATIENT) {
        n->patients++;
    } else if (s->kind == FED_SHOW_INTRO) {
        n->intros++;
    } else if (s->kind == FED_SHOW_DEVICES) {
        n->devices[s->code]++;
    } else if (s->kind == FED_SHOW_CONSENT) {
        n->consents[s->code]++;
        if (s->code == FED_CONSENT_ASKED) {
            n->ask = s->message;
            n->ask_in = s->thread;
        }
    } else {
        n->enrols[s->code]++;
    }
}

/* --------------------------------------------------------------------- lists
 */

static void
sign_list(struct patient *p)
{
    p->list.generation = ident_generation((uint32_t)++p->count, 0);
    bytes_free(&p->text);
    must(ident_devices_make(mem_heap(), &p->key, &p->list, &p->text));
}

static void
certify(struct patient *p, struct node *n)
{
    struct ident_device_cert cert = {.home = p->list.home};

    memcpy(cert.patient.b, p->key.pub, sizeof(cert.patient.b));
    memcpy(cert.device.b, n->key.pub, sizeof(cert.device.b));
    bytes_free(&n->chain);
    must(ident_device_cert_make(mem_heap(), &p->key, &cert, &n->chain));
}

size_t
world_device(struct world *w, size_t p)
{
    struct patient *patient = &w->patients[p];
    size_t i = w->nodes_len++;
    struct node *n = &w->nodes[i];
    struct ident_device *d;

    if (patient->count == 0) {
        new_key(w, &patient->key);
        memcpy(patient->list.patient.b, patient->key.pub, 32);
        patient->list.home = node_root(w, 0);
    }
    n->kind = FED_KIND_DEVICE;
    n->patient = p;
    sim_node_init(w, i);
    n->root = n->key;
    d = &patient->list.device[patient->list.len++];
    memset(d, 0, sizeof(*d));
    memcpy(d->id.b, n->key.pub, sizeof(d->id.b));
    d->may_add = true;
    sign_list(patient);
    certify(patient, n);
    must(bytes_copy(mem_heap(), view_of(&patient->text), &n->list));
    node_start(w, i);
    return i;
}

void
world_lose(struct world *w, size_t p, size_t i)
{
    struct ident_devices *list = &w->patients[p].list;

    for (uint32_t k = 0; k < list->len; k++) {
        if (memcmp(list->device[k].id.b, w->nodes[i].key.pub, 32) == 0) {
            list->device[k] = list->device[--list->len];
            break;
        }
    }
    sign_list(&w->patients[p]);
}

/* ---------------------------------------------------------------- enrolling */

bool
world_in(struct world *w, const struct thread_id *t, const size_t *who,
         size_t len)
{
    for (int k = 0; k < 1500; k++) {
        size_t in = 0;

        for (size_t i = 0; i < len; i++) {
            in += node_state(w, who[i], t) == FED_THREAD_ACTIVE ? 1 : 0;
        }
        if (in == len) {
            return true;
        }
        world_step(w, 10);
    }
    for (size_t i = 0; i < len; i++) {
        world_trace(w, "stands", who[i], node_state(w, who[i], t), 0);
    }
    world_fault(w, "not all in the thread", who[0], len);
    return false;
}

struct thread_id
world_care(struct world *w, size_t c, size_t d)
{
    struct subject_id who = node_subject(w, d);
    struct clinic_id root;
    struct fed_party_info info;

    memcpy(root.b, who.b, sizeof(root.b));
    memset(&info, 0, sizeof(info));
    if (w->nodes[c].core == NULL ||
        fed_core_party(w->nodes[c].core, &root, &info) != OK) {
        memset(&info.direct, 0, sizeof(info.direct));
    }
    return info.direct;
}

static void
enrol(struct world *w, size_t d, const struct fed_invitation *inv)
{
    struct fed_enrol enrol = {.inv = *inv, .name = VIEW_LIT("Ida Moss")};

    node_stepped(w, d, fed_core_enrol(w->nodes[d].core, &enrol));
}

static void
until_care(struct world *w, size_t d, size_t c)
{
    struct thread_id t = {{0}};
    size_t both[2] = {c, d};

    for (int i = 0; i < 1000 && thread_id_is_zero(&t); i++) {
        world_step(w, 10);
        t = world_care(w, c, d);
    }
    if (thread_id_is_zero(&t)) {
        world_fault(w, "did not enrol", d, c);
        return;
    }
    (void)world_in(w, &t, both, 2);
}

void
world_enrol(struct world *w, size_t d, size_t c)
{
    struct fed_invitation inv = world_link(w, c, false, false, 1);

    enrol(w, d, &inv);
    until_care(w, d, c);
}

void
world_ask(struct world *w, size_t d, size_t c)
{
    struct fed_invitation inv = {.root = node_root(w, c)};

    inv.addrs = view_make(&w->nodes[c].index, 1);
    enrol(w, d, &inv);
}

void
world_enrol_further(struct world *w, size_t d, size_t c)
{
    world_ask(w, d, c);
    until_care(w, d, c);
}

struct thread_id
world_open(struct world *w, size_t c, size_t d)
{
    struct subject_id who = node_subject(w, d);
    struct clinic_id with;
    struct thread_id t = {{0}};
    size_t both[2] = {c, d};

    memcpy(with.b, who.b, sizeof(with.b));
    node_stepped(
        w, c,
        fed_core_thread_open(w->nodes[c].core, &with, 1, (struct view){0}, &t));
    (void)world_in(w, &t, both, 2);
    return t;
}

void
world_consent(struct world *w, const struct thread_id *t, size_t c, size_t d,
              size_t who, bool yes)
{
    struct fed_ask ask = {.purpose = VIEW_LIT("A second look at the knee"),
                          .scope = who == c ? IDENT_SCOPE_PRIVATE
                                            : IDENT_SCOPE_THREAD};
    struct subject_id patient = node_subject(w, d);
    struct message_id id;
    size_t before = w->nodes[d].consents[FED_CONSENT_ASKED];

    memcpy(ask.patient.b, patient.b, sizeof(ask.patient.b));
    ask.clinic = node_root(w, who);
    node_stepped(w, c, fed_core_ask(w->nodes[c].core, t, &ask, &id));
    for (int i = 0;
         i < 1000 && w->nodes[d].consents[FED_CONSENT_ASKED] == before; i++) {
        world_step(w, 10);
    }
    if (!message_id_equal(&w->nodes[d].ask, &id)) {
        world_fault(w, "was not asked", d, c);
        return;
    }
    node_stepped(w, d, fed_core_answer(w->nodes[d].core, t, &id, yes));
}
