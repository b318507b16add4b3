// SPDX-License-Identifier: Apache-2.0
// MLS for the web apps: the C core compiled to WebAssembly, typed.
//
// What crypto/mls/mls.h says holds here: a call that throws has changed
// nothing; a commit is a Stage until it is merged; protecting and unprotecting
// hand back a Change, whose records must be stored before anything that depends
// on them is shown or sent.  Groups, stages and changes live in the core's
// memory until free() (or merge(), undo()), which also wipes their secrets.

import { Reader, Writer } from "./codec.js";
import { primitives } from "./host.js";

const enum Op {
  SignKey = 1,
  KeyPackage = 2,
  KeyPackageCheck = 3,
  Create = 4,
  Join = 5,
  JoinExternal = 6,
  GroupFree = 7,
  Info = 8,
  Member = 9,
  Export = 10,
  GroupInfo = 11,
  Protect = 12,
  Unprotect = 13,
  Undo = 14,
  ChangeFree = 15,
  Propose = 16,
  Commit = 17,
  Process = 18,
  StageInfo = 19,
  Merge = 20,
  StageFree = 21,
  StageSave = 22,
  StageLoad = 23,
  Save = 24,
  Load = 25,
  WelcomeIsFor = 26,
  Peek = 27,
}

/** X25519, ChaCha20-Poly1305, SHA-256, Ed25519: the only suite here. */
export const SUITE = 3;

const KEY_SIZE = 14;
const none = new Uint8Array(0);

/** A refused call.  code as in proto/base/err.c, rule as in crypto/mls. */
export class CoreError extends Error {
  readonly code: string;
  readonly rule: string;

  constructor(code: string, rule: string) {
    super(rule === "none" || rule === "" ? code : `${code} (${rule})`);
    this.name = "CoreError";
    this.code = code;
    this.rule = rule;
  }
}

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

export interface Protected {
  message: Uint8Array;
  generation: number;
  change: Change;
}

export interface Unprotected {
  plaintext: Uint8Array;
  aad: Uint8Array;
  sender: number;
  epoch: bigint;
  generation: number;
  member: Member;
  change: Change;
}

export type Processed =
  | { kind: "proposal"; sender: number; aad: Uint8Array; proposal: number;
      ref: Uint8Array; change: Change | undefined }
  | { kind: "commit"; sender: number; aad: Uint8Array; stage: Stage };

interface Exports {
  memory: WebAssembly.Memory;
  balsam_alloc(len: number): number;
  balsam_free(p: number, len: number): void;
  balsam_new(): number;
  balsam_call(api: number, op: number, args: number, len: number): number;
  balsam_out(api: number): number;
  balsam_out_len(api: number): number;
  balsam_err_name(e: number): number;
}

function extensionList(list: Extension[] | undefined): Uint8Array {
  const w = new Writer();
  for (const x of list ?? []) {
    w.u16(x.type).vec(x.data);
  }
  return w.bytes();
}

function u16List(list: number[] | undefined): Uint8Array {
  const w = new Writer();
  for (const n of list ?? []) {
    w.u16(n);
  }
  return w.bytes();
}

function writeIdentity(w: Writer, who: Identity): void {
  w.vec(who.credential).vec(who.seed).vec(u16List(who.extensionTypes));
  w.vec(u16List(who.proposalTypes)).vec(u16List(who.credentialTypes));
  w.vec(extensionList(who.leafExtensions));
}

function writeProposal(w: Writer, p: Proposal): void {
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

function readMember(r: Reader): Member {
  const leaf = r.u32();
  const credentialType = r.u16();
  const credential = r.vec();
  return { leaf, credentialType, credential, signatureKey: r.vec() };
}

function readExtensions(bytes: Uint8Array): Extension[] {
  const r = new Reader(bytes);
  const list: Extension[] = [];
  while (r.more()) {
    const type = r.u16();
    list.push({ type, data: r.vec() });
  }
  return list;
}

function readRecords(bytes: Uint8Array): StoredRecord[] {
  const r = new Reader(bytes);
  const list: StoredRecord[] = [];
  while (r.more()) {
    const kind = r.u8();
    const key = r.fixed(KEY_SIZE);
    list.push({ kind, key, bytes: r.vec() });
  }
  return list;
}

/** The loaded core.  One object, one set of callbacks. */
export class Core {
  readonly #exports: Exports;
  readonly #api: number;

  private constructor(exports: Exports, api: number) {
    this.#exports = exports;
    this.#api = api;
  }

  /** wasm: the bytes of balsam.wasm, or a response that delivers them. */
  static async load(wasm: BufferSource | Response | Promise<Response>,
                    callbacks: Callbacks): Promise<Core> {
    let exports: Exports | undefined;
    const memory = (): Uint8Array => {
      if (exports === undefined) {
        throw new Error("the core is not loaded");
      }
      return new Uint8Array(exports.memory.buffer);
    };
    const imports = {
      balsam: {
        ...(await primitives(memory)),
        ...hooks(memory, callbacks),
      },
    };
    const source = await wasm;
    const { instance } = source instanceof Response
      ? await WebAssembly.instantiateStreaming(source, imports)
      : await WebAssembly.instantiate(source, imports);
    exports = instance.exports as unknown as Exports;
    const api = exports.balsam_new();
    if (api === 0) {
      throw new CoreError("nomem", "none");
    }
    return new Core(exports, api);
  }

  /** @internal */
  call(op: number, args: Writer): Reader {
    const x = this.#exports;
    const bytes = args.bytes();
    // an operation without arguments still passes a valid address
    const size = Math.max(1, bytes.length);
    const p = x.balsam_alloc(size);
    if (p === 0) {
      throw new CoreError("nomem", "none");
    }
    new Uint8Array(x.memory.buffer).set(bytes, p);
    const e = x.balsam_call(this.#api, op, p, bytes.length);
    x.balsam_free(p, size);
    args.wipe();
    const at = x.balsam_out(this.#api);
    const out = new Uint8Array(x.memory.buffer)
      .slice(at, at + x.balsam_out_len(this.#api));
    if (e !== 0) {
      throw new CoreError(this.#errName(e), new TextDecoder().decode(out));
    }
    return new Reader(out);
  }

  #errName(e: number): string {
    const heap = new Uint8Array(this.#exports.memory.buffer);
    const at = this.#exports.balsam_err_name(e);
    return new TextDecoder().decode(heap.slice(at, heap.indexOf(0, at)));
  }

  /** Bytes that the core's memory takes now. */
  memorySize(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** A signature key: a fresh one, or the one of a seed. */
  signKey(seed: Uint8Array = none): SignKey {
    const r = this.call(Op.SignKey, new Writer().vec(seed));
    const out = r.vec();
    return { seed: out, pub: r.vec() };
  }

  keyPackage(who: Identity, from: Date, to: Date, lastResort = false,
             extensions: Extension[] = []): KeyPackage {
    const w = new Writer();
    writeIdentity(w, who);
    w.u16(SUITE).u64(seconds(from)).u64(seconds(to)).bool(lastResort);
    w.vec(extensionList(extensions));
    const r = this.call(Op.KeyPackage, w);
    const keyPackage = r.vec();
    const ref = r.vec();
    return { keyPackage, ref, record: r.vec() };
  }

  /** Verify a key package and see whose it is. */
  keyPackageCheck(keyPackage: Uint8Array): {
    suite: number; member: Member; from: Date; to: Date;
    lastResort: boolean; ref: Uint8Array;
  } {
    const r = this.call(Op.KeyPackageCheck, new Writer().vec(keyPackage));
    const suite = r.u16();
    const member = readMember(r);
    const from = new Date(Number(r.u64()) * 1000);
    const to = new Date(Number(r.u64()) * 1000);
    const lastResort = r.bool();
    return { suite, member, from, to, lastResort, ref: r.vec() };
  }

  create(who: Identity, groupId: Uint8Array,
         extensions: Extension[] = []): Group {
    const w = new Writer();
    writeIdentity(w, who);
    w.u16(SUITE).vec(groupId).vec(extensionList(extensions));
    return new Group(this, this.call(Op.Create, w).u32());
  }

  welcomeIsFor(welcome: Uint8Array, ref: Uint8Array): boolean {
    return this.call(Op.WelcomeIsFor, new Writer().vec(welcome).vec(ref))
      .bool();
  }

  join(welcome: Uint8Array, record: Uint8Array,
       tree: Uint8Array = none): Group {
    const w = new Writer().vec(welcome).vec(record).vec(tree);
    return new Group(this, this.call(Op.Join, w).u32());
  }

  /** Store the group before the commit leaves; remove: our own old leaf. */
  joinExternal(who: Identity, groupInfo: Uint8Array, remove?: number,
               tree: Uint8Array = none,
               aad: Uint8Array = none): { group: Group; commit: Uint8Array } {
    const w = new Writer();
    writeIdentity(w, who);
    w.vec(groupInfo).vec(tree).bool(remove !== undefined).u32(remove ?? 0);
    w.vec(aad);
    const r = this.call(Op.JoinExternal, w);
    const group = new Group(this, r.u32());
    return { group, commit: r.vec() };
  }

  /** A group from the records that were stored of it. */
  load(records: StoredRecord[]): Group {
    const list = new Writer();
    for (const x of records) {
      list.u8(x.kind).fixed(x.key).vec(x.bytes);
    }
    const w = new Writer().vec(list.bytes());
    list.wipe();
    return new Group(this, this.call(Op.Load, w).u32());
  }

  /** What can be read of a message without any key. */
  peek(message: Uint8Array): {
    wire: number; content: number; groupId: Uint8Array; epoch: bigint;
    aad: Uint8Array; external: boolean;
  } {
    const r = this.call(Op.Peek, new Writer().vec(message));
    const wire = r.u16();
    const content = r.u8();
    const groupId = r.vec();
    const epoch = r.u64();
    const aad = r.vec();
    return { wire, content, groupId, epoch, aad, external: r.bool() };
  }
}

function seconds(d: Date): bigint {
  return BigInt(Math.floor(d.getTime() / 1000));
}

function hooks(memory: () => Uint8Array, callbacks: Callbacks):
    Record<string, (...args: number[]) => number> {
  return {
    check_leaf(use = 0, p = 0, len = 0) {
      const r = new Reader(memory().slice(p, p + len));
      const groupId = r.vec();
      const epoch = r.u64();
      const leaf = readMember(r);
      const before = r.bool() ? readMember(r) : undefined;
      const name = LEAF_USES[use];
      // an exception must not unwind the C frames below us
      try {
        return name !== undefined &&
          callbacks.checkLeaf({ use: name, groupId, epoch, leaf, before })
          ? 0 : 1;
      } catch {
        return 1;
      }
    },
    find_psk(p = 0, len = 0, out = 0, max = 0) {
      try {
        const psk = callbacks.findPsk?.(memory().slice(p, p + len));
        if (psk === undefined || psk.length > max) {
          return -1;
        }
        memory().set(psk, out);
        return psk.length;
      } catch {
        return -1;
      }
    },
  };
}

/** Something that lives in the core's memory. */
class Handle {
  protected readonly core: Core;
  #at: number;

  constructor(core: Core, at: number) {
    this.core = core;
    this.#at = at;
  }

  /** @internal */
  get at(): number {
    if (this.#at === 0) {
      throw new Error("used after it was freed");
    }
    return this.#at;
  }

  protected drop(): number {
    const at = this.at;
    this.#at = 0;
    return at;
  }
}

/** Records to store in one transaction, and the way back if it fails. */
export class Change extends Handle {
  readonly records: StoredRecord[];
  readonly #group: Group;

  /** @internal */
  constructor(core: Core, group: Group, at: number, records: StoredRecord[]) {
    super(core, at);
    this.#group = group;
    this.records = records;
  }

  /** The transaction is durable. */
  free(): void {
    this.core.call(Op.ChangeFree, new Writer().u32(this.drop()));
  }

  /** The transaction failed: as if the call had not been made. */
  undo(): void {
    const w = new Writer().u32(this.#group.at).u32(this.drop());
    this.core.call(Op.Undo, w);
  }
}

/** A new epoch beside the present one. */
export class Stage extends Handle {
  info(): StageInfo {
    const r = this.core.call(Op.StageInfo, new Writer().u32(this.at));
    const epoch = r.u64();
    const committer = r.u32();
    const own = r.bool();
    const external = r.bool();
    const selfRemoved = r.bool();
    const extensionsChanged = r.bool();
    const reinit = r.bool();
    const aad = r.vec();
    const authenticator = r.vec();
    const leaves: LeafChange[] = [];
    for (let n = r.u16(); n > 0; n--) {
      const what = (["added", "removed", "updated"] as const)[r.u8()];
      const leaf = r.u32();
      const before = r.bool() ? readMember(r) : undefined;
      const after = r.bool() ? readMember(r) : undefined;
      if (what === undefined) {
        throw new RangeError("kind of a change");
      }
      leaves.push({ what, leaf, before, after });
    }
    return { epoch, committer, own, external, selfRemoved, extensionsChanged,
             reinit, aad, authenticator, leaves };
  }

  /** Secret bytes, from which Group.stage makes the stage again. */
  save(): Uint8Array {
    return this.core.call(Op.StageSave, new Writer().u32(this.at)).vec();
  }

  free(): void {
    this.core.call(Op.StageFree, new Writer().u32(this.drop()));
  }

  /** @internal */
  merged(): void {
    this.drop();
  }
}

/** One member's view of a group. */
export class Group extends Handle {
  info(): GroupInfo {
    const r = this.core.call(Op.Info, new Writer().u32(this.at));
    const suite = r.u16();
    const groupId = r.vec();
    const epoch = r.u64();
    const ownLeaf = r.u32();
    const leafCount = r.u32();
    const memberCount = r.u32();
    const removed = r.bool();
    const reinit = r.bool();
    const authenticator = r.vec();
    const treeHash = r.vec();
    return { suite, groupId, epoch, ownLeaf, leafCount, memberCount, removed,
             reinit, authenticator, treeHash,
             extensions: readExtensions(r.vec()) };
  }

  /** Undefined for a blank leaf. */
  member(leaf: number): Member | undefined {
    try {
      const w = new Writer().u32(this.at).u32(leaf);
      return readMember(this.core.call(Op.Member, w));
    } catch (e) {
      if (e instanceof CoreError && e.code === "missing") {
        return undefined;
      }
      throw e;
    }
  }

  members(): Member[] {
    const list: Member[] = [];
    const { leafCount } = this.info();
    for (let i = 0; i < leafCount; i++) {
      const m = this.member(i);
      if (m !== undefined) {
        list.push(m);
      }
    }
    return list;
  }

  exportSecret(label: string, context: Uint8Array, length: number): Uint8Array {
    const w = new Writer().u32(this.at).vec(new TextEncoder().encode(label));
    return this.core.call(Op.Export, w.vec(context).u32(length)).vec();
  }

  /** A signed GroupInfo, for external joins. */
  groupInfo(withTree = true): Uint8Array {
    const w = new Writer().u32(this.at).bool(withTree);
    return this.core.call(Op.GroupInfo, w).vec();
  }

  #change(r: Reader): Change | undefined {
    const at = r.u32();
    const records = readRecords(r.vec());
    return at === 0 ? undefined : new Change(this.core, this, at, records);
  }

  #mustChange(r: Reader): Change {
    const change = this.#change(r);
    if (change === undefined) {
      throw new CoreError("internal", "none");
    }
    return change;
  }

  protect(plaintext: Uint8Array, aad: Uint8Array = none,
          padding = 0): Protected {
    const w = new Writer().u32(this.at).vec(plaintext).vec(aad).u32(padding);
    const r = this.core.call(Op.Protect, w);
    const message = r.vec();
    const generation = r.u32();
    return { message, generation, change: this.#mustChange(r) };
  }

  unprotect(message: Uint8Array): Unprotected {
    const w = new Writer().u32(this.at).vec(message);
    const r = this.core.call(Op.Unprotect, w);
    const plaintext = r.vec();
    const aad = r.vec();
    const sender = r.u32();
    const epoch = r.u64();
    const generation = r.u32();
    const member = readMember(r);
    return { plaintext, aad, sender, epoch, generation, member,
             change: this.#mustChange(r) };
  }

  propose(proposal: Proposal, asPrivate = false, aad: Uint8Array = none): {
    message: Uint8Array; ref: Uint8Array; change: Change | undefined;
  } {
    const w = new Writer().u32(this.at).bool(asPrivate).vec(aad);
    writeProposal(w, proposal);
    const r = this.core.call(Op.Propose, w);
    const message = r.vec();
    const ref = r.vec();
    return { message, ref, change: this.#change(r) };
  }

  commit(options: CommitOptions = {}): {
    stage: Stage; commit: Uint8Array; welcome: Uint8Array;
    groupInfo: Uint8Array; change: Change | undefined;
  } {
    const w = new Writer().u32(this.at);
    w.u8((options.skipPending === true ? 1 : 0) |
         (options.forcePath === true ? 2 : 0) |
         (options.asPrivate === true ? 4 : 0) |
         (options.noTree === true ? 8 : 0) |
         (options.wantGroupInfo === true ? 16 : 0));
    w.vec(options.aad ?? none).bool(options.identity !== undefined);
    if (options.identity !== undefined) {
      writeIdentity(w, options.identity);
    }
    const list = options.proposals ?? [];
    w.u16(list.length);
    for (const p of list) {
      writeProposal(w, p);
    }
    const r = this.core.call(Op.Commit, w);
    const stage = new Stage(this.core, r.u32());
    const commit = r.vec();
    const welcome = r.vec();
    const groupInfo = r.vec();
    return { stage, commit, welcome, groupInfo, change: this.#change(r) };
  }

  process(message: Uint8Array): Processed {
    const w = new Writer().u32(this.at).vec(message);
    const r = this.core.call(Op.Process, w);
    const isCommit = r.u8() === 1;
    const sender = r.u32();
    const aad = r.vec();
    const proposal = r.u16();
    const ref = r.vec();
    const change = this.#change(r);
    const stage = r.u32();
    return isCommit
      ? { kind: "commit", sender, aad, stage: new Stage(this.core, stage) }
      : { kind: "proposal", sender, aad, proposal, ref, change };
  }

  /** Install the new epoch; the stage is used up. */
  merge(stage: Stage): void {
    this.core.call(Op.Merge, new Writer().u32(this.at).u32(stage.at));
    stage.merged();
  }

  /** A stage that Stage.save made bytes of. */
  stage(saved: Uint8Array): Stage {
    const w = new Writer().u32(this.at).vec(saved);
    return new Stage(this.core, this.core.call(Op.StageLoad, w).u32());
  }

  /** The records to store: all, or those that changed since the last save. */
  save(what: "all" | "changed" = "all"): StoredRecord[] {
    const w = new Writer().u32(this.at).bool(what === "changed");
    const change = this.#change(this.core.call(Op.Save, w));
    const records = change?.records ?? [];
    change?.free();
    return records;
  }

  free(): void {
    this.core.call(Op.GroupFree, new Writer().u32(this.drop()));
  }
}
