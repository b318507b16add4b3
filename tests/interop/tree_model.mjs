// SPDX-License-Identifier: Apache-2.0
// A slow, literal model of the tree part of RFC 9420: everything is computed
// from scratch, by the sentences of the RFC, with no cache and no cleverness.
// It shares no code with any peer.  SHA-256 suites only.
//
// A tree is an array of 2 * leaves - 1 nodes, undefined where blank (app. C).
import { createHash, createPublicKey, verify } from 'node:crypto';

import { leafNode, publicMessage, u32, u8, vec, whole } from './wire.mjs';

const hash = (...parts) => createHash('sha256').update(Buffer.concat(parts))
  .digest();
const same = (a, b) => Buffer.compare(a, b) === 0;
const hex = (b) => Buffer.from(b).toString('hex');

function require(condition, what) {
  if (!condition) {
    throw new Error(`model: ${what}`);
  }
}

// ------------------------------------------------------ appendix C: arithmetic
export const isLeaf = (x) => x % 2 === 0;
export const leaves = (t) => (t.length + 1) / 2;
export const root = (t) => (t.length - 1) / 2;

export function level(x) {
  let k = 0;
  while ((x >> k & 1) === 1) {
    k++;
  }
  return k;
}

export const left = (x) => x ^ 1 << level(x) - 1;
export const right = (x) => x ^ 3 << level(x) - 1;

export function parentOf(t, x) {
  require(x !== root(t), 'the root has no parent');
  const k = level(x);
  const b = x >> k + 1 & 1;
  return (x | 1 << k) ^ b << k + 1;
}

export function siblingOf(t, x) {
  const p = parentOf(t, x);
  return x < p ? right(p) : left(p);
}

// 4.2: the direct path of a leaf, without the leaf itself.
export function directPath(t, x) {
  const path = [];
  while (x !== root(t)) {
    x = parentOf(t, x);
    path.push(x);
  }
  return path;
}

function leavesUnder(x) {
  return isLeaf(x) ? [x / 2]
    : [...leavesUnder(left(x)), ...leavesUnder(right(x))];
}

// 4.1.1
export function resolution(t, x) {
  const node = t[x];
  if (node) {
    return [x, ...(node.parent?.unmergedLeaves ?? []).map((l) => 2 * l)];
  }
  return isLeaf(x) ? []
    : [...resolution(t, left(x)), ...resolution(t, right(x))];
}

// 4.1.2: pairs of a node of the path and its child on the copath.
export function filteredDirectPath(t, leaf) {
  const out = [];
  let x = 2 * leaf;
  for (const node of directPath(t, x)) {
    const copath = siblingOf(t, x);
    if (resolution(t, copath).length > 0) {
      out.push({ node, copath });
    }
    x = node;
  }
  return out;
}

// ---------------------------------------------------------------- 7.8: hashes
const encodeParent = (p) => Buffer.concat([vec(p.encryptionKey),
  vec(p.parentHash), vec(Buffer.concat(p.unmergedLeaves.map(u32)))]);

// The tree hash of x, as if the leaves of `gone` had never been added: blank,
// and in no list of unmerged leaves (7.9).
export function treeHash(t, x, gone = []) {
  const node = t[x];
  if (isLeaf(x)) {
    const present = node && !gone.includes(x / 2);
    return hash(u8(1), u32(x / 2),
      ...(present ? [u8(1), node.leaf.raw] : [u8(0)]));
  }
  const parent = node && {
    ...node.parent,
    unmergedLeaves: node.parent.unmergedLeaves.filter((l) => !gone.includes(l)),
  };
  return hash(u8(2), ...(parent ? [u8(1), encodeParent(parent)] : [u8(0)]),
    vec(treeHash(t, left(x), gone)), vec(treeHash(t, right(x), gone)));
}

// 7.9: the parent hash that a child of p, whose other child is s, carries.
export function parentHash(t, p, s) {
  const { encryptionKey, parentHash: above, unmergedLeaves } = t[p].parent;
  return hash(vec(encryptionKey), vec(above),
    vec(treeHash(t, s, unmergedLeaves)));
}

// 7.9.2: does some node d under the child c of p vouch for p?
function vouched(t, p, c, s) {
  const want = parentHash(t, p, s);
  const inC = leavesUnder(c);
  const unmerged = t[p].parent.unmergedLeaves.filter((l) => inC.includes(l))
    .map((l) => 2 * l);
  const candidates = resolution(t, c);
  return candidates.filter((d) => {
    const carried = t[d].parent?.parentHash ?? t[d].leaf?.parentHash;
    const rest = candidates.filter((r) => r !== d);
    return carried && same(carried, want)
      && JSON.stringify([...rest].sort()) === JSON.stringify([...unmerged]
        .sort());
  });
}

// undefined, or what is wrong.
export function parentHashError(t) {
  for (let p = 1; p < t.length; p += 2) {
    if (!t[p]) {
      continue;
    }
    const by = [...vouched(t, p, left(p), right(p)),
      ...vouched(t, p, right(p), left(p))];
    if (by.length !== 1) {
      return `parent ${p} is vouched for by ${by.length} nodes`;
    }
  }
  return undefined;
}

// 7.9.2 and 12.4.3.1: unmerged leaves
export function unmergedError(t) {
  for (let p = 1; p < t.length; p += 2) {
    const list = t[p]?.parent.unmergedLeaves ?? [];
    if (list.some((l, i) => i > 0 && l <= list[i - 1])) {
      return `unmerged leaves of ${p} are not in order`;
    }
    for (const l of list) {
      if (!leavesUnder(p).includes(l) || !t[2 * l]) {
        return `unmerged leaf ${l} of ${p} is not a leaf under it`;
      }
      for (const between of directPath(t, 2 * l)) {
        if (between === p) {
          break;
        }
        if (t[between] && !t[between].parent.unmergedLeaves.includes(l)) {
          return `leaf ${l} is unmerged at ${p} and not at ${between}`;
        }
      }
    }
  }
  return undefined;
}

// 7.2: LeafNodeTBS, and 5.1.2: SignContent
function signatureValid(leaf, groupId, index) {
  const tbs = [leaf.raw.subarray(0, leaf.raw.length
    - vec(leaf.signature).length)];
  if (leaf.source !== 1) {
    tbs.push(vec(groupId), u32(index));
  }
  const content = Buffer.concat([vec(Buffer.from('MLS 1.0 LeafNodeTBS')),
    vec(Buffer.concat(tbs))]);
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'),
      leaf.signatureKey]),
    format: 'der', type: 'spki',
  });
  return verify(null, content, key, leaf.signature);
}

// Everything that a joiner has to find true of a tree (12.4.3.1).
export function check(t, groupId, wantTreeHash) {
  const keys = new Set();
  const add = (k, what) => {
    require(!keys.has(k), `${what} is used twice`);
    keys.add(k);
  };
  t.forEach((n, x) => {
    if (n) {
      add(hex((n.leaf ?? n.parent).encryptionKey), `encryption key of ${x}`);
    }
    if (n?.leaf) {
      add(`s${hex(n.leaf.signatureKey)}`, `signature key of ${x}`);
      require(signatureValid(n.leaf, groupId, x / 2),
        `signature of leaf ${x / 2}`);
    }
  });
  const error = unmergedError(t) ?? parentHashError(t);
  require(!error, error);
  const got = hex(treeHash(t, root(t)));
  require(got === hex(wantTreeHash), `tree hash ${hex(wantTreeHash)}, is ${got}`);
}

// --------------------------------------------------------------- 7.5 to 7.7
export function removeLeaf(t, leaf) {
  require(t[2 * leaf], `no leaf ${leaf}`);
  const out = [...t];
  out[2 * leaf] = undefined;
  directPath(t, 2 * leaf).forEach((x) => { out[x] = undefined; });
  let n = out;
  while (n.length > 1
      && leavesUnder(right(root(n))).every((l) => !n[2 * l])) {
    n = n.slice(0, root(n));
  }
  return n;
}

export function updateLeaf(t, leaf, node) {
  const out = [...t];
  out[2 * leaf] = { leaf: node };
  directPath(t, 2 * leaf).forEach((x) => { out[x] = undefined; });
  return out;
}

export function addLeaf(t, node) {
  const out = [...t];
  let leaf = 0;
  while (leaf < leaves(t) && out[2 * leaf]) {
    leaf++;
  }
  if (leaf === leaves(t)) {
    const twice = 2 * t.length + 1;
    while (out.length < twice) {
      out.push(undefined);
    }
  }
  out[2 * leaf] = { leaf: node };
  for (const x of directPath(out, 2 * leaf)) {
    if (out[x]) {
      const unmergedLeaves = [...out[x].parent.unmergedLeaves, leaf]
        .sort((a, b) => a - b);
      out[x] = { parent: { ...out[x].parent, unmergedLeaves } };
    }
  }
  return { tree: out, leaf };
}

// 7.5: put the new leaf and the keys of the filtered direct path, in order.
export function applyPath(t, committer, leaf, encryptionKeys) {
  const path = filteredDirectPath(t, committer);
  require(path.length === encryptionKeys.length,
    `path of ${encryptionKeys.length} nodes, not ${path.length}`);
  const out = [...t];
  directPath(t, 2 * committer).forEach((x) => { out[x] = undefined; });
  out[2 * committer] = { leaf };
  path.forEach(({ node }, i) => {
    out[node] = { parent: {
      encryptionKey: encryptionKeys[i], parentHash: Buffer.alloc(0),
      unmergedLeaves: [],
    } };
  });
  for (let i = path.length - 2; i >= 0; i--) {
    out[path[i].node].parent.parentHash = parentHash(out, path[i + 1].node,
      path[i + 1].copath);
  }
  const want = path.length > 0 ? parentHash(out, path[0].node, path[0].copath)
    : Buffer.alloc(0);
  require(leaf.source === 3 && same(leaf.parentHash, want),
    'parent hash of the committer');
  return out;
}

// 12.4.3.3, without blanks at the end
export function encode(t) {
  let n = t.length;
  while (n > 0 && !t[n - 1]) {
    n--;
  }
  return vec(Buffer.concat(t.slice(0, n).map((node) => {
    if (!node) {
      return u8(0);
    }
    return node.leaf ? Buffer.concat([u8(1), u8(1), node.leaf.raw])
      : Buffer.concat([u8(1), u8(2), encodeParent(node.parent)]);
  })));
}

// ------------------------------------------------------------------ a commit
/*
 * The tree after a commit, from the tree before it.
 *   updates   leaf indices; removes: leaf indices; adds: leaf nodes
 *   committer leaf index, undefined for an external commit
 *   pathRequired whether RFC 9420 12.4 asks for a path
 *   message   the commit as sent; read when it is public
 *   seen      the tree that the members have now: leaves and keys that the
 *             model cannot know are taken from it, everything else is compared
 */
export function commit(before, { updates = [], removes = [], adds = [],
  committer, pathRequired, message, seen }) {
  let t = before;
  for (const u of updates) {
    const leaf = seen[2 * u]?.leaf;
    if (!removes.includes(u)) {
      require(leaf && leaf.source === 2, `leaf ${u} was not updated`);
      require(!same(leaf.encryptionKey, t[2 * u].leaf.encryptionKey),
        `leaf ${u} kept its key`);
      t = updateLeaf(t, u, leaf);
    }
  }
  for (const r of removes) {
    t = removeLeaf(t, r);
  }
  const added = [];
  for (const leaf of adds) {
    const r = addLeaf(t, leaf);
    t = r.tree;
    added.push(r.leaf);
  }
  const sent = message && publicMessage(message);
  let who = committer;
  if (committer === undefined) {
    // 12.4.3.2: the joiner's leaf goes in after the Remove.
    const r = addLeaf(t, sent.path.leaf);
    t = r.tree;
    who = r.leaf;
  }
  const now = seen[2 * who]?.leaf;
  require(now, `leaf ${who} is blank`);
  const hasPath = sent ? Boolean(sent.path)
    : !same(now.raw, before[2 * who].leaf.raw);
  require(hasPath || !pathRequired, 'the commit needs a path');
  if (hasPath) {
    const path = filteredDirectPath(t, who);
    if (sent) {
      require(sent.path.nodes.length === path.length,
        `update path of ${sent.path.nodes.length}, not ${path.length}`);
      const skip = committer === undefined ? [] : added.map((l) => 2 * l);
      path.forEach(({ copath }, i) => {
        const want = resolution(t, copath).filter((x) => !skip.includes(x));
        const { ciphertexts } = sent.path.nodes[i];
        require(ciphertexts.length === want.length,
          `${ciphertexts.length} ciphertexts for ${want.length} recipients`);
      });
    }
    t = applyPath(t, who, sent ? sent.path.leaf : now,
      path.map(({ node }, i) => {
        const key = sent ? sent.path.nodes[i].encryptionKey
          : seen[node]?.parent?.encryptionKey;
        require(key, `node ${node} of the path is blank`);
        require(!before[node]?.parent
          || !same(key, before[node].parent.encryptionKey),
        `node ${node} kept its key`);
        return key;
      }));
  }
  const a = encode(t);
  const b = encode(seen);
  require(same(a, b), `tree differs\n  model ${show(t)}\n  seen  ${show(seen)}`);
  return { tree: t, added, committer: who, hasPath };
}

// One character a node and its unmerged leaves, for people.
export function show(t) {
  return t.map((n, x) => {
    if (!n) {
      return '_';
    }
    return n.leaf ? `L${x / 2}${'?kuc'[n.leaf.source]}`
      : `P(${n.parent.unmergedLeaves})`;
  }).join(' ');
}

export const leafFrom = (bytes) => whole(bytes, leafNode);
