// SPDX-License-Identifier: Apache-2.0
// A module of the C core in memory: one function takes an operation number and
// its arguments and leaves a result (crypto/mls/api_wasm.h,
// federation/app/api_wasm.h).

import { Reader, Writer } from "./codec.js";
import { type Memory, primitives } from "./host.js";

/** A refused call.  code as in proto/base/err.c, rule as in crypto/mls. */
export class CoreError extends Error {
  readonly code: string;
  readonly rule: string;

  constructor(code: string, rule = "") {
    super(rule === "none" || rule === "" ? code : `${code} (${rule})`);
    this.name = "CoreError";
    this.code = code;
    this.rule = rule;
  }
}

/** What the module calls; the names are those of its api_wasm.c. */
export type Hooks = Record<string, (...args: number[]) => number | void>;

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

export class Module {
  readonly #exports: Exports;
  readonly #api: number;

  private constructor(exports: Exports, api: number) {
    this.#exports = exports;
    this.#api = api;
  }

  /** wasm: its bytes, or a response that delivers them. */
  static async load(wasm: BufferSource | Response | Promise<Response>,
                    hooks: (memory: Memory) => Hooks): Promise<Module> {
    let exports: Exports | undefined;
    const memory = (): Uint8Array => {
      if (exports === undefined) {
        throw new Error("the core is not loaded");
      }
      return new Uint8Array(exports.memory.buffer);
    };
    const imports = {
      balsam: { ...(await primitives(memory)), ...hooks(memory) },
    };
    const source = await wasm;
    const { instance } = source instanceof Response
      ? await WebAssembly.instantiateStreaming(source, imports)
      : await WebAssembly.instantiate(source, imports);
    exports = instance.exports as unknown as Exports;
    const api = exports.balsam_new();
    if (api === 0) {
      throw new CoreError("corrupt");
    }
    return new Module(exports, api);
  }

  call(op: number, args: Writer = new Writer()): Reader {
    const x = this.#exports;
    const bytes = args.bytes();
    // an operation without arguments still passes a valid address
    const size = Math.max(1, bytes.length);
    const p = x.balsam_alloc(size);
    if (p === 0) {
      throw new CoreError("nomem");
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

  /** Bytes that the module's memory takes now. */
  memorySize(): number {
    return this.#exports.memory.buffer.byteLength;
  }
}

/** Something that lives in the module's memory, by its address there. */
export class Handle {
  protected readonly module: Module;
  #at: number;

  constructor(module: Module, at: number) {
    this.module = module;
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
