// SPDX-License-Identifier: Apache-2.0
// Clinics with their pictures, consents and devices, as a patient's app has
// them: the operations of federation/app/api_care_wasm.c, typed.

import { Reader, Writer } from "./codec.js";
import { CoreError, type Module } from "./wasm.js";

const enum Op {
  ClinicNext = 32,
  Picture = 33,
  Look = 34,
  Part = 35,
  Compare = 36,
  Compared = 37,
  ConsentNext = 38,
  ConsentAnswer = 39,
  Device = 40,
  BeAdded = 41,
  AddDevice = 42,
  Granted = 43,
  RemoveDevice = 44,
  MoveHome = 45,
  Block = 46,
  Standing = 47,
  Lines = 48,
}

const clinicStates = ["none", "looked", "asked", "enrolled", "in thread",
                      "refused", "ended"] as const;
const learned = ["none", "thread", "link", "in person", "compared"] as const;
const consentStates = ["none", "asked", "accepted", "refused", "withdrawn",
                       "desk"] as const;
const ways = ["none", "join", "home", "comes"] as const;
const pictureTypes = ["none", "png", "jpeg"] as const;

export interface Clinic {
  root: Uint8Array;
  number: number;
  state: (typeof clinicStates)[number];
  learned: (typeof learned)[number];
  /** Who introduced it (learned "thread"). */
  by: Uint8Array;
  home: boolean;
  up: boolean;
  /** The last answer to its link (enum proto_redeem_code). */
  answer: number;
  birth: boolean;
  birthTries: number;
  sinceMs: bigint;
  name: string;
  address: string;
  phone: string;
  label: string;
  /** What its profile names; the bytes are picture(root), once they are here. */
  picture: { type: (typeof pictureTypes)[number]; width: number;
             height: number };
}

export interface Consent {
  number: number;
  state: (typeof consentStates)[number];
  id: Uint8Array;
  /** Who is to be let in, and who asks. */
  clinic: Uint8Array;
  asker: Uint8Array;
  /** enum ident_scope, enum ident_history. */
  scope: number;
  history: number;
  historyFromMs: bigint;
  thread: Uint8Array;
  atMs: bigint;
  untilMs: bigint;
  purpose: string;
  clinicName: string;
  /** "desk": who recorded it, and why. */
  memberName: string;
  why: string;
}

/** Whether a thread goes on. */
export interface Standing {
  /** Known from before this device, and not on it yet. */
  away: boolean;
  /** Who has stopped it by ending the connection; undefined: nobody. */
  cut: Uint8Array | undefined;
  /** Then: become a patient of, or move home to, this clinic. */
  way: (typeof ways)[number];
  clinic: Uint8Array;
  /** What everybody in it calls it, on every device and at every clinic. */
  spoken: string;
}

/** What happened between the messages (federation/core/line.h). */
export interface Line {
  what: string;
  /** Behind the messages whose place is smaller. */
  at: bigint;
  atMs: bigint;
  who: Uint8Array;
  by: Uint8Array;
  device: Uint8Array;
}

export interface Device {
  id: Uint8Array;
  mayAdd: boolean;
  here: boolean;
  /** The patient key, or a device. */
  addedBy: Uint8Array;
}

export const encode = (s: string): Uint8Array => new TextEncoder().encode(s);
export const decode = (b: Uint8Array): string => new TextDecoder().decode(b);

/** undefined at the end of a list, or where there is nothing. */
export function orNone(call: () => Reader): Reader | undefined {
  try {
    return call();
  } catch (e) {
    if (e instanceof CoreError && e.code === "missing") {
      return undefined;
    }
    throw e;
  }
}

const word = <T extends readonly string[]>(of: T, n: number): T[number] =>
  of[n] ?? of[0] ?? "none";

export class Care {
  readonly #module: Module;

  /** @internal */
  constructor(module: Module) {
    this.#module = module;
  }

  #call(op: Op, args?: Writer): Reader {
    return this.#module.call(op, args);
  }

  clinics(): Clinic[] {
    const all: Clinic[] = [];
    for (;;) {
      const after = all[all.length - 1]?.root;
      const r = orNone(() => this.#call(Op.ClinicNext, new Writer()
        .bool(after !== undefined).fixed(after ?? new Uint8Array(32))));
      if (r === undefined) {
        return all;
      }
      all.push({
        root: r.fixed(32), number: r.u32(), state: word(clinicStates, r.u8()),
        learned: word(learned, r.u8()), by: r.fixed(32), home: r.bool(),
        up: r.bool(), answer: r.u8(), birth: r.bool(), birthTries: r.u8(),
        sinceMs: r.u64(), name: decode(r.vec()), address: decode(r.vec()),
        phone: decode(r.vec()), label: decode(r.vec()),
        picture: { type: word(pictureTypes, r.u8()), width: r.u32(),
                   height: r.u32() },
      });
    }
  }

  /** The bytes that the clinic's profile names; undefined: not here (yet). */
  picture(clinic: Uint8Array): Uint8Array | undefined {
    return orNone(() => this.#call(Op.Picture, new Writer().fixed(clinic)))
      ?.vec();
  }

  /** What is behind a link?  Nothing is told to the clinic. */
  look(link: string): void {
    this.#call(Op.Look, new Writer().vec(encode(link)));
  }

  /** Its conversations are left, and nothing comes from it any more. */
  part(clinic: Uint8Array): void {
    this.#call(Op.Part, new Writer().fixed(clinic));
  }

  /** What to compare with the clinic's screen. */
  compare(clinic: Uint8Array): { words: string; qr: string } {
    const r = this.#call(Op.Compare, new Writer().fixed(clinic));
    return { words: decode(r.vec()), qr: decode(r.vec()) };
  }

  /** The person compared; scanned: the clinic's code, or "". */
  compared(clinic: Uint8Array, scanned = ""): void {
    this.#call(Op.Compared, new Writer().fixed(clinic).vec(encode(scanned)));
  }

  consents(): Consent[] {
    const all: Consent[] = [];
    for (;;) {
      const r = orNone(() => this.#call(Op.ConsentNext, new Writer()
        .u32(all[all.length - 1]?.number ?? 0)));
      if (r === undefined) {
        return all;
      }
      all.push({
        number: r.u32(), state: word(consentStates, r.u8()), id: r.fixed(16),
        clinic: r.fixed(32), asker: r.fixed(32), scope: r.u8(),
        history: r.u8(), historyFromMs: r.u64(), thread: r.fixed(32),
        atMs: r.u64(), untilMs: r.u64(), purpose: decode(r.vec()),
        clinicName: decode(r.vec()), memberName: decode(r.vec()),
        why: decode(r.vec()),
      });
    }
  }

  accept(consent: number): void {
    this.#call(Op.ConsentAnswer, new Writer().u32(consent).u8(1));
  }

  refuse(consent: number): void {
    this.#call(Op.ConsentAnswer, new Writer().u32(consent).u8(2));
  }

  withdraw(consent: number): void {
    this.#call(Op.ConsentAnswer, new Writer().u32(consent).u8(3));
  }

  devices(): Device[] {
    const all: Device[] = [];
    for (;;) {
      const r = orNone(() => this.#call(Op.Device,
                                        new Writer().u32(all.length)));
      if (r === undefined) {
        return all;
      }
      all.push({ id: r.fixed(32), mayAdd: r.bool(), here: r.bool(),
                 addedBy: r.fixed(32) });
    }
  }

  /** On a new device: the code that one that may add reads. */
  beAdded(): string {
    return decode(this.#call(Op.BeAdded).vec());
  }

  /** The new device's code in, the code that it reads out. */
  addDevice(request: string, mayAdd = false): string {
    return decode(this.#call(Op.AddDevice, new Writer().vec(encode(request))
      .bool(mayAdd)).vec());
  }

  granted(grant: string): void {
    this.#call(Op.Granted, new Writer().vec(encode(grant)));
  }

  /** recoveryCode: its words or QR text. */
  removeDevice(recoveryCode: string, device: Uint8Array): void {
    this.#call(Op.RemoveDevice, new Writer().vec(encode(recoveryCode))
      .fixed(device));
  }

  moveHome(recoveryCode: string, clinic: Uint8Array): void {
    this.#call(Op.MoveHome, new Writer().vec(encode(recoveryCode))
      .fixed(clinic));
  }

  /** Hear nothing of a clinic any more; or let it ask again. */
  block(root: Uint8Array, on: boolean): void {
    this.#call(Op.Block, new Writer().fixed(root).bool(on));
  }

  /** undefined: there is no such thread. */
  standing(thread: Uint8Array): Standing | undefined {
    const r = orNone(() => this.#call(Op.Standing,
                                      new Writer().fixed(thread)));
    if (r === undefined) {
      return undefined;
    }
    const away = r.bool();
    const cut = r.fixed(32);
    return {
      away, cut: cut.some((b) => b !== 0) ? cut : undefined,
      way: word(ways, r.u8()), clinic: r.fixed(32),
      spoken: decode(r.vec()),
    };
  }

  /** Who came and went, and what is kept out or missing, in order. */
  lines(thread: Uint8Array): Line[] {
    const r = this.#call(Op.Lines, new Writer().fixed(thread));
    const n = r.u32();
    const all: Line[] = [];
    for (let i = 0; i < n; i++) {
      all.push({
        what: decode(r.vec()), at: r.u64(), atMs: r.u64(), who: r.fixed(32),
        by: r.fixed(32), device: r.fixed(32),
      });
    }
    return all;
  }
}
