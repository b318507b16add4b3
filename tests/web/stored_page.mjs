// SPDX-License-Identifier: Apache-2.0
// What stored.mjs runs in the page: a storage that is written to, and a
// patient's app.  say() is the way out; it comes after what it tells is durable.

import { IndexedStorage } from "/test/build/web/shared/core/indexed.js";
import { Session } from "/test/build/web/shared/core/session.js";

const say = (o) => globalThis.fromPage(JSON.stringify(o));
const bytes = (s) => new TextEncoder().encode(s);
const text = (b) => (b === undefined ? undefined : new TextDecoder().decode(b));
const number = (n) => `${n}`.padStart(8, "0");

function rows(storage) {
  const all = {};
  for (let from = bytes("r");;) {
    const row = storage.next(1, from);
    if (row === undefined) {
      return all;
    }
    all[text(row[0])] = text(row[1]);
    from = new Uint8Array([...row[0], 0]);
  }
}

/** Everything in the storage, then ever newer states of it. */
globalThis.write = async (account, keep) => {
  const storage = await IndexedStorage.open(account);
  const found = { a: text(storage.get(1, bytes("a"))),
                  b: text(storage.get(2, bytes("b"))), rows: rows(storage) };
  let ended;
  storage.onCommitted = (ok) => ended(ok);
  (async () => {
    for (let n = Number(found.a ?? "0") + 1;; n++) {
      storage.put(1, bytes("a"), bytes(`${n}`));
      storage.put(1, bytes(`r${number(n)}`), bytes("x".repeat(n % 3000)));
      storage.del(1, bytes(`r${number(n - keep)}`));
      storage.put(2, bytes("b"), bytes(`${n}`));
      const done = new Promise((resolve) => {
        ended = resolve;
      });
      storage.commit();
      say(await done ? { durable: n } : { failed: n });
    }
  })();
  return found;
};

globalThis.opened = async (account) => {
  try {
    await IndexedStorage.open(account);
    return "opened";
  } catch (e) {
    return `${e.code ?? e}`;
  }
};

/** A failed commit leaves nothing. */
globalThis.fails = async (account) => {
  const storage = await IndexedStorage.open(account);
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function fail(...args) {
    const r = put.apply(this, args);
    this.transaction.abort();
    return r;
  };
  const ended = new Promise((resolve) => {
    storage.onCommitted = resolve;
  });
  storage.put(1, bytes("lost"), bytes("1"));
  storage.commit();
  const ok = await ended;
  IDBObjectStore.prototype.put = put;
  const there = storage.get(1, bytes("lost")) !== undefined;
  await storage.close();
  const again = await IndexedStorage.open(account);
  const stored = again.get(1, bytes("lost")) !== undefined;
  await again.close();
  return { ok, there, stored };
};

/** What lies in the database, as bytes in hex. */
globalThis.dump = async (account) => {
  const request = indexedDB.open(`balsam ${account}`, 1);
  const db = await new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
  });
  const read = (f) => new Promise((resolve) => {
    const r = f(db.transaction("rows").objectStore("rows"));
    r.onsuccess = () => resolve(r.result);
  });
  const hex = (b) => Array.from(new Uint8Array(b),
                                (x) => x.toString(16).padStart(2, "0")).join("");
  const out = [...await read((s) => s.getAllKeys()),
               ...await read((s) => s.getAll())].map(hex);
  db.close();
  return out;
};

// --------------------------------------------------------------- a patient
let session;

globalThis.start = async (account, link) => {
  session = await open(account);
  const { app } = session;
  if (app.me().stage === "nobody") {
    app.newPatient();
    app.join(link, "Ann Stored");
    session.turn();
  }
  return app.me().stage;
};

const open = async (account) => Session.open({
  wasm: fetch("/test/build/wasm/app.wasm"),
  storage: await IndexedStorage.open(account),
  urlOf: () => `ws://${location.host}/device`,
  onEvent: (ev) => say({ event: ev.kind, code: ev.code }),
  onLost: () => say({ lost: true }),
});

/** The running app, for what has no word of its own here; then a turn. */
globalThis.app = async (what) => {
  const out = what(session.app, session.app.threads()[0]?.id);
  session.turn();
  await session.stored();
  return out;
};

/** Another device of the same person, in the same browser. */
let other;
globalThis.further = async (account) => {
  other = await open(account);
  const request = other.app.care.beAdded();
  other.turn();
  await other.stored();
  const grant = session.app.care.addDevice(request, false);
  session.turn();
  await session.stored();
  other.app.care.granted(grant);
  other.turn();
  await other.stored();
};
globalThis.furtherApp = (what) => what(other.app, other.app.threads()[0]?.id);
globalThis.furtherEnd = () => other.end();

/** What can leave the page: numbers and words, bytes in hex. */
globalThis.plain = (o) => JSON.parse(JSON.stringify(o, (_, v) =>
  (v instanceof Uint8Array
    ? Array.from(v, (x) => x.toString(16).padStart(2, "0")).join("")
    : typeof v === "bigint" ? `${v}` : v)));

globalThis.digest = async (bytes) => globalThis.plain(
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

/** All of a file that is here. */
globalThis.whole = (app, thread, message) => {
  const { pieces } = app.talk.file(thread, message);
  const parts = Array.from({ length: pieces }, (_, i) =>
    app.talk.piece(thread, message, 0, i));
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  parts.reduce((at, p) => (all.set(p, at), at + p.length), 0);
  return all;
};

globalThis.texts = () => session.app.threads()
  .flatMap((t) => session.app.messages(t.id)).map((m) => m.text);

globalThis.settled = () => session.app.sync().settled &&
  session.app.threads().length === 1;

/** Say it, and tell when it is stored. */
globalThis.send = async (words) => {
  session.app.send(session.app.threads()[0].id, words);
  session.turn();
  await session.stored();
  return true;
};

globalThis.end = () => session.end();

say({ loaded: true });
