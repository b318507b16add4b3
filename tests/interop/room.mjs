// SPDX-License-Identifier: Apache-2.0
// A group as the driver sees it: who is in, what each did, and whether all of
// them and the tree model agree after every step.
import { randomBytes, randomUUID } from 'node:crypto';

import * as model from './tree_model.mjs';
import { isOurs } from './peers.mjs';
import { keyPackage, ratchetTree } from './wire.mjs';

const hex = (b) => Buffer.from(b).toString('hex');
const bytes = (text) => Buffer.from(text, 'hex');
let rooms = 0;

export const REQUIRED_CAPABILITIES = 3;
export const EXTERNAL_SENDERS = 5;
export const OTHER_PROPOSAL = 0x2a2a; // listed by key packages with grease
export const TEST_EXTENSION = 0xf3a1;

function equal(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    throw new Error(`${what}: ${JSON.stringify(got)} is not `
      + JSON.stringify(want));
  }
}

export class Actor {
  constructor(room, name, peer) {
    this.room = room;
    this.name = name;
    this.peer = peer;
    this.who = `${room.id}.${name}`;
    this.identity = undefined;
  }

  call(op, fields = {}) {
    return this.peer.call({ op, who: this.who, ...fields });
  }

  ask(op, fields = {}) {
    return this.peer.ask({ op, who: this.who, ...fields });
  }

  async keyPackage(more = {}) {
    this.keys = await this.call('kp', {
      suite: this.room.suite, identity: this.identity, ...more,
    });
    return this.keys.kp;
  }
}

export class Room {
  /* peerFor(i) says which peer the i-th actor lives in. */
  constructor({ suite, encrypt, peerFor, wire = false }) {
    this.id = `r${++rooms}`;
    this.gid = hex(randomBytes(16));
    this.suite = suite;
    this.encrypt = encrypt;
    this.peerFor = peerFor;
    this.actors = [];
    this.members = [];
    this.proposals = { updates: [], removes: [], adds: [], gce: false };
    this.tree = undefined;
    this.steps = 0;
    this.record = undefined; // see record.mjs
    this.wire = wire; // core-crypto is here: its names, its exporter
    this.exporter = wire ? { label: 'exporter', ctx: '', len: 32 } : undefined;
  }

  actor(name) {
    const n = this.actors.length;
    const a = new Actor(this, name, this.peerFor(n));
    if (this.wire) {
      a.identity = `${randomUUID()}:${(n + 1).toString(16)}@balsam.example`;
    }
    this.actors.push(a);
    return a;
  }

  others(...not) {
    return this.members.filter((m) => !not.includes(m));
  }

  // The member's leaf index, by the model's tree; undefined without one.
  indexOf(member) {
    if (!this.tree) {
      return undefined;
    }
    const identity = member.identity ?? member.who;
    const at = this.tree.findIndex((n) => n?.leaf
      && n.leaf.identity.toString() === identity);
    if (at < 0) {
      throw new Error(`${member.name} is not in the tree`);
    }
    return at / 2;
  }

  async create(creator, more = {}) {
    await creator.keyPackage(more.kp);
    await creator.call('create', {
      gid: this.gid, suite: this.suite, encrypt: this.encrypt, exts: more.exts,
    });
    this.members = [creator];
    this.tree = await this.seen();
    await this.check();
  }

  // The tree as the members show it; undefined when none can (core-crypto).
  async seen() {
    const open = this.members.find((m) => m.peer.kind !== 'w');
    return open && ratchetTree(bytes((await open.call('info')).tree));
  }

  // Everyone agrees; returns what they agree on.
  async check() {
    const infos = await Promise.all(this.members.map((m) => m.call('info')));
    const open = infos.filter((x) => x.tree);
    const first = open[0] ?? infos[0];
    infos.forEach((info, i) => {
      const of = `${this.members[i].peer.kind} ${this.members[i].name}`;
      equal(info.epoch, first.epoch, `epoch of ${of}`);
      if (!info.tree) {
        const names = this.members.map((m) => m.identity ?? m.who).sort();
        equal(info.identities, names, `members of ${of}`);
        return;
      }
      equal(info.tree_hash, first.tree_hash, `tree hash of ${of}`);
      equal(info.tree, first.tree, `tree of ${of}`);
      equal(info.auth, first.auth, `authenticator of ${of}`);
      equal(info.members, first.members, `members of ${of}`);
      equal(info.index, this.indexOf(this.members[i]), `index of ${of}`);
    });
    equal(open.length ? open[0].members.length : infos.length, infos.length,
      'number of members');
    if (open.length) {
      equal(hex(model.encode(this.tree)), first.tree, 'tree of the model');
      model.check(this.tree, bytes(this.gid), bytes(first.tree_hash));
    }
    const what = this.exporter ?? {
      label: 'balsam test', ctx: hex(Buffer.from(`${this.steps}`)),
      len: 16 + this.steps % 40,
    };
    const exports = await Promise.all(this.members.map((m) =>
      m.call('export', what)));
    exports.forEach((x, i) => equal(x.secret, exports[0].secret,
      `export of ${this.members[i].name}`));
    this.steps++;
    return first;
  }

  // Everyone says something and everyone else hears it.
  async chat(members = this.members) {
    for (const from of members) {
      const pt = hex(randomBytes(1 + this.steps * 37 % 300));
      const aad = hex(Buffer.from(`aad ${this.steps}`));
      const { msg } = await from.call('protect', { pt, aad });
      await Promise.all(this.others(from).map(async (to) => {
        const got = await to.call('unprotect', { msg });
        equal(got.pt, pt, `${to.name} heard ${from.name}`);
        if (from.peer.kind !== 'w' && to.peer.kind !== 'w') {
          equal(got.aad, aad, 'authenticated data');
        }
      }));
    }
  }

  // by proposes, everyone else stores it.
  async propose(by, kind, fields = {}) {
    const { msg } = await by.call('propose', {
      kind, encrypt: this.encrypt, ...fields,
    });
    await Promise.all(this.others(by).map((m) => m.call('process', { msg })));
    this.record?.proposal(msg);
    switch (kind) {
      case 'add': this.proposals.adds.push(fields.kp); break;
      case 'remove': this.proposals.removes.push(fields.index); break;
      case 'update': this.proposals.updates.push(this.indexOf(by)); break;
      case 'gce': this.proposals.gce = true; break;
      default:
    }
    return msg;
  }

  /*
   * by commits what was proposed and, by value:
   *   add: actors, remove: actors, psks: ids, respsk: epoch, gce: extensions
   * joiners are actors whose key packages were proposed by reference.
   * beforeMerge is called between the others' new epoch and by's own.
   */
  async commit(by, { add = [], remove = [], joiners = [], leavers = [], kp,
    beforeMerge, ...fields } = {}) {
    const removes = remove.map((m) => this.indexOf(m));
    const adds = await Promise.all(add.map((a) => a.keyPackage(kp)));
    const committer = this.indexOf(by);
    const made = await by.call('commit', {
      encrypt: this.encrypt, tree: true, ...fields,
      ...(adds.length ? { adds } : {}), ...(removes.length ? { removes } : {}),
      ...(removes.length ? { remove_ids: remove.map((m) => m.identity) } : {}),
    });
    const gone = [...remove, ...leavers];
    await Promise.all(this.others(by).map(async (m) => {
      const answer = await m.call('process', { msg: made.commit });
      if (gone.includes(m)) {
        equal(answer.removed, true, `${m.name} is removed`);
      } else {
        equal(typeof answer.newepoch, 'number', `${m.name} has a new epoch`);
      }
    }));
    await beforeMerge?.();
    await by.call('merge');
    this.members = this.others(...gone);
    const arriving = [...joiners, ...add];
    await Promise.all(arriving.map((a) => a.call('join', {
      welcome: made.welcome, tree: made.tree, psks: fields.joinPsks,
    })));
    this.members.push(...arriving);
    this.record?.joined(arriving, made);
    const { proposals } = this;
    const updates = proposals.updates.filter((u) => u !== committer
      && !proposals.removes.includes(u) && !removes.includes(u));
    await this.advance({
      updates,
      removes: [...new Set([...proposals.removes, ...removes])],
      adds: [...proposals.adds, ...adds],
      committer,
      pathRequired: !fields.reinit && (updates.length + removes.length + proposals.removes.length
        > 0 || proposals.gce || Boolean(fields.gce)
        || (fields.force_path && isOurs(by.peer.kind)) // others cannot be asked
        || (arriving.length === 0 && !fields.psks
          && fields.respsk === undefined && !this.pskProposed)),
      message: made.commit,
    });
    return made;
  }

  async advance(change) {
    this.proposals = { updates: [], removes: [], adds: [], gce: false };
    this.pskProposed = false;
    const seen = await this.seen();
    await this.record?.commit(change.message);
    this.tree = seen && this.tree ? model.commit(this.tree, {
      ...change, seen,
      adds: (change.adds ?? []).map((kp) => keyPackage(bytes(kp)).leaf),
      message: change.message && bytes(change.message),
    }).tree : seen;
    await this.check();
  }

  // joiner comes in by an external commit; old: it was in and comes back.
  async external(joiner, helper, { old, ...fields } = {}) {
    const { gi } = await helper.call('gi');
    const removed = old && this.indexOf(old);
    if (!old) {
      await joiner.keyPackage();
    }
    const { commit } = await joiner.call('extjoin', {
      gi, resync: Boolean(old), ...fields,
    });
    const rest = this.others(joiner);
    await Promise.all(rest.map((m) => m.call('process', { msg: commit })));
    this.members = [...rest, joiner];
    await this.advance({
      removes: removed === undefined ? [] : [removed],
      committer: undefined, pathRequired: true, message: commit,
    });
  }

  /*
   * by starts the group that follows a committed ReInit ({gid, suite}), or a
   * branch ({gid, branch: true}) with those of the members that go along.
   */
  async successor(by, members, { gid, suite = this.suite, branch = false }) {
    this.suite = suite;
    this.gid = gid;
    const rest = members.filter((m) => m !== by);
    const kps = await Promise.all(rest.map((m) => m.keyPackage()));
    const { welcome } = await by.call('successor', { branch, gid, kps });
    await Promise.all(rest.map((m) => m.call('join', {
      welcome, parent: true,
    })));
    this.members = [by, ...rest];
    this.tree = await this.seen();
    await this.check();
  }

  // Everybody stores a proposal that came from outside.
  async hear(msg) {
    await Promise.all(this.members.map((m) => m.call('process', { msg })));
  }

  // Save, forget, load.
  async reload(member) {
    const { state } = await member.call('save');
    await member.call('forget');
    await member.call('load', { state });
  }

  // Free what the peers hold of this room.
  async leave() {
    await Promise.all(this.actors.map((a) => a.ask('forget')));
  }
}
