// SPDX-License-Identifier: Apache-2.0
// What runs on every host: each file of vectors, the binding, the app.  get(path)
// gives the bytes of a file; files lists the vectors there are.

import { runApp } from "./app.mjs";
import { runCore } from "./core.mjs";
import { parse } from "./jansson.mjs";
import { runFile } from "./vectors.mjs";

export async function runAll(get, files, log) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const add = (what, sum) => {
    total.passed += sum.passed;
    total.failed += sum.failed;
    total.skipped += sum.skipped;
    for (const line of sum.lines) {
      log(line);
    }
    log(`${what}: ${sum.passed} passed, ${sum.failed} failed` +
        (sum.skipped ? `, ${sum.skipped} of other suites` : ""));
  };
  const module = await WebAssembly.compile(
    await get("build/wasm/vectors.wasm"));
  for (const path of files) {
    const name = path.replace(/^.*\//, "").replace(/\.json$/, "");
    const cases = parse(new TextDecoder().decode(await get(path)));
    add(name, await runFile(module, name, cases));
  }
  add("binding", await runCore(await get("build/wasm/balsam.wasm")));
  add("app", await runApp(await get("build/wasm/app.wasm")));
  return total;
}
