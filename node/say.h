/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saying something in a thread: the part that all of send, edit, delete and
 * react share.  It can be begun and ended apart, so that a connection may have
 * many under way (node/control).
 */
#ifndef NODE_SAY_H
#define NODE_SAY_H

#include "node/api.h"

/* One content on its way into a thread. */
struct node_say {
    struct node_call *c;
    struct conv_id conv;
    struct thread_id thread;
    struct proto_content content; /* views must live until the end */
    bool closed;                  /* it had ended when it was looked at */
    enum node_audit action;
    bool files; /* it names files, which must be at the hub first */
    struct message_id id;
    uint64_t seq;         /* its number, once it is durable */
    struct node_ask *ask; /* while it is under way */
};

/* The conversation that ref names, which must take messages. */
MUST_CHECK enum err node_say_find(struct node_call *c, struct view ref,
                                  struct node_say *s);
/* The same; waits for that of a clinic which has just been connected, also when
   it goes on after an end. */
MUST_CHECK enum err node_say_find_soon(struct node_call *c, struct view ref,
                                       struct node_say *s);
/* Whether a text has nothing that anybody could read. */
bool node_say_blank(struct view text);
/* Why a thread takes nothing, in words.  Returns e. */
enum err node_say_why(struct node_call *c, enum err e);

/* Say it: s stays where it is until node_say_end. */
MUST_CHECK enum err node_say_begin(struct node_call *c, struct node_say *s);
/* Wait until it is durable, and answer with the message; with the flag brief
   only with its number and state. */
MUST_CHECK enum err node_say_end(struct node_call *c, struct node_say *s);
/* Both. */
MUST_CHECK enum err node_say(struct node_call *c, struct node_say *s);

#endif
