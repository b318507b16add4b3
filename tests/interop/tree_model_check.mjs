// SPDX-License-Identifier: Apache-2.0
// The tree model against the official vectors: who guards the guard.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as model from './tree_model.mjs';
import { decodeUpdatePath, ratchetTree, Reader, leafNode } from './wire.mjs';

const shared = process.env.BALSAM_SHARED;
const bytes = (text) => Buffer.from(text, 'hex');
const hex = (b) => Buffer.from(b).toString('hex');
let passed = 0;
let failed = 0;
let skipped = 0;

function load(name) {
  try {
    return JSON.parse(readFileSync(join(shared ?? '', 'mls-vectors/official',
      `${name}.json`)));
  } catch {
    console.log(`skipped: no ${name}.json`);
    skipped++;
    return [];
  }
}

function each(name, run) {
  load(name).filter((v) => [undefined, 1, 3].includes(v.cipher_suite))
    .forEach((v, i) => {
      try {
        run(v);
        passed++;
      } catch (e) {
        failed++;
        console.log(`${name} ${i}: ${e.message}`);
      }
    });
}

function equal(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    throw new Error(`${what}: ${JSON.stringify(got)} is not `
      + JSON.stringify(want));
  }
}

function refuses(f, what) {
  try {
    f();
  } catch {
    return;
  }
  throw new Error(`${what} went unnoticed`);
}

each('tree-math', (v) => {
  const t = Array(v.n_nodes).fill(undefined);
  equal(model.leaves(t), v.n_leaves, 'leaves');
  equal(model.root(t), v.root, 'root');
  t.forEach((_, x) => {
    equal(model.isLeaf(x) ? null : model.left(x), v.left[x], `left ${x}`);
    equal(model.isLeaf(x) ? null : model.right(x), v.right[x], `right ${x}`);
    const top = x === v.root;
    equal(top ? null : model.parentOf(t, x), v.parent[x], `parent ${x}`);
    equal(top ? null : model.siblingOf(t, x), v.sibling[x], `sibling ${x}`);
  });
});

each('tree-validation', (v) => {
  const t = ratchetTree(bytes(v.tree));
  const group = bytes(v.group_id);
  equal(t.map((_, x) => model.resolution(t, x)), v.resolutions, 'resolutions');
  equal(t.map((_, x) => hex(model.treeHash(t, x))), v.tree_hashes,
    'tree hashes');
  const rootHash = bytes(v.tree_hashes[model.root(t)]);
  model.check(t, group, rootHash);
  equal(hex(model.encode(t)), v.tree, 'encoding');
  // And it says no: one parent's key, hash or list changed.
  const p = t.findIndex((n) => n?.parent);
  if (p >= 0) {
    for (const change of [{ encryptionKey: Buffer.alloc(32, 7) },
      { parentHash: Buffer.alloc(32, 7) }, { unmergedLeaves: [1000] }]) {
      const bad = [...t];
      bad[p] = { parent: { ...t[p].parent, ...change } };
      refuses(() => model.check(bad, group, model.treeHash(bad,
        model.root(bad))), `changed ${Object.keys(change)}`);
    }
  }
  const leaf = { ...t[0] };
  leaf.leaf = { ...leaf.leaf, signature: Buffer.alloc(64) };
  refuses(() => model.check([leaf, ...t.slice(1)], group, rootHash),
    'a bad signature');
});

each('tree-operations', (v) => {
  const t = ratchetTree(bytes(v.tree_before));
  equal(hex(model.treeHash(t, model.root(t))), v.tree_hash_before, 'before');
  const r = new Reader(bytes(v.proposal));
  let after;
  switch (r.uint(2)) {
    case 1:
      r.uint(2); // version
      r.uint(2); // suite
      r.vec(); // init key
      after = model.addLeaf(t, leafNode(r)).tree;
      break;
    case 2: after = model.updateLeaf(t, v.proposal_sender, leafNode(r)); break;
    case 3: after = model.removeLeaf(t, r.uint(4)); break;
    default: throw new Error('no such proposal');
  }
  equal(hex(model.encode(after)), v.tree_after, 'tree');
  equal(hex(model.treeHash(after, model.root(after))), v.tree_hash_after,
    'after');
});

each('treekem', (v) => {
  const t = ratchetTree(bytes(v.ratchet_tree));
  for (const u of v.update_paths) {
    const path = decodeUpdatePath(bytes(u.update_path));
    const after = model.applyPath(t, u.sender, path.leaf,
      path.nodes.map((n) => n.encryptionKey));
    equal(hex(model.treeHash(after, model.root(after))), u.tree_hash_after,
      `path of ${u.sender}`);
    model.filteredDirectPath(t, u.sender).forEach(({ copath }, i) => equal(
      path.nodes[i].ciphertexts.length, model.resolution(t, copath).length,
      'ciphertexts'));
  }
});

console.log(`${passed} passed, ${failed} failed`
  + (skipped ? `, ${skipped} skipped` : ''));
process.exitCode = failed ? 1 : 0;
