// SPDX-License-Identifier: Apache-2.0
// MLS for the web apps: the C core compiled to WebAssembly, typed.
//
// What crypto/mls/mls.h says holds here: a call that throws has changed
// nothing; a commit is a Stage until it is merged; protecting and unprotecting
// hand back a Change, whose records must be stored before anything that depends
// on them is shown or sent.  Groups, stages and changes live in the core's
// memory until free() (or merge(), undo()), which also wipes their secrets.

import { Reader, Writer } from "./codec.js";
import {
  type Callbacks, type CommitOptions, type Extension, type GroupInfo,
  type Identity, type KeyPackage, LEAF_USES, type LeafChange, type Member,
  type Proposal, type SignKey, type StageInfo, type StoredRecord,
  extensionList, readExtensions, readMember, readRecords, writeIdentity,
  writeProposal,
} from "./forms.js";
import type { Memory } from "./host.js";
import { CoreError, Handle, type Hooks, Module } from "./wasm.js";

export * from "./forms.js";
export { CoreError } from "./wasm.js";

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

const none = new Uint8Array(0);

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

/** The loaded core.  One object, one set of callbacks. */
export class Core {
  readonly #module: Module;

  private constructor(module: Module) {
    this.#module = module;
  }

  /** wasm: the bytes of balsam.wasm, or a response that delivers them. */
  static async load(wasm: BufferSource | Response | Promise<Response>,
                    callbacks: Callbacks): Promise<Core> {
    return new Core(await Module.load(wasm,
                                      (memory) => hooks(memory, callbacks)));
  }

  /** Bytes that the core's memory takes now. */
  memorySize(): number {
    return this.#module.memorySize();
  }

  /** A signature key: a fresh one, or the one of a seed. */
  signKey(seed: Uint8Array = none): SignKey {
    const r = this.#module.call(Op.SignKey, new Writer().vec(seed));
    const out = r.vec();
    return { seed: out, pub: r.vec() };
  }

  keyPackage(who: Identity, from: Date, to: Date, lastResort = false,
             extensions: Extension[] = []): KeyPackage {
    const w = new Writer();
    writeIdentity(w, who);
    w.u16(SUITE).u64(seconds(from)).u64(seconds(to)).bool(lastResort);
    w.vec(extensionList(extensions));
    const r = this.#module.call(Op.KeyPackage, w);
    const keyPackage = r.vec();
    const ref = r.vec();
    return { keyPackage, ref, record: r.vec() };
  }

  /** Verify a key package and see whose it is. */
  keyPackageCheck(keyPackage: Uint8Array): {
    suite: number; member: Member; from: Date; to: Date;
    lastResort: boolean; ref: Uint8Array;
  } {
    const r = this.#module.call(Op.KeyPackageCheck, new Writer().vec(keyPackage));
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
    return new Group(this.#module, this.#module.call(Op.Create, w).u32());
  }

  welcomeIsFor(welcome: Uint8Array, ref: Uint8Array): boolean {
    return this.#module.call(Op.WelcomeIsFor, new Writer().vec(welcome).vec(ref))
      .bool();
  }

  join(welcome: Uint8Array, record: Uint8Array,
       tree: Uint8Array = none): Group {
    const w = new Writer().vec(welcome).vec(record).vec(tree);
    return new Group(this.#module, this.#module.call(Op.Join, w).u32());
  }

  /** Store the group before the commit leaves; remove: our own old leaf. */
  joinExternal(who: Identity, groupInfo: Uint8Array, remove?: number,
               tree: Uint8Array = none,
               aad: Uint8Array = none): { group: Group; commit: Uint8Array } {
    const w = new Writer();
    writeIdentity(w, who);
    w.vec(groupInfo).vec(tree).bool(remove !== undefined).u32(remove ?? 0);
    w.vec(aad);
    const r = this.#module.call(Op.JoinExternal, w);
    const group = new Group(this.#module, r.u32());
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
    return new Group(this.#module, this.#module.call(Op.Load, w).u32());
  }

  /** What can be read of a message without any key. */
  peek(message: Uint8Array): {
    wire: number; content: number; groupId: Uint8Array; epoch: bigint;
    aad: Uint8Array; external: boolean;
  } {
    const r = this.#module.call(Op.Peek, new Writer().vec(message));
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

function hooks(memory: Memory, callbacks: Callbacks): Hooks {
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

/** Records to store in one transaction, and the way back if it fails. */
export class Change extends Handle {
  readonly records: StoredRecord[];
  readonly #group: Group;

  /** @internal */
  constructor(module: Module, group: Group, at: number, records: StoredRecord[]) {
    super(module, at);
    this.#group = group;
    this.records = records;
  }

  /** The transaction is durable. */
  free(): void {
    this.module.call(Op.ChangeFree, new Writer().u32(this.drop()));
  }

  /** The transaction failed: as if the call had not been made. */
  undo(): void {
    const w = new Writer().u32(this.#group.at).u32(this.drop());
    this.module.call(Op.Undo, w);
  }
}

/** A new epoch beside the present one. */
export class Stage extends Handle {
  info(): StageInfo {
    const r = this.module.call(Op.StageInfo, new Writer().u32(this.at));
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
    return this.module.call(Op.StageSave, new Writer().u32(this.at)).vec();
  }

  free(): void {
    this.module.call(Op.StageFree, new Writer().u32(this.drop()));
  }

  /** @internal */
  merged(): void {
    this.drop();
  }
}

/** One member's view of a group. */
export class Group extends Handle {
  info(): GroupInfo {
    const r = this.module.call(Op.Info, new Writer().u32(this.at));
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
      return readMember(this.module.call(Op.Member, w));
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
    return this.module.call(Op.Export, w.vec(context).u32(length)).vec();
  }

  /** A signed GroupInfo, for external joins. */
  groupInfo(withTree = true): Uint8Array {
    const w = new Writer().u32(this.at).bool(withTree);
    return this.module.call(Op.GroupInfo, w).vec();
  }

  #change(r: Reader): Change | undefined {
    const at = r.u32();
    const records = readRecords(r.vec());
    return at === 0 ? undefined : new Change(this.module, this, at, records);
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
    const r = this.module.call(Op.Protect, w);
    const message = r.vec();
    const generation = r.u32();
    return { message, generation, change: this.#mustChange(r) };
  }

  unprotect(message: Uint8Array): Unprotected {
    const w = new Writer().u32(this.at).vec(message);
    const r = this.module.call(Op.Unprotect, w);
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
    const r = this.module.call(Op.Propose, w);
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
    const r = this.module.call(Op.Commit, w);
    const stage = new Stage(this.module, r.u32());
    const commit = r.vec();
    const welcome = r.vec();
    const groupInfo = r.vec();
    return { stage, commit, welcome, groupInfo, change: this.#change(r) };
  }

  process(message: Uint8Array): Processed {
    const w = new Writer().u32(this.at).vec(message);
    const r = this.module.call(Op.Process, w);
    const isCommit = r.u8() === 1;
    const sender = r.u32();
    const aad = r.vec();
    const proposal = r.u16();
    const ref = r.vec();
    const change = this.#change(r);
    const stage = r.u32();
    return isCommit
      ? { kind: "commit", sender, aad, stage: new Stage(this.module, stage) }
      : { kind: "proposal", sender, aad, proposal, ref, change };
  }

  /** Install the new epoch; the stage is used up. */
  merge(stage: Stage): void {
    this.module.call(Op.Merge, new Writer().u32(this.at).u32(stage.at));
    stage.merged();
  }

  /** A stage that Stage.save made bytes of. */
  stage(saved: Uint8Array): Stage {
    const w = new Writer().u32(this.at).vec(saved);
    return new Stage(this.module, this.module.call(Op.StageLoad, w).u32());
  }

  /** The records to store: all, or those that changed since the last save. */
  save(what: "all" | "changed" = "all"): StoredRecord[] {
    const w = new Writer().u32(this.at).bool(what === "changed");
    const change = this.#change(this.module.call(Op.Save, w));
    const records = change?.records ?? [];
    change?.free();
    return records;
  }

  free(): void {
    this.module.call(Op.GroupFree, new Writer().u32(this.drop()));
  }
}
