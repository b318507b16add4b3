// SPDX-License-Identifier: Apache-2.0
// The line protocol of every peer: one JSON object a line on stdin, one answer
// a line on stdout, in order.  An answer carries ok: true or err: "...".
import { createInterface } from 'node:readline';

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => Uint8Array.from(Buffer.from(text ?? '', 'hex'));

export async function serve(ops) {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      const request = JSON.parse(line);
      const op = ops[request.op];
      if (!op) {
        throw new Error(`no such op: ${request.op}`);
      }
      answer = { ok: true, ...await op(request) };
    } catch (e) {
      const inner = e.inner ? ` ${JSON.stringify(e.inner)}` : '';
      answer = { err: (process.env.PEER_TRACE ? e.stack : e.message) + inner };
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}
