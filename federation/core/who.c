/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a leaf is.  A credential is a clinic's certificate chain, an array of
 * three, or a device's certificate, an array of two: both name their subject,
 * which is what threads are about, and the node that holds the key.
 */
#include "federation/core/inside.h"

#include <string.h>

enum err
fed_chain_peek(struct view chain, struct clinic_id *root, uint64_t *generation)
{
    struct proto_rd r = proto_rd_open(chain);
    struct proto_rd s;
    struct proto_rd c;
    struct view node;
    struct clinic_id named;
    uint64_t n;

    proto_rd_array(&r, 3);
    (void)proto_rd_u16(&r);
    (void)proto_rd_bin(&r, IDENT_CHAIN_MAX);
    node = proto_rd_bin(&r, IDENT_CHAIN_MAX);
    s = proto_rd_open(node);
    proto_rd_array(&s, 2);
    c = proto_rd_open(proto_rd_bin(&s, IDENT_CHAIN_MAX));
    proto_rd_array(&c, 7);
    (void)proto_rd_u16(&c);
    (void)proto_rd_u16(&c);
    named = proto_rd_clinic_id(&c);
    (void)proto_rd_bin(&c, PRIM_ED25519_PUB);
    n = proto_rd_u64(&c);
    if (r.e != OK || s.e != OK || c.e != OK) {
        return ERR_FORMAT;
    }
    *root = named;
    *generation = n;
    return OK;
}

/* The patient and the device that a certificate claims. */
static enum err
device_who(struct view cert, struct fed_who *out)
{
    struct proto_rd r = proto_rd_open(cert);
    struct proto_rd c;
    struct patient_id patient;
    struct device_id device;

    proto_rd_array(&r, 2);
    c = proto_rd_open(proto_rd_bin(&r, IDENT_DEVICE_CERT_MAX));
    proto_rd_array(&c, 6);
    (void)proto_rd_u16(&c);
    (void)proto_rd_u16(&c);
    patient = proto_rd_patient_id(&c);
    device = proto_rd_device_id(&c);
    if (r.e != OK || c.e != OK) {
        return ERR_FORMAT;
    }
    out->kind = FED_KIND_DEVICE;
    memcpy(out->subject.b, patient.b, sizeof(out->subject.b));
    memcpy(out->node.b, device.b, sizeof(out->node.b));
    return OK;
}

enum err
fed_cred_who(struct view credential, struct fed_who *out)
{
    struct proto_rd r = proto_rd_open(credential);
    struct clinic_id root;
    uint64_t generation;
    enum err e;

    if (proto_rd_list(&r, 3) == 2) {
        return device_who(credential, out);
    }
    e = fed_chain_peek(credential, &root, &generation);
    if (e == OK) {
        *out = (struct fed_who){FED_KIND_CLINIC, root, root};
    }
    return e;
}

enum err
fed_cred_subject(struct view credential, struct clinic_id *out)
{
    struct fed_who who;
    enum err e = fed_cred_who(credential, &who);

    if (e == OK) {
        *out = who.subject;
    }
    return e;
}

enum err
fed_leaf_who(const struct mls_group *group, uint32_t leaf, struct fed_who *out)
{
    enum err e;
    struct mls_member m;

    TRY(mls_member_at(group, leaf, &m));
    TRY(fed_cred_who(m.credential, out));
out:
    return e;
}

enum err
fed_leaf_of(const struct mls_group *group, const struct clinic_id *subject,
            uint32_t *out)
{
    uint32_t n = mls_group_leaf_count(group);

    for (uint32_t i = 0; i < n; i++) {
        struct fed_who who;

        if (fed_leaf_who(group, i, &who) == OK &&
            clinic_id_equal(&who.subject, subject)) {
            *out = i;
            return OK;
        }
    }
    return ERR_MISSING;
}

enum err
fed_leaf_at(const struct mls_group *group, const struct clinic_id *node,
            uint32_t *out)
{
    uint32_t n = mls_group_leaf_count(group);

    for (uint32_t i = 0; i < n; i++) {
        struct fed_who who;

        if (fed_leaf_who(group, i, &who) == OK &&
            clinic_id_equal(&who.node, node)) {
            *out = i;
            return OK;
        }
    }
    return ERR_MISSING;
}
