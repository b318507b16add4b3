// SPDX-License-Identifier: Apache-2.0
// Runs test vectors through the wasm build of tests/vectors, in Node and in a
// browser alike.  A case gets an instance of its own: a failing one leaves by
// an exception, after which its stack is not used again.

import { primitives } from "../../build/web/shared/core/host.js";
import { jansson } from "./jansson.mjs";

class Left extends Error {}

async function instance(module) {
  let x;
  const memory = () => new Uint8Array(x.memory.buffer);
  const json = jansson(memory, (n) => x.vec_alloc(n));
  const { exports } = await WebAssembly.instantiate(module, {
    balsam: {
      ...await primitives(memory), check_leaf: () => 0, find_psk: () => -1,
    },
    json: {
      ...json.imports,
      leave: () => {
        throw new Left();
      },
    },
  });
  x = exports;
  return { x, json };
}

// One file; name without .json.  Cases of suites that are not built are
// skipped and counted.
export async function runFile(module, name, cases) {
  const sum = { passed: 0, failed: 0, skipped: 0, lines: [] };
  const probe = await instance(module);
  const kind = probe.x.vec_kind(probe.json.put(name));
  if (kind < 0) {
    sum.failed++;
    sum.lines.push(`${name}: not a known kind`);
    return sum;
  }
  for (const [i, c] of cases.entries()) {
    const id = c.cipher_suite;
    if (id !== undefined && !probe.x.vec_suite(id)) {
      sum.skipped++;
      continue;
    }
    const state = await instance(module);
    try {
      state.x.vec_case(kind, state.json.give(c), id ?? 0);
      sum.passed++;
    } catch (e) {
      const heap = new Uint8Array(state.x.memory.buffer);
      const at = state.x.vec_why();
      const why = e instanceof Left
        ? new TextDecoder().decode(heap.slice(at, heap.indexOf(0, at)))
        : `${e}`;
      sum.failed++;
      sum.lines.push(`${name}: case ${i}: ${why}`);
    }
  }
  return sum;
}
