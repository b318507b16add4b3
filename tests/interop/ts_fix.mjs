// SPDX-License-Identifier: Apache-2.0
// Preload (node --import) that corrects ts-mls 1.6.4 as it is loaded.  Each
// correction says what RFC 9420 asks; ours is left as it is.  A text that is
// not found exactly as often as expected means another version: we stop.
import { register } from 'node:module';

register('./ts_fix_hooks.mjs', import.meta.url);
