// SPDX-License-Identifier: Apache-2.0
// Runs all.mjs here, and again in headless Chromium on a page that this
// process serves.

import "./crypto18.mjs";

import { spawn } from "node:child_process";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { runAll } from "./all.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const shared = process.env.BALSAM_SHARED ?? "";
const browserDeadline = 300_000;

const jsonIn = (dir) => readdirSync(dir).filter((f) => f.endsWith(".json"))
  .sort();

// vectors/official/x.json stands for a file of the shared folder
function sharedFiles() {
  const root = join(shared, "mls-vectors");
  if (shared === "" || !existsSync(root)) {
    return [];
  }
  return readdirSync(root).sort().flatMap((dir) =>
    jsonIn(join(root, dir)).map((f) => `vectors/${dir}/${f}`));
}

function place(path) {
  const p = normalize(path).replace(/^\/+/, "");
  if (p.startsWith("..")) {
    return undefined;
  }
  if (p.startsWith("vectors/")) {
    return join(shared, "mls-vectors", p.slice("vectors/".length));
  }
  return /^(build\/(wasm|web)|tests\/(web|vectors)|node\/web)\//.test(p)
    ? join(top, p) : undefined;
}

const types = {
  html: "text/html", mjs: "text/javascript", js: "text/javascript",
  json: "application/json", wasm: "application/wasm",
};

function serve(files, done) {
  return createServer((req, res) => {
    const path = new URL(req.url, "http://localhost").pathname;
    if (path === "/result") {
      let body = "";
      req.on("data", (d) => {
        body += d;
      });
      req.on("end", () => {
        res.end();
        done(JSON.parse(body));
      });
      return;
    }
    if (path === "/files") {
      res.setHeader("content-type", types.json);
      res.end(JSON.stringify(files));
      return;
    }
    const file = place(path === "/" ? "/tests/web/page.html" : path);
    if (file === undefined || !existsSync(file)) {
      res.statusCode = 404;
      res.end();
      return;
    }
    res.setHeader("content-type",
                  types[file.replace(/^.*\./, "")] ?? "text/plain");
    createReadStream(file).pipe(res);
  });
}

async function inBrowser(files) {
  const profile = await mkdtemp(join(tmpdir(), "balsam-web-"));
  let finish;
  const result = new Promise((resolve) => {
    finish = resolve;
  });
  const server = serve(files, finish);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const child = spawn("chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", `--user-data-dir=${profile}`,
    `http://127.0.0.1:${server.address().port}/`,
  ], { stdio: "ignore", detached: true });
  child.on("error", (e) => finish({ error: `${e}` }));
  child.on("exit", (code) => finish({ error: `chromium ended: ${code}` }));
  const timer = setTimeout(
    () => finish({ error: "no result in time" }), browserDeadline);
  const got = await result;
  clearTimeout(timer);
  const gone = new Promise((resolve) => child.once("close", resolve));
  if (child.exitCode === null && child.pid !== undefined) {
    process.kill(-child.pid, "SIGKILL");
    await gone;
  }
  server.closeAllConnections();
  server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  return got;
}

const recorded = "tests/vectors/recorded";
const files = [
  ...jsonIn(join(top, recorded)).map((f) => `${recorded}/${f}`),
  ...sharedFiles(),
];
const sum = { passed: 0, failed: 0, skipped: 0 };
const add = (t) => {
  sum.passed += t.passed;
  sum.failed += t.failed;
};
if (!files.some((f) => f.startsWith("vectors/"))) {
  console.log(
    "  skipped: official vectors; BALSAM_SHARED does not point to them");
  sum.skipped++;
}
const get = async (path) => new Uint8Array(await readFile(place(path)));
add(await runAll(get, files, (line) => console.log(`node: ${line}`)));
const got = await inBrowser(files);
for (const line of got.lines ?? []) {
  console.log(`chromium: ${line}`);
}
if (got.error !== undefined) {
  console.log(`chromium: ${got.error}`);
}
add(got.total ?? { passed: 0, failed: 1 });
console.log(`${sum.passed} passed, ${sum.failed} failed` +
            (sum.skipped ? `, ${sum.skipped} skipped` : ""));
process.exit(sum.failed === 0 ? 0 : 1);
