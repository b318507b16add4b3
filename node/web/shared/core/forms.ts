// SPDX-License-Identifier: Apache-2.0
// What goes into MLS and comes out of it, and how the core's operations write
// it (crypto/mls/api_wasm.h).

import { Reader, Writer } from "./codec.js";

const KEY_SIZE = 14;

/** An extension of a leaf, key package or group. */
export interface Extension {
  type: number;
  data: Uint8Array;
}

/** Who we are in a group. */
export interface Identity {
  credential: Uint8Array;
  seed: Uint8Array;
  extensionTypes?: number[];
  proposalTypes?: number[];
  /** Besides basic. */
  credentialTypes?: number[];
  leafExtensions?: Extension[];
}

export interface SignKey {
  seed: Uint8Array;
  pub: Uint8Array;
}

export interface Member {
  leaf: number;
  credentialType: number;
  credential: Uint8Array;
  signatureKey: Uint8Array;
}

/** Why a credential is looked at; the order is enum mls_leaf_use's. */
export const LEAF_USES = [
  "key-package", "update", "commit", "external", "tree", "sender",
] as const;
export type LeafUse = (typeof LEAF_USES)[number];

export interface LeafCheck {
  use: LeafUse;
  groupId: Uint8Array;
  epoch: bigint;
  leaf: Member;
  before: Member | undefined;
}

export interface Callbacks {
  /** Whether credential and key belong together and may be in the group. */
  checkLeaf: (check: LeafCheck) => boolean;
  /** The secret of a PSK by its encoded PreSharedKeyID. */
  findPsk?: (id: Uint8Array) => Uint8Array | undefined;
}

export interface KeyPackage {
  keyPackage: Uint8Array;
  ref: Uint8Array;
  /** Secret; store it sealed and delete it after joining. */
  record: Uint8Array;
}

/** One record to store; empty bytes mean: delete the one with this key. */
export interface StoredRecord {
  kind: number;
  key: Uint8Array;
  bytes: Uint8Array;
}

export type Proposal =
  | { kind: "add"; keyPackage: Uint8Array }
  | { kind: "update"; identity?: Identity }
  | { kind: "remove"; leaf: number }
  | { kind: "psk"; id: Uint8Array }
  | { kind: "reinit"; groupId: Uint8Array; suite: number;
      extensions: Extension[] }
  | { kind: "extensions"; extensions: Extension[] }
  | { kind: "other"; type: number; content: Uint8Array };

export interface CommitOptions {
  proposals?: Proposal[];
  skipPending?: boolean;
  forcePath?: boolean;
  asPrivate?: boolean;
  noTree?: boolean;
  wantGroupInfo?: boolean;
  identity?: Identity;
  aad?: Uint8Array;
}

export interface GroupInfo {
  suite: number;
  groupId: Uint8Array;
  epoch: bigint;
  ownLeaf: number;
  leafCount: number;
  memberCount: number;
  removed: boolean;
  reinit: boolean;
  authenticator: Uint8Array;
  treeHash: Uint8Array;
  extensions: Extension[];
}

export interface LeafChange {
  what: "added" | "removed" | "updated";
  leaf: number;
  before: Member | undefined;
  after: Member | undefined;
}

export interface StageInfo {
  epoch: bigint;
  committer: number;
  own: boolean;
  external: boolean;
  selfRemoved: boolean;
  extensionsChanged: boolean;
  reinit: boolean;
  aad: Uint8Array;
  authenticator: Uint8Array;
  leaves: LeafChange[];
}

export function extensionList(list: Extension[] | undefined): Uint8Array {
  const w = new Writer();
  for (const x of list ?? []) {
    w.u16(x.type).vec(x.data);
  }
  return w.bytes();
}

export function u16List(list: number[] | undefined): Uint8Array {
  const w = new Writer();
  for (const n of list ?? []) {
    w.u16(n);
  }
  return w.bytes();
}

export function writeIdentity(w: Writer, who: Identity): void {
  w.vec(who.credential).vec(who.seed).vec(u16List(who.extensionTypes));
  w.vec(u16List(who.proposalTypes)).vec(u16List(who.credentialTypes));
  w.vec(extensionList(who.leafExtensions));
}

export function writeProposal(w: Writer, p: Proposal): void {
  switch (p.kind) {
    case "add":
      w.u16(1).vec(p.keyPackage);
      break;
    case "update":
      w.u16(2).bool(p.identity !== undefined);
      if (p.identity !== undefined) {
        writeIdentity(w, p.identity);
      }
      break;
    case "remove":
      w.u16(3).u32(p.leaf);
      break;
    case "psk":
      w.u16(4).fixed(p.id);
      break;
    case "reinit":
      w.u16(5).vec(p.groupId).u16(p.suite).vec(extensionList(p.extensions));
      break;
    case "extensions":
      w.u16(7).vec(extensionList(p.extensions));
      break;
    case "other":
      w.u16(p.type).vec(p.content);
      break;
  }
}

export function readMember(r: Reader): Member {
  const leaf = r.u32();
  const credentialType = r.u16();
  const credential = r.vec();
  return { leaf, credentialType, credential, signatureKey: r.vec() };
}

export function readExtensions(bytes: Uint8Array): Extension[] {
  const r = new Reader(bytes);
  const list: Extension[] = [];
  while (r.more()) {
    const type = r.u16();
    list.push({ type, data: r.vec() });
  }
  return list;
}

export function readRecords(bytes: Uint8Array): StoredRecord[] {
  const r = new Reader(bytes);
  const list: StoredRecord[] = [];
  while (r.more()) {
    const kind = r.u8();
    const key = r.fixed(KEY_SIZE);
    list.push({ kind, key, bytes: r.vec() });
  }
  return list;
}
