// SPDX-License-Identifier: Apache-2.0
// The client library as WebAssembly: its steps on a storage in memory.

import { App } from "../../build/web/shared/core/app.js";
import { MemoryStorage } from "../../build/web/shared/core/storage.js";
import { CoreError } from "../../build/web/shared/core/wasm.js";

// a public link of a clinic that nobody runs
const link = "balsam:l#AQBHYtJDCx9rm24kjCrbYez7ZGVtI0Ezu1kCqMHM4Z1I4Q0COrbN" +
  "kkxMAAAAAAJ_AAAB6emGZw_g";

function assert(cond, what) {
  if (!cond) {
    throw new Error(what);
  }
}

function refused(code, f) {
  try {
    f();
  } catch (e) {
    assert(e instanceof CoreError && e.code === code, `${e}, not ${code}`);
    return;
  }
  throw new Error(`not refused: ${code}`);
}

function world() {
  const w = { storage: new MemoryStorage(), wanted: [], sent: [], events: [] };
  w.transport = {
    want: (clinic, addrs) => w.wanted.push({ clinic, addrs }),
    unwant: () => {},
    send: (clinic, serial, frame) => w.sent.push({ clinic, serial, frame }),
    known: () => {},
    close: () => {},
  };
  return w;
}

const open = (wasm, w) => App.open(wasm, w.storage, w.transport,
                                   (ev) => w.events.push(ev));

const cases = {
  async a_new_patient_and_the_code(wasm) {
    const w = world();
    const app = await open(wasm, w);
    assert(app.me().stage === "nobody", "nobody is here");
    refused("missing", () => app.code());
    app.newPatient();
    app.turn();
    const { words, qr } = app.code();
    assert(words.split(" ").length === 12, words);
    assert(qr.startsWith("balsam:p#"), qr);
    refused("format", () => app.confirm("one two"));
    app.confirm(words);
    app.turn();
    refused("missing", () => app.code());
    const again = await open(wasm, w);
    assert(again.me().code === "confirmed", "as it was stored");
    assert(again.me().patient.every((b, i) => b === app.me().patient[i]),
           "the same patient");
  },

  async joining_wants_a_connection_and_greets(wasm) {
    const w = world();
    const app = await open(wasm, w);
    app.newPatient();
    refused("format", () => app.join("hello", "Ann"));
    app.join(link, "Ann");
    app.turn();
    assert(w.wanted.length === 1 && w.wanted[0].addrs.length > 0, "wanted");
    const { seed, cert } = app.identity();
    assert(seed.length === 32 && cert.length > 64, "an identity");
    app.up(w.wanted[0].clinic, 7, 1n, new Uint8Array(32));
    assert(w.sent.length === 0, "nothing leaves before its commit");
    app.turn();
    assert(w.sent.length === 1 && w.sent[0].serial === 7, "a greeting");
    assert(!app.sync().settled && app.sync().asking === 1, "it is asked");
    app.down(w.wanted[0].clinic, 7);
    app.turn();
    assert(app.threads().length === 0, "no conversation yet");
    refused("missing", () => app.send(new Uint8Array(32), "hello"));
  },

  async clinics_devices_and_consents(wasm) {
    const w = world();
    const app = await open(wasm, w);
    assert(app.care.devices().length === 0, "a device of nobody");
    app.newPatient();
    app.turn();
    refused("format", () => app.care.look("hello"));
    app.care.look(link);
    app.turn();
    const [clinic] = app.care.clinics();
    assert(clinic.state === "looked" && !clinic.up && clinic.name === "",
           JSON.stringify(clinic.state));
    assert(app.care.picture(clinic.root) === undefined, "a picture");
    app.join(link, "Ann");
    app.turn();
    assert(app.care.clinics()[0].state === "asked", "not asked");
    const [mine] = app.care.devices();
    assert(mine.here && mine.mayAdd && app.care.devices().length === 1, "one");
    assert(app.care.consents().length === 0, "a consent");
    refused("missing", () => app.care.accept(1));
    refused("missing", () => app.care.withdraw(1));
    refused("format", () => app.care.addDevice("balsam:d#x"));
    const two = world();
    const phone = await open(wasm, two);
    const request = phone.care.beAdded();
    phone.turn();
    assert(request.startsWith("balsam:d#") && phone.me().stage === "asking",
           request);
    const grant = app.care.addDevice(request, true);
    app.turn();
    assert(grant.startsWith("balsam:g#"), grant);
    refused("auth", () => phone.care.granted(grant.slice(0, 100) +
      (grant[100] === "A" ? "B" : "A") + grant.slice(101)));
    phone.care.granted(grant);
    phone.turn();
    assert(phone.me().stage === "ready", "it is one of them");
    for (const a of [app, phone]) {
      assert(a.care.devices().length === 2 &&
             a.care.devices().filter((d) => d.here).length === 1, "two");
    }
    refused("invalid", () => app.care.removeDevice(app.code().words,
                                                   app.me().device));
    app.care.removeDevice(app.code().words, phone.me().device);
    app.turn();
    assert(app.care.devices().length === 1, "it stays");
  },

  async what_is_not_there_is_missing(wasm) {
    const app = await open(wasm, world());
    app.newPatient();
    app.turn();
    const none = new Uint8Array(32);
    const { talk } = app;
    refused("missing", () => talk.send(none, "x", [
      { name: "a", type: "b", bytes: new Uint8Array(3) }]));
    for (const what of [
      () => talk.members(none), () => talk.files(none, 1),
      () => talk.fetch(none, 1), () => talk.file(none, 1),
      () => talk.piece(none, 1, 0, 0), () => talk.edit(none, 1, "x"),
      () => talk.delete(none, 1), () => talk.react(none, 1, "x"),
      () => talk.leave(none), () => talk.reportTo(none),
      () => talk.proof(none, 1), () => talk.report(none, 1, "spam"),
    ]) {
      refused("missing", what);
    }
    assert(!talk.rest() && !talk.archiveFull(), "nothing is owed");
    const many = Array.from({ length: 99 }, () => (
      { name: "a", type: "b", bytes: new Uint8Array(1) }));
    refused("limit", () => talk.send(none, "x", many));
  },

  async a_channel_is_dead_after_an_error(wasm) {
    const w = world();
    const app = await open(wasm, w);
    app.newPatient();
    const clinic = new Uint8Array(32);
    refused("state", () => app.channel(clinic, "clinic.example"));
    app.join(link, "Ann");
    refused("invalid", () => app.channel(clinic, ""));
    const chan = app.channel(clinic, "clinic.example");
    assert(chan.hello.length > 64 && !chan.ready, "OPEN");
    refused("format", () => chan.step(new Uint8Array(9)));
    refused("state", () => chan.seal(new Uint8Array(1)));
    chan.free();
    let used;
    try {
      chan.step(new Uint8Array(9));
    } catch (e) {
      used = e;
    }
    assert(!(used instanceof CoreError) && used !== undefined, "freed");
  },

  async whom_to_block_and_what_goes_on(wasm) {
    const w = world();
    const app = await open(wasm, w);
    app.newPatient();
    const nobody = new Uint8Array(32).fill(7);
    refused("missing", () => app.care.block(nobody, false));
    app.join(link, "Ann");
    app.turn();
    const home = app.care.clinics()[0];
    assert(home.home, "the first is home");
    app.care.block(home.root, true);
    app.turn();
    refused("denied", () => app.join(link, "Ann"));
    refused("missing", () => app.care.block(home.root, true));
    app.care.block(home.root, false);
    app.turn();
    assert(app.care.standing(nobody) === undefined, "no such thread");
    assert(app.care.lines(nobody).length === 0, "nothing happened in it");
  },

  async a_failed_commit_never_was(wasm) {
    const w = world();
    const app = await open(wasm, w);
    w.storage.result = "failed";
    app.newPatient();
    refused("io", () => app.turn());
    app.reset();
    assert(app.me().stage === "nobody", "still nobody");
    w.storage.result = "done";
    app.newPatient();
    app.turn();
    assert(app.me().stage === "ready" && w.storage.commits === 1, "now");
  },

  async recovered_on_another_phone(wasm) {
    const one = world();
    const old = await open(wasm, one);
    old.newPatient();
    old.turn();
    const two = world();
    const phone = await open(wasm, two);
    phone.recover(old.code().words.toUpperCase());
    phone.turn();
    assert(phone.me().patient.every((b, i) => b === old.me().patient[i]),
           "the same patient");
    assert(!phone.me().device.every((b, i) => b === old.me().device[i]),
           "another device");
  },
};

export async function runApp(wasm) {
  const sum = { passed: 0, failed: 0, skipped: 0, lines: [] };
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run(wasm);
      sum.passed++;
    } catch (e) {
      sum.failed++;
      sum.lines.push(`${name}: ${e.stack ?? e}`);
    }
  }
  return sum;
}
