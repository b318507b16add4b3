// SPDX-License-Identifier: Apache-2.0
// Reader and writer of the presentation language that the core's operations
// speak: big-endian numbers, and vectors with a length of 1, 2 or 4 bytes
// (RFC 9420 2.1.2).  The counterpart of proto/wire/tls_rd.h and tls_wr.h.

export class Writer {
  #buf = new Uint8Array(256);
  #view = new DataView(this.#buf.buffer);
  #len = 0;

  // Call it before naming the buffer, which it may replace.
  #grow(extra: number): number {
    const at = this.#len;
    if (at + extra > this.#buf.length) {
      const bigger = new Uint8Array(Math.max(2 * this.#buf.length, at + extra));
      bigger.set(this.#buf);
      this.#buf.fill(0);
      this.#buf = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    this.#len += extra;
    return at;
  }

  u8(n: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, n);
    return this;
  }

  u16(n: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, n);
    return this;
  }

  u32(n: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, n);
    return this;
  }

  u64(n: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, n);
    return this;
  }

  bool(b: boolean): this {
    return this.u8(b ? 1 : 0);
  }

  fixed(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#buf.set(bytes, at);
    return this;
  }

  vec(bytes: Uint8Array): this {
    const n = bytes.length;
    if (n < 64) {
      this.u8(n);
    } else if (n < 16384) {
      this.u16(0x4000 | n);
    } else if (n < 2 ** 30) {
      this.u32(0x80000000 + n);
    } else {
      throw new RangeError("vector too long");
    }
    return this.fixed(bytes);
  }

  /** What was written so far; valid until the next write. */
  bytes(): Uint8Array {
    return this.#buf.subarray(0, this.#len);
  }

  /** Overwrite what was written. */
  wipe(): void {
    this.#buf.fill(0);
    this.#len = 0;
  }
}

export class Reader {
  #buf: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(buf: Uint8Array) {
    this.#buf = buf;
    this.#view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  }

  #take(n: number): number {
    const at = this.#at;
    if (at + n > this.#buf.length) {
      throw new RangeError("result too short");
    }
    this.#at += n;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  /** A copy of n bytes. */
  fixed(n: number): Uint8Array {
    const at = this.#take(n);
    return this.#buf.slice(at, at + n);
  }

  /** A copy of a vector. */
  vec(): Uint8Array {
    const first = this.u8();
    let n = first & 0x3f;
    if (first >> 6 === 1) {
      n = (n << 8) | this.u8();
    } else if (first >> 6 === 2) {
      n = n * 2 ** 24 + (this.u8() << 16) + this.u16();
    } else if (first >> 6 === 3) {
      throw new RangeError("length of a vector");
    }
    return this.fixed(n);
  }

  more(): boolean {
    return this.#at < this.#buf.length;
  }
}
