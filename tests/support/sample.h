/* SPDX-License-Identifier: Apache-2.0 */
/* A value of any shape (proto/msg/shape.h), the same every time. */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include "proto/msg/shape.h"

/* Fill *to; n varies the value.  Lists get one item, kept in *item. */
void sample_fill(const struct proto_shape *shape, void *to, uint8_t n,
                 uint8_t item[PROTO_ITEM_SIZE]);

#endif
