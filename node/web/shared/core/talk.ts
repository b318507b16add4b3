// SPDX-License-Identifier: Apache-2.0
// Files of messages, changes to them, reports, and who can read a conversation:
// the operations of federation/app/api_talk_wasm.c, typed.

import { decode, encode } from "./care.js";
import { Reader, Writer } from "./codec.js";
import type { Module } from "./wasm.js";

const enum Op {
  Members = 64,
  Files = 65,
  SendFiles = 66,
  Fetch = 67,
  File = 68,
  Piece = 69,
  Edit = 70,
  Delete = 71,
  React = 72,
  Leave = 73,
  Continue = 74,
  ReportTo = 75,
  Proof = 76,
  Report = 77,
  Rest = 78,
  ArchiveFull = 79,
}

const kinds = ["none", "clinic", "patient"] as const;
const fileStates = ["away", "moving", "here", "failed"] as const;
const proofs = ["none", "signed", "asked", "none"] as const;
const reasons = ["other", "spam", "abuse", "identity", "not for me"] as const;

export type Reason = (typeof reasons)[number];

export interface Member {
  id: Uint8Array;
  kind: (typeof kinds)[number];
  /** The clinic whose node delivers; a clinic's is itself. */
  node: Uint8Array;
  addedBy: Uint8Array;
}

export interface FileIn {
  name: string;
  type: string;
  bytes: Uint8Array;
}

/** As its sender says: sniff it before it is shown. */
export interface FileInfo {
  name: string;
  type: string;
  size: bigint;
}

export interface FileState {
  state: (typeof fileStates)[number];
  up: boolean;
  pieces: number;
  moved: number;
}

export class Talk {
  readonly #module: Module;

  /** @internal */
  constructor(module: Module) {
    this.#module = module;
  }

  #call(op: Op, args?: Writer): Reader {
    return this.#module.call(op, args);
  }

  /** Who can read a conversation, and which clinic orders it. */
  members(thread: Uint8Array): { hub: Uint8Array; members: Member[] } {
    const r = this.#call(Op.Members, new Writer().fixed(thread));
    const hub = r.fixed(32);
    const members: Member[] = [];
    while (r.more()) {
      members.push({ id: r.fixed(32), kind: kinds[r.u8()] ?? "none",
                     node: r.fixed(32), addedBy: r.fixed(32) });
    }
    return { hub, members };
  }

  /** The message's id.  It goes once its files are where it goes. */
  send(thread: Uint8Array, text: string, files: FileIn[],
       replyTo = 0): Uint8Array {
    const args = new Writer().fixed(thread).vec(encode(text)).u32(replyTo);
    for (const f of files) {
      args.vec(encode(f.name)).vec(encode(f.type)).vec(f.bytes);
    }
    return this.#call(Op.SendFiles, args).fixed(32);
  }

  files(thread: Uint8Array, message: number): FileInfo[] {
    const r = this.#call(Op.Files, new Writer().fixed(thread).u32(message));
    const all: FileInfo[] = [];
    r.fixed(32);
    while (r.more()) {
      all.push({ name: decode(r.vec()), type: decode(r.vec()),
                 size: r.u64() });
    }
    return all;
  }

  /** Bring it here; an event tells when all of it is. */
  fetch(thread: Uint8Array, message: number, index = 0): void {
    this.#call(Op.Fetch, this.#which(thread, message, index));
  }

  file(thread: Uint8Array, message: number, index = 0): FileState {
    const r = this.#call(Op.File, this.#which(thread, message, index));
    return { state: fileStates[r.u8()] ?? "failed", up: r.bool(),
             pieces: r.u32(), moved: r.u32() };
  }

  /** Piece i of a file that is here, checked. */
  piece(thread: Uint8Array, message: number, index: number,
        i: number): Uint8Array {
    return this.#call(Op.Piece, this.#which(thread, message, index).u32(i))
      .vec();
  }

  #which(thread: Uint8Array, message: number, index: number): Writer {
    return new Writer().fixed(thread).u32(message).u32(index);
  }

  edit(thread: Uint8Array, message: number, text: string): void {
    this.#call(Op.Edit, new Writer().fixed(thread).u32(message)
      .vec(encode(text)));
  }

  delete(thread: Uint8Array, message: number): void {
    this.#call(Op.Delete, new Writer().fixed(thread).u32(message));
  }

  react(thread: Uint8Array, message: number, emoji: string, on = true): void {
    this.#call(Op.React, new Writer().fixed(thread).u32(message)
      .vec(encode(emoji)).bool(on));
  }

  leave(thread: Uint8Array): void {
    this.#call(Op.Leave, new Writer().fixed(thread));
  }

  /** A new conversation after one that stands still: its id. */
  continue(thread: Uint8Array, clinic: Uint8Array): Uint8Array {
    return this.#call(Op.Continue, new Writer().fixed(thread).fixed(clinic))
      .fixed(32);
  }

  /** The clinics that a message of this conversation would be shown to. */
  reportTo(thread: Uint8Array): Uint8Array[] {
    const r = this.#call(Op.ReportTo, new Writer().fixed(thread));
    const all: Uint8Array[] = [];
    while (r.more()) {
      all.push(r.fixed(32));
    }
    return all;
  }

  /** Whether others can check it; "asked": an event (kind 11) tells. */
  proof(thread: Uint8Array, message: number): (typeof proofs)[number] {
    const r = this.#call(Op.Proof, new Writer().fixed(thread).u32(message));
    return proofs[r.u8()] ?? "none";
  }

  report(thread: Uint8Array, message: number, reason: Reason,
         words = ""): void {
    this.#call(Op.Report, new Writer().fixed(thread).u32(message)
      .u8(reasons.indexOf(reason)).vec(encode(words)));
  }

  /** Before the app ends: whether something goes with the next turn. */
  rest(): boolean {
    return this.#call(Op.Rest).bool();
  }

  archiveFull(): boolean {
    return this.#call(Op.ArchiveFull).bool();
  }
}
