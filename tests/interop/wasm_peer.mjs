// SPDX-License-Identifier: Apache-2.0
// mls-peer compiled to WebAssembly: the same program, with the primitives that
// a browser would give it.
import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

globalThis.crypto ??= webcrypto;
const { primitives } = await import('../../build/web/shared/core/host.js');
const { jansson } = await import('../web/jansson.mjs');

let x;
const memory = () => new Uint8Array(x.memory.buffer);
const wasi = new WASI({ version: 'preview1', returnOnExit: true });
const module = await WebAssembly.compile(await readFile(
  new URL('../../build/wasm/mls-peer.wasm', import.meta.url)));
const instance = await WebAssembly.instantiate(module, {
  balsam: await primitives(memory),
  json: jansson(memory, (n) => x.malloc(n)).imports,
  wasi_snapshot_preview1: wasi.wasiImport,
});
x = instance.exports;
process.exitCode = wasi.start(instance);
