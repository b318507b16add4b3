// SPDX-License-Identifier: Apache-2.0
// A patient's app for the browser: the C client library (federation/app)
// compiled to WebAssembly, typed.
//
// What federation/app/app.h says holds here: call turn() after each call that
// may have changed something; it stores everything since the last turn as one
// transaction and only then lets frames out.  A call that throws has changed
// nothing; after a failed commit call reset() and ask again.

import { Care } from "./care.js";
import { Channel } from "./channel.js";
import { Reader, Writer } from "./codec.js";
import type { Memory } from "./host.js";
import type { Storage } from "./storage.js";
import { Talk } from "./talk.js";
import { CoreError, type Hooks, Module } from "./wasm.js";

const enum Op {
  Turn = 1,
  Committed = 2,
  Up = 3,
  Down = 4,
  Frame = 5,
  Tick = 6,
  Reset = 7,
  Me = 8,
  NewPatient = 9,
  Code = 10,
  Confirm = 11,
  Recover = 12,
  Identity = 13,
  Join = 14,
  ThreadNext = 15,
  MessageNext = 16,
  Send = 17,
  Seen = 18,
  Sync = 19,
  DoubtNext = 26,
  Settle = 27,
}

/** Called after the commit; must not call the app. */
export interface Transport {
  want(clinic: Uint8Array, addrs: Uint8Array): void;
  unwant(clinic: Uint8Array): void;
  send(clinic: Uint8Array, serial: number, frame: Uint8Array): void;
  known(clinic: Uint8Array, serial: number): void;
  close(clinic: Uint8Array, serial: number): void;
}

/** Something changed, by ids (enum fed_app_event_kind): read it again. */
export interface Event {
  kind: number;
  code: number;
  number: number;
  clinic: Uint8Array;
  thread: Uint8Array;
}

export interface Me {
  stage: "nobody" | "asking" | "ready";
  code: "none" | "unwritten" | "confirmed";
  patient: Uint8Array;
  device: Uint8Array;
  home: Uint8Array;
  generation: bigint;
  mayAdd: boolean;
  alarm: boolean;
  removed: boolean;
}

export interface Thread {
  id: Uint8Array;
  number: number;
  state: number;
  hub: Uint8Array;
  messages: number;
  unread: number;
  waiting: number;
  lastMs: bigint;
  title: string;
  group: Uint8Array;
}

/** What is in doubt (enum fed_app_doubt_what); zeros: not known who. */
export interface Doubt {
  what: number;
  who: Uint8Array;
  carries: Uint8Array;
  sinceMs: bigint;
}

export interface Message {
  number: number;
  author: Uint8Array;
  state: number;
  flags: number;
  atMs: bigint;
  replyTo: number;
  delivered: number;
  read: number;
  kind: number;
  text: string;
  name: string;
}

export interface Sync {
  wanted: number;
  up: number;
  asking: number;
  queued: bigint;
  behind: bigint;
  files: number;
  settled: boolean;
}

const none = new Uint8Array(0);
const encode = (s: string): Uint8Array => new TextEncoder().encode(s);
const decode = (b: Uint8Array): string => new TextDecoder().decode(b);

/** What the core asks its host for, in names of federation/app/api_wasm.c. */
function hooks(memory: Memory, storage: Storage, transport: Transport,
               onEvent: (ev: Event) => void): Hooks {
  const at = (p: number, len: number): Uint8Array =>
    len === 0 ? none : memory().slice(p, p + len);
  let key: Uint8Array = none;
  let value: Uint8Array = none;
  return {
    app_get(space = 0, k = 0, len = 0) {
      const got = storage.get(space, at(k, len));
      value = got ?? none;
      return got === undefined ? -1 : got.length;
    },
    app_next(space = 0, k = 0, len = 0) {
      const got = storage.next(space, at(k, len));
      [key, value] = got ?? [none, none];
      return got === undefined ? -1 : value.length;
    },
    app_key_len() {
      return key.length;
    },
    app_key(out = 0) {
      memory().set(key, out);
    },
    app_value(out = 0) {
      memory().set(value, out);
    },
    app_put(space = 0, k = 0, len = 0, v = 0, vLen = 0) {
      storage.put(space, at(k, len), at(v, vLen));
    },
    app_del(space = 0, k = 0, len = 0) {
      storage.del(space, at(k, len));
    },
    app_commit() {
      const r = storage.commit();
      return r === "done" ? 0 : r === "later" ? 1 : 2;
    },
    app_net(kind = 0, clinic = 0, serial = 0, body = 0, len = 0) {
      const who = at(clinic, 32);
      if (kind === 1) {
        transport.want(who, at(body, len));
      } else if (kind === 2) {
        transport.unwant(who);
      } else if (kind === 3) {
        transport.send(who, serial, at(body, len));
      } else if (kind === 4) {
        transport.known(who, serial);
      } else {
        transport.close(who, serial);
      }
    },
    app_event(kind = 0, code = 0, number = 0, clinic = 0, thread = 0) {
      onEvent({ kind, code, number, clinic: at(clinic, 32),
                thread: at(thread, 32) });
    },
  };
}

const stages = ["nobody", "asking", "ready"] as const;
const codes = ["none", "unwritten", "confirmed"] as const;

export class App {
  readonly #module: Module;
  /** Clinics, consents, devices. */
  readonly care: Care;
  /** Files, changes, reports, members. */
  readonly talk: Talk;

  private constructor(module: Module) {
    this.#module = module;
    this.care = new Care(module);
    this.talk = new Talk(module);
  }

  /** wasm: the bytes of app.wasm.  The app is what the storage holds. */
  static async open(wasm: BufferSource | Response | Promise<Response>,
                    storage: Storage, transport: Transport,
                    onEvent: (ev: Event) => void): Promise<App> {
    return new App(await Module.load(
      wasm, (memory) => hooks(memory, storage, transport, onEvent)));
  }

  #call(op: Op, args?: Writer): Reader {
    return this.#module.call(op, args);
  }

  /**
   * When tick() is due (ms since 1970), 0n: no need.  undefined: a commit is
   * under way; committed() goes on, then turn() again.
   */
  turn(): bigint | undefined {
    try {
      return this.#call(Op.Turn).u64();
    } catch (e) {
      if (e instanceof CoreError && e.code === "again") {
        return undefined;
      }
      throw e;
    }
  }

  /** A commit that was under way ended. */
  committed(ok: boolean): bigint {
    return this.#call(Op.Committed, new Writer().u8(ok ? 0 : 1)).u64();
  }

  /** A channel to a clinic, with host as the WebSocket's URL says it. */
  channel(clinic: Uint8Array, host: string): Channel {
    return Channel.make(this.#module, clinic, host);
  }

  /** A connection of another kind (Channel.up: one inside a WebSocket). */
  up(clinic: Uint8Array, serial: number, generation: bigint,
     exporter: Uint8Array): void {
    this.#call(Op.Up, new Writer().fixed(clinic).u32(serial).u64(generation)
      .fixed(exporter));
  }

  down(clinic: Uint8Array, serial: number): void {
    this.#call(Op.Down, new Writer().fixed(clinic).u32(serial));
  }

  frame(clinic: Uint8Array, serial: number, frame: Uint8Array): void {
    this.#call(Op.Frame, new Writer().fixed(clinic).u32(serial).vec(frame));
  }

  tick(): void {
    this.#call(Op.Tick);
  }

  reset(): void {
    this.#call(Op.Reset);
  }

  me(): Me {
    const r = this.#call(Op.Me);
    return {
      stage: stages[r.u8()] ?? "nobody",
      code: codes[r.u8()] ?? "none",
      patient: r.fixed(32),
      device: r.fixed(32),
      home: r.fixed(32),
      generation: r.u64(),
      mayAdd: r.bool(),
      alarm: r.bool(),
      removed: r.bool(),
    };
  }

  newPatient(): void {
    this.#call(Op.NewPatient);
  }

  /** The recovery code, until it is confirmed. */
  code(): { words: string; qr: string } {
    const r = this.#call(Op.Code);
    return { words: decode(r.vec()), qr: decode(r.vec()) };
  }

  confirm(typed: string): void {
    this.#call(Op.Confirm, new Writer().vec(encode(typed)));
  }

  recover(typed: string): void {
    this.#call(Op.Recover, new Writer().vec(encode(typed)));
  }

  /** For the connection's handshake; wipe the seed after use. */
  identity(): { seed: Uint8Array; cert: Uint8Array } {
    const r = this.#call(Op.Identity);
    return { seed: r.fixed(32), cert: r.vec() };
  }

  join(link: string, name: string, birth = ""): void {
    this.#call(Op.Join, new Writer().vec(encode(link)).vec(encode(name))
      .vec(encode(birth)));
  }

  threads(): Thread[] {
    const all: Thread[] = [];
    let after: Uint8Array | undefined;
    for (;;) {
      const args = new Writer().bool(after !== undefined)
        .fixed(after ?? new Uint8Array(32));
      const r = this.#next(Op.ThreadNext, args);
      if (r === undefined) {
        return all;
      }
      after = r.fixed(32);
      all.push({
        id: after, number: r.u32(), state: r.u8(), hub: r.fixed(32),
        messages: r.u32(), unread: r.u32(), waiting: r.u32(), lastMs: r.u64(),
        title: decode(r.vec()), group: r.vec(),
      });
    }
  }

  /** How a thread is carried: what a person should be told. */
  doubts(thread: Uint8Array): Doubt[] {
    const all: Doubt[] = [];
    for (;;) {
      const after = all[all.length - 1];
      const args = new Writer().fixed(thread).bool(after !== undefined)
        .u8(after?.what ?? 0).fixed(after?.who ?? new Uint8Array(32));
      const r = this.#next(Op.DoubtNext, args);
      if (r === undefined) {
        return all;
      }
      all.push({
        what: r.u8(), who: r.fixed(32), carries: r.fixed(32), sinceMs: r.u64(),
      });
    }
  }

  /** The person has seen to what does not go away by itself. */
  settle(thread: Uint8Array): number {
    return this.#call(Op.Settle, new Writer().fixed(thread)).u32();
  }

  messages(thread: Uint8Array): Message[] {
    const all: Message[] = [];
    let place = 0n;
    for (;;) {
      const r = this.#next(Op.MessageNext,
                           new Writer().fixed(thread).u64(place));
      if (r === undefined) {
        return all;
      }
      place = r.u64();
      all.push({
        number: r.u32(), author: r.fixed(32), state: r.u8(), flags: r.u8(),
        atMs: r.u64(), replyTo: r.u32(), delivered: r.u32(), read: r.u32(),
        kind: r.u8(), text: decode(r.vec()), name: decode(r.vec()),
      });
    }
  }

  /** undefined at the end of a list. */
  #next(op: Op, args: Writer): Reader | undefined {
    try {
      return this.#call(op, args);
    } catch (e) {
      if (e instanceof CoreError && e.code === "missing") {
        return undefined;
      }
      throw e;
    }
  }

  /** The message's id. */
  send(thread: Uint8Array, text: string, replyTo = 0): Uint8Array {
    return this.#call(Op.Send, new Writer().fixed(thread).vec(encode(text))
      .u32(replyTo)).fixed(32);
  }

  seen(thread: Uint8Array): void {
    this.#call(Op.Seen, new Writer().fixed(thread));
  }

  sync(): Sync {
    const r = this.#call(Op.Sync);
    return {
      wanted: r.u32(), up: r.u32(), asking: r.u32(), queued: r.u64(),
      behind: r.u64(), files: r.u32(), settled: r.bool(),
    };
  }
}
