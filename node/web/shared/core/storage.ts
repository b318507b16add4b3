// SPDX-License-Identifier: Apache-2.0
// Where an app's records are (federation/app/app.h: struct fed_app_store).

/**
 * Records, ordered by key within a space.  What was put is seen by get and
 * next at once; commit makes it durable, or brings back what was before.
 */
export interface Storage {
  get(space: number, key: Uint8Array): Uint8Array | undefined;
  /** The first record with a key from this one on. */
  next(space: number, from: Uint8Array): [Uint8Array, Uint8Array] | undefined;
  put(space: number, key: Uint8Array, value: Uint8Array): void;
  del(space: number, key: Uint8Array): void;
  /** "later": it is under way; call App.committed when it ended. */
  commit(): "done" | "later" | "failed";
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0);
    if (d !== 0) {
      return d;
    }
  }
  return a.length - b.length;
}

interface Row {
  key: Uint8Array;
  value: Uint8Array;
}

/** What became of a record since the last commit; no value: it went. */
export interface Change {
  space: number;
  key: Uint8Array;
  value: Uint8Array | undefined;
}

/** Records in memory, with the way back to the last commit. */
export class Rows {
  #spaces = new Map<number, Row[]>();
  #undo: Change[] = [];
  #done: Change[] = [];

  #find(space: number, key: Uint8Array): [Row[], number] {
    let rows = this.#spaces.get(space);
    if (rows === undefined) {
      rows = [];
      this.#spaces.set(space, rows);
    }
    let lo = 0;
    let hi = rows.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      const row = rows[mid];
      if (row !== undefined && compare(row.key, key) < 0) {
        lo = mid + 1;
      } else {
        hi = mid;
      }
    }
    return [rows, lo];
  }

  get(space: number, key: Uint8Array): Uint8Array | undefined {
    const [rows, i] = this.#find(space, key);
    const row = rows[i];
    return row !== undefined && compare(row.key, key) === 0
      ? row.value : undefined;
  }

  next(space: number, from: Uint8Array): [Uint8Array, Uint8Array] | undefined {
    const [rows, i] = this.#find(space, from);
    const row = rows[i];
    return row === undefined ? undefined : [row.key, row.value];
  }

  /** As it is stored already. */
  load({ space, key, value }: Change): void {
    const [rows, i] = this.#find(space, key);
    const row = rows[i];
    const there = row !== undefined && compare(row.key, key) === 0;
    if (value === undefined) {
      rows.splice(i, there ? 1 : 0);
    } else {
      rows.splice(i, there ? 1 : 0, { key, value });
    }
  }

  set(space: number, key: Uint8Array, value: Uint8Array | undefined): void {
    this.#undo.push({ space, key, value: this.get(space, key) });
    this.#done.push({ space, key, value });
    this.load({ space, key, value });
  }

  /** Since the last commit, in order. */
  changes(): readonly Change[] {
    return this.#done;
  }

  committed(ok: boolean): void {
    if (!ok) {
      for (const change of this.#undo.reverse()) {
        this.load(change);
      }
    }
    this.#undo = [];
    this.#done = [];
  }
}

/** A storage that answers from memory; how it commits is its own. */
export abstract class MirrorStorage implements Storage {
  protected readonly rows = new Rows();

  get(space: number, key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(space, key);
  }

  next(space: number, from: Uint8Array): [Uint8Array, Uint8Array] | undefined {
    return this.rows.next(space, from);
  }

  put(space: number, key: Uint8Array, value: Uint8Array): void {
    this.rows.set(space, key, value);
  }

  del(space: number, key: Uint8Array): void {
    this.rows.set(space, key, undefined);
  }

  abstract commit(): "done" | "later" | "failed";
}

/** In memory only: for tests. */
export class MemoryStorage extends MirrorStorage {
  /** What the next commits give. */
  result: "done" | "failed" = "done";
  commits = 0;

  commit(): "done" | "failed" {
    this.commits += this.result === "done" ? 1 : 0;
    this.rows.committed(this.result === "done");
    return this.result;
  }
}
