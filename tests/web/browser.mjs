// SPDX-License-Identifier: Apache-2.0
// A headless Chromium and the part of its protocol that tests need, over a
// pipe: nothing listens anywhere.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// kept: the profile's folder, which stays; otherwise a fresh one.
export async function openBrowser(kept = undefined) {
  const profile = kept ?? await mkdtemp(join(tmpdir(), "balsam-chromium-"));
  const child = spawn("chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--remote-debugging-pipe", `--user-data-dir=${profile}`,
    "about:blank",
  ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true });
  const [to, from] = [child.stdio[3], child.stdio[4]];
  const waiting = new Map();
  const listeners = [];
  let next = 1;
  let left = "";
  let dead;

  const fail = (why) => {
    dead ??= new Error(why);
    for (const { reject } of waiting.values()) {
      reject(dead);
    }
    waiting.clear();
  };
  child.on("error", (e) => fail(`${e}`));
  child.on("exit", (code) => fail(`chromium ended: ${code}`));
  from.setEncoding("utf8");
  from.on("data", (text) => {
    const parts = (left + text).split("\0");
    left = parts.pop();
    for (const part of parts) {
      const m = JSON.parse(part);
      if (m.id !== undefined) {
        const w = waiting.get(m.id);
        waiting.delete(m.id);
        if (m.error) {
          w?.reject(new Error(m.error.message));
        } else {
          w?.resolve(m.result);
        }
      } else {
        for (const l of listeners) {
          l(m);
        }
      }
    }
  });

  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      if (dead) {
        reject(dead);
        return;
      }
      const id = next++;
      waiting.set(id, { resolve, reject });
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  // A fresh page, of its own context: nothing is shared with another; of the
  // profile's, if that is kept.
  const page = async () => {
    const own = kept === undefined
      ? await send("Target.createBrowserContext") : {};
    const { targetId } = await send("Target.createTarget", {
      url: "about:blank", ...(own.browserContextId === undefined ? {}
        : { browserContextId: own.browserContextId }) });
    const { sessionId } = await send("Target.attachToTarget",
                                     { targetId, flatten: true });
    const call = (method, params) => send(method, params, sessionId);
    const on = (method, f) => listeners.push((m) => {
      if (m.sessionId === sessionId && m.method === method) {
        f(m.params);
      }
    });
    await call("Page.enable");
    await call("Runtime.enable");
    await call("Network.enable");
    return {
      call, on,
      async open(url) {
        const loaded = new Promise((resolve) => {
          on("Page.loadEventFired", resolve);
        });
        const { errorText } = await call("Page.navigate", { url });
        if (errorText) {
          throw new Error(`${url}: ${errorText}`);
        }
        await loaded;
      },
      async run(expression) {
        const r = await call("Runtime.evaluate", {
          expression, awaitPromise: true, returnByValue: true,
          userGesture: true,
        });
        if (r.exceptionDetails) {
          throw new Error(r.exceptionDetails.exception?.description
            ?? r.exceptionDetails.text);
        }
        return r.result.value;
      },
      async key(key, code = key) {
        const at = { key, code, windowsVirtualKeyCode:
          { Tab: 9, Enter: 13 }[key] ?? 0,
          ...(key === "Enter" ? { text: "\r" } : {}) };
        await call("Input.dispatchKeyEvent", { type: "keyDown", ...at });
        await call("Input.dispatchKeyEvent", { type: "keyUp", ...at });
      },
    };
  };

  return {
    page,
    async close() {
      const gone = new Promise((resolve) => child.once("close", resolve));
      if (child.exitCode === null && child.pid !== undefined) {
        process.kill(-child.pid, "SIGKILL");
        await gone;
      }
      if (kept === undefined) {
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}
