// SPDX-License-Identifier: Apache-2.0
// Just enough of RFC 9420's wire format for the tree model, written from the
// RFC and from nothing else: ratchet trees, key packages, public commits.

export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  fixed(n) {
    if (n > this.left) {
      throw new Error('short');
    }
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  uint(n) {
    let v = 0;
    for (const b of this.fixed(n)) {
      v = v * 256 + b;
    }
    return v;
  }

  // 2.1.2
  varint() {
    const first = this.uint(1);
    const prefix = first >> 6;
    if (prefix === 3) {
      throw new Error('bad length');
    }
    let v = first & 0x3f;
    for (let i = 1; i < 1 << prefix; i++) {
      v = v * 256 + this.uint(1);
    }
    if (prefix > 0 && v < [0, 64, 16384][prefix]) {
      throw new Error('length not in its shortest form');
    }
    return v;
  }

  vec() {
    return this.fixed(this.varint());
  }

  list(item) {
    const r = new Reader(this.vec());
    const out = [];
    while (r.left > 0) {
      out.push(item(r));
    }
    return out;
  }

  optional(item) {
    switch (this.uint(1)) {
      case 0: return undefined;
      case 1: return item(this);
      default: throw new Error('bad presence byte');
    }
  }

  // The value, with the bytes it was read from as .raw.
  raw(item) {
    const start = this.at;
    const v = item(this);
    v.raw = this.bytes.subarray(start, this.at);
    return v;
  }

  end() {
    if (this.left > 0) {
      throw new Error(`${this.left} bytes left over`);
    }
  }
}

export const u8 = (n) => Buffer.from([n]);
export const u32 = (n) => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
};
export const vec = (bytes) => {
  const n = bytes.length;
  const head = n < 64 ? [n]
    : n < 16384 ? [0x40 | n >> 8, n & 255]
      : [0x80 | n >>> 24, n >>> 16 & 255, n >>> 8 & 255, n & 255];
  return Buffer.concat([Buffer.from(head), bytes]);
};

export function whole(bytes, item) {
  const r = new Reader(bytes);
  const v = item(r);
  r.end();
  return v;
}

const extension = (r) => ({ type: r.uint(2), data: r.vec() });

// 7.2
export const leafNode = (reader) => reader.raw((r) => {
  const leaf = { encryptionKey: r.vec(), signatureKey: r.vec() };
  const start = r.at;
  const type = r.uint(2);
  if (type === 1) {
    leaf.identity = r.vec();
  } else {
    r.vec();
  }
  leaf.credential = r.bytes.subarray(start, r.at);
  leaf.capabilities = [1, 2, 3, 4, 5].map(() => r.vec());
  leaf.source = r.uint(1);
  if (leaf.source === 1) {
    leaf.lifetime = r.fixed(16);
  } else if (leaf.source === 3) {
    leaf.parentHash = r.vec();
  } else if (leaf.source !== 2) {
    throw new Error('bad leaf node source');
  }
  leaf.extensions = r.list(extension);
  leaf.signature = r.vec();
  return leaf;
});

// 7.1
const parentNode = (reader) => reader.raw((r) => ({
  encryptionKey: r.vec(),
  parentHash: r.vec(),
  unmergedLeaves: r.list((x) => x.uint(4)),
}));

// 12.4.3.3: an array of 2 * leaves - 1 nodes, undefined where blank.
export function ratchetTree(bytes) {
  const nodes = whole(bytes, (reader) => reader.list((list) =>
    list.optional((r) => {
      const type = r.uint(1);
      if (type === 1) {
        return { leaf: leafNode(r) };
      }
      if (type === 2) {
        return { parent: parentNode(r) };
      }
      throw new Error('bad node type');
    })));
  if (nodes.length === 0 || nodes[nodes.length - 1] === undefined) {
    throw new Error('the last node is blank');
  }
  nodes.forEach((n, i) => {
    if (n && Boolean(n.leaf) !== (i % 2 === 0)) {
      throw new Error('node of the wrong type');
    }
  });
  let full = 1;
  while (full < nodes.length) {
    full = 2 * full + 1;
  }
  while (nodes.length < full) {
    nodes.push(undefined);
  }
  return nodes;
}

// 10, inside an MLSMessage of type key package
export function keyPackage(bytes) {
  return whole(bytes, (r) => {
    if (r.uint(2) !== 1 || r.uint(2) !== 5) {
      throw new Error('not a key package');
    }
    return keyPackageBody(r);
  });
}

function keyPackageBody(r) {
  const kp = { version: r.uint(2), suite: r.uint(2), initKey: r.vec() };
  kp.leaf = leafNode(r);
  kp.extensions = r.list(extension);
  kp.signature = r.vec();
  return kp;
}

function proposal(r) {
  const p = { type: r.uint(2) };
  switch (p.type) {
    case 1: p.keyPackage = keyPackageBody(r); break;
    case 2: p.leaf = leafNode(r); break;
    case 3: p.removed = r.uint(4); break;
    case 4:
      if (r.uint(1) === 1) {
        r.vec();
      } else {
        r.uint(1);
        r.vec();
        r.fixed(8);
      }
      r.vec();
      break;
    case 5: r.vec(); r.uint(2); r.uint(2); r.list(extension); break;
    case 6: p.kemOutput = r.vec(); break;
    case 7: p.extensions = r.list(extension); break;
    default: r.vec();
  }
  return p;
}

const updatePath = (r) => ({
  leaf: leafNode(r),
  nodes: r.list((n) => ({
    encryptionKey: n.vec(),
    ciphertexts: n.list((c) => ({ kemOutput: c.vec(), ciphertext: c.vec() })),
  })),
});
export const decodeUpdatePath = (bytes) => whole(bytes, updatePath);

// 6: a PublicMessage; undefined for other messages.
export function publicMessage(bytes) {
  return whole(bytes, (r) => {
    if (r.uint(2) !== 1 || r.uint(2) !== 1) {
      r.fixed(r.left);
      return undefined;
    }
    const m = { groupId: r.vec(), epoch: r.uint(8), sender: r.uint(1) };
    if (m.sender === 1 || m.sender === 2) {
      m.index = r.uint(4);
    }
    m.aad = r.vec();
    m.content = r.uint(1);
    if (m.content === 1) {
      r.vec();
    } else if (m.content === 2) {
      m.proposal = proposal(r);
    } else {
      m.proposals = r.list((x) => (x.uint(1) === 1
        ? { proposal: proposal(x) } : { reference: x.vec() }));
      m.path = r.optional(updatePath);
    }
    m.signature = r.vec();
    if (m.content === 3) {
      m.confirmationTag = r.vec();
    }
    if (m.sender === 1) {
      m.membershipTag = r.vec();
    }
    return m;
  });
}
