// SPDX-License-Identifier: Apache-2.0
// Debian 12's Node 18 has Web Crypto, but not where browsers have it.  Import
// this before anything that imports libsodium.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
