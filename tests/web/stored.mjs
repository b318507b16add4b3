// SPDX-License-Identifier: Apache-2.0
// A patient's app whole in headless Chromium: records in IndexedDB, its own
// WebSocket to a real daemon.  The browser is killed (SIGKILL) while it works,
// again and again: what was told to be stored is there, whole, once.

import { readFile, mkdtemp, rm } from "node:fs/promises";
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
};

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
