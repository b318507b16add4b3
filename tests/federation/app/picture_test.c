/* SPDX-License-Identifier: Apache-2.0 */
/* A patient's app gets its clinic's picture, and has no other's. */
#include "crypto/prim/init.h"
#include "federation/app/picture.h"
#include "tests/federation/app/world.h"

static struct world w;

static void
shows(size_t i, struct view want)
{
    struct fed_app_clinic c;
    struct bytes hold = {0};
    struct bytes picture = {0};
    enum err e = fed_app_picture(w.apps[i].app, &w.clinic, &picture);

    CHECK_ERR(e, want.len > 0 ? OK : ERR_MISSING);
    CHECK_VIEW(view_of(&picture), want);
    CHECK_OK(fed_app_clinic(w.apps[i].app, &w.clinic, &c, &hold));
    CHECK_EQ(c.picture.length, want.len);
    CHECK_EQ(c.picture.type,
             want.len > 0 ? PROTO_PICTURE_PNG : PROTO_PICTURE_NONE);
    bytes_free(&hold);
    bytes_free(&picture);
}

/* The clinic has another picture, or none. */
static void
change(struct view picture)
{
    struct ident_profile profile = {.name = VIEW_LIT("Hillside")};
    struct fed_self self = {.chain = view_of(&w.chain),
                            .node_seed = VIEW_ARRAY(w.node.seed)};

    profile.root = w.clinic;
    profile.changed_ms = ++w.ms;
    if (picture.len > 0) {
        CHECK_OK(proto_picture_read(picture, &profile.picture));
        prim_sha256(picture, profile.picture_hash.b);
    }
    bytes_free(&w.profile);
    CHECK_OK(ident_profile_make(mem_heap(), &w.node, view_of(&w.chain),
                                &profile, &w.profile));
    self.root = w.clinic;
    self.profile = view_of(&w.profile);
    self.picture = picture;
    CHECK_OK(fed_core_set_self(w.core, &self));
    world_clinic_turn(&w);
    world_run(&w);
}

TEST(comes_changes_and_goes)
{
    uint8_t other[SAMPLE_PNG];

    sample_png(other, 100, 100, 6);
    world_begin(&w, 1);
    world_join(&w, 0);
    world_run(&w);
    shows(0, VIEW_ARRAY(w.picture));
    change(VIEW_ARRAY(other));
    shows(0, VIEW_ARRAY(other));
    change((struct view){0});
    shows(0, (struct view){0});
    world_end(&w);
}

TEST(nobody_keeps_one_of_a_clinic_they_left)
{
    struct bytes picture = {0};

    world_begin(&w, 2);
    world_join(&w, 0);
    world_run(&w);
    shows(0, VIEW_ARRAY(w.picture));
    CHECK_OK(fed_app_part(w.apps[0].app, &w.clinic));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_ERR(fed_app_picture(w.apps[0].app, &w.clinic, &picture), ERR_MISSING);
    world_end(&w);
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(comes_changes_and_goes),
               T(nobody_keeps_one_of_a_clinic_they_left));
}
