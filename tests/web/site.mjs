// SPDX-License-Identifier: Apache-2.0
// The web port of a real daemon in a real browser: the page behind a link, a
// device's channel through the browser's own WebSocket, and a patient who joins
// that way (the wasm build of federation/app with its channel).

import "./crypto18.mjs";

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { App } from "../../build/web/shared/core/app.js";
import { PROTOCOL as protocol } from "../../build/web/shared/core/channel.js";
import { MemoryStorage } from "../../build/web/shared/core/storage.js";
import { CoreError } from "../../build/web/shared/core/wasm.js";
import { openBrowser } from "./browser.mjs";
import { check, startNode, top, until } from "./node.mjs";

// --------------------------------------------------------------- the channel
const bytesOf = (m) => Buffer.from(m.data, "base64");

// The channel of a patient whom the clinic does not know yet.
async function strangersChannel({ node, wasm }, root) {
  const nothing = () => {};
  const app = await App.open(wasm, new MemoryStorage(), {
    want: nothing, unwant: nothing, send: nothing, known: nothing,
    close: nothing }, nothing);
  app.newPatient();
  app.join(JSON.parse(node.cli("link", "create", "--json")).link, "Somebody");
  return app.channel(Buffer.from(root, "hex"), `localhost:${node.web}`);
}

// The app's handshake over the page's WebSocket.
async function shakeHands(ws, chan) {
  for (let say = chan.hello; say !== undefined;) {
    await ws.send(say);
    const m = await ws.next("the node's answer");
    check(m.data, `closed: ${JSON.stringify(m)}`);
    say = chan.step(bytesOf(m));
  }
  check(chan.ready, "the handshake ended early");
}

// The client library's transport: one clinic, by the page's WebSocket.
async function appIn(world, page, storage) {
  const { node, wasm } = world;
  const host = `localhost:${node.web}`;
  const out = [];
  let wanted = false;
  let ws;
  let chan;
  const app = await App.open(wasm, storage, {
    want: () => {
      wanted = true;
    },
    unwant: () => {},
    send: (clinic, serial, frame) => out.push(frame),
    known: () => {},
    close: () => {},
  }, () => {});
  const root = Buffer.from(node.root, "hex");
  const turn = async () => {
    app.turn();
    for (const frame of out.splice(0)) {
      await ws.send(chan.seal(frame));
    }
  };
  return {
    app, turn,
    async connect() {
      await turn();
      check(wanted, "the app wants no connection");
      ws = await socketIn(page, `ws://${host}/device`, [protocol]);
      await ws.next("open");
      chan = app.channel(root, host);
      await shakeHands(ws, chan);
      chan.up(1);
      await turn();
    },
    async until(what, probe) {
      await until(what, async () => {
        for (let m; (m = ws.take()) !== undefined;) {
          check(m.data, `closed: ${JSON.stringify(m)}`);
          app.frame(root, 1, chan.open(bytesOf(m)));
          await turn();
        }
        app.tick();
        await turn();
        return probe();
      });
    },
    close: () => ws.close(),
  };
}

// A WebSocket of the page; its messages, and no other one's, come here.
let sockets = 0;
async function socketIn(page, url, subprotocol) {
  const inbox = [];
  const binding = `fromSocket${sockets++}`;
  page.on("Runtime.bindingCalled", ({ name, payload }) => {
    if (name === binding) {
      inbox.push(JSON.parse(payload));
    }
  });
  await page.call("Runtime.addBinding", { name: binding });
  await page.run(`(() => {
    const say = (o) => ${binding}(JSON.stringify(o));
    const ws = new WebSocket(${JSON.stringify(url)},
                             ${JSON.stringify(subprotocol)});
    ws.binaryType = "arraybuffer";
    ws.onopen = () => say({ open: ws.protocol });
    ws.onmessage = (m) => say({ data: btoa(String.fromCharCode(
      ...new Uint8Array(m.data))) });
    ws.onclose = (c) => say({ close: c.code, clean: c.wasClean });
    globalThis.theSocket = ws;
  })()`);
  return {
    next: (what) => until(what, () => inbox.shift()),
    take: () => inbox.shift(),
    send: (bytes) => page.run(`theSocket.send(Uint8Array.from(atob(${
      JSON.stringify(Buffer.from(bytes).toString("base64"))}),
      (c) => c.charCodeAt(0)))`),
    close: () => page.run("theSocket.close(1000)"),
  };
}

// --------------------------------------------------------------------- tests
const tests = {
  async the_page_behind_a_link({ browser, node }) {
    const { link } = JSON.parse(node.cli("link", "create", "--json"));
    check(link.startsWith("https://localhost/l#"), link);
    const url = new URL(link.replace("https://localhost",
                                     `http://localhost:${node.web}`));
    const page = await browser.page();
    const seen = [];
    page.on("Network.requestWillBeSent", (r) => seen.push(r.request));
    await page.open(url.href);
    check(await page.run("document.querySelectorAll('summary').length") === 2,
          "not two choices");
    check(await page.run(
      "![...document.querySelectorAll('details')].some((d) => d.open)"),
    "one choice is made already");
    const sizes = await page.run(`[...document.querySelectorAll("summary")]
      .map((s) => { const r = s.getBoundingClientRect();
        return [Math.round(r.width), Math.round(r.height),
                getComputedStyle(s).fontSize].join(); })`);
    check(sizes[0] === sizes[1], `not equal: ${sizes}`);
    const shown = await page.run(`({
      command: document.getElementById("clinic-link").value,
      link: document.getElementById("patient-link").value,
      app: document.getElementById("app").href,
      broken: document.getElementById("broken").hidden })`);
    check(shown.link === url.href && shown.broken, "the link is not shown");
    check(shown.command === `balsam connect '${url.href}'`, shown.command);
    check(shown.app === `balsam:l${url.hash}`, shown.app);
    const paths = seen.map((r) => new URL(r.url)).map((u) =>
      (u.protocol === "data:" ? "data:" : u.host + u.pathname + u.search));
    check(paths.every((p) => p === "data:" ||
      ["/l", "/l.css", "/l.js"].some((q) => p === url.host + q)),
    `asked for ${paths}`);
    check(seen.every((r) => !JSON.stringify(r.headers)
      .includes(url.hash.slice(1, 20))), "the secret part went out");
    const kept = await page.run(`(async () => [localStorage.length,
      sessionStorage.length, document.cookie.length,
      (await indexedDB.databases()).length, (await caches.keys()).length])()`);
    check(kept.every((n) => n === 0), `it stores something: ${kept}`);
    check(!node.log().includes(url.hash.slice(1, 20)), "it is in the log");
  },

  async in_the_browsers_language({ browser, node }) {
    const page = await browser.page();
    const want = { "de-AT,de;q=0.9,en;q=0.5": ["de", "Ich arbeite in einer Praxis"],
                   "fr": ["fr", "Je travaille dans un cabinet"],
                   "it, es;q=0.5": ["es", "Trabajo en una clínica"],
                   "ja": ["en", "I work at a clinic"] };
    await page.call("Network.enable");
    for (const [says, [lang, words]] of Object.entries(want)) {
      await page.call("Network.setExtraHTTPHeaders",
                      { headers: { "Accept-Language": says } });
      await page.open("about:blank"); // the same page again is no page load
      await page.open(`http://localhost:${node.web}/l#${"A".repeat(100)}`);
      const seen = await page.run(`({ lang: document.documentElement.lang,
        words: document.querySelectorAll("summary")[1].textContent,
        wide: document.documentElement.scrollWidth > innerWidth,
        braces: document.documentElement.outerHTML.includes("{") })`);
      check(seen.lang === lang && seen.words === words,
            `${says}: ${JSON.stringify(seen)}`);
      check(!seen.wide && !seen.braces, `${says}: ${JSON.stringify(seen)}`);
    }
  },

  async the_clinics_picture({ browser, node }) {
    const { link } = JSON.parse(node.cli("link", "create", "--json"));
    const own = link.replace("https://localhost",
                             `http://localhost:${node.web}`);
    const page = await browser.page();
    await page.open(own);
    check(await page.run("document.getElementById('picture') === null"),
          "a picture although there is none");
    const data = await page.run(`(() => {
      const c = Object.assign(document.createElement("canvas"),
                              { width: 240, height: 160 });
      const x = c.getContext("2d");
      x.fillStyle = "#0b5c4b";
      x.fillRect(0, 0, 240, 160);
      x.fillStyle = "#fff";
      x.fillRect(100, 30, 40, 100);
      x.fillRect(70, 60, 100, 40);
      return c.toDataURL("image/png"); })()`);
    const file = join(node.dir, "picture.png");
    await writeFile(file, Buffer.from(data.split(",")[1], "base64"));
    node.cli("profile", "set", "--picture", file);
    await page.open("about:blank");
    await page.open(own);
    const look = `(async () => {
      const i = document.getElementById("picture");
      await i.decode();
      const r = i.getBoundingClientRect();
      return { hidden: i.hidden, real: i.naturalWidth, shown: r.width,
               alt: i.alt, high: r.height }; })()`;
    const seen = await page.run(look);
    check(!seen.hidden && seen.real === 240 && Math.abs(seen.shown - 160) < 1 &&
          Math.abs(seen.high - 107) < 2 && seen.alt !== "",
          JSON.stringify(seen));
    if (process.env.BALSAM_SITE_PICTURES) {
      const shot = await page.call("Page.captureScreenshot");
      await writeFile(join(process.env.BALSAM_SITE_PICTURES, "picture.png"),
                      Buffer.from(shot.data, "base64"));
    }
    // above another clinic's link it would lie about whose that is
    await page.open("about:blank");
    await page.open(`http://localhost:${node.web}/l#${"A".repeat(100)}`);
    check((await page.run(look)).hidden, "shown above another's link");
    node.cli("profile", "set", "--no-picture");
    await page.open("about:blank");
    await page.open(own);
    check(await page.run("document.getElementById('picture') === null"),
          "it stays");
  },

  async with_the_keyboard_and_a_screen_reader({ browser, node }) {
    const page = await browser.page();
    await page.open(`http://localhost:${node.web}/l#${"A".repeat(100)}`);
    await page.call("Accessibility.enable");
    const tree = async () => (await page.call("Accessibility.getFullAXTree"))
      .nodes.filter((n) => !n.ignored)
      .map((n) => `${n.role?.value}: ${n.name?.value ?? ""}`);
    let names = await tree();
    for (const want of [/^main: /, /^heading: A clinic gave you this link/,
                        /^DisclosureTriangle\w*: I am a patient/,
                        /^DisclosureTriangle\w*: I work at a clinic/]) {
      check(names.some((n) => want.test(n)), `no ${want} in\n${
        names.join("\n")}`);
    }
    await page.key("Tab");
    await page.key("Tab");
    check(await page.run("document.activeElement.textContent") ===
          "I work at a clinic", "tab does not lead to the second choice");
    await page.key("Enter");
    check(await page.run("document.querySelectorAll('details')[1].open"),
          "enter does not open it");
    names = await tree();
    check(names.some((n) => n.startsWith(
      "textbox: For the person who runs your node")), "the field has no name");
    check(names.some((n) => n.startsWith("button: Copy the command")),
          "no button to copy");
    check(await page.run(
      "document.documentElement.scrollWidth <= innerWidth"), "it overflows");
    await page.call("Emulation.setDeviceMetricsOverride",
                    { width: 320, height: 600, deviceScaleFactor: 1,
                      mobile: true });
    check(await page.run(
      "document.documentElement.scrollWidth <= 320"), "too wide for a phone");
  },

  async light_and_dark({ browser, node }) {
    const page = await browser.page();
    await page.open(`http://localhost:${node.web}/l`);
    check(!await page.run("document.getElementById('broken').hidden"),
          "a link without its secret part looks whole");
    for (const value of ["light", "dark"]) {
      await page.call("Emulation.setEmulatedMedia", { features: [
        { name: "prefers-color-scheme", value }] });
      const ratios = await page.run(`(() => {
        const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g)
          .slice(0, 3).map((n) => n / 255)
          .map((n) => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = (e) => { for (; e; e = e.parentElement) {
          const c = getComputedStyle(e).backgroundColor;
          if (!/, 0\\)$/.test(c)) return c; } return "rgb(255, 255, 255)"; };
        return [...document.querySelectorAll(
          "h1, p, summary, label, input, button, .button")].map((e) => {
            const [a, b] = [getComputedStyle(e).color, back(e)].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
      })()`);
      check(ratios.length > 8 && Math.min(...ratios) >= 4.5,
            `${value}: contrast ${Math.min(...ratios)}`);
    }
  },

  async pages_that_are_not_there({ browser, node }) {
    const page = await browser.page();
    let status = 0;
    page.on("Network.responseReceived", (r) => {
      status = r.type === "Document" ? r.response.status : status;
    });
    await page.open(`http://localhost:${node.web}/elsewhere`);
    check(status === 404, `status ${status}`);
    check((await page.run("document.body.textContent")).includes("no page"),
          "no sentence");
  },

  async a_device_in_a_browser(world) {
    const { browser, node } = world;
    const host = `localhost:${node.web}`;
    const page = await browser.page();
    await page.call("Page.setBypassCSP", { enabled: true });
    await page.open(`http://${host}/l`);
    const ws = await socketIn(page, `ws://${host}/device`,
                              ["other", protocol]);
    check((await ws.next("open")).open === protocol, "another protocol");
    const chan = await strangersChannel(world, node.root);
    await shakeHands(ws, chan);
    // the node greets: [1, 1, ...]
    const greeting = await ws.next("the greeting");
    check(greeting.data, `closed: ${JSON.stringify(greeting)}`);
    const hello = chan.open(bytesOf(greeting));
    check(hello[0] === 0xdc || hello[0] >> 4 === 9, "no array");
    check(hello[hello[0] === 0xdc ? 3 : 1] === 1, "not HELLO");
    const status = JSON.parse(node.cli("status", "--json"));
    check(status.network.devices === 1 && status.network.web_devices === 1,
          `status: ${JSON.stringify(status.network)}`);
    await ws.send(chan.seal(Uint8Array.of(0xc0))); // no such message
    const end = await until("the close", async () => {
      const m = await ws.next("the close");
      return m.close ? m : undefined;
    });
    check(end.clean, `not a clean close: ${JSON.stringify(end)}`);
    await until("the device to be gone", () => JSON.parse(
      node.cli("status", "--json")).network.devices === 0);
  },

  async a_patient_joins_in_a_browser(world) {
    const { browser, node } = world;
    const page = await browser.page();
    await page.call("Page.setBypassCSP", { enabled: true });
    await page.open(`http://localhost:${node.web}/l`);
    const storage = new MemoryStorage();
    const ann = await appIn(world, page, storage);
    ann.app.newPatient();
    ann.app.join(JSON.parse(node.cli("link", "create", "--json")).link,
                 "Ann Browser");
    await ann.connect();
    await ann.until("a conversation", () => ann.app.threads().length === 1);
    const [thread] = ann.app.threads();
    check(ann.app.doubts(thread.id).length === 0, "nothing is in doubt");
    check(ann.app.settle(thread.id) === 0, "nothing to see to");
    const standing = ann.app.care.standing(thread.id);
    check(standing.away === false && standing.cut === undefined &&
          standing.way === "none", "it goes on");
    check(JSON.parse(node.cli("thread", "show", standing.spoken, "--json"))
      .spoken === standing.spoken, "the desk knows it by the same name");
    check(ann.app.care.lines(thread.id).length === 0, "it is of two");
    const inbox = await until("it at the desk", () => JSON.parse(
      node.cli("inbox", "--json")).conversations[0]);
    ann.app.send(thread.id, "Good morning, from a browser.");
    const desk = () => JSON.parse(node.cli(
      "thread", "show", `${inbox.number}`, "--json"))
      .messages.map((m) => m.text);
    await ann.until("the desk to have it", () =>
      desk().includes("Good morning, from a browser."));
    node.cli("send", `${inbox.number}`, "Good morning, Ann.");
    const texts = () => ann.app.messages(thread.id).map((m) => m.text);
    await ann.until("the answer", () => texts().includes("Good morning, Ann."));
    // gone, and back on a new connection: what came meanwhile is there, once
    await ann.close();
    await until("the device to be gone", () => JSON.parse(
      node.cli("status", "--json")).network.devices === 0);
    node.cli("send", `${inbox.number}`, "Are you still there?");
    const again = await appIn(world, page, storage);
    await again.connect();
    await again.until("what came meanwhile", () => again.app.messages(thread.id)
      .filter((m) => m.text === "Are you still there?").length === 1);
    await again.until("everything settled", () => again.app.sync().settled);
    check(again.app.messages(thread.id).length === 3, "not three messages");
    await again.close();
  },

  async another_clinic_in_between(world) {
    const { browser, node } = world;
    const host = `localhost:${node.web}`;
    const page = await browser.page();
    await page.call("Page.setBypassCSP", { enabled: true });
    await page.open(`http://${host}/l`);
    const ws = await socketIn(page, `ws://${host}/device`, [protocol]);
    await ws.next("open");
    const chan = await strangersChannel(world, "11".repeat(32));
    await ws.send(chan.hello);
    const m = await ws.next("the node's answer");
    let why;
    try {
      chan.step(bytesOf(m));
    } catch (e) {
      why = e;
    }
    check(why instanceof CoreError && why.code === "auth",
          `the app took another clinic's node: ${why}`);
    await ws.close();
    const end = await ws.next("the close");
    check(end.close === 1000 && end.clean, JSON.stringify(end));
  },

  async another_site_may_not({ browser, node }) {
    const page = await browser.page();
    const other = `127.0.0.1:${node.web}`; // another origin, not our name
    await page.call("Page.setBypassCSP", { enabled: true });
    await page.open(`http://${other}/l`);
    const ws = await socketIn(page, `ws://localhost:${node.web}/device`,
                              [protocol]);
    const m = await ws.next("the refusal");
    check(m.close === 1006, JSON.stringify(m));
  },
};

const world = {
  wasm: await readFile(join(top, "build/wasm/app.wasm")),
};
const sum = { passed: 0, failed: 0 };
try {
  world.node = await startNode();
  world.browser = await openBrowser();
  for (const [name, run] of Object.entries(tests)) {
    try {
      await run(world);
      sum.passed++;
    } catch (e) {
      sum.failed++;
      console.log(`FAIL ${name}: ${e.message}`);
    }
  }
  if (process.env.BALSAM_SITE_PICTURES) {
    const page = await world.browser.page();
    await page.call("Emulation.setDeviceMetricsOverride", {
      width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
    await page.open(`http://localhost:${world.node.web}/l#${"Ab9".repeat(40)}`);
    for (const n of [0, 1]) {
      await page.run(`document.querySelectorAll("details")[${n}].open = true`);
      const { data } = await page.call("Page.captureScreenshot");
      await writeFile(join(process.env.BALSAM_SITE_PICTURES, `open${n}.png`),
                      Buffer.from(data, "base64"));
    }
  }
} catch (e) {
  sum.failed++;
  console.log(`FAIL ${e.stack}`);
} finally {
  await world.browser?.close();
  const code = await world.node?.stop();
  if (world.node && code !== 0) {
    sum.failed++;
    console.log(`FAIL the node ended with ${code}:\n${world.node.log()}`);
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exit(sum.failed === 0 ? 0 : 1);
