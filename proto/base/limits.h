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
#define LIMIT_MLS_FORWARD 1024u
#define LIMIT_MLS_SKIPPED_PER_SENDER 64u
#define LIMIT_MLS_SKIPPED_PER_EPOCH 1024u
#define LIMIT_MLS_PAST_EPOCHS 5u
#define LIMIT_MLS_RESUMPTION_PSKS 16u

#endif
