// SPDX-License-Identifier: Apache-2.0
// A patient's app whole in headless Chromium: records in IndexedDB, its own
// WebSocket to a real daemon.  The browser is killed (SIGKILL) while it works,
// again and again: what was told to be stored is there, whole, once.

import { createHash } from "node:crypto";
import { readFile, readdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openBrowser } from "./browser.mjs";
import { check, startNode, top, until } from "./node.mjs";

const seed = Number(process.env.BALSAM_STORED_SEED ?? 1);
const rounds = Number(process.env.BALSAM_STORED_KILLS ?? 5);

// as tests/support/seed_rng: a story can be told again
function random(from) {
  let state = BigInt(from) + 0x9e3779b97f4a7c15n;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) &
      0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

const types = { mjs: "text/javascript", js: "text/javascript",
                wasm: "application/wasm" };
const modules = "/test/node/web/node_modules";
const importMap = JSON.stringify({ imports: {
  "libsodium-wrappers":
    `${modules}/libsodium-wrappers/dist/modules-esm/libsodium-wrappers.mjs`,
  libsodium: `${modules}/libsodium/dist/modules-esm/libsodium.mjs`,
} });

// A page of the node, with our files under /test/.
async function pageOf(browser, node) {
  const page = await browser.page();
  const said = [];
  page.on("Runtime.bindingCalled", ({ payload }) =>
    said.push(JSON.parse(payload)));
  await page.call("Runtime.addBinding", { name: "fromPage" });
  page.on("Fetch.requestPaused", async ({ requestId, request }) => {
    const path = new URL(request.url).pathname.slice("/test/".length);
    const safe = /^(build\/(wasm|web)|tests\/web|node\/web\/node_modules)\//;
    try {
      check(safe.test(path) && !path.includes(".."), path);
      const body = await readFile(join(top, path));
      await page.call("Fetch.fulfillRequest", {
        requestId, responseCode: 200, body: body.toString("base64"),
        responseHeaders: [{ name: "content-type",
                            value: types[path.replace(/^.*\./, "")] ?? "" }] });
    } catch {
      await page.call("Fetch.failRequest",
                      { requestId, errorReason: "Failed" }).catch(() => {});
    }
  });
  const origin = `http://localhost:${node.web}`;
  await page.call("Fetch.enable",
                  { patterns: [{ urlPattern: `${origin}/test/*` }] });
  await page.call("Page.setBypassCSP", { enabled: true });
  await page.open(`${origin}/l`);
  await page.run(`for (const [type, key, value] of [
      ["importmap", "textContent", ${JSON.stringify(importMap)}],
      ["module", "src", "/test/tests/web/stored_page.mjs"]]) {
    const script = document.createElement("script");
    script.type = type;
    script[key] = value;
    document.head.append(script);
  }`);
  await until("the page", () => said.some((o) => o.loaded));
  return { page, said, run: (what) => page.run(what) };
}

async function withProfile(f) {
  const profile = await mkdtemp(join(tmpdir(), "balsam-stored-"));
  try {
    await f(profile);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function inBrowser(profile, node, f) {
  const browser = await openBrowser(profile);
  try {
    return await f(await pageOf(browser, node), browser);
  } finally {
    await browser.close(); // SIGKILL
  }
}

// A byte of each record's log under a folder, in its middle.
async function damage(folder) {
  const logs = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((f) => f.isFile() && f.name.endsWith(".log"));
  check(logs.length === 1, `${logs.length} databases in ${folder}`);
  const log = join(logs[0].parentPath ?? logs[0].path, logs[0].name);
  const bytes = await readFile(log);
  bytes[bytes.length >> 1] ^= 1;
  await writeFile(log, bytes);
}

const tests = {
  async killed_while_it_stores({ node }) {
    const below = random(seed);
    const keep = 40;
    await withProfile(async (profile) => {
      let durable = 0;
      for (let i = 0; i <= rounds; i++) {
        await inBrowser(profile, node, async ({ run, said }) => {
          const found = await run(`write("one", ${keep})`);
          const n = Number(found.a ?? "0");
          check(found.a === found.b, `half a commit: ${found.a}, ${found.b}`);
          check(n >= durable, `${durable} was durable, ${n} is there`);
          const names = Object.keys(found.rows);
          check(names.length === Math.min(n, keep), `${names.length} rows`);
          for (const [name, value] of Object.entries(found.rows)) {
            const k = Number(name.slice(1));
            check(k > n - keep && k <= n && value.length === k % 3000, name);
          }
          const enough = 5 + below(60);
          await until("commits", () =>
            said.filter((o) => o.durable).length >= enough);
          check(!said.some((o) => o.failed), "a commit failed");
          await new Promise((resolve) => setTimeout(resolve, below(20)));
          durable = said.filter((o) => o.durable).at(-1).durable;
        });
      }
    });
  },

  // what a kill does now and then: a torn end that was appended to, at which
  // Chromium throws the whole database away; each copy in turn
  async a_copy_that_is_thrown_away({ node }) {
    const keep = 40;
    await withProfile(async (profile) => {
      let durable = 0;
      for (const folder of ["IndexedDB", "WebStorage", "IndexedDB",
                            undefined]) {
        await inBrowser(profile, node, async ({ run, said }) => {
          const found = await run(`write("one", ${keep})`);
          check(Number(found.a ?? "0") >= durable && found.a === found.b,
                `${durable} was durable, ${found.a} is there`);
          check(Object.keys(found.rows).length ===
                Math.min(Number(found.a ?? "0"), keep), "rows are missing");
          await until("commits", () =>
            said.filter((o) => o.durable).length >= 20);
          durable = said.filter((o) => o.durable).at(-1).durable;
        });
        if (folder !== undefined) {
          await damage(join(profile, "Default", folder));
        }
      }
    });
  },

  async one_page_at_a_time({ node }) {
    await withProfile((profile) => inBrowser(profile, node,
      async ({ run }, browser) => {
        check(await run('opened("two")') === "opened", "not opened");
        const other = await pageOf(browser, node);
        check(await other.run('opened("two")') === "exists", "two pages");
        check(await other.run('opened("three")') === "opened", "another one");
      }));
  },

  async a_failed_commit_never_was({ node }) {
    await withProfile((profile) => inBrowser(profile, node,
      async ({ run }) => {
        const got = await run('fails("four")');
        check(!got.ok && !got.there && !got.stored, JSON.stringify(got));
      }));
  },

  async a_patient_whose_browser_is_killed({ node }) {
    const below = random(seed + 1);
    const { link } = JSON.parse(node.cli("link", "create", "--json"));
    const said = [];
    let desk = 0;
    let conversation;
    await withProfile(async (profile) => {
      for (let i = 0; i <= rounds; i++) {
        await inBrowser(profile, node, async ({ run }) => {
          await run(`start("ann", ${JSON.stringify(link)})`);
          await until("all that was said", async () =>
            await run("settled()") && said.every(((have) => (t) =>
              have.includes(t))(await run("texts()"))));
          conversation ??= await until("it at the desk", () => JSON.parse(
            node.cli("inbox", "--json")).conversations[0]?.number);
          for (let n = below(4) + 1; n > 0; n--) {
            const words = `from Ann, ${said.length + 1}`;
            await run(`send(${JSON.stringify(words)})`);
            said.push(words);
          }
          desk++;
          node.cli("send", `${conversation}`, `from the desk, ${desk}`);
          if (below(2) === 0) {
            await until("its words", async () =>
              (await run("texts()")).includes(`from the desk, ${desk}`));
          }
          await new Promise((resolve) => setTimeout(resolve, below(60)));
        });
      }
      await inBrowser(profile, node, async ({ run }) => {
        await run(`start("ann", ${JSON.stringify(link)})`);
        const want = [...said,
          ...Array.from({ length: desk }, (_, i) =>
            `from the desk, ${i + 1}`)].sort().join("\n");
        const there = () => JSON.parse(node.cli(
          "thread", "show", `${conversation}`, "--json"))
          .messages.map((m) => m.text).filter((t) => t);
        await until("everything at both", async () =>
          (await run("texts()")).length >= said.length + desk &&
          there().length >= said.length + desk);
        const ann = (await run("texts()")).filter((t) => t);
        check([...ann].sort().join("\n") === want, `Ann has ${ann}`);
        check(ann.join("\n") === there().join("\n"),
              `not one order:\n${ann}\n${there()}`);
        const lies = (await run('dump("ann")')).join(" ");
        for (const words of ["Ann Stored", said[0], "from the desk, 1"]) {
          check(!lies.includes(Buffer.from(words).toString("hex")),
                `"${words}" lies open`);
        }
        await run("end()");
      });
    });
  },

  // what the app to come needs, all of it, against two real daemons
  async a_patient_does_everything() {
    const [node, second] = [await startNode(),
                            await startNode("Hillside Practice")];
    try {
      await withProfile((profile) => inBrowser(profile, node, (page) =>
        everything(node, second, page)));
    } finally {
      for (const n of [node, second]) {
        check(await n.stop() === 0, `it ended:\n${n.log()}`);
      }
    }
  },
};

async function everything(node, second, { run, said }) {
  const json = (...args) => JSON.parse(node.cli(...args, "--json"));
  const asApp = (what) => run(`app((app, thread) => ${what})`);
  const link = json("link", "create").link;
  second.cli("connect", json("link", "create").link, "--yes");
  await run(`start("bea", ${JSON.stringify(link)})`);
  await until("the conversation", () => run("settled()"));
  const desk = await until("it at the desk", () =>
    json("inbox").conversations.find((c) => c.title === "Ann Stored")?.number);

  // the clinic, its picture, the device
  const [clinic] = await asApp("plain(app.care.clinics())");
  check(clinic.name === "Site Clinic" && clinic.home && clinic.up &&
        clinic.root === node.root, JSON.stringify(clinic));
  check((await asApp("plain(app.care.devices())")).length === 1, "devices");
  const png = Buffer.from((await run(`(() => {
    const c = Object.assign(document.createElement("canvas"),
                            { width: 64, height: 48 });
    c.getContext("2d").fillRect(8, 8, 9, 9);
    return c.toDataURL("image/png"); })()`)).split(",")[1], "base64");
  const picture = join(node.dir, "bea.png");
  await writeFile(picture, png);
  node.cli("profile", "set", "--picture", picture);
  await until("the picture", async () => await asApp(
    "plain(app.care.picture(app.care.clinics()[0].root) ?? null)") ===
    png.toString("hex"));
  check((await asApp("plain(app.care.clinics()[0].picture)")).width === 64,
        "not as wide");
  node.cli("profile", "set", "--no-picture");

  // a file each way
  const up = await run(`(async () => {
    const bytes = new Uint8Array(700_001);
    for (let i = 0; i < bytes.length; i += 65536) {
      crypto.getRandomValues(bytes.subarray(i, i + 65536));
    }
    await app((a, thread) => a.talk.send(thread, "see", [
      { name: "scan.bin", type: "application/octet-stream", bytes },
      { name: "note.txt", type: "text/plain",
        bytes: new TextEncoder().encode("a note") }]));
    return digest(bytes); })()`);
  const seen = await until("it at the desk", () =>
    json("thread", "show", `${desk}`).messages.find((m) => m.text === "see"));
  const got = join(node.dir, "got.bin");
  await until("the file at the desk", () => {
    try {
      node.cli("save-attachment", `${seen.number}`, got);
      return true;
    } catch {
      return false;
    }
  });
  const sha = (b) => createHash("sha256").update(b).digest("hex");
  check(sha(await readFile(got)) === up, "another file");
  const own = await asApp(`(() => {
    const m = app.messages(thread).find((x) => x.text === "see");
    return plain([app.talk.files(thread, m.number),
                  app.talk.file(thread, m.number, 1)]); })()`);
  check(own[0].map((f) => f.name).join() === "scan.bin,note.txt" &&
        own[1].state === "here" && own[1].up, JSON.stringify(own));
  node.cli("send", `${desk}`, "and back", "--attach", got);
  const back = await until("it in the page", () => asApp(
    `app.messages(thread).find((x) => x.text === "and back")?.number ?? 0`));
  check((await asApp(`plain(app.talk.file(thread, ${back}))`)).state === "away",
        "fetched unasked");
  await asApp(`app.talk.fetch(thread, ${back})`);
  await until("the file in the page", async () =>
    (await asApp(`app.talk.file(thread, ${back}).state`)) === "here");
  check(said.some((o) => o.event === 8 && o.code === 0), "no event of a file");
  check(await asApp(`digest(whole(app, thread, ${back}))`) === up,
        "another file came back");

  // what was said is changed, deleted, reacted to
  await asApp(`app.send(thread, "tomorow")`);
  const mine = await until("it to be taken", () => asApp(
    `app.messages(thread).find((x) => x.text === "tomorow" && x.state === 2)
     ?.number ?? 0`));
  await asApp(`app.talk.edit(thread, ${mine}, "tomorrow")`);
  await asApp(`app.talk.react(thread, ${back}, "👍")`);
  await until("the edit at the desk", () =>
    json("thread", "show", `${desk}`).messages.some(
      (m) => m.text === "tomorrow" && m.edited));

  // a message is reported
  node.cli("send", `${desk}`, "Plainrude words");
  const rude = await until("it in the page", () => asApp(
    `app.messages(thread).find((x) => x.text === "Plainrude words")?.number
     ?? 0`));
  check(await asApp(`app.talk.proof(thread, ${rude})`) === "signed",
        "not proven");
  check((await asApp("plain(app.talk.reportTo(thread))")).join() === node.root,
        "somebody else gets it");
  await asApp(`app.talk.report(thread, ${rude}, "abuse", "please look")`);
  const [report] = await until("the report", () =>
    (({ reports }) => reports.length === 1 && reports)(json("reports")));
  check(report.proven && report.words === "please look" &&
        report.message.text === "Plainrude words", JSON.stringify(report));

  // another clinic is let in, and sent away
  await until("both clinics", () =>
    json("clinics").clinics.some((c) => c.state === "connected"));
  json("thread", "new", "Ann Stored", "Hillside Practice", "--purpose",
       "a second opinion");
  const question = await until("the question", async () =>
    (await asApp("plain(app.care.consents())")).find(
      (c) => c.state === "asked"));
  check(question.purpose === "a second opinion" &&
        question.clinicName === "Hillside Practice" &&
        question.clinic === second.root, JSON.stringify(question));
  await asApp(`app.care.accept(${question.number})`);
  await until("it at Hillside", () => JSON.parse(
    second.cli("inbox", "--patients", "--json")).conversations.length > 0);
  const shared = await until("who can read it", async () =>
    (await asApp(`plain(app.threads().map((t) => app.talk.members(t.id)))`))
      .find((t) => t.members.length === 3));
  check(shared.hub === node.root && shared.members.some(
    (m) => m.id === second.root && m.kind === "clinic"),
  JSON.stringify(shared));
  await asApp(`app.care.withdraw(${question.number})`);
  await until("it to be gone", async () => (await asApp(
    `plain(app.threads().map((t) => app.talk.members(t.id).members.length))`))
    .every((n) => n < 3));

  // a second device, by two codes, and away again with the recovery code
  await run('further("bea two")');
  await until("both to know", async () =>
    await run("furtherApp((app) => app.care.devices().length)") === 2 &&
    await asApp("app.care.devices().length") === 2);
  await until("what was said, there too", () => run(`furtherApp((app) =>
    app.threads().some((t) => app.messages(t.id).some(
      (m) => m.text === "Plainrude words")))`));
  await asApp(`app.care.removeDevice(app.code().words,
    app.care.devices().find((d) => !d.here).id)`);
  await until("it to be removed", async () =>
    await asApp("app.care.devices().length") === 1 &&
    await asApp("app.sync().settled"));
  node.cli("send", `${desk}`, "for one device only");
  await until("it in the page", async () =>
    (await run("texts()")).includes("for one device only"));
  check(!await run(`furtherApp((app) => app.threads().some((t) =>
    app.messages(t.id).some((m) => m.text === "for one device only")))`),
  "a removed device reads on");
  await run("furtherEnd()");

  // words are compared; then the clinic is left
  const words = await asApp("app.care.compare(app.care.clinics().find((c) => c.home).root)");
  check(json("compare", "Ann Stored").words === words.words, "other words");
  await asApp("app.care.compared(app.care.clinics().find((c) => c.home).root)");
  check(await asApp("app.care.clinics().find((c) => c.home).learned") === "compared", "not so");
  await asApp("app.care.part(app.care.clinics().find((c) => c.home).root)");
  await until("it to have ended", async () => (await asApp(
    "app.care.clinics().map((c) => c.state)")).includes("ended"));
  await run("end()");
}

const sum = { passed: 0, failed: 0 };
const world = {};
try {
  world.node = await startNode();
  for (const [name, run] of Object.entries(tests)) {
    if (process.argv[2] !== undefined && !name.includes(process.argv[2])) {
      continue;
    }
    try {
      await run(world);
      sum.passed++;
    } catch (e) {
      sum.failed++;
      console.log(`FAIL ${name} (seed ${seed}): ${e.stack}`);
    }
  }
} catch (e) {
  sum.failed++;
  console.log(`FAIL ${e.stack}`);
} finally {
  const code = await world.node?.stop();
  if (world.node && code !== 0) {
    sum.failed++;
    console.log(`FAIL the node ended with ${code}:\n${world.node.log()}`);
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exit(sum.failed === 0 ? 0 : 1);
