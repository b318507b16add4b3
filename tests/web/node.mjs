// SPDX-License-Identifier: Apache-2.0
// A real daemon with a web port, for tests in a browser.

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const top = fileURLToPath(new URL("../..", import.meta.url));
const bin = process.env.BALSAM_BIN ?? join(top, "build/plain/bin");
const patience = Number(process.env.BALSAM_E2E_WAIT ?? 60) * 1000;

export function check(ok, what) {
  if (!ok) {
    throw new Error(what);
  }
}

export async function until(what, probe) {
  const end = Date.now() + patience;
  for (;;) {
    const got = await probe();
    if (got) {
      return got;
    }
    check(Date.now() < end, `waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const freePort = () => new Promise((resolve) => {
  const s = createServer();
  s.listen(0, "127.0.0.1", () => {
    const { port } = s.address();
    s.close(() => resolve(port));
  });
});

// ------------------------------------------------------------------ the node
export async function startNode(name = "Site Clinic") {
  const dir = await mkdtemp(join(tmpdir(), "balsam-site-"));
  const data = join(dir, "node");
  const [node, web] = [await freePort(), await freePort()];
  const cli = (...args) => execFileSync(join(bin, "balsam"),
                                        ["--data", data, ...args],
                                        { encoding: "utf8" });
  cli("init", "--name", name, "--member", "Dr. Site",
      "--address", `127.0.0.1:${node}`, "--host", "localhost",
      "--sheet", join(dir, "sheet"));
  const child = spawn(join(bin, "balsamd"),
                      ["--data", data, "--listen", `127.0.0.1:${node}`,
                       "--web", `127.0.0.1:${web}`],
                      { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (d) => {
    log += d;
  });
  await until("the node", () => {
    check(child.exitCode === null, `the node ended:\n${log}`);
    return log.includes("node.started");
  });
  return {
    cli, dir, web, log: () => log,
    root: JSON.parse(cli("status", "--json")).clinic,
    async stop() {
      const gone = new Promise((resolve) => child.once("close", resolve));
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await gone;
      }
      await rm(dir, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}
