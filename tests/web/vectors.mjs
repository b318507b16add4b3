// SPDX-License-Identifier: Apache-2.0
// Runs test vectors through the wasm build of tests/vectors, in Node and in a
// browser alike.  A case gets an instance of its own: a failing one leaves by
// an exception, after which its stack is not used again.

import { primitives } from "../../build/web/shared/core/host.js";

// A number that a double cannot hold, kept as its digits.
class Int {
  constructor(digits) {
    this.value = BigInt.asIntN(64, BigInt(digits));
  }
}

export function parse(text) {
  const safe = text.replace(
    /([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1{"#int":"$2"}');
  return JSON.parse(safe, (key, v) =>
    v !== null && typeof v === "object" && typeof v["#int"] === "string"
      ? new Int(v["#int"]) : v);
}

class Left extends Error {}

// The imports of tests/web/wasm/jansson.h over parsed values.
function jansson(state) {
  const values = [undefined];
  const strings = new Map();
  const give = (v) => (v === undefined ? 0 : values.push(v) - 1);
  const cString = (p) => {
    const heap = new Uint8Array(state.x.memory.buffer);
    return new TextDecoder().decode(heap.subarray(p, heap.indexOf(0, p)));
  };
  const isObject = (v) => v !== null && typeof v === "object" &&
    !Array.isArray(v) && !(v instanceof Int);
  state.give = give;
  return {
    object_get: (j, key) =>
      isObject(values[j]) ? give(values[j][cString(key)]) : 0,
    array_get: (j, i) => (Array.isArray(values[j]) ? give(values[j][i]) : 0),
    array_size: (j) => (Array.isArray(values[j]) ? values[j].length : 0),
    integer_value: (j) => values[j] instanceof Int ? values[j].value
      : BigInt(Number.isInteger(values[j]) ? values[j] : 0),
    is_array: (j) => Array.isArray(values[j]) ? 1 : 0,
    is_object: (j) => isObject(values[j]) ? 1 : 0,
    is_integer: (j) =>
      values[j] instanceof Int || Number.isInteger(values[j]) ? 1 : 0,
    is_string: (j) => typeof values[j] === "string" ? 1 : 0,
    is_null: (j) => values[j] === null ? 1 : 0,
    is_true: (j) => values[j] === true ? 1 : 0,
    string_length: (j) => typeof values[j] === "string"
      ? new TextEncoder().encode(values[j]).length : 0,
    string_value: (j) => {
      if (typeof values[j] !== "string") {
        return 0;
      }
      if (!strings.has(j)) {
        const bytes = new TextEncoder().encode(values[j] + "\0");
        const p = state.x.vec_alloc(bytes.length);
        new Uint8Array(state.x.memory.buffer).set(bytes, p);
        strings.set(j, p);
      }
      return strings.get(j);
    },
    leave: () => {
      throw new Left();
    },
  };
}

async function instance(module) {
  const state = { x: undefined };
  const balsam = await primitives(
    () => new Uint8Array(state.x.memory.buffer));
  const { exports } = await WebAssembly.instantiate(module, {
    balsam: { ...balsam, check_leaf: () => 0, find_psk: () => -1 },
    json: jansson(state),
  });
  state.x = exports;
  return state;
}

function putString(state, text) {
  const bytes = new TextEncoder().encode(text + "\0");
  const p = state.x.vec_alloc(bytes.length);
  new Uint8Array(state.x.memory.buffer).set(bytes, p);
  return p;
}

// One file; name without .json.  Cases of suites that are not built are
// skipped and counted.
export async function runFile(module, name, cases) {
  const sum = { passed: 0, failed: 0, skipped: 0, lines: [] };
  const probe = await instance(module);
  const kind = probe.x.vec_kind(putString(probe, name));
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
      state.x.vec_case(kind, state.give(c), id ?? 0);
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
