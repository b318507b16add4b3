/* SPDX-License-Identifier: Apache-2.0 */
/* Every wire struct of RFC 9420. */
#ifndef CRYPTO_MLS_TYPES_H
#define CRYPTO_MLS_TYPES_H

#include "crypto/mls/ext.h"
#include "crypto/mls/leaf.h"
#include "crypto/mls/message.h"
#include "crypto/mls/proposal.h"

#endif
