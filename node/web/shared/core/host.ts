// SPDX-License-Identifier: Apache-2.0
// What the core imports: curves and ChaCha20-Poly1305 of libsodium, randomness
// and the clock of the browser.  The names are those of
// crypto/prim/import_wasm.h and crypto/mls/api_wasm.c.

import sodium from "libsodium-wrappers";

/** The core's memory; its buffer changes when it grows, so ask each time. */
export type Memory = () => Uint8Array;

const none = new Uint8Array(0);

/** Primitives over the core's memory.  Resolves once libsodium is ready. */
export async function primitives(
  memory: Memory,
): Promise<Record<string, (...args: number[]) => number | void>> {
  await sodium.ready;
  const at = (p: number, len: number): Uint8Array =>
    len === 0 ? none : memory().subarray(p, p + len);
  const put = (p: number, bytes: Uint8Array): void => {
    memory().set(bytes, p);
    bytes.fill(0);
  };

  return {
    // at most 65,536 bytes at a time, says the standard
    random(out = 0, len = 0) {
      for (let i = 0; i < len; i += 65536) {
        const part = new Uint8Array(Math.min(65536, len - i));
        globalThis.crypto.getRandomValues(part);
        put(out + i, part);
      }
    },
    x25519_base(priv = 0, out = 0) {
      put(out, sodium.crypto_scalarmult_base(at(priv, 32)));
    },
    // libsodium throws for a result of zero
    x25519(priv = 0, pub = 0, out = 0) {
      try {
        put(out, sodium.crypto_scalarmult(at(priv, 32), at(pub, 32)));
        return 0;
      } catch {
        return -1;
      }
    },
    x25519_of_pub(pub = 0, out = 0) {
      try {
        put(out, sodium.crypto_sign_ed25519_pk_to_curve25519(at(pub, 32)));
        return 0;
      } catch {
        return -1;
      }
    },
    x25519_of_key(key = 0, out = 0) {
      put(out, sodium.crypto_sign_ed25519_sk_to_curve25519(at(key, 64)));
    },
    ed25519_pub(seed = 0, out = 0) {
      const pair = sodium.crypto_sign_seed_keypair(at(seed, 32));
      pair.privateKey.fill(0);
      put(out, pair.publicKey);
    },
    ed25519_sign(key = 0, msg = 0, len = 0, out = 0) {
      put(out, sodium.crypto_sign_detached(at(msg, len), at(key, 64)));
    },
    ed25519_verify(pub = 0, msg = 0, len = 0, sig = 0) {
      try {
        const ok = sodium.crypto_sign_verify_detached(
          at(sig, 64), at(msg, len), at(pub, 32));
        return ok ? 0 : -1;
      } catch {
        return -1;
      }
    },
    chacha_seal(extended = 0, key = 0, nonce = 0, aad = 0, aadLen = 0, pt = 0,
                ptLen = 0, out = 0) {
      put(out, extended
        ? sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            at(pt, ptLen), at(aad, aadLen), null, at(nonce, 24), at(key, 32))
        : sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
            at(pt, ptLen), at(aad, aadLen), null, at(nonce, 12), at(key, 32)));
    },
    chacha_open(extended = 0, key = 0, nonce = 0, aad = 0, aadLen = 0, ct = 0,
                ctLen = 0, out = 0) {
      try {
        put(out, extended
          ? sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
              null, at(ct, ctLen), at(aad, aadLen), at(nonce, 24), at(key, 32))
          : sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
              null, at(ct, ctLen), at(aad, aadLen), at(nonce, 12),
              at(key, 32)));
        return 0;
      } catch {
        return -1;
      }
    },
    blake2b(key = 0, keyLen = 0, msg = 0, len = 0, out = 0, outLen = 0) {
      put(out, sodium.crypto_generichash(
        outLen, at(msg, len), keyLen === 0 ? null : at(key, keyLen)));
    },
    wall_ms() {
      return Date.now();
    },
  };
}
