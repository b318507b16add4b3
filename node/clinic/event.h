/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of what happens at the desk: kinds of journal rows, actions of
 * audit rows, marks of conversations.  They are on disk: add at the end, never
 * reuse one.
 */
#ifndef NODE_CLINIC_EVENT_H
#define NODE_CLINIC_EVENT_H

/* Journal.  a and b are the ids given, n the number. */
enum node_event {
    NODE_EVENT_MESSAGE = 1,    /* a conversation, n message: new in it */
    NODE_EVENT_STATE = 2,      /* a conversation, n message: sent, delivered */
    NODE_EVENT_CONV = 3,       /* a conversation: made or changed */
    NODE_EVENT_CLINIC = 4,     /* a clinic, n store_clinic_state */
    NODE_EVENT_REQUEST = 5,    /* a clinic: wants to connect, decide */
    NODE_EVENT_LINK = 6,       /* a link: made, changed */
    NODE_EVENT_LINK_USED = 7,  /* a link, b clinic, n proto_redeem_code */
    NODE_EVENT_CONTACT = 8,    /* a contact */
    NODE_EVENT_GAP = 9,        /* a conversation: entries are missing */
    NODE_EVENT_OVERDUE = 10,   /* a conversation, n message: not accepted */
    NODE_EVENT_ROLLBACK = 11,  /* a clinic, or nothing: this node */
    NODE_EVENT_FORK = 12,      /* a conversation, b clinic: views differ */
    NODE_EVENT_MEMBERS = 13,   /* a conversation, b subject, n 1 in 0 out */
    NODE_EVENT_INVITE = 14,    /* a link, b contact, n store_invite_state */
    NODE_EVENT_PATIENT = 15,   /* a patient, n store_patient_state */
    NODE_EVENT_DEVICES = 16,   /* a patient, b device or zeros, n fed_devices */
    NODE_EVENT_CONSENT = 17,   /* a conversation, b patient, n fed_consent */
    NODE_EVENT_IDENTITY = 18,  /* a contact, b patient: another key, compare */
    NODE_EVENT_CONTINUED = 19, /* a conversation: in a new thread, since all had
                                 lost the state of the one before */
    NODE_EVENT_DOUBT = 20,     /* a conversation, b subject, n what */
    NODE_EVENT_REPORTED = 22,  /* who (a clinic or patient), b the report, n
                                  enum fed_proof or NODE_REPORTED_TOO_OFTEN */
    NODE_EVENT_HOME = 23,      /* a patient, b clinic: its home from now on */
    NODE_EVENT_SETTLED = 25    /* as DOUBT: it is over, or a person has seen to
                                  it */
};

/* Audit. */
enum node_audit {
    NODE_AUDIT_INIT = 1,
    NODE_AUDIT_LINK_CREATE = 2,
    NODE_AUDIT_LINK_REVOKE = 3,
    NODE_AUDIT_LINK_ROTATE = 4,
    NODE_AUDIT_CONNECT = 5,
    NODE_AUDIT_ACCEPT = 6,
    NODE_AUDIT_REFUSE = 7,
    NODE_AUDIT_DISCONNECT = 8,
    NODE_AUDIT_BLOCK = 9,
    NODE_AUDIT_UNBLOCK = 10,
    NODE_AUDIT_READ = 11, /* a conversation was shown */
    NODE_AUDIT_SEND = 12,
    NODE_AUDIT_EDIT = 13,
    NODE_AUDIT_DELETE = 14,
    NODE_AUDIT_SAVE_FILE = 15,
    NODE_AUDIT_THREAD_NEW = 16,
    NODE_AUDIT_THREAD_ADD = 17,
    NODE_AUDIT_THREAD_REMOVE = 18,
    NODE_AUDIT_THREAD_LEAVE = 19,
    NODE_AUDIT_CONTACT = 20,
    NODE_AUDIT_NOTE = 21,
    NODE_AUDIT_PROFILE = 22,
    NODE_AUDIT_RECOVERY = 23, /* the sheet was printed (n 0), checked (n 1) */
    NODE_AUDIT_KEY = 24,      /* rotated (n 0), revoked (n 1) */
    NODE_AUDIT_BACKUP = 25,
    NODE_AUDIT_CONNECTED = 26,    /* by a peer, through a link */
    NODE_AUDIT_ARRIVED = 27,      /* a message of a peer */
    NODE_AUDIT_SPLICE = 28,       /* a clinic, n bytes a day that we carry */
    NODE_AUDIT_INVITE = 29,       /* a link, n store_invite_state */
    NODE_AUDIT_PATIENT = 30,      /* a patient, n store_patient_state */
    NODE_AUDIT_DEVICES = 31,      /* a patient, n fed_devices */
    NODE_AUDIT_COMPARED = 32,     /* a patient: words or a code */
    NODE_AUDIT_ASK = 33,          /* a thread: a consent was asked for */
    NODE_AUDIT_DESK = 34,         /* a thread: a consent given at our desk */
    NODE_AUDIT_MERGE = 35,        /* a contact, n 1 linked, 0 taken apart */
    NODE_AUDIT_INBOX = 40,        /* beginnings of n conversations were shown */
    NODE_AUDIT_WATCH = 41,        /* of a conversation, up to message n */
    NODE_AUDIT_CONTACT_READ = 42, /* a contact with its notes */
    NODE_AUDIT_CONTACT_FIND = 43, /* n contacts were listed */
    NODE_AUDIT_THREAD_HAND = 44,
    NODE_AUDIT_REPORTED = 48,    /* a report, n as of the event */
    NODE_AUDIT_REPORT = 49,      /* a conversation: message n was reported */
    NODE_AUDIT_REPORT_READ = 50, /* n reports were shown */
    NODE_AUDIT_REPORT_CLOSE = 51,
    NODE_AUDIT_SETTLE = 52,     /* a conversation: n doubts were seen to */
    NODE_AUDIT_TRAIL_READ = 53, /* n rows were shown, with names */
    NODE_AUDIT_RESTORED = 54,   /* from a backup, for the n-th time: system */
    NODE_AUDIT_LINK_AGAIN = 55  /* a used one-time link, by b, somebody else */
};

/* What a doubt is: enum fed_doubt, or */
enum {
    NODE_DOUBT_FORK = 6,
    NODE_DOUBTS = 10 /* FED_DOUBT_GHOST is 9 */
};

enum {
    NODE_REPORTED_TOO_OFTEN = 255 /* no more is taken from them today */
};

/* Marks of a conversation (store_conv_mark_*): kind, subject, value. */
enum node_mark {
    NODE_MARK_DELIVERED = 1, /* a clinic: up to node_log_place */
    NODE_MARK_READ = 2,      /* a clinic: likewise */
    NODE_MARK_SEEN = 3,      /* a member here: position */
    NODE_MARK_WAITING = 4,   /* nobody: ours at the end without a place */
    NODE_MARK_EARLY =
        5, /* id of what it is about, seq: seq, until that comes */
    NODE_MARK_RESENT = 6,   /* seq, a clinic that brought it back: 1 */
    NODE_MARK_DOUBTED = 15, /* of no conversation; one that has doubts */
    NODE_MARK_DOUBT = 16    /* and what: a member, who carries: since */
};

#endif
