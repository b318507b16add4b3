// SPDX-License-Identifier: Apache-2.0
// An app's records in the browser: all of them in memory, each commit one
// transaction of IndexedDB, in two copies where the browser allows it (copies).
// A page that ends at any moment leaves the last commit that was told to be
// durable, or the one under way, whole.
//
// What is stored is sealed with keys that no script can read out (Web Crypto,
// not extractable), names of records included: rows are found by a MAC of
// their name.  That keeps them from whoever copies one row or the site's data
// alone; who has the whole profile of the browser has the keys too, and a
// deleted row stays in its files until they are written anew.  One page at a
// time: the account's Web Lock is held until close or the page's end.

import { Copies, type Keys, type Sealed } from "./copies.js";
import { type Change, MirrorStorage } from "./storage.js";
import { CoreError } from "./wasm.js";

const NONCE = 12;

/** space and key as one name. */
function nameOf(space: number, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new Uint8Array(1 + key.length);
  name[0] = space;
  name.set(key, 1);
  return name;
}

async function seal(keys: Keys, change: Change): Promise<Sealed> {
  const name = nameOf(change.space, change.key);
  const row = await crypto.subtle.sign("HMAC", keys.name, name);
  if (change.value === undefined) {
    return { row, value: undefined };
  }
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const plain = new Uint8Array(2 + name.length + change.value.length);
  new DataView(plain.buffer).setUint16(0, name.length);
  plain.set(name, 2);
  plain.set(change.value, 2 + name.length);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: row }, keys.seal, plain));
  plain.fill(0);
  const value = new Uint8Array(NONCE + sealed.length);
  value.set(nonce);
  value.set(sealed, NONCE);
  return { row, value };
}

async function unseal(keys: Keys, row: ArrayBuffer,
                      value: Uint8Array<ArrayBuffer>): Promise<Change> {
  const plain = new Uint8Array(await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: value.slice(0, NONCE), additionalData: row },
    keys.seal, value.slice(NONCE)));
  const at = 2 + new DataView(plain.buffer).getUint16(0);
  return { space: plain[2] ?? 0, key: plain.slice(3, at),
           value: plain.slice(at) };
}

/** Hold the account's lock until the result is called. */
function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, { ifAvailable: true }, (held) => {
      if (held === null) {
        reject(new CoreError("exists"));
        return undefined;
      }
      return new Promise<void>((release) => resolve(release));
    }).catch(reject);
  });
}

export class IndexedStorage extends MirrorStorage {
  readonly #copies: Copies;
  readonly #unlock: () => void;
  #underWay: Promise<void> = Promise.resolve();
  /** What commit called "later" ended: hand it to App.committed. */
  onCommitted: (ok: boolean) => void = () => {};

  private constructor(copies: Copies, unlock: () => void) {
    super();
    this.#copies = copies;
    this.#unlock = unlock;
  }

  /**
   * One account of this origin.  CoreError "exists": another page has it open;
   * "corrupt": a row cannot be opened.
   */
  static async open(account: string): Promise<IndexedStorage> {
    const unlock = await lock(`balsam ${account}`);
    try {
      // without it the browser may forget everything when space is short
      await navigator.storage.persist();
      const storage = new IndexedStorage(await Copies.open(account), unlock);
      await storage.#load();
      return storage;
    } catch (e) {
      unlock();
      throw e;
    }
  }

  async #load(): Promise<void> {
    const { names, values } = await this.#copies.rows();
    for (const [i, name] of names.entries()) {
      const value = values[i];
      if (!(name instanceof ArrayBuffer) || value === undefined) {
        throw new CoreError("corrupt");
      }
      try {
        this.rows.load(await unseal(this.#copies.keys, name, value));
      } catch {
        throw new CoreError("corrupt");
      }
    }
  }

  /** Nothing may be put before the one under way has ended. */
  commit(): "done" | "later" {
    const changes = this.rows.changes();
    if (changes.length === 0) {
      return "done";
    }
    this.#underWay = this.#write([...changes]).then(
      () => this.#ended(true), () => this.#ended(false));
    return "later";
  }

  async #write(changes: Change[]): Promise<void> {
    // sealed first: a transaction does not live through an await
    await this.#copies.write(await Promise.all(
      changes.map((c) => seal(this.#copies.keys, c))));
  }

  #ended(ok: boolean): void {
    this.rows.committed(ok);
    this.onCommitted(ok);
  }

  /** Resolves when the commit under way has ended, and that was told. */
  idle(): Promise<void> {
    return this.#underWay;
  }

  async close(): Promise<void> {
    await this.#underWay;
    this.#copies.close();
    this.#unlock();
  }
}
