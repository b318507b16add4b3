// SPDX-License-Identifier: Apache-2.0
// The corrections of ts_fix.mjs, by file: [what is there, what shall be there].

const corrections = {
  'clientState.js': [
    // 7.9.2: a leaf unmerged at a parent is listed by the nodes *between* the
    // two; their lists may hold others too.
    ['!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves)',
      'dp.indexOf(parentIdx) < dp.indexOf(nodeIndexOfParent) &&'
      + ' !dpNode.parent.unmergedLeaves.includes(unmergedLeaf)'],
    ['for (const unmergedLeaf of n.parent.unmergedLeaves) {',
      'const nodeIndexOfParent = nodeIndex;'
      + ' for (const unmergedLeaf of n.parent.unmergedLeaves) {'],
    // 12.4: a GroupContextExtensions proposal asks for a path.
    ['const needsUpdatePath = allProposals.length === 0 ||',
      'const needsUpdatePath = allProposals.length === 0 ||'
      + ' grouped.group_context_extensions.length > 0 ||'
      // and so does one of a type that nobody has said needs none
      + ' allProposals.some((p) => typeof p.proposal.proposalType'
      + ' === "number") ||'],
    ['const decoded = decodeExternalSender(externalSender.extensionData, 0);',
      'const list = decodeVarLenType(decodeExternalSender)('
      + 'externalSender.extensionData, 0);'
      + ' const decoded = list && [list[0][0]];'],
    ['import { bigintMapEncoder, decodeBigintMap,',
      'import { decodeVarLenType, bigintMapEncoder, decodeBigintMap,'],
    // 12.4.2: who is removed is out, also when an Add of the same commit takes
    // the leaf.
    ['const selfRemoved = mutatedTree[leafToNodeIndex('
      + 'toLeafIndex(state.privatePath.leafIndex))] === undefined;',
    'const selfRemoved = grouped.remove.some((r) => r.proposal.remove.removed'
      + ' === state.privatePath.leafIndex);'],
  ],
  // 12.1.8.1: external_senders is a vector, of which a sender names a place.
  'publicMessage.js': [
    ['const externalSenderExtension = externalSenderExtensions[senderIndex];',
      'const externalSenderExtension = externalSenderExtensions[0];'],
    ['const externalSender = decodeExternalSender('
      + 'externalSenderExtension.extensionData, 0);',
    'const list = decodeVarLenType(decodeExternalSender)('
      + 'externalSenderExtension.extensionData, 0);'
      + ' const externalSender = list?.[0][senderIndex] && [list[0][senderIndex]];'],
    ['import { decodeExternalSender } from "./externalSender.js";',
      'import { decodeExternalSender } from "./externalSender.js";'
      + ' import { decodeVarLenType } from "./codec/variableLength.js";'],
  ],
  'externalProposal.js': [
    ['const externalSenderExtensionIndex = groupInfo.groupContext.extensions'
      + '.findIndex((ex) => {',
    'const externalSenderExtensionIndex = decodeVarLenType('
      + 'decodeExternalSender)(groupInfo.groupContext.extensions.find((x) =>'
      + ' x.extensionType === "external_senders").extensionData, 0)[0]'
      + '.findIndex((ex) => {'],
    ['if (ex.extensionType !== "external_senders")',
      'if (ex === undefined)'],
    ['const decoded = decodeExternalSender(ex.extensionData, 0);',
      'const decoded = [ex];'],
    ['import { decodeExternalSender } from "./externalSender.js";',
      'import { decodeExternalSender } from "./externalSender.js";'
      + ' import { decodeVarLenType } from "./codec/variableLength.js";'],
  ],
  'codec/optional.js': [
    // 2.1.3: an optional zero is there (the sender of a saved proposal).
    ['if (t) {', 'if (t !== undefined) {'],
  ],
  'pathSecrets.js': [
    // 7.4: the path ends at the last node of the *filtered* direct path, which
    // is below a blank root.
    ['const nextSecret = await deriveSecret(',
      'if (tree[nextIndex] === undefined) break;'
      + ' const nextSecret = await deriveSecret('],
    ['const rootIndex = root(leafWidth(tree.length));\n    const path = ',
      'const rootIndex = lastOnPath(tree, nodeIndex);\n    const path = '],
    ['export async function getCommitSecret(',
      'export function lastOnPath(tree, from) {'
      + ' const top = root(leafWidth(tree.length));'
      + ' for (;;) { if (from === top) return from;'
      + ' const next = findFirstNonBlankAncestor(tree, from);'
      + ' if (tree[next] === undefined) return from; from = next; } }\n'
      + 'export async function getCommitSecret('],
  ],
  'processMessages.js': [
    ['import { pathToRoot } from', 'import { pathToRoot, lastOnPath } from'],
    ['const rootIndex = root(leafWidth(tree.length));',
      'const rootIndex = lastOnPath(tree, toNodeIndex(secret.nodeIndex));'],
  ],
  'createCommit.js': [
    // 12.4.1: path secrets are encrypted under the *new* extensions.
    ['state.groupContext, state.signaturePrivateKey, cipherSuite, excludeNodes)',
      '{ ...state.groupContext, extensions: res.additionalResult.extensions'
      + '?.length > 0 ? res.additionalResult.extensions'
      + ' : state.groupContext.extensions },'
      + ' state.signaturePrivateKey, cipherSuite, excludeNodes)'],
    // 12.4.3.1: external_pub holds an opaque<V>, with its own length.
    ['extensionData: externalPub }',
      'extensionData: encode(varLenDataEncoder)(externalPub) }', 2],
    ['exportSecret(externalPub.extensionData, cs)',
      'exportSecret(decodeVarLenData(externalPub.extensionData, 0)[0], cs)'],
    ['import { encode } from "./codec/tlsEncoder.js";',
      'import { encode } from "./codec/tlsEncoder.js";'
      + ' import { varLenDataEncoder, decodeVarLenData }'
      + ' from "./codec/variableLength.js";'],
  ],
};

export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context);
  const file = /\/ts-mls\/dist\/src\/([A-Za-z/]+\.js)$/.exec(url)?.[1];
  const list = corrections[file];
  if (!list) {
    return result;
  }
  let text = result.source.toString();
  for (const [from, to, times = 1] of list) {
    const found = text.split(from).length - 1;
    if (found !== times) {
      throw new Error(`${file}: found ${found} times, not ${times}: ${from}`);
    }
    text = text.replaceAll(from, () => to);
  }
  return { ...result, source: text };
}
