// SPDX-License-Identifier: Apache-2.0
// ts-mls 1.6.4 behind the line protocol (README.md).  Run with the corrections:
// node --import ./ts_fix.mjs ts_peer.mjs
import {
  createApplicationMessage, createCommit, createGroup,
  createGroupInfoWithExternalPubAndRatchetTree, createProposal,
  decodeGroupState, decodeMlsMessage, defaultExtensionTypes,
  encodeGroupState, encodeMlsMessage, generateKeyPackageWithKey,
  getCiphersuiteFromName, getCiphersuiteImpl, joinGroup, joinGroupExternal,
  makePskIndex, mlsExporter, processPrivateMessage, processPublicMessage,
  proposeAddExternal, proposeExternal,
} from 'ts-mls';
import { defaultClientConfig } from 'ts-mls/clientConfig.js';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { signWithLabel } from 'ts-mls/crypto/signature.js';
import { leafNodeTBSEncoder } from 'ts-mls/leafNode.js';
import { makeResumptionPsk } from 'ts-mls/resumption.js';
import { decodeRatchetTree, encodeRatchetTree } from 'ts-mls/ratchetTree.js';

import { hex, serve, unhex } from './serve.mjs';

const SUITES = {
  1: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
  3: 'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519',
};
const SUITE_NUMBERS = Object.fromEntries(Object.entries(SUITES)
  .map(([number, name]) => [name, Number(number)]));
const TEST_EXTENSION = 0xf3a1;

const actors = new Map();

function actor(who) {
  const a = actors.get(who);
  if (!a) {
    throw new Error(`no such actor: ${who}`);
  }
  return a;
}

const b64 = (bytes) => Buffer.from(bytes).toString('base64');

function typeOf(number) {
  const known = Object.entries(defaultExtensionTypes)
    .find(([, n]) => n === number);
  return known ? known[0] : number;
}

const extensions = (list) => (list ?? []).map((x) => ({
  extensionType: typeOf(x.type), extensionData: unhex(x.data),
}));

function message(text, wireformat) {
  const bytes = unhex(text);
  const [msg, used] = decodeMlsMessage(bytes, 0) ?? [];
  if (!msg || used !== bytes.length) {
    throw new Error('not an MLSMessage');
  }
  if (wireformat && msg.wireformat !== wireformat) {
    throw new Error(`not a ${wireformat}`);
  }
  return msg;
}

const wire = (wireformat, field, value) => hex(encodeMlsMessage({
  version: 'mls10', wireformat, [field]: value,
}));

async function suiteOf(number) {
  const name = SUITES[number];
  if (!name) {
    throw new Error(`no such suite: ${number}`);
  }
  return getCiphersuiteImpl(getCiphersuiteFromName(name));
}

async function makeKeyPackage(identity, a, grease, cs = a.cs) {
  const signature = a.signature ??= await cs.signature.keygen();
  const extra = grease ? [0x1a1a, 0x8a8a] : [];
  const capabilities = {
    versions: ['mls10'],
    ciphersuites: [SUITES[1], SUITES[3], ...(grease ? ['6682'] : [])],
    extensions: [TEST_EXTENSION, ...extra],
    proposals: grease ? [0x2a2a] : [],
    credentials: ['basic', 'x509', ...(grease ? ['14906'] : [])],
  };
  const now = BigInt(Math.floor(Date.now() / 1000));
  const lifetime = { notBefore: now - 3600n, notAfter: now + 30n * 86400n };
  const greased = grease
    ? [{ extensionType: 0x1a1a, extensionData: new Uint8Array([1, 2]) }] : [];
  a.kp = await generateKeyPackageWithKey(
    { credentialType: 'basic', identity: new TextEncoder().encode(identity) },
    capabilities, lifetime, greased, signature, cs, greased);
  return a.kp;
}

function pskIndex(a, more) {
  const psks = { ...a.psks };
  for (const { id, psk } of more ?? []) {
    psks[b64(unhex(id))] = unhex(psk);
  }
  const index = makePskIndex(a.state, psks);
  return {
    findPsk(id) {
      if (id.psktype === 'resumption') {
        const old = a.resumption.get(`${b64(id.pskGroupId)}/${id.pskEpoch}`);
        if (old) {
          return old;
        }
      }
      return index.findPsk(id);
    },
  };
}

// ts-mls keeps four epochs; the scenarios may go further back.
function install(a, state) {
  a.state = state;
  a.pending = undefined;
  a.update = undefined;
  remember(a);
  return { epoch: Number(state.groupContext.epoch), auth: auth(state) };
}

function remember(a) {
  const { groupId, epoch } = a.state.groupContext;
  a.resumption.set(`${b64(groupId)}/${epoch}`,
    a.state.keySchedule.resumptionPsk.slice());
}

const auth = (state) => hex(state.keySchedule.epochAuthenticator);

const leafOf = (state) => state.ratchetTree[2 * state.privatePath.leafIndex]
  .leaf;

// ts-mls has no helper for Update: the leaf is made and signed here, and its
// private key kept until a commit refers to the proposal.
async function updateProposal(a) {
  const keys = await a.cs.hpke.generateKeyPair();
  const old = leafOf(a.state);
  const tbs = {
    leafNodeSource: 'update',
    hpkePublicKey: await a.cs.hpke.exportPublicKey(keys.publicKey),
    signaturePublicKey: old.signaturePublicKey,
    credential: old.credential,
    capabilities: old.capabilities,
    extensions: old.extensions,
    groupId: a.state.groupContext.groupId,
    leafIndex: a.state.privatePath.leafIndex,
  };
  const signature = await signWithLabel(a.state.signaturePrivateKey,
    'LeafNodeTBS', encode(leafNodeTBSEncoder)(tbs), a.cs.signature);
  a.update = {
    publicKey: hex(tbs.hpkePublicKey),
    privateKey: await a.cs.hpke.exportPrivateKey(keys.privateKey),
  };
  return { proposalType: 'update', update: { leafNode: { ...tbs, signature } } };
}

function pskProposal(a, info) {
  const pskNonce = a.cs.rng.randomBytes(a.cs.kdf.size);
  return {
    proposalType: 'psk', psk: { preSharedKeyId: { ...info, pskNonce } },
  };
}

const externalPsk = (a, id) => pskProposal(a, {
  psktype: 'external', pskId: unhex(id),
});

const resumptionPsk = (a, epoch) => pskProposal(a, {
  psktype: 'resumption', usage: 'application', pskEpoch: BigInt(epoch),
  pskGroupId: a.state.groupContext.groupId,
});

const add = (kp) => ({
  proposalType: 'add',
  add: { keyPackage: message(kp, 'mls_key_package').keyPackage },
});

const remove = (index) => ({
  proposalType: 'remove', remove: { removed: index },
});

const reinit = ({ gid, suite, exts }) => ({
  proposalType: 'reinit',
  reinit: {
    groupId: unhex(gid), version: 'mls10', cipherSuite: SUITES[suite],
    extensions: extensions(exts),
  },
});

const other = ({ type, data }) => ({
  proposalType: type, proposalData: unhex(data),
});

const gce = (list) => ({
  proposalType: 'group_context_extensions',
  groupContextExtensions: { extensions: extensions(list) },
});

async function proposal(a, r) {
  switch (r.kind) {
    case 'add': return add(r.kp);
    case 'remove': return remove(r.index);
    case 'update': return updateProposal(a);
    case 'psk': return externalPsk(a, r.id);
    case 'respsk': return resumptionPsk(a, r.epoch);
    case 'gce': return gce(r.exts);
    case 'reinit': return reinit(r);
    case 'other': return other(r);
    default: throw new Error(`no such proposal: ${r.kind}`);
  }
}

// When the commit uses our Update, the new leaf key has to be there before the
// path is decrypted; ts-mls asks this callback in between.
function onMessage(a, state) {
  return (incoming) => {
    if (incoming.kind !== 'commit' || !a.update) {
      return 'accept';
    }
    const mine = incoming.proposals.some(({ proposal: p }) =>
      p.proposalType === 'update'
      && hex(p.update.leafNode.hpkePublicKey) === a.update.publicKey);
    if (mine) {
      state.privatePath.privateKeys[2 * state.privatePath.leafIndex]
        = a.update.privateKey;
    }
    return 'accept';
  };
}

const copyOf = (state) => ({
  ...state,
  privatePath: {
    ...state.privatePath, privateKeys: { ...state.privatePath.privateKeys },
  },
});

async function processMessage(a, msg) {
  const state = copyOf(a.state);
  const search = pskIndex(a);
  const callback = onMessage(a, state);
  if (msg.wireformat === 'mls_public_message') {
    return {
      kind: 'newState',
      ...await processPublicMessage(state, msg.publicMessage, search, a.cs,
        callback),
    };
  }
  if (msg.wireformat !== 'mls_private_message') {
    throw new Error('not a message for a group');
  }
  return processPrivateMessage(state, msg.privateMessage, search, a.cs,
    callback);
}

// ts-mls starts promises that nobody waits for when something is wrong.
process.on('unhandledRejection', () => {});

await serve({
  async kp({ who, suite, identity, grease }) {
    const old = actors.get(who);
    const a = old ?? { psks: {}, resumption: new Map() };
    a.next = await suiteOf(suite); // of the group that the package is for
    a.cs ??= a.next;
    a.suite ??= suite;
    actors.set(who, a);
    a.identity = identity ?? a.identity ?? who;
    const { publicPackage, privatePackage } = await makeKeyPackage(
      a.identity, a, grease, a.next);
    return {
      kp: wire('mls_key_package', 'keyPackage', publicPackage),
      init_priv: hex(privatePackage.initPrivateKey),
      enc_priv: hex(privatePackage.hpkePrivateKey),
      sig_priv: hex(privatePackage.signaturePrivateKey.slice(-32)),
    };
  },

  async create({ who, gid, suite, exts }) {
    const a = actors.get(who) ?? { psks: {}, resumption: new Map() };
    a.suite = suite;
    a.cs = await suiteOf(suite);
    actors.set(who, a);
    a.identity ??= who;
    const kp = a.kp ?? await makeKeyPackage(a.identity, a);
    a.kp = undefined;
    return install(a, await createGroup(unhex(gid), kp.publicPackage,
      kp.privatePackage, extensions(exts), a.cs));
  },

  async join({ who, welcome, psks, tree, parent }) {
    const a = actor(who);
    const w = message(welcome, 'mls_welcome').welcome;
    const state = await joinGroup(w, a.kp.publicPackage, a.kp.privatePackage,
      pskIndex(a, psks), a.next,
      tree ? decodeRatchetTree(unhex(tree), 0)[0] : undefined,
      parent ? a.state : undefined);
    a.cs = a.next;
    a.suite = SUITE_NUMBERS[state.groupContext.cipherSuite];
    a.kp = undefined;
    return install(a, state);
  },

  async extjoin({ who, gi, resync, remove: removed, psks }) {
    const a = actor(who);
    if (psks?.length || removed !== undefined) {
      throw new Error('unsupported: ts-mls external join with that proposal');
    }
    const kp = await makeKeyPackage(a.identity, a);
    const { groupInfo } = message(gi, 'mls_group_info');
    const r = await joinGroupExternal(groupInfo, kp.publicPackage,
      kp.privatePackage, Boolean(resync), a.cs);
    a.kp = undefined;
    return {
      commit: wire('mls_public_message', 'publicMessage', r.publicMessage),
      ...install(a, r.newState),
    };
  },

  async psk({ who, id, psk }) {
    actor(who).psks[b64(unhex(id))] = unhex(psk);
  },

  async propose(r) {
    const a = actor(r.who);
    const { newState, message: msg } = await createProposal(a.state,
      !r.encrypt, await proposal(a, r), a.cs, unhex(r.aad));
    a.state = newState;
    return { msg: hex(encodeMlsMessage(msg)) };
  },

  async commit(r) {
    const a = actor(r.who);
    const own = a.state.privatePath.leafIndex;
    const unappliedProposals = Object.fromEntries(
      Object.entries(a.state.unappliedProposals).filter(([, p]) =>
        !(p.proposal.proposalType === 'update' && p.senderLeafIndex === own)));
    const extraProposals = [
      ...(r.gce ? [gce(r.gce)] : []),
      ...(r.removes ?? []).map(remove),
      ...(r.adds ?? []).map(add),
      ...(r.psks ?? []).map((id) => externalPsk(a, id)),
      ...(r.respsk === undefined ? [] : [resumptionPsk(a, r.respsk)]),
      ...(r.reinit ? [reinit(r.reinit)] : []),
      ...(r.other ? [other(r.other)] : []),
    ];
    const { newState, commit, welcome } = await createCommit(
      {
        state: { ...a.state, unappliedProposals }, cipherSuite: a.cs,
        pskIndex: pskIndex(a),
      },
      {
        wireAsPublicMessage: !r.encrypt, extraProposals,
        ratchetTreeExtension: r.tree !== false,
        authenticatedData: unhex(r.aad),
      });
    a.pending = newState;
    return {
      commit: hex(encodeMlsMessage(commit)),
      welcome: welcome && wire('mls_welcome', 'welcome', welcome),
      tree: r.tree === false
        ? hex(encodeRatchetTree(newState.ratchetTree)) : undefined,
    };
  },

  async merge({ who }) {
    const a = actor(who);
    if (!a.pending) {
      throw new Error('nothing to merge');
    }
    return install(a, a.pending);
  },

  async clear({ who }) {
    actor(who).pending = undefined;
  },

  async process({ who, msg }) {
    const a = actor(who);
    const r = await processMessage(a, message(msg));
    if (r.kind !== 'newState') {
      throw new Error('an application message');
    }
    if (r.newState.groupActiveState.kind === 'removedFromGroup') {
      a.state = r.newState;
      a.update = undefined;
      return { removed: true };
    }
    if (r.newState.groupContext.epoch === a.state.groupContext.epoch) {
      a.state = r.newState;
      return { proposal: true };
    }
    const { epoch, auth: authenticator } = install(a, r.newState);
    return { newepoch: epoch, auth: authenticator };
  },

  async protect({ who, pt, aad, pad }) {
    const a = actor(who);
    const state = pad === undefined ? a.state : {
      ...a.state,
      clientConfig: {
        ...a.state.clientConfig,
        paddingConfig: { kind: 'alwaysPad', paddingLength: pad },
      },
    };
    const r = await createApplicationMessage(state, unhex(pt), a.cs,
      unhex(aad));
    a.state = { ...r.newState, clientConfig: a.state.clientConfig };
    return { msg: wire('mls_private_message', 'privateMessage',
      r.privateMessage) };
  },

  async unprotect({ who, msg }) {
    const a = actor(who);
    const m = message(msg, 'mls_private_message');
    const r = await processPrivateMessage(a.state, m.privateMessage,
      pskIndex(a), a.cs);
    if (r.kind !== 'applicationMessage') {
      throw new Error('not an application message');
    }
    a.state = r.newState;
    return { pt: hex(r.message), aad: hex(m.privateMessage.authenticatedData) };
  },

  // The group that follows a ReInit, or a branch; as reinitCreateNewGroup and
  // branchGroup do, but with the tree in the Welcome.
  async successor({ who, branch, gid, kps }) {
    const a = actor(who);
    const ended = a.state.groupActiveState.reinit;
    if (!branch && !ended) {
      throw new Error('no ReInit was committed');
    }
    const next = branch ? {
      groupId: unhex(gid), extensions: a.state.groupContext.extensions,
      cipherSuite: a.state.groupContext.cipherSuite,
    } : ended;
    const cs = await suiteOf(SUITE_NUMBERS[next.cipherSuite]);
    const own = await makeKeyPackage(a.identity, a, false, cs);
    const state = await createGroup(next.groupId, own.publicPackage,
      own.privatePackage, next.extensions, cs);
    const psk = makeResumptionPsk(a.state, branch ? 'branch' : 'reinit', cs);
    const { newState, welcome } = await createCommit(
      { state, cipherSuite: cs, pskIndex: makePskIndex(a.state, {}) },
      {
        extraProposals: [...kps.map(add),
          { proposalType: 'psk', psk: { preSharedKeyId: psk.id } }],
        ratchetTreeExtension: true,
      });
    a.cs = cs;
    a.suite = SUITE_NUMBERS[next.cipherSuite];
    a.kp = undefined;
    return {
      welcome: wire('mls_welcome', 'welcome', welcome),
      ...install(a, newState),
    };
  },

  async propself({ who, gi }) {
    const a = actor(who);
    const { groupInfo } = message(gi, 'mls_group_info');
    return { msg: hex(encodeMlsMessage(await proposeAddExternal(groupInfo,
      a.kp.publicPackage, a.kp.privatePackage, a.next))) };
  },

  async propext(r) {
    const a = actor(r.who);
    const { groupInfo } = message(r.gi, 'mls_group_info');
    return { msg: hex(encodeMlsMessage(await proposeExternal(groupInfo,
      await proposal(a, r), a.signature.publicKey, a.signature.signKey,
      a.next))) };
  },

  async gi({ who }) {
    const a = actor(who);
    const gi = await createGroupInfoWithExternalPubAndRatchetTree(a.state, [],
      a.cs);
    return { gi: wire('mls_group_info', 'groupInfo', gi) };
  },

  async info({ who }) {
    const { state } = actor(who);
    const members = [];
    for (let i = 0; i < state.ratchetTree.length; i += 2) {
      const node = state.ratchetTree[i];
      if (node) {
        members.push({
          index: i / 2,
          identity: new TextDecoder().decode(node.leaf.credential.identity),
        });
      }
    }
    return {
      auth: auth(state), epoch: Number(state.groupContext.epoch),
      index: state.privatePath.leafIndex, members,
      tree_hash: hex(state.groupContext.treeHash),
      tree: hex(encodeRatchetTree(state.ratchetTree)),
    };
  },

  async export({ who, label, ctx, len }) {
    const a = actor(who);
    return { secret: hex(await mlsExporter(a.state.keySchedule.exporterSecret,
      label, unhex(ctx), len, a.cs)) };
  },

  async save({ who }) {
    const a = actor(who);
    return { state: Buffer.from(JSON.stringify({
      suite: a.suite,
      identity: a.identity,
      psks: Object.entries(a.psks).map(([k, v]) => [k, hex(v)]),
      resumption: [...a.resumption].map(([k, v]) => [k, hex(v)]),
      signature: a.signature && {
        signKey: hex(a.signature.signKey), publicKey: hex(a.signature.publicKey),
      },
      update: a.update && { ...a.update, privateKey: hex(a.update.privateKey) },
      group: a.state && hex(encodeGroupState(a.state)),
      kp: a.kp && {
        publicPackage: wire('mls_key_package', 'keyPackage',
          a.kp.publicPackage),
        privatePackage: Object.fromEntries(Object.entries(a.kp.privatePackage)
          .map(([k, v]) => [k, hex(v)])),
      },
    })).toString('hex') };
  },

  async load({ who, state }) {
    const s = JSON.parse(Buffer.from(state, 'hex').toString());
    actors.set(who, {
      suite: s.suite,
      identity: s.identity,
      cs: await suiteOf(s.suite),
      next: await suiteOf(s.suite),
      psks: Object.fromEntries(s.psks.map(([k, v]) => [k, unhex(v)])),
      resumption: new Map(s.resumption.map(([k, v]) => [k, unhex(v)])),
      signature: s.signature && {
        signKey: unhex(s.signature.signKey),
        publicKey: unhex(s.signature.publicKey),
      },
      update: s.update && {
        ...s.update, privateKey: unhex(s.update.privateKey),
      },
      kp: s.kp && {
        publicPackage: message(s.kp.publicPackage).keyPackage,
        privatePackage: Object.fromEntries(Object.entries(s.kp.privatePackage)
          .map(([k, v]) => [k, unhex(v)])),
      },
      state: s.group && {
        ...decodeGroupState(unhex(s.group), 0)[0],
        clientConfig: defaultClientConfig,
      },
    });
  },

  async forget({ who }) {
    actors.delete(who);
  },
});
