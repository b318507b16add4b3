// SPDX-License-Identifier: Apache-2.0
// Start peers and talk to them, one request at a time each.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const TOP = join(HERE, '../..');

// The newest build of ours: the one under sanitizers in `make test`.
function ours() {
  const builds = ['plain', 'san'].map((mode) =>
    join(TOP, 'build', mode, 'bin/mls-peer')).filter((x) => existsSync(x));
  builds.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return process.env.MLS_PEER ?? builds[0] ?? join(TOP, 'build/bin/mls-peer');
}

export const COMMANDS = {
  c: [ours()],
  t: [process.execPath, '--import', join(HERE, 'ts_fix.mjs'),
    join(HERE, 'ts_peer.mjs')],
  w: [process.execPath, join(HERE, 'core_peer.mjs')],
  x: [process.execPath, '--no-warnings', join(HERE, 'wasm_peer.mjs')],
};
export const NAMES = {
  c: 'balsam', t: 'ts-mls', w: 'core-crypto', x: 'balsam in wasm',
};

// Ours, natively or as WebAssembly.
export const isOurs = (kind) => kind === 'c' || kind === 'x';

export const available = (kind) => existsSync(COMMANDS[kind][0]);

export class Peer {
  constructor(kind) {
    this.kind = kind;
    this.start();
  }

  start() {
    const [program, ...args] = COMMANDS[this.kind];
    this.waiting = [];
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { child } = this;
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { resolve, reject } = this.waiting.shift();
      try {
        resolve(JSON.parse(line));
      } catch {
        reject(new Error(`${NAMES[this.kind]} said: ${line.slice(0, 200)}`));
      }
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        const left = this.waiting;
        this.waiting = [];
        left.forEach(({ reject }) => reject(new Error(
          `${NAMES[this.kind]} ended (${signal ?? code})`)));
        resolve({ code, signal });
      });
    });
  }

  // The answer, whatever it says.
  ask(request) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(JSON.stringify(request) + '\n');
    });
  }

  // The answer; an err is thrown.
  async call(request) {
    const answer = await this.ask(request);
    if (answer.err !== undefined || answer.ok !== true) {
      throw new Error(`${NAMES[this.kind]} ${request.op} ${request.who}: `
        + (answer.err ?? 'neither ok nor err'));
    }
    return answer;
  }

  // End the process; true when it ended well (no leak, no crash).
  async stop() {
    this.child.stdin.end();
    const { code } = await this.ended;
    return code === 0;
  }

  // Stop and start again; actors' states survive only as `save` gave them.
  async restart(actors) {
    const saved = [];
    for (const who of actors) {
      saved.push([who, (await this.call({ op: 'save', who })).state]);
    }
    if (!await this.stop()) {
      throw new Error(`${NAMES[this.kind]} did not end well`);
    }
    this.start();
    for (const [who, state] of saved) {
      await this.call({ op: 'load', who, state });
    }
  }
}
