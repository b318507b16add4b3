// SPDX-License-Identifier: Apache-2.0
// The databases of an account: two alike where the browser can keep them
// apart, written one after the other.
//
// Chromium keeps all databases of a storage bucket in one LevelDB.  Killed in
// the middle of a write that leaves a torn end, which the next start appends
// to, and the start after it takes the whole for damaged and begins an empty
// one: everything is gone, though each commit was told to be durable.  A kill
// tears only what is being written, so of two copies in two buckets one is
// whole; it renews the other.  Each counts its commits: the one with more of
// them is the newer one.  Both are gone only if one is torn, then the other, and
// a third kill comes before the first is renewed.  A browser without storage
// buckets has one copy.

const strict = { durability: "strict" } as const;

/** A row, and what it holds from now on; undefined: it goes. */
export interface Sealed {
  row: ArrayBuffer;
  value: Uint8Array<ArrayBuffer> | undefined;
}

export interface Keys {
  seal: CryptoKey;
  name: CryptoKey;
}

interface Bucket {
  readonly indexedDB: IDBFactory;
}

interface Buckets {
  open(name: string, how: { persisted: boolean; durability: "strict" }):
    Promise<Bucket>;
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("database"));
  });
}

function durable(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error("aborted"));
  });
}

/** One database, with what is to be known of it. */
interface Copy {
  /** Kept with it: a bucket that is collected ends what goes on in it. */
  readonly bucket: Bucket | undefined;
  db: IDBDatabase;
  keys: Keys | undefined;
  commits: number;
}

async function openOne(account: string, bucket?: Bucket): Promise<Copy> {
  const request = (bucket?.indexedDB ?? indexedDB).open(`balsam ${account}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("keys");
    request.result.createObjectStore("rows");
  };
  const db = await finished(request);
  const store = db.transaction("keys").objectStore("keys");
  const commits = finished<number | undefined>(store.get("commits"));
  const keys = await finished<Keys | undefined>(store.get("keys"));
  return { bucket, db, keys, commits: (await commits) ?? 0 };
}

async function spareOf(account: string): Promise<Copy | undefined> {
  const buckets =
    (navigator as { storageBuckets?: Buckets }).storageBuckets;
  if (buckets === undefined) {
    return undefined;
  }
  const bucket = await buckets.open("balsam-second",
                                    { persisted: true, durability: "strict" });
  return openOne(account, bucket);
}

async function makeKeys(): Promise<Keys> {
  return {
    seal: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 },
                                          false, ["encrypt", "decrypt"]),
    name: await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" },
                                          false, ["sign"]),
  };
}

async function rowsOf(copy: Copy):
Promise<{ names: IDBValidKey[]; values: Uint8Array<ArrayBuffer>[] }> {
  const rows = copy.db.transaction("rows").objectStore("rows");
  const names = finished(rows.getAllKeys());
  const values = await finished<Uint8Array<ArrayBuffer>[]>(rows.getAll());
  return { names: await names, values };
}

/** All of a copy as another one is, at once. */
async function renew(old: Copy, from: Copy): Promise<void> {
  const { names, values } = await rowsOf(from);
  const tx = old.db.transaction(["keys", "rows"], "readwrite", strict);
  const rows = tx.objectStore("rows");
  rows.clear();
  for (const [i, name] of names.entries()) {
    rows.put(values[i], name);
  }
  tx.objectStore("keys").put(from.keys, "keys");
  tx.objectStore("keys").put(from.commits, "commits");
  await durable(tx);
  old.keys = from.keys;
  old.commits = from.commits;
}

async function put(copy: Copy, changes: readonly Sealed[], commits: number):
Promise<void> {
  const tx = copy.db.transaction(["keys", "rows"], "readwrite", strict);
  const rows = tx.objectStore("rows");
  for (const { row, value } of changes) {
    if (value === undefined) {
      rows.delete(row);
    } else {
      rows.put(value, row);
    }
  }
  tx.objectStore("keys").put(commits, "commits");
  await durable(tx);
}

export class Copies {
  readonly #first: Copy;
  readonly #second: Copy | undefined;
  readonly keys: Keys;
  /** The first has what the second may not have. */
  #apart = false;

  private constructor(first: Copy, second: Copy | undefined, keys: Keys) {
    this.#first = first;
    this.#second = second;
    this.keys = keys;
  }

  /**
   * Both, alike.  A copy that does not open is an error, never left out: it
   * may be the newer one.
   */
  static async open(account: string): Promise<Copies> {
    const first = await openOne(account);
    let second: Copy | undefined;
    try {
      second = await spareOf(account);
    } catch (e) {
      first.db.close();
      throw e;
    }
    if (first.keys === undefined && second?.keys === undefined) {
      first.keys = await makeKeys();
      first.commits = 1;
      const tx = first.db.transaction("keys", "readwrite", strict);
      tx.objectStore("keys").put(first.keys, "keys");
      tx.objectStore("keys").put(first.commits, "commits");
      await durable(tx);
    }
    if (second !== undefined && second.commits > first.commits) {
      await renew(first, second);
    } else if (second !== undefined && second.commits < first.commits) {
      await renew(second, first);
    }
    if (first.keys === undefined) {
      throw new Error("an account without its keys");
    }
    return new Copies(first, second, first.keys);
  }

  rows(): Promise<{ names: IDBValidKey[];
                    values: Uint8Array<ArrayBuffer>[] }> {
    return rowsOf(this.#first);
  }

  /**
   * All of it or nothing; durable in each copy when it resolves.  When only
   * the first has taken it, it may be there after the next open, so nothing
   * else is written until then: every later one fails too.
   */
  async write(changes: readonly Sealed[]): Promise<void> {
    if (this.#apart) {
      throw new Error("the copies differ: open them again");
    }
    const commits = this.#first.commits + 1;
    await put(this.#first, changes, commits);
    this.#first.commits = commits;
    if (this.#second !== undefined) {
      this.#apart = true;
      await put(this.#second, changes, commits);
      this.#apart = false;
    }
  }

  close(): void {
    this.#first.db.close();
    this.#second?.db.close();
  }
}
