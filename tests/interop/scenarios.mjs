// SPDX-License-Identifier: Apache-2.0
// What the matrix plays, each with every mix of implementations.  A, B, C are
// the first three actors; more take their turn in the same order.
import { isOurs } from './peers.mjs';
import {
  EXTERNAL_SENDERS, OTHER_PROPOSAL, REQUIRED_CAPABILITIES, TEST_EXTENSION,
} from './room.mjs';
import { keyPackage, vec } from './wire.mjs';

const hex = (text) => Buffer.from(text).toString('hex');

async function people(room, n) {
  return Array.from({ length: n }, (_, i) =>
    room.actor(String.fromCharCode(65 + i)));
}

async function three(room) {
  const all = await people(room, 3);
  const [A, B, C] = all;
  await room.create(A);
  await room.commit(A, { add: [B, C] });
  return all;
}

export const scenarios = {
  async two(room) {
    const [A, B] = await people(room, 2);
    await room.create(A);
    await room.commit(A, { add: [B] });
    await room.chat();
    await room.commit(B);
    await room.chat();
    await room.commit(A);
    await room.chat();
  },

  async one_by_one(room) {
    const [A, B, C, D] = await people(room, 4);
    await room.create(A);
    await room.commit(A, { add: [B] });
    await room.commit(B, { add: [C] });
    await room.commit(C, { add: [D] });
    await room.chat();
  },

  async two_at_once(room) {
    const [A, B, C, D, E] = await people(room, 5);
    await room.create(A);
    await room.commit(A, { add: [B, C] });
    await room.chat();
    await room.commit(C, { add: [D, E], force_path: true });
    await room.chat();
  },

  async empty_commits(room) {
    const [A, B, C] = await three(room);
    for (const by of [A, B, C, C, A, B]) {
      await room.commit(by);
    }
    await room.reload(B);
    await room.commit(B);
    await room.chat();
  },

  async remove_last(room) {
    const [A, B, C] = await three(room);
    await room.commit(A, { remove: [C] });
    await room.chat();
    const D = room.actor('D');
    await room.commit(B, { add: [D] });
    await room.commit(D, { remove: [A] });
    await room.chat();
  },

  async remove_middle(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    await room.commit(C, { add: [D] });
    await room.commit(D);
    await room.commit(C, { remove: [B] });
    await room.commit(A, { add: [B] });
    await room.chat();
    await room.commit(B);
    await room.chat();
  },

  async update_by_reference(room) {
    const [A, B, C] = await three(room);
    await room.propose(B, 'update');
    await room.commit(A);
    await room.chat();
    await room.propose(A, 'update');
    await room.propose(C, 'update');
    await room.commit(B);
    await room.chat();
    // One that is left out: its owner keeps the old key.
    await room.propose(C, 'update');
    await room.commit(C);
    await room.chat();
  },

  async add_by_reference(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    const kp = await D.keyPackage();
    await room.propose(C, 'add', { kp });
    await room.commit(B, { joiners: [D] });
    await room.chat();
    await room.commit(D);
    await room.commit(A);
    await room.chat();
  },

  async remove_by_reference(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    await room.commit(A, { add: [D] });
    await room.propose(A, 'remove', { index: room.indexOf(C) });
    await room.commit(B, { leavers: [C] });
    await room.chat();
  },

  async external_psk(room) {
    const [A, B, C] = await three(room);
    const id = hex('a secret we share');
    for (const m of room.members) {
      await m.call('psk', { id, psk: hex('0123456789abcdef') });
    }
    await room.commit(B, { psks: [id] });
    await room.chat();
    room.pskProposed = true;
    await room.propose(C, 'psk', { id });
    await room.commit(A);
    // A joiner needs it too.
    const D = room.actor('D');
    await room.commit(C, {
      add: [D], psks: [id],
      joinPsks: [{ id, psk: hex('0123456789abcdef') }],
    });
    await room.chat();
  },

  async resumption_psk(room) {
    const [A, B, C] = await three(room);
    const epoch = (await room.check()).epoch;
    await room.commit(B);
    await room.commit(A, { respsk: epoch });
    await room.chat();
    room.pskProposed = true;
    await room.propose(B, 'respsk', { epoch: epoch + 1 });
    await room.commit(C);
    await room.chat();
  },

  async extensions(room) {
    const [A, B, C] = await three(room);
    const gce = [
      { type: REQUIRED_CAPABILITIES, data: '00' + '00' + '020001' },
      { type: TEST_EXTENSION, data: 'c0ffee' },
    ];
    await room.commit(B, { gce });
    await room.chat();
    const D = room.actor('D');
    await room.commit(A, { add: [D] });
    await room.propose(C, 'gce', { exts: [gce[0]] });
    await room.commit(D);
    await room.chat();
  },

  async external_join(room) {
    const [A, B, C, D] = await people(room, 4);
    await room.create(A);
    await room.commit(A, { add: [B] });
    await room.external(C, B);
    await room.chat();
    await room.external(D, C);
    await room.commit(A);
    await room.commit(D);
    await room.chat();
  },

  async resync(room) {
    const [A, B, C] = await three(room);
    await room.commit(B);
    await room.external(B, A, { old: B });
    await room.chat();
    await room.commit(C);
    await room.external(C, B, { old: C });
    await room.commit(A);
    await room.chat();
  },

  async tree_apart(room) {
    const [A, B, C, D] = await people(room, 4);
    await room.create(A);
    await room.commit(A, { add: [B], tree: false });
    await room.commit(B, { add: [C, D], tree: false });
    await room.chat();
    await room.commit(C);
    await room.chat();
  },

  // The left half of the tree is blank: the filtered path ends below the root.
  async half_empty(room) {
    const [A, B, C, D] = await people(room, 4);
    await room.create(A);
    await room.commit(A, { add: [B, C, D] });
    await room.commit(B);
    await room.commit(D);
    await room.commit(C, { remove: [A, B] });
    await room.chat();
    await room.commit(D);
    await room.commit(C);
    const E = room.actor('E');
    await room.commit(D, { add: [E] });
    await room.commit(E);
    await room.chat();
  },

  // A leaf that is unmerged below a path from the other half, while the tree
  // grows by an external join.
  async unmerged_receiver(room) {
    const [A, B, C, D, E, F] = await people(room, 6);
    await room.create(A);
    await room.commit(A, { add: [B, C] });
    await room.commit(C);
    await room.commit(A);
    await room.commit(A, { add: [D] });
    await room.external(E, A);
    await room.commit(E);
    await room.commit(D);
    await room.external(F, D);
    await room.commit(B);
    await room.chat();
  },

  // Join a tree where some parents have unmerged leaves and others do not.
  async partly_merged(room) {
    const [A, B, C, D, E, F, G] = await people(room, 7);
    await room.create(A);
    await room.commit(A, { add: [B, C, D] });
    await room.commit(A);
    await room.commit(C);
    await room.commit(B, { remove: [D] });
    await room.commit(C);
    await room.commit(A);
    await room.commit(A, { add: [E] });
    await room.commit(B, { add: [F] });
    await room.commit(F);
    await room.commit(A, { add: [G] });
    await room.commit(E);
    await room.commit(G);
    await room.commit(C);
    await room.chat();
  },

  // Out of order, late from a past epoch, padded, nothing inside.
  async messages(room) {
    const [A, B, C] = await three(room);
    const texts = ['', 'a', 'long '.repeat(300), 'd', 'e', 'f'].map(hex);
    const sent = [];
    for (const [i, pt] of texts.entries()) {
      const aad = i % 2 ? hex(`aad ${i}`) : '';
      const { msg } = await B.call('protect', { pt, aad, pad: i * 50 });
      sent.push({ msg, pt, aad });
    }
    const hear = async (to, i) => {
      const got = await to.call('unprotect', { msg: sent[i].msg });
      if (got.pt !== sent[i].pt || got.aad !== sent[i].aad) {
        throw new Error(`${to.name} did not hear message ${i}`);
      }
    };
    for (const i of [3, 0, 5]) {
      await hear(A, i);
      await hear(C, i);
    }
    await room.commit(C);
    await room.reload(A);
    for (const i of [4, 2, 1]) {
      await hear(A, i);
      await hear(C, i);
    }
    for (const to of [A, C]) {
      const again = await to.ask('unprotect', { msg: sent[2].msg });
      if (again.err === undefined) {
        throw new Error(`${to.name} heard a message twice`);
      }
    }
    await room.chat();
  },

  // Two commits of one epoch: one wins, the other is dropped and made again.
  async lost_race(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    const kp = await D.keyPackage();
    await B.call('commit', { adds: [kp], encrypt: room.encrypt, tree: true });
    await B.call('clear');
    await room.commit(C);
    await room.chat();
    await room.commit(B, { add: [D] });
    await room.commit(A);
    await room.chat();
  },

  // Everything in one commit, by value and by reference.
  async mixture(room) {
    const [A, B, C, D, E, F] = await people(room, 6);
    const id = hex('mixed');
    await room.create(A);
    await room.commit(A, { add: [B, C, D] });
    for (const m of room.members) {
      await m.call('psk', { id, psk: hex('pepper') });
    }
    const kp = await E.keyPackage();
    await room.propose(B, 'update');
    await room.propose(C, 'add', { kp });
    await room.commit(A, {
      joiners: [E], add: [F], remove: [D], psks: [id],
      joinPsks: [{ id, psk: hex('pepper') }],
    });
    await room.chat();
    await room.commit(F);
    await room.commit(B);
    await room.chat();
  },

  // Proposals that exclude each other; ts-mls as the committer does not choose.
  async competing_proposals(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    await room.commit(B, { add: [D] });
    const ours = room.members.find((m) => isOurs(m.peer.kind));
    if (!ours) {
      return;
    }
    const [X, Y, Z] = room.others(ours);
    await room.propose(X, 'update');
    await room.propose(Y, 'remove', { index: room.indexOf(X) });
    await room.propose(Y, 'update');
    await room.propose(Z, 'remove', { index: room.indexOf(X) });
    await room.commit(ours, { leavers: [X] });
    await room.chat();
    await room.commit(Z);
    await room.chat();
  },

  // A proposal of a type that RFC 9420 does not know but all members do: it
  // changes nothing and asks for a path.
  async other_proposal(room) {
    const [A, B, C] = await people(room, 3);
    const kp = { grease: true };
    await room.create(A, { kp });
    await room.commit(A, { add: [B, C], kp });
    for (const by of [A, B, C]) {
      await room.commit(by, { other: { type: OTHER_PROPOSAL, data: 'cafe' } });
    }
    room.otherProposed = true;
    await room.propose(B, 'other', { type: OTHER_PROPOSAL, data: '' });
    await room.commit(C);
    await room.chat();
  },

  // 11.2: the group ends and goes on, perhaps with another suite.
  async reinit(room) {
    const [A, B, C] = await three(room);
    for (const suite of [room.suite, 4 - room.suite]) {
      const gid = hex(`the group that follows, ${suite}`);
      await room.commit(B, { reinit: { gid, suite } });
      for (const m of room.members) {
        if ((await m.ask('protect', { pt: '00' })).err === undefined) {
          throw new Error(`${m.name} speaks in a group that has ended`);
        }
      }
      await room.successor(C, [A, B, C], { gid, suite });
      await room.chat();
      await room.commit(A);
      await room.chat();
    }
  },

  // 11.3
  async branch(room) {
    const [A, B, C] = await three(room);
    await room.commit(B);
    await room.successor(A, [A, C], { gid: hex('a side room'), branch: true });
    await room.chat();
    await room.commit(C, { add: [B] });
    await room.commit(B);
    await room.chat();
  },

  // 12.1.8: someone outside who may propose, second of two.
  async external_sender(room) {
    const [A, B, C] = await three(room);
    const X = room.actor('X');
    const sender = (kp, name) => {
      const { signatureKey } = keyPackage(Buffer.from(kp, 'hex')).leaf;
      return Buffer.concat([vec(signatureKey), Buffer.from([0, 1]),
        vec(Buffer.from(name))]);
    };
    const [x, y] = [await X.keyPackage(), await room.actor('Y').keyPackage()];
    await room.commit(B, { gce: [{
      type: EXTERNAL_SENDERS,
      data: vec(Buffer.concat([sender(y, 'Y'), sender(x, 'X')]))
        .toString('hex'),
    }] });
    const D = room.actor('D');
    const kp = await D.keyPackage();
    const { gi } = await C.call('gi');
    const index = room.indexOf(B);
    await room.hear((await X.call('propext', {
      gi, sender: 1, kind: 'add', kp,
    })).msg);
    await room.hear((await X.call('propext', {
      gi, sender: 1, kind: 'remove', index,
    })).msg);
    room.proposals.adds.push(kp);
    room.proposals.removes.push(index);
    await room.commit(A, { joiners: [D], leavers: [B] });
    await room.chat();
  },

  // 12.1.8: a stranger proposes to be added.
  async propose_oneself(room) {
    const [A, B, C] = await three(room);
    const D = room.actor('D');
    const kp = await D.keyPackage();
    const { gi } = await B.call('gi');
    await room.hear((await D.call('propself', { gi })).msg);
    room.proposals.adds.push(kp);
    await room.commit(C, { joiners: [D] });
    await room.chat();
    await room.commit(D);
    await room.commit(A);
    await room.chat();
  },

  // 12.4.3.2: an external commit that brings a PSK; ts-mls cannot send it.
  async external_psk_join(room) {
    const [A, B, C] = await people(room, 3);
    const psk = { id: hex('known to all'), psk: hex('0123') };
    await room.create(A);
    await room.commit(A, { add: [B] });
    for (const m of room.members) {
      await m.call('psk', psk);
    }
    await room.external(C, B, isOurs(C.peer.kind) ? { psks: [psk] } : {});
    await room.commit(B);
    await room.chat();
  },
};

// What core-crypto can play: public handshakes, no PSK, no Update proposal, no
// resync, a GroupInfo only from whoever made the last commit.
export const coreScenarios = {
  two: scenarios.two,
  one_by_one: scenarios.one_by_one,
  two_at_once: scenarios.two_at_once,

  async updates(room) {
    const [A, B, C] = await three(room);
    for (const by of [A, B, C, C, A, B]) {
      await room.commit(by);
    }
    await room.chat();
  },

  remove_last: scenarios.remove_last,
  half_empty: scenarios.half_empty,

  async external_join(room) {
    const [A, B, C, D] = await people(room, 4);
    await room.create(A);
    await room.commit(A, { add: [B] });
    await room.commit(B);
    await room.external(C, B);
    await room.chat();
    await room.external(D, C);
    await room.commit(A);
    await room.commit(D);
    await room.chat();
  },

  async unmerged_receiver(room) {
    const [A, B, C, D, E] = await people(room, 5);
    await room.create(A);
    await room.commit(A, { add: [B, C] });
    await room.commit(C);
    await room.commit(A, { add: [D] });
    await room.external(E, A);
    await room.commit(E);
    await room.commit(D);
    await room.commit(B);
    await room.chat();
  },
};
