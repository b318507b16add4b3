// SPDX-License-Identifier: Apache-2.0
// Every scenario x every way to give A, B and C to two implementations x
// public and private handshakes, for one suite.
//   matrix.mjs SUITE [--peers ct] [--only WORD] [--skip NAME] [--lanes N]
// Peers: c ours, x ours in wasm, t ts-mls, w core-crypto (which has its own,
// shorter list).
import { Peer, NAMES, available } from './peers.mjs';
import { Room } from './room.mjs';
import { coreScenarios, scenarios } from './scenarios.mjs';

const [suite, ...args] = process.argv.slice(2);
const option = (name, fallback) => {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : args[at + 1];
};
const kinds = [...option('peers', 'ct')];
const only = option('only', '');
const skip = option('skip', '');
const lanes = Number(option('lanes', '2'));
const wire = kinds.includes('w');

for (const kind of kinds) {
  if (!available(kind)) {
    console.log(`no ${NAMES[kind]}: build it first\n0 passed, 1 failed`);
    process.exit(1);
  }
}

const todo = [];
for (const [name, play] of Object.entries(
  wire ? coreScenarios : scenarios)) {
  if (!name.includes(only) || name === skip) {
    continue;
  }
  for (let roles = 0; roles < kinds.length ** 3; roles++) {
    const mix = [0, 1, 2].map((i) =>
      kinds[Math.floor(roles / kinds.length ** i) % kinds.length]);
    if (mix.every((k) => k === 'w')) {
      continue; // not ours to prove
    }
    for (const encrypt of wire ? [false] : [false, true]) {
      todo.push({ name, play, mix, encrypt });
    }
  }
}

let passed = 0;
let failed = 0;

async function lane() {
  const start = () => Object.fromEntries(kinds.map((k) => [k, new Peer(k)]));
  let peers = start();
  for (let job = todo.shift(); job; job = todo.shift()) {
    const room = new Room({
      suite: Number(suite), encrypt: job.encrypt, wire,
      peerFor: (i) => peers[job.mix[i % 3]],
    });
    try {
      await job.play(room);
      await room.leave();
      passed++;
    } catch (e) {
      failed++;
      console.log(`${job.name} ${job.mix.join('')} `
        + `${job.encrypt ? 'private' : 'public'} suite ${suite}, step `
        + `${room.steps}: ${process.env.PEER_TRACE ? e.stack : e.message}`);
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
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
