// SPDX-License-Identifier: Apache-2.0
// A device's channel inside a WebSocket (federation/core/device_chan.h): the
// app proves its key and the clinic its own, then frames go sealed.  Made by
// App.channel; after a call that throws it is dead.

import { Writer } from "./codec.js";
import { Handle, Module } from "./wasm.js";

const enum Op {
  New = 20,
  Step = 21,
  Seal = 22,
  Open = 23,
  Up = 24,
  Free = 25,
}

/** What to ask for in Sec-WebSocket-Protocol. */
export const PROTOCOL = "balsam.device.1";

export class Channel extends Handle {
  /** The first message, to be sent when the WebSocket is open. */
  readonly hello: Uint8Array;
  #ready = false;

  private constructor(module: Module, at: number, hello: Uint8Array) {
    super(module, at);
    this.hello = hello;
  }

  /** @internal */
  static make(module: Module, clinic: Uint8Array, host: string): Channel {
    const r = module.call(Op.New, new Writer().fixed(clinic)
      .vec(new TextEncoder().encode(host)));
    const at = r.u32();
    return new Channel(module, at, r.vec());
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** One message of the handshake; what to send then, if there is something. */
  step(message: Uint8Array): Uint8Array | undefined {
    const r = this.module.call(Op.Step,
                               new Writer().u32(this.at).vec(message));
    const answer = r.vec();
    this.#ready = r.bool();
    return answer.length === 0 ? undefined : answer;
  }

  seal(frame: Uint8Array): Uint8Array {
    return this.module.call(Op.Seal, new Writer().u32(this.at).vec(frame))
      .vec();
  }

  open(sealed: Uint8Array): Uint8Array {
    return this.module.call(Op.Open, new Writer().u32(this.at).vec(sealed))
      .vec();
  }

  /** Ready: the app has a connection, with what its handshake has proven. */
  up(serial: number): void {
    this.module.call(Op.Up, new Writer().u32(this.at).u32(serial));
  }

  free(): void {
    this.module.call(Op.Free, new Writer().u32(this.drop()));
  }
}
