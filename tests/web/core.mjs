// SPDX-License-Identifier: Apache-2.0
// The binding of node/web/shared/core, used as a web app would: every call of
// it, its errors, and what saving, undoing and restarting leave behind.

import { Core, CoreError } from "../../build/web/shared/core/mls.js";

const text = (s) => new TextEncoder().encode(s);
const day = 24 * 3600 * 1000;

function assert(cond, what) {
  if (!cond) {
    throw new Error(what);
  }
}

function same(a, b, what) {
  assert(a.length === b.length && a.every((x, i) => x === b[i]), what);
}

function refused(code, f, rule) {
  try {
    f();
  } catch (e) {
    assert(e instanceof CoreError, `${e}`);
    assert(e.code === code, `${e.message}, not ${code}`);
    assert(rule === undefined || e.rule === rule, `${e.message}, not ${rule}`);
    return;
  }
  throw new Error(`not refused: ${code}`);
}

// The cases; each gets a fresh core.
const cases = {
  two_members_talk(core) {
    const { a, b } = pair(core);
    const info = a.group.info();
    assert(info.epoch === 1n && info.memberCount === 2, "two members");
    same(info.authenticator, b.group.info().authenticator, "same epoch");
    same(a.group.exportSecret("x", text("c"), 40),
         b.group.exportSecret("x", text("c"), 40), "same export");
    const sent = a.group.protect(text("hello"), text("aad"), 100);
    assert(sent.change.records.length >= 1, "records to store");
    sent.change.free();
    const got = b.group.unprotect(sent.message);
    same(got.plaintext, text("hello"), "plaintext");
    same(got.aad, text("aad"), "aad");
    assert(got.sender === 0 && got.epoch === 1n, "sender");
    same(got.member.credential, text("a"), "credential");
    got.change.free();
    refused("exists", () => b.group.unprotect(sent.message));
    refused("exists", () => a.group.unprotect(sent.message));
  },

  a_failed_transaction_is_undone(core) {
    const { a, b } = pair(core);
    const before = b.group.save();
    const sent = a.group.protect(text("once"));
    const got = b.group.unprotect(sent.message);
    got.change.undo();
    sameRecords(before, b.group.save());
    b.group.unprotect(sent.message).change.free();
    sent.change.free();
  },

  commits_by_everybody(core) {
    const { a, b } = pair(core);
    const members = [a, b];
    for (let round = 0; round < 4; round++) {
      const who = members[round % members.length];
      const added = person(core, `m${round}`);
      const made = who.group.commit({
        proposals: [{ kind: "add", keyPackage: added.kp.keyPackage }],
        forcePath: round > 1,
        asPrivate: round % 2 === 1,
        aad: text("round"),
      });
      made.change?.free();
      assert(made.stage.info().own, "own stage");
      for (const m of members.filter((m) => m !== who)) {
        const p = m.group.process(made.commit);
        assert(p.kind === "commit", "a commit");
        const info = p.stage.info();
        assert(info.leaves.some((l) => l.what === "added"), "somebody added");
        same(info.authenticator, made.stage.info().authenticator, "agree");
        m.group.merge(p.stage);
      }
      who.group.merge(made.stage);
      assert(core.welcomeIsFor(made.welcome, added.kp.ref), "for them");
      added.group = core.join(made.welcome, added.kp.record);
      members.push(added);
    }
    const first = members[0].group.info();
    for (const m of members) {
      same(first.authenticator, m.group.info().authenticator, "one epoch");
      assert(m.group.members().length === 6, "six members");
    }
  },

  remove_and_external_join(core) {
    const { a, b } = pair(core);
    const made = a.group.commit({
      proposals: [{ kind: "remove", leaf: 1 }], wantGroupInfo: true });
    made.change?.free();
    const p = b.group.process(made.commit);
    assert(p.stage.info().selfRemoved, "removed");
    b.group.merge(p.stage);
    assert(b.group.info().removed, "out");
    refused("state", () => b.group.protect(text("x")), "member-removed");
    a.group.merge(made.stage);
    const c = person(core, "c");
    const joined = core.joinExternal(c.who, made.groupInfo);
    const seen = a.group.process(joined.commit);
    assert(seen.stage.info().external, "external");
    a.group.merge(seen.stage);
    same(a.group.info().authenticator, joined.group.info().authenticator,
         "one epoch");
    const again = core.joinExternal(
      c.who, a.group.groupInfo(), joined.group.info().ownLeaf);
    a.group.merge(a.group.process(again.commit).stage);
    assert(a.group.info().memberCount === 2, "resync replaced the leaf");
  },

  proposals_by_reference(core) {
    const { a, b } = pair(core);
    const c = person(core, "c");
    const add = b.group.propose({ kind: "add", keyPackage: c.kp.keyPackage });
    add.change?.free();
    const update = b.group.propose({ kind: "update" }, true);
    update.change?.free();
    for (const x of [add, update]) {
      const p = a.group.process(x.message);
      assert(p.kind === "proposal", "a proposal");
      same(p.ref, x.ref, "same reference");
      p.change?.free();
    }
    const made = a.group.commit();
    made.change?.free();
    const p = b.group.process(made.commit);
    const what = p.stage.info().leaves.map((l) => l.what).sort().join();
    assert(what.includes("added") && what.includes("updated"), what);
    b.group.merge(p.stage);
    a.group.merge(made.stage);
    c.group = core.join(made.welcome, c.kp.record);
    same(c.group.info().authenticator, b.group.info().authenticator, "agree");
  },

  save_load_goes_on(core) {
    const { a, b } = pair(core);
    a.group.protect(text("1")).change.free();
    const records = a.group.save();
    a.group.free();
    a.group = core.load(records);
    sameRecords(records, a.group.save());
    const sent = a.group.protect(text("2"));
    assert(sent.generation === 1, "no generation twice");
    sent.change.free();
    b.group.unprotect(sent.message).change.free();
    const made = a.group.commit({ forcePath: true });
    made.change?.free();
    const saved = made.stage.save();
    made.stage.free();
    const p = b.group.process(made.commit);
    b.group.merge(p.stage);
    a.group.merge(a.group.stage(saved));
    same(a.group.info().authenticator, b.group.info().authenticator, "agree");
    refused("corrupt", () => core.load(records.slice(1)));
  },

  bad_input_has_names(core) {
    const { a, b } = pair(core);
    const before = b.group.save();
    const sent = a.group.protect(text("m"));
    sent.change.free();
    for (let i = 0; i < sent.message.length; i += 7) {
      const bent = sent.message.slice();
      bent[i] ^= 1;
      try {
        b.group.unprotect(bent);
        assert(false, `byte ${i} does not matter`);
      } catch (e) {
        assert(e instanceof CoreError, `${e}`);
      }
    }
    sameRecords(before, b.group.save());
    refused("unsupported", () => core.peek(text("nonsense")));
    refused("format", () => core.peek(sent.message.slice(0, -1)));
    assert(core.peek(sent.message).epoch === 1n, "peek");
    a.group.free();
    try {
      a.group.info();
      assert(false, "used after free");
    } catch (e) {
      assert(e instanceof Error && !(e instanceof CoreError), `${e}`);
    }
  },

  credentials_are_asked_for(core, asked, callbacks) {
    pair(core);
    assert(asked.includes("key-package") && asked.includes("tree"),
           asked.join());
    const a = person(core, "a");
    a.group = core.create(a.who, text("other"));
    callbacks.checkLeaf = () => false;
    const b = person(core, "b");
    refused("denied", () => a.group.commit({
      proposals: [{ kind: "add", keyPackage: b.kp.keyPackage }] }));
    callbacks.checkLeaf = () => {
      throw new Error("from the app");
    };
    refused("denied", () => a.group.commit({
      proposals: [{ kind: "add", keyPackage: b.kp.keyPackage }] }));
  },

  memory_is_given_back(core) {
    let size = 0;
    for (let i = 0; i < 60; i++) {
      const { a, b } = pair(core);
      const sent = a.group.protect(new Uint8Array(100000));
      sent.change.free();
      b.group.unprotect(sent.message).change.free();
      a.group.free();
      b.group.free();
      if (i === 10) {
        size = core.memorySize();
      }
    }
    assert(core.memorySize() <= size, "grows");
  },
};

function sameRecords(a, b) {
  const flat = (list) => list.map((r) =>
    `${r.kind} ${[...r.key]} ${[...r.bytes]}`).sort().join("\n");
  assert(flat(a) === flat(b), "records changed");
}

function person(core, name) {
  const who = { credential: text(name), seed: core.signKey().seed };
  const kp = core.keyPackage(
    who, new Date(Date.now() - day), new Date(Date.now() + 30 * day));
  return { who, kp, group: undefined };
}

function pair(core) {
  const a = person(core, "a");
  const b = person(core, "b");
  a.group = core.create(a.who, text("group"));
  same(core.keyPackageCheck(b.kp.keyPackage).member.credential, text("b"),
       "whose key package");
  const made = a.group.commit({
    proposals: [{ kind: "add", keyPackage: b.kp.keyPackage }] });
  made.change?.free();
  a.group.merge(made.stage);
  b.group = core.join(made.welcome, b.kp.record);
  return { a, b };
}

export async function runCore(wasm) {
  const sum = { passed: 0, failed: 0, skipped: 0, lines: [] };
  for (const [name, run] of Object.entries(cases)) {
    const asked = [];
    const callbacks = {
      checkLeaf: (check) => {
        asked.push(check.use);
        return true;
      },
    };
    const live = { checkLeaf: (check) => callbacks.checkLeaf(check) };
    try {
      run(await Core.load(wasm, live), asked, callbacks);
      sum.passed++;
    } catch (e) {
      sum.failed++;
      sum.lines.push(`${name}: ${e.stack ?? e}`);
    }
  }
  return sum;
}
