// Uses the console as a person would, in headless Chromium: node console.mjs '{"link", "rtfs", "folder", "shots", "modules", "chromium"}'
import { createRequire } from "node:module";
import { spawn } from "node:child_process";
import { readFileSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";

const given = JSON.parse(process.argv[2]);
const load = createRequire(join(given.modules, "node_modules", "x.js"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath: given.chromium, args: [...flags, "--disable-component-update", "--disable-sync"] });
const findings = [];
const complaints = [];

function check(fits, what) {
  if (!fits) throw new Error(what);
  console.log(`ok   ${what}`);
}

function started(plan) {
  return new Promise((done) => {
    const child = spawn(given.python, ["-m", "rtfs", "run", "--durable", "--config", "rtfs.yaml", plan], { cwd: given.folder });
    let said = "";
    child.stderr.on("data", (part) => (said += part));
    child.on("close", () => done(/run ([0-9a-f]+)/.exec(said)[1]));
  });
}

async function looked(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: width === 400 ? 860 : 900 });
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const one of found.violations) findings.push(`${name} ${scheme} ${width}: ${one.impact} ${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      if (wide) findings.push(`${name} ${width}: serious it scrolls sideways`);
      if (given.shots) await page.screenshot({ path: join(given.shots, `${name}-${scheme}-${width}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

const context = await browser.newContext();
const page = await context.newPage();
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
try {
  await page.goto(given.link);
  await page.waitForSelector("h1:has-text('Runs')");
  check(!page.url().includes("#"), "the link lets the browser in, and does not stay in the address");
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(given.link);
  await stranger.waitForSelector("#trouble:not([hidden])");
  check(true, "the link works once");
  await page.waitForFunction(() => document.getElementById("status").textContent === "live");

  const first = await started("plan.rtfs");
  await page.waitForSelector(`a[href$="/run/${first}"]`);
  await page.waitForSelector(`tr:has(a[href$="/run/${first}"]) .badge.waiting`);
  check(true, "a run appears while the page is open, and is shown to wait");
  await looked(page, "runs");

  await page.click("nav a:has-text('Inbox')");
  const call = await page.textContent(".question pre");
  check(call.includes('"shop.cancel"') && call.includes(":id 7"), "the inbox shows the whole call");
  await looked(page, "inbox");
  await page.click("button:has-text('Allow for the rest of the run')");
  await page.waitForSelector("h1 .badge.done");
  check((await page.textContent(".facts")).includes("cancelled 8"), "an approval for the rest of the run lets it go on, and the page shows its value");
  check(!(await page.content()).includes("hunter2hunter2"), "what is named like a secret is not shown");
  await looked(page, "run");

  const second = await started("plan.rtfs");
  await page.goto(new URL(`/console/run/${second}`, page.url()).href);
  await page.waitForSelector(".question");
  await page.fill("textarea", "it is too late");
  for (let n = 0; n < 3; n += 1) await page.keyboard.press("Tab");
  check((await page.evaluate(() => document.activeElement.textContent)) === "Refuse", "the buttons can be reached by keyboard");
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1 .badge.done");
  check((await page.textContent(".facts")).includes("refused: it is too late"), "a refusal reaches the plan with its reason");

  await page.goto(new URL("/console/ledger?capability=shop.*", page.url()).href);
  check((await page.locator("tbody tr").count()) > 4, "the ledger can be looked through");
  await looked(page, "ledger");
  await page.goto(new URL("/console/catalogue?query=cancel", page.url()).href);
  check((await page.textContent("main")).includes("Cancel an order"), "the catalogue finds a capability");
  await looked(page, "catalogue");
  await page.goto(new URL("/console/run/nothing", page.url()).href);
  await looked(page, "trouble");
  await page.click("button:has-text('Leave')");
  await page.waitForSelector("h1:has-text('Sign in')");
  await looked(page, "enter");
  check(true, "who leaves is asked to sign in");
} finally {
  await browser.close();
}
for (const one of findings) console.log(`axe  ${one}`);
const serious = findings.filter((one) => / (serious|critical) /.test(one));
const errors = complaints.filter((one) => !/40[134]/.test(one));
for (const one of errors) console.log(`page ${one}`);
console.log(`${findings.length} findings, ${serious.length} of them serious; ${errors.length} errors in the page`);
process.exit(serious.length || errors.length ? 1 : 0);
