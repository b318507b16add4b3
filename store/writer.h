/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one writer: jobs from any thread, many jobs to a commit.
 *
 * Each job runs inside the writer's transaction, in order of submission.  Its
 * run checks its preconditions and writes; whatever must not happen before the
 * data is durable (a reply, a frame, an event) happens in done, which the
 * writer calls after the commit.
 *
 * One job's failure is its own: what it wrote is undone and the others commit.
 * The way there is to abort the batch, so a run can be called again; before
 * that, undone is called for each job of the batch that had run, so that it
 * drops what it changed in memory and reloads from committed state.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/txn.h"

enum store_job_flag {
    /*
     * The job deletes or acknowledges: it may use the reserve on a full disk.
     */
    STORE_JOB_FREES = 1
};

struct store_job {
    /*
     * Check and write; an error undoes all of it.  Called by the writer once
     * or, after undone, again.  Must not block and must not submit and wait.
     */
    enum err (*run)(void *ctx, struct store_txn *txn);
    /* The last run did not happen after all.  May be NULL. */
    void (*undone)(void *ctx);
    /*
     * Exactly once, in order of submission: OK after the commit, else why not
     * (run's own error, ERR_FULL).  The writer does not touch the job again,
     * so it may be freed here.  Called by the thread that writes.  May be NULL.
     */
    void (*done)(void *ctx, enum err e);
    /*
     * Before done, when the transaction is durable but not yet to be read:
     * what waits for the disk alone may leave.  Only on the thread of
     * store_submit_here, and only for small transactions (store/redo.h); done
     * says OK after it.  May be NULL.
     */
    void (*early)(void *ctx);
    void *ctx;
    unsigned flags; /* enum store_job_flag */
    /* the writer's */
    struct store_job *next;
    enum err result;
};

/* Hand a job over.  It must stay in place until done.  Never fails. */
void store_submit(struct store *s, struct store_job *job);

/*
 * The same, but when nobody writes it is done on this very thread, and done
 * was called before this returns: two changes of thread less for who has
 * nothing else to do.  Not from the writer thread, nor in a transaction.
 */
void store_submit_here(struct store *s, struct store_job *job);

/*
 * Submit and wait for the commit.  Not from the writer thread.
 * Any error of run; ERR_FULL
 */
MUST_CHECK enum err
store_write(struct store *s, enum err (*run)(void *ctx, struct store_txn *txn),
            void *ctx, unsigned flags);

/*
 * The same, on this very thread when nobody writes; early, with ctx, is
 * store_job.early.
 */
MUST_CHECK enum err
store_write_here(struct store *s,
                 enum err (*run)(void *ctx, struct store_txn *txn),
                 void (*early)(void *ctx), void *ctx, unsigned flags);

#endif
