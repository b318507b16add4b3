// SPDX-License-Identifier: Apache-2.0
// An app that runs: its turns, its clock, and a WebSocket with a channel for
// each clinic that it wants to hear from.  What stays for a page is what its
// person sees.

import { App, type Event, type Transport } from "./app.js";
import { type Channel, PROTOCOL } from "./channel.js";
import type { IndexedStorage } from "./indexed.js";

export interface SessionConfig {
  wasm: BufferSource | Response | Promise<Response>;
  storage: IndexedStorage;
  /** Where a clinic's devices connect (wss://host/device); undefined: nowhere
   * from here.  addrs as proto_addr_append. */
  urlOf: (clinic: Uint8Array, addrs: Uint8Array) => string | undefined;
  onEvent: (ev: Event) => void;
  /** What was asked since the last turn could not be stored and never was. */
  onLost: () => void;
}

const RETRY_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/** A clinic that is wanted, and the WebSocket to it. */
class Line {
  wanted = true;
  serial = 0;
  up = false;
  tries = 0;
  socket: WebSocket | undefined;
  channel: Channel | undefined;
  retry: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly clinic: Uint8Array, public url: string) {}
}

type Out = [line: Line, serial: number, frame: Uint8Array | undefined];

const hex = (b: Uint8Array): string =>
  Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

export class Session {
  readonly #config: SessionConfig;
  readonly #lines = new Map<string, Line>();
  #app: App | undefined;
  #out: Out[] = [];
  #serial = 0;
  #storing = false;
  #again = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(config: SessionConfig) {
    this.#config = config;
  }

  static async open(config: SessionConfig): Promise<Session> {
    const s = new Session(config);
    config.storage.onCommitted = (ok) => s.#committed(ok);
    s.#app = await App.open(config.wasm, config.storage, s.#transport(),
                            config.onEvent);
    s.turn();
    return s;
  }

  get app(): App {
    if (this.#app === undefined) {
      throw new Error("the session is not open");
    }
    return this.#app;
  }

  /** Call it after a call of the app that may have changed something. */
  turn(): void {
    if (this.#ended) {
      return;
    }
    if (this.#storing) {
      this.#again = true;
      return;
    }
    const timer = this.app.turn();
    if (timer === undefined) {
      this.#storing = true;
      return;
    }
    this.#afterTurn(timer);
  }

  /** Resolves when everything said before is stored, or was told as lost. */
  async stored(): Promise<void> {
    while (this.#storing) {
      await this.#config.storage.idle();
    }
  }

  #committed(ok: boolean): void {
    this.#storing = false;
    if (ok) {
      this.#afterTurn(this.app.committed(true));
    } else {
      this.#lost();
    }
    if (this.#again) {
      this.#again = false;
      this.turn();
    }
  }

  /** Connections go, since they carried what never was; they come back. */
  #lost(): void {
    try {
      this.app.committed(false);
    } catch {
      // it says what we know
    }
    this.#out = [];
    for (const line of this.#lines.values()) {
      line.up = false;
      line.socket?.close(1000);
    }
    this.app.reset();
    this.#config.onLost();
  }

  #afterTurn(timer: bigint): void {
    // the app may be called from here on: it was not, while it let out
    for (const [line, serial, frame] of this.#out.splice(0)) {
      if (line.serial !== serial || line.channel?.ready !== true) {
        continue;
      }
      if (frame === undefined) {
        line.socket?.close(1000);
      } else {
        line.socket?.send(line.channel.seal(frame));
      }
    }
    clearTimeout(this.#timer);
    if (timer !== 0n && !this.#ended) {
      this.#timer = setTimeout(() => {
        this.app.tick();
        this.turn();
      }, Math.max(0, Number(timer) - Date.now()));
    }
  }

  #transport(): Transport {
    const at = (clinic: Uint8Array): Line | undefined =>
      this.#lines.get(hex(clinic));
    const queue = (clinic: Uint8Array, serial: number,
                   frame: Uint8Array | undefined): void => {
      const line = at(clinic);
      if (line !== undefined) {
        this.#out.push([line, serial, frame]);
      }
    };
    return {
      want: (clinic, addrs) => {
        const url = this.#config.urlOf(clinic, addrs);
        if (url === undefined) {
          return;
        }
        const line = at(clinic) ?? new Line(clinic, url);
        line.wanted = true;
        line.url = url;
        this.#lines.set(hex(clinic), line);
        this.#dial(line, 0);
      },
      unwant: (clinic) => {
        const line = at(clinic);
        if (line !== undefined) {
          line.wanted = false;
          clearTimeout(line.retry);
        }
      },
      send: queue,
      known: () => {},
      close: (clinic, serial) => queue(clinic, serial, undefined),
    };
  }

  /** Soon, since want is called while the app lets out. */
  #dial(line: Line, ms: number): void {
    clearTimeout(line.retry);
    line.retry = setTimeout(() => {
      if (line.wanted && line.socket === undefined && !this.#ended) {
        this.#connect(line);
      }
    }, ms);
  }

  #connect(line: Line): void {
    const socket = new WebSocket(line.url, PROTOCOL);
    socket.binaryType = "arraybuffer";
    line.socket = socket;
    line.serial = ++this.#serial;
    socket.onopen = () => this.#guard(line, () => {
      line.channel = this.app.channel(line.clinic, new URL(line.url).host);
      socket.send(line.channel.hello);
    });
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#guard(line, () => this.#message(line, new Uint8Array(data)));
    socket.onclose = () => this.#gone(line);
  }

  /** What the other side sends wrongly ends this connection only. */
  #guard(line: Line, what: () => void): void {
    try {
      what();
    } catch {
      line.socket?.close(1000);
    }
  }

  #message(line: Line, data: Uint8Array): void {
    const channel = line.channel;
    if (channel === undefined) {
      return;
    }
    if (channel.ready) {
      this.app.frame(line.clinic, line.serial, channel.open(data));
    } else {
      const answer = channel.step(data);
      if (answer !== undefined) {
        line.socket?.send(answer);
      }
      if (!channel.ready) {
        return;
      }
      channel.up(line.serial);
      line.up = true;
      line.tries = 0;
    }
    this.turn();
  }

  #gone(line: Line): void {
    line.socket = undefined;
    line.channel?.free();
    line.channel = undefined;
    if (line.up) {
      line.up = false;
      this.app.down(line.clinic, line.serial);
      this.turn();
    }
    const wait = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** line.tries++);
    this.#dial(line, wait * (0.5 + Math.random() / 2));
  }

  /** Connections and storage are closed; what was said before is stored. */
  async end(): Promise<void> {
    await this.stored();
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const line of this.#lines.values()) {
      clearTimeout(line.retry);
      line.socket?.close(1000);
    }
    await this.#config.storage.close();
  }
}
