/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two devices of one patient show each other, so that no key leaves a
 * device: the new one a request, the old one a grant sealed to it (HPKE, to a
 * key of that request alone).  Texts of QR codes: a prefix and base64url of
 *
 *     request  balsam:d#   version 1 | [1, device, seal] | checksum 4
 *     grant    balsam:g#   version 1 | enc 32 | sealed [1, patient, home,
 *                          archive key, certificate, list, addresses] |
 *                          checksum 4
 *
 * The checksum (of SHA-256) finds typing errors.  Who photographs a request
 * learns a public key; who photographs a grant, nothing.  Pure.
 */
#ifndef FEDERATION_APP_CODES_H
#define FEDERATION_APP_CODES_H

#include "federation/app/rec.h"
#include "proto/base/bytes.h"
#include "proto/base/rng.h"

MUST_CHECK enum err
fed_app_request_text(const struct mem *mem,
                     const struct fed_app_rec_request *request,
                     struct bytes *out);
/* ERR_FORMAT  not one; ERR_UNSUPPORTED  of later software; ERR_AUTH  a typing
   error */
MUST_CHECK enum err fed_app_request_read(const struct mem *mem,
                                         struct view text,
                                         struct fed_app_rec_request *out);

MUST_CHECK enum err
fed_app_grant_text(const struct mem *mem, const struct rng *rng,
                   const struct fed_app_rec_request *request,
                   const struct fed_app_rec_grant *grant, struct bytes *out);
/*
 * priv: of the request's seal.  Views of *out point into *hold, which is
 * secret.  Errors as above; ERR_AUTH also: for another device
 */
MUST_CHECK enum err
fed_app_grant_read(const struct mem *mem,
                   const struct fed_app_rec_request *request,
                   const uint8_t priv[32], struct view text,
                   struct fed_app_rec_grant *out, struct bytes *hold);

#endif
