/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app on an ordinary computer: a folder as its storage and the node port as
 * its transport (federation/net with the device's identity), so that a program
 * only says what its person wants.  Frames come on network threads and wait in
 * a queue; everything else happens in the caller's thread, in fed_run_turn and
 * fed_run_wait.
 */
#ifndef FEDERATION_NATIVE_RUN_H
#define FEDERATION_NATIVE_RUN_H

#include "federation/app/app.h"
#include "federation/native/folder.h"
#include "federation/net.h"

struct fed_run;

struct fed_run_config {
    struct fed_folder_config folder;
    bool create;
    const struct fed_io *io;
    struct fed_net_tuning tuning;
    /* In fed_run_turn and fed_run_wait. */
    void (*event)(void *ctx, const struct fed_app_event *ev);
    void *event_ctx;
};

/* Nothing is connected yet: a look at what is here needs no network.
   Errors as fed_folder_open and fed_app_open. */
MUST_CHECK enum err fed_run_open(const struct fed_run_config *config,
                                 struct fed_run **out);
/* Commits nothing more.  NULL is accepted. */
void fed_run_close(struct fed_run *r);

/* For calls of app.h; after those that change something, fed_run_turn. */
struct fed_app *fed_run_app(struct fed_run *r);

/* From now on connections are made to the clinics that we have. */
MUST_CHECK enum err fed_run_connect(struct fed_run *r);

/*
 * Make durable and send what was changed.  After a failure the app stands where
 * it stood before, and the request has to be made again.
 */
MUST_CHECK enum err fed_run_turn(struct fed_run *r);

/*
 * Take what comes until done says so, or wait_ms passed.  done is asked after
 * each turn; NULL: only time ends it.
 * ERR_TIMEOUT  it did not; ERR_STALE  a newer copy of this app runs
 */
MUST_CHECK enum err fed_run_wait(struct fed_run *r,
                                 bool (*done)(void *ctx, struct fed_app *app),
                                 void *ctx, uint64_t wait_ms);
/* From any thread or a signal handler: fed_run_wait ends with ERR_TIMEOUT. */
void fed_run_stop(struct fed_run *r);

/* Why the last attempt to reach a clinic failed; FED_WHY_NONE: it did not. */
enum fed_why fed_run_why(struct fed_run *r, const struct clinic_id *clinic);

#endif
