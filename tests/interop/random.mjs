// SPDX-License-Identifier: Apache-2.0
// Random groups of 3 to 9 members, ours and ts-mls's mixed.  After every
// operation all members and the tree model agree (room.mjs).
//   random.mjs SUITE [--first N] [--seeds N] [--fresh N] [--ops N] [--lanes N]
//              [--peers ct] [--min MEMBERS] [--max MEMBERS] [--record FILE]
// --record writes what one passive member saw as gap vectors.
// A failure prints its seed and what was done; --first SEED --seeds 1 repeats
// the same operations (keys are fresh each time).
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';

import { available, isOurs, NAMES, Peer } from './peers.mjs';
import { Record } from './record.mjs';
import { REQUIRED_CAPABILITIES, Room, TEST_EXTENSION } from './room.mjs';

const [suite, ...args] = process.argv.slice(2);
const option = (name, fallback) => {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : args[at + 1];
};
const first = Number(option('first', '1'));
const seeds = Number(option('seeds', '20'));
const fresh = Number(option('fresh', '0'));
const operations = Number(option('ops', '30'));
const lanes = Number(option('lanes', '2'));
const kinds = [...option('peers', 'ct')];
const recording = option('record') && [];
const MIN = Number(option('min', '3'));
const MAX = Number(option('max', '9'));
const NEGATIVES = ['signature', 'membership_tag', 'confirmation_tag', 'group',
  'epoch', 'sender', 'version', 'wire_format', 'truncated', 'trailing',
  'ciphertext', 'sender_data', 'private_truncated'];

const hex = (text) => Buffer.from(text).toString('hex');

// mulberry32
function generator(seed) {
  let a = seed >>> 0;
  return () => {
    a = a + 0x6d2b79f5 >>> 0;
    let t = a;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

class Run {
  constructor(seed, peers) {
    this.next = generator(seed);
    this.peers = peers;
    this.names = 0;
    this.done = [];
    this.joined = new Map();
    this.waiting = []; // key packages are out, not in yet
    this.room = new Room({
      suite: Number(suite), encrypt: false,
      peerFor: () => peers[kinds.length > 1 && this.below(3) === 0
        ? kinds[1] : kinds[0]],
    });
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  // n different ones, in a random order
  some(list, n) {
    const left = [...list];
    return Array.from({ length: Math.min(n, left.length) }, () =>
      left.splice(this.below(left.length), 1)[0]);
  }

  // Those who do something: all but who only records.
  active() {
    return this.room.others(this.observer);
  }

  member(...not) {
    return this.pick(this.active().filter((m) => !not.includes(m)));
  }

  stranger() {
    return this.room.actor(`${++this.names}`);
  }

  say(what) {
    this.done.push(what);
  }

  async commit(by, what = {}) {
    this.say(`${by.name}${by.peer.kind} commits ${Object.entries(what)
      .filter(([k]) => !['joinPsks', 'kp'].includes(k)).map(([k, v]) =>
        `${k} ${Array.isArray(v) ? v.map((x) => (x.name
          ? x.name + x.peer.kind : JSON.stringify(x))) : JSON.stringify(v)}`)}`
      + (this.room.encrypt ? ', private' : ''));
    const before = new Set(this.room.members);
    // Ours may end between making a commit and hearing that it was accepted.
    const beforeMerge = isOurs(by.peer.kind) && !this.observer
      && this.below(6) === 0 ? () => this.restart(by.peer) : undefined;
    this.waiting.push(...what.add ?? []);
    await this.room.commit(by, { ...what, ...this.aad(), beforeMerge });
    this.waiting = [];
    await this.arrived(before);
  }

  // Authenticated data, sometimes.
  aad() {
    return this.below(2) ? { aad: hex(`data ${this.below(1000)}`) } : {};
  }

  async arrived(before) {
    const { epoch } = await this.room.members[0].call('info');
    this.epoch = epoch;
    for (const m of this.room.members) {
      if (!before.has(m)) {
        this.joined.set(m, epoch);
      }
    }
  }

  // A secret that everyone has.
  async secret() {
    const id = hex(`psk ${this.below(1000)}`);
    const psk = hex(`secret of ${id}`);
    this.room.record?.secret(id, psk);
    await Promise.all(this.room.members.map((m) => m.call('psk', { id, psk })));
    return { id, psk };
  }

  extensions() {
    return [
      { type: REQUIRED_CAPABILITIES, data: '0000020001' },
      ...(this.below(2) ? [{
        type: TEST_EXTENSION, data: hex(`ext ${this.below(100)}`),
      }] : []),
    ];
  }

  ops() {
    const { room } = this;
    const n = room.members.length;
    return [
      [3, n < MAX, 'add', () => this.commit(this.member(), {
        add: [this.stranger()], tree: this.below(4) > 0,
        kp: { grease: this.below(2) === 0 },
      })],
      [2, n < MAX - 1, 'add two', () => this.commit(this.member(), {
        add: [this.stranger(), this.stranger()],
        force_path: this.below(2) === 0,
      })],
      [3, n > MIN, 'remove', () => {
        const [by, out] = this.some(this.active(), 2);
        return this.commit(by, { remove: [out] });
      }],
      [2, n > MIN + 1, 'remove two', () => {
        const [by, ...out] = this.some(this.active(), 3);
        return this.commit(by, { remove: out });
      }],
      [4, true, 'update', () => this.commit(this.member())],
      [2, n < MAX, 'external join', () => this.external()],
      [1, true, 'resync', () => this.resync()],
      [1, !this.observer, 'reinit', () => this.reinit()],
      [4, true, 'by reference', () => this.byReference()],
      [1, true, 'psk', async () => this.commit(this.member(), {
        psks: [(await this.secret()).id],
      })],
      [1, n < MAX, 'add with psk', async () => {
        const psk = await this.secret();
        return this.commit(this.member(), {
          add: [this.stranger()], psks: [psk.id], joinPsks: [psk],
        });
      }],
      [1, true, 'resumption psk', () => this.resumption()],
      [1, true, 'extensions', () => this.commit(this.member(), {
        gce: this.extensions(),
      })],
      [1, n < MAX && n > MIN, 'all at once', () => this.mixture()],
      [2, true, 'chat', () => this.chat()],
      [1, true, 'lost race', () => this.lostRace()],
      [2, !this.observer, 'restart', () => this.restart()],
      [1, this.ours().length > 0, 'negative', () => this.negative()],
    ].filter(([, possible]) => possible);
  }

  ours() {
    return this.room.members.filter((m) => isOurs(m.peer.kind));
  }

  async external() {
    const joiner = this.stranger();
    const helper = this.member();
    this.say(`${joiner.name}${joiner.peer.kind} joins by ${helper.name}`);
    const before = new Set(this.room.members);
    const psks = isOurs(joiner.peer.kind) && this.below(2)
      ? { psks: [await this.secret()] } : {};
    await this.room.external(joiner, helper, psks);
    await this.arrived(before);
  }

  async resync() {
    const old = this.member();
    const helper = this.member(old);
    this.say(`${old.name}${old.peer.kind} resyncs by ${helper.name}`);
    await this.room.external(old, helper, { old });
    await this.arrived(new Set(this.room.others(old)));
  }

  async reinit() {
    const { room } = this;
    const gid = hex(`after ${room.gid}`).slice(-32);
    await this.commit(this.member(), { reinit: { gid, suite: room.suite } });
    const by = this.member();
    this.say(`${by.name}${by.peer.kind} starts the group that follows`);
    await room.successor(by, room.members, { gid });
    this.joined.clear();
    await this.arrived(new Set());
  }

  async byReference() {
    const { room } = this;
    const [by, ...rest] = this.some(this.active(), MAX);
    const joiners = [];
    const leavers = [];
    const count = 1 + this.below(3);
    for (let i = 0; i < count && rest.length > 1; i++) {
      const proposer = this.pick([by, ...rest]);
      const kind = this.pick(['add', 'remove', 'update', 'update', 'psk',
        'gce']);
      this.say(`${proposer.name}${proposer.peer.kind} proposes ${kind}`);
      if (kind === 'add' && room.members.length + joiners.length < MAX) {
        const joiner = this.stranger();
        joiners.push(joiner);
        this.waiting.push(joiner);
        await room.propose(proposer, 'add', {
          kp: await joiner.keyPackage(), ...this.aad(),
        });
      } else if (kind === 'remove'
          && room.members.length - leavers.length > MIN) {
        const at = rest.findIndex((m) => m !== proposer
          && !room.proposals.updates.includes(room.indexOf(m)));
        if (at >= 0) {
          const [out] = rest.splice(at, 1);
          leavers.push(out);
          await room.propose(proposer, 'remove', { index: room.indexOf(out) });
        }
      } else if (kind === 'update' && !leavers.includes(proposer)
          && !room.proposals.updates.includes(room.indexOf(proposer))) {
        await room.propose(proposer, 'update', this.aad());
      } else if (kind === 'psk' && !room.pskProposed) {
        this.psk = await this.secret();
        room.pskProposed = true;
        await room.propose(proposer, 'psk', { id: this.psk.id });
      } else if (kind === 'gce' && !room.proposals.gce) {
        await room.propose(proposer, 'gce', { exts: this.extensions() });
      }
    }
    if (!this.observer && this.below(3) === 0) {
      await this.restart();
    }
    await this.commit(by, {
      joiners, leavers, ...(room.pskProposed ? { joinPsks: [this.psk] } : {}),
    });
  }

  async resumption() {
    const since = Math.max(this.epoch - 8,
      ...this.room.members.map((m) => this.joined.get(m)));
    await this.commit(this.member(), {
      respsk: since + this.below(this.epoch - since + 1),
    });
  }

  async mixture() {
    const [by, out, updated] = this.some(this.active(), 3);
    const psk = await this.secret();
    await this.room.propose(updated, 'update');
    await this.commit(by, {
      remove: [out], add: [this.stranger()], psks: [psk.id], joinPsks: [psk],
      gce: this.extensions(),
    });
  }

  async chat() {
    const from = this.member();
    const sent = [];
    this.say(`${from.name}${from.peer.kind} speaks`);
    for (let i = 0; i < 4; i++) {
      const pt = hex(`message ${i} `.repeat(this.below(40)));
      sent.push({ pt, msg: (await from.call('protect', {
        pt, aad: hex('chat'), pad: this.below(100),
      })).msg });
    }
    this.room.record?.application(this.some(sent, sent.length));
    for (const to of this.room.others(from)) {
      for (const { pt, msg } of this.some(sent, sent.length)) {
        const got = await to.call('unprotect', { msg });
        if (got.pt !== pt) {
          throw new Error(`${to.name} heard something else`);
        }
      }
    }
  }

  async lostRace() {
    const [by, winner] = this.some(this.active(), 2);
    this.say(`${by.name}${by.peer.kind} loses to ${winner.name}`);
    await by.call('commit', { encrypt: this.room.encrypt });
    await by.call('clear');
    await this.commit(winner);
  }

  // Every member in one process goes through save, end of process, load.
  async restart(peer = this.peers[this.pick(kinds)]) {
    this.say(`restart of ${NAMES[peer.kind]}`);
    await peer.restart([...this.room.members, ...this.waiting]
      .filter((m) => m.peer === peer).map((m) => m.who));
  }

  async negative() {
    const by = this.pick(this.ours());
    const kind = this.pick(NEGATIVES);
    this.say(`${by.name} sends a broken commit: ${kind}`);
    const { msg } = await by.call('negative', { kind });
    for (const m of this.room.others(by)) {
      const answer = await m.ask('process', { msg });
      if (answer.err === undefined) {
        throw new Error(`${m.name}${m.peer.kind} took it`);
      }
      if (answer.err.includes('changed the group')) {
        throw new Error(answer.err);
      }
    }
    await this.room.check();
  }

  async play() {
    const { room } = this;
    await room.create(this.stranger());
    this.epoch = 0;
    this.joined.set(room.members[0], 0);
    const others = [this.stranger(), this.stranger()];
    if (recording) {
      [this.observer] = others;
      room.record = new Record(this.observer, recording.length);
      recording.push(room.record);
    }
    await this.commit(room.members[0], { add: others });
    for (let i = 0; i < operations; i++) {
      room.encrypt = this.below(2) === 0;
      const all = this.ops();
      let at = this.below(all.reduce((sum, [weight]) => sum + weight, 0));
      const [, , name, run] = all.find(([weight]) => {
        at -= weight;
        return at < 0;
      });
      this.say(`${i} ${name}:`);
      await run();
    }
    await room.chat();
    await room.leave();
  }
}

for (const kind of kinds) {
  if (!available(kind)) {
    console.log(`no ${NAMES[kind]}: build it first\n0 passed, 1 failed`);
    process.exit(1);
  }
}

const todo = Array.from({ length: seeds }, (_, i) => first + i);
for (let i = 0; i < fresh; i++) {
  todo.push(randomInt(2 ** 32));
}
if (fresh) {
  console.log(`fresh seeds: ${todo.slice(seeds).join(' ')}`);
}

let passed = 0;
let failed = 0;

async function lane() {
  const start = () => Object.fromEntries(kinds.map((k) => [k, new Peer(k)]));
  let peers = start();
  for (let seed = todo.shift(); seed !== undefined; seed = todo.shift()) {
    const run = new Run(seed, peers);
    try {
      await run.play();
      passed++;
    } catch (e) {
      failed++;
      console.log(`suite ${suite} seed ${seed}: ${process.env.PEER_TRACE
        ? e.stack : e.message}\n  ${run.done.slice(-12).join('\n  ')}`);
      await Promise.all(Object.values(peers).map((p) => p.stop()));
      peers = start();
    }
  }
  for (const p of Object.values(peers)) {
    if (!await p.stop()) {
      failed++;
      console.log(`${NAMES[p.kind]} did not end well`);
    }
  }
}

await Promise.all(Array.from({ length: lanes }, lane));
if (recording) {
  writeFileSync(option('record'), JSON.stringify(recording.map((r) =>
    r.vector(Number(suite))), undefined, 1) + '\n');
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
