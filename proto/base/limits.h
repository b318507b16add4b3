/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bound in the system, with its reason.  Add here, never in a .c file.
 * Sizes are bytes unless the name says otherwise.
 */
#ifndef PROTO_BASE_LIMITS_H
#define PROTO_BASE_LIMITS_H

#define LIMIT_KIB(n) ((n)*1024u)
#define LIMIT_MIB(n) ((n)*1024u * 1024u)

/* Frames of the node port: design.md 3. */
#define LIMIT_FRAME_UNKNOWN_PEER LIMIT_KIB(4u)
#define LIMIT_FRAME LIMIT_MIB(16u)

/* Certificate chain inside the TLS wrapper: three statements of a few hundred
 * bytes each, and room to grow.  decisions A 2 */
#define LIMIT_TLS_CHAIN LIMIT_KIB(4u)

/* Splices (decisions B 8): a chunk fits a stranger's frame; a window is what a
 * relay may have to hold for one direction. */
#define LIMIT_SPLICE_CHUNK 3500u
#define LIMIT_SPLICE_WINDOW LIMIT_KIB(64u)
#define LIMIT_SPLICES 64u
#define LIMIT_SPLICES_PER_PEER 16u

/* An operator's certificate chain or key for the web port, as PEM. */
#define LIMIT_WEB_PEM LIMIT_KIB(256u)

/* msgpack from outside: our deepest message has 6 levels. */
#define LIMIT_MSGPACK_DEPTH 16u

/* TLS presentation language: RFC 9420 2.1.2, 30-bit lengths. */
#define LIMIT_TLS_VECTOR 0x3fffffffu

/* MLS: our groups have 2 to 20 leaves; reference/mls.md 4.3 no. 3 and 23. */
#define LIMIT_MLS_LEAVES 4096u
#define LIMIT_MLS_MESSAGE LIMIT_MIB(8u)
#define LIMIT_MLS_PROPOSALS 4096u
#define LIMIT_MLS_EXTENSIONS 64u
#define LIMIT_MLS_CAPABILITIES 256u
#define LIMIT_MLS_PSKS 256u
#define LIMIT_MLS_PATH 32u /* nodes of an update path: one per tree level */
#define LIMIT_MLS_EXTERNAL_SENDERS 64u
#define LIMIT_MLS_FORWARD 1024u
#define LIMIT_MLS_SKIPPED_PER_SENDER 64u
#define LIMIT_MLS_SKIPPED_PER_EPOCH 1024u
#define LIMIT_MLS_PAST_EPOCHS 5u
#define LIMIT_MLS_RESUMPTION_PSKS 16u

/* Store.  A disk with less than this left takes only deletes and acks. */
#define LIMIT_STORE_RESERVE LIMIT_MIB(64u)
/* One group commit: more adds latency, not throughput (transport.md 6). */
#define LIMIT_STORE_BATCH_JOBS 1000u
#define LIMIT_STORE_BATCH_BYTES LIMIT_MIB(4u)
#define LIMIT_STORE_READERS 256u
#define LIMIT_SETTING_NAME 64u
#define LIMIT_SETTING_VALUE LIMIT_MIB(1u)
/* A content is at most a frame with its MLS overhead and padding. */
#define LIMIT_MSG_BODY LIMIT_MIB(8u)
#define LIMIT_AUDIT_DETAIL 512u
#define LIMIT_CONTACT_IDENTS 64u
#define LIMIT_CONV_CONTACTS 256u
#define LIMIT_CLINIC_ADDRESSES 16u
/* People's words in records: a name, a label, a note. */
#define LIMIT_PHI_SHORT LIMIT_KIB(4u)
#define LIMIT_PHI_LONG LIMIT_KIB(256u)
/* 90 days of a peer that is down, at one message every ten seconds. */
#define LIMIT_OUTBOX_ENTRIES 1000000u
#define LIMIT_OUTBOX_BYTES (8ull * 1024 * 1024 * 1024)
/* A thread's slot key is rotated after this: decisions G 28. */
#define LIMIT_SECRET_PUTS 256u
#define LIMIT_SECRET_AGE_MS 600000u
#define LIMIT_BLOB_SIZE LIMIT_MIB(100u)
#define LIMIT_BLOB_CHUNKS 401u
#define LIMIT_BLOB_AGE_MS 86400000u
/* Peer messages and content: proto/msg. */
#define LIMIT_MSG_ADDRS 512u        /* eight addresses, generously */
#define LIMIT_MSG_STATEMENT 512u    /* a signed statement: two keys, a date */
#define LIMIT_MSG_FORWARD 2048u     /* a chain, a link and its signature */
#define LIMIT_MSG_LABEL 120u        /* a line of text */
#define LIMIT_MSG_KEY_PACKAGE 2560u /* fits a stranger's frame */
#define LIMIT_MSG_PROFILE 3072u     /* likewise */
#define LIMIT_MSG_PURPOSE 400u      /* of a consent */
#define LIMIT_MSG_CONSENT 8192u     /* one at a desk has a chain */
#define LIMIT_LOG_PART 256u         /* entries in one answer to log.pull */
#define LIMIT_INTRO_NAMES 64u       /* members in one introduction */
#define LIMIT_THREAD_SUBJECTS 256u  /* clinics and patients of one thread */
#define LIMIT_BLOB_SEALED LIMIT_MIB(101u) /* LIMIT_BLOB_SIZE and its seals */
#define LIMIT_BLOB_CHUNK (LIMIT_KIB(256u) + 64u)
#define LIMIT_BLOB_PER_DAY (4ull * 1024 * 1024 * 1024) /* from one peer */
/* Carried for one patient: in a day, at once, and for how long up and down. */
#define LIMIT_BLOB_PATIENT_DAY LIMIT_MIB(1024u)
#define LIMIT_BLOB_CARRIED LIMIT_MIB(1024u)
#define LIMIT_BLOB_CARRY_UP_MS (90ull * 86400000u)
#define LIMIT_BLOB_CARRY_DOWN_MS (7ull * 86400000u)
#define LIMIT_TEXT LIMIT_KIB(64u) /* one message's text */
#define LIMIT_NAME 200u           /* of a person, a file, a thread */
#define LIMIT_EMOJI 32u           /* one grapheme with modifiers */
#define LIMIT_ATTACHMENTS 16u     /* in one message */
#define LIMIT_CONTENT LIMIT_KIB(320u)
#define LIMIT_BUNDLE LIMIT_KIB(32u) /* messages that go together */
#define LIMIT_BUNDLE_PARTS 64u      /* and how many */
#define LIMIT_CONTENT_EXTENSIONS 16u

/* Federation core. */
#define LIMIT_STREAM_WINDOW 256u /* items under way to one peer */
#define LIMIT_STREAM_WINDOW_BYTES LIMIT_MIB(4u)
#define LIMIT_STREAM_KEPT LIMIT_MIB(32u) /* answers that one peer leaves */
#define LIMIT_STREAM_ANSWERS 65536u      /* and their number */
#define LIMIT_FAN_ROWS 4096u             /* entries queued for one member */
#define LIMIT_LINK_HOUR 60u              /* clinics by one unreviewed link */
#define LIMIT_LINKS_HOUR 200u            /* and by all of them */
#define LIMIT_HOUR_MS 3600000u
#define LIMIT_HUB_STATEMENT 2048u     /* signed, with its chain */
#define LIMIT_MOVE_SETTLE_MS 600000u  /* up so long before a hub is gone */
#define LIMIT_MOVE_WAIT_MS 60000u     /* for those who are there to answer */
#define LIMIT_MOVE_JUMP 1000u         /* terms that a restored hub began */
#define LIMIT_MOVE_AGAIN_MS 86400000u /* a statement is said again */
#define LIMIT_MOVE_FRESH_MS (7ull * 86400000u) /* and older it counts not */
#define LIMIT_REPORT_WORDS 2000u               /* of whoever reports */
#define LIMIT_REPORT_SEALED LIMIT_MIB(1u)
#define LIMIT_REPORT_KEPT_MS (30ull * 86400000u) /* sealed, unanswered */
#define LIMIT_REPORT_CHAIN LIMIT_KIB(1u)         /* a node's certificates */
#define LIMIT_FRANK_ASK 64u   /* places in one question for signatures */
#define LIMIT_REPORTS_DAY 20u /* from one clinic or patient, in */
#define LIMIT_REPORTS_MS 86400000u
#define LIMIT_PICTURE LIMIT_KIB(64u) /* of a clinic */
#define LIMIT_PICTURE_SIDE 1024u     /* wide and high */
#define LIMIT_PICTURES_HOUR 6u       /* given to one clinic or device */
#define LIMIT_ENTRY_MESSAGES 256u    /* that one entry says */
#define LIMIT_FRANK_KEPT                                 \
    4096u /* entries of a thread that a device can prove \
           */
#define LIMIT_WELCOME_REFS 1024u     /* key packages that one names */
#define LIMIT_HUBS_PER_PARTY 256u    /* that one peer makes us talk to */
#define LIMIT_SUBMIT_WINDOW 64u      /* a thread's unanswered submissions */
#define LIMIT_EPOCH_LATE_ENTRIES 64u /* decisions D 13 */
#define LIMIT_EPOCH_LATE_MS 60000u
#define LIMIT_LOG_HEADS 256u /* heads kept to check what is seen */
#define LIMIT_LOG_AGE_MS (90ull * 86400000u) /* decisions D 15 */
#define LIMIT_KP_DAYS 90u
#define LIMIT_KP_HELD 64u     /* key packages out per clinic */
#define LIMIT_INTENTS 100000u /* of one thread */
#define LIMIT_INTENT_TRIES 8u /* refused as invalid, then given up */
#define LIMIT_ARCHIVE_BYTES LIMIT_MIB(256u) /* of one patient, at its home */
#define LIMIT_POOL_TARGET 8u /* key packages of a device kept by a clinic */
#define LIMIT_POOL_LOW 3u    /* then it is asked for more */
#define LIMIT_POOL_MAX 64u
#define LIMIT_CLAIMS 64u /* of one patient by one clinic, in each */
#define LIMIT_CLAIMS_MS 86400000u
#define LIMIT_BIRTH_TRIES 5u      /* decisions F 27 */
#define LIMIT_DEVICE_QUEUE 20000u /* items; then its threads start afresh */
#define LIMIT_ROUTE_QUEUE 100000u /* items to a clinic; then devices wait */
#define LIMIT_THREADS_LOADED 256u
#define LIMIT_BUSY_MS 30000u /* what waits is looked at again */
#define LIMIT_WAIT_MS 2000u  /* a hub that is comparing is asked again */
#define LIMIT_OVERDUE_MS 86400000u
/* Checkpoints: decisions D 19, federation/core/README.md */
#define LIMIT_CHECKPOINT_MS 86400000u      /* a member says where it stands */
#define LIMIT_LIVELY_MS (72ull * 3600000u) /* after the last words, no more */
#define LIMIT_SILENT_MS (30ull * 3600000u) /* nothing came from a member */
#define LIMIT_AHEAD_MS 3600000u      /* another was shown more than we were */
#define LIMIT_BACK_MS 7200000u       /* who carries is back for so long */
#define LIMIT_WATCH_TICK 64u         /* threads looked at in one tick */
#define LIMIT_HUB_CLOCK_MS 86400000u /* a hub's clock before ours: A 3 */
#define LIMIT_RECEIPT_MS 1000u       /* delivered receipts are gathered */
#define LIMIT_CHECK_MS (72ull * 3600000u) /* decisions E 20 */
#define LIMIT_HISTORY 1024u               /* entries resent for one request */
#define LIMIT_HISTORY_ASKED 8192u         /* by one member, in each */
#define LIMIT_HISTORY_MS 3600000u
#define LIMIT_MISSING_MS 10000u /* then the next member is asked */
#define LIMIT_MISSING_AGE_MS (30ull * 86400000u)
#define LIMIT_MISSING_AGAIN_MS 600000u /* then all are, ever less often */
#define LIMIT_GONE_LOOK 1000u          /* threads that status looks at */
#define LIMIT_MISSING_LOOK 64u /* entries that are looked for one by one */
#define LIMIT_BAD_PER_CONNECTION 16u   /* impossible items, then we close */
#define LIMIT_THREADS_PER_PARTY 10000u /* opened by one clinic */

/* A QR code: a link is 160 characters and a recovery sheet less, so that a
   phone reads them at arm's length (decisions A 1, B 6); what a new device of a
   patient gets has its device list inside and is read from a screen. */
#define LIMIT_QR_TEXT 1800u

#endif
