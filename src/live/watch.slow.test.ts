/** A real training, watched in Chromium from its first step to its last generation. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readProgress } from "../runs/index.js";
import type { Watcher } from "./index.js";
import { watch } from "./server.js";

/** Debian's browser, or one that the environment names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const program = resolve("dist/cli/main.js");
const root = mkdtempSync(join(tmpdir(), "lyceum-live-"));
const runs = join(root, "runs");

let browser: Browser;
let watcher: Watcher;
let training: ChildProcess | undefined;

const recipe = `
title: Watched
data: { name: synthetic, trainCount: 8000, testCount: 200, size: 16, heldOut: 0.1 }
model: resnet8
patriarch: { k: 3, primaryScore: 0.8 }
generations: 3
epochs: 3
batchSize: 32
threads: 1
`;

/** Begins the training of a small line. @returns a promise of its exit code */
function train(): Promise<number | null> {
  writeFileSync(join(root, "mine.yaml"), recipe);
  const args = [program, "train", join(root, "mine.yaml"), "--out", runs, "--name", "mine"];
  training = spawn(process.execPath, args, { stdio: "ignore", cwd: root });
  return new Promise((done) => training!.once("exit", done));
}

/**
 * Halts the training once it has told of a generation, so that what pages show of it does not depend on how fast the machine is. A
 * process that is halted is at work, as far as anybody can see.
 */
async function haltIn(generation: number): Promise<void> {
  const path = join(runs, "mine/progress.json");
  await expect
    .poll(async () => (await readProgress(path))?.generation, { timeout: 60_000, interval: 5 })
    .toBe(generation);
  training!.kill("SIGSTOP");
}

/** Opens a page, and notes what goes wrong in it, and what it asks of other hosts. */
async function open(address: string, options: Parameters<Browser["newPage"]>[0] = {}) {
  const page = await browser.newPage({ bypassCSP: true, ...options });
  const errors: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", (error) => void errors.push(String(error)));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== new URL(watcher.url).host) foreign.push(request.url());
  });
  await page.goto(new URL(address, watcher.url).href);
  return { page, errors, foreign };
}

/** Waits until a page shows a text. */
const sees = (page: Page, text: string | RegExp) =>
  page.waitForFunction(
    `new RegExp(${JSON.stringify(typeof text === "string" ? text : text.source)}).test(document.body.innerText)`,
    undefined,
    { timeout: 40_000 },
  );

async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe });
  const found = (await page.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LYCEUM_PICTURES;
  if (folder) await page.screenshot({ path: join(folder, `watch-${name}.png`), fullPage: true });
}

describe.skipIf(!existsSync(executablePath) || !existsSync(program))(
  "watching (needs Chromium and dist)",
  () => {
    beforeAll(async () => {
      watcher = await watch([runs], { port: 0 });
      browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    });
    afterAll(async () => {
      training?.kill("SIGKILL");
      await browser?.close();
      await watcher?.[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    });

    it("shows a training from its first step to its last generation, through a reload, in two tabs, and over a break", async () => {
      const { page, errors, foreign } = await open("/");
      await sees(page, "There is no run in");
      const ended = train();
      await haltIn(0);
      await sees(page, /1 run, 1 in training/);
      await sees(page, /patriarch \(of 3 generations\), epoch/);
      await picture(page, "runs");
      await page.click("text=mine");
      await sees(page, "This epoch");
      await picture(page, "run");
      training!.kill("SIGCONT");
      await sees(page, "Accuracy by epoch");
      await haltIn(1);

      const other = await open(new URL(page.url()).pathname, {
        viewport: { width: 390, height: 800 },
        colorScheme: "dark",
      });
      await sees(other.page, /student 1 of 2/);
      await sees(page, "Accuracy by generation");
      await page.reload();
      await sees(page, "Accuracy by generation");
      expect(await page.textContent("[data-connection]")).toBe("live");

      // The server is gone for a while, and the training does not notice.
      const port = Number(new URL(watcher.url).port);
      await watcher[Symbol.asyncDispose]();
      await sees(page, "connection lost");
      watcher = await watch([runs], { port });
      training!.kill("SIGCONT");
      await page.waitForFunction(
        "document.querySelector('[data-connection]').textContent === 'live'",
        undefined,
        { timeout: 20_000 },
      );
      expect(await ended).toBe(0);
      for (const each of [page, other.page]) {
        await sees(each, /3 of 3 generations/);
        await sees(each, "As it changes");
        expect(await violations(each)).toEqual([]);
      }
      await picture(page, "finished");
      await picture(other.page, "phone");
      expect(await other.page.evaluate("document.documentElement.scrollWidth")).toBe(390);
      expect([errors, other.errors, foreign, other.foreign]).toEqual([[], [], [], []]);
      expect(existsSync(join(runs, "mine/progress.json"))).toBe(false);
      await page.close();
      await other.page.close();
    }, 120_000);

    it("keeps what a person has typed, opened and chosen while rows change", async () => {
      const { page, errors } = await open("/");
      await page.fill("[data-filter]", "nothing like it");
      expect(await page.isVisible("text=resnet8")).toBe(false);
      await page.fill("[data-filter]", "synthetic RESNET8");
      await page.check("[data-choose]");
      await page.click("button:has-text('network')");
      expect(await page.getAttribute("th:has-text('network')", "aria-sort")).toBe("ascending");
      await page.focus("[data-filter]");
      // Another run appears.
      const { makeRun } = await import("../report/fixtures/make-run.js");
      await makeRun(join(runs, "second"), { model: "resnet20" });
      await sees(page, "2 runs");
      expect(await page.inputValue("[data-filter]")).toBe("synthetic RESNET8");
      expect(await page.isChecked("[data-choose][value$=mine]")).toBe(true);
      expect(await page.isVisible("tr[data-name$=second]")).toBe(false);
      expect(await page.evaluate("document.activeElement.matches('[data-filter]')")).toBe(true);
      await page.fill("[data-filter]", "");
      await page.check("[data-choose][value$=second]");
      await page.click("[data-compare]");
      await sees(page, "Laid over each other");
      expect(await violations(page)).toEqual([]);
      await picture(page, "compare");
      await page.goto(new URL(`/run/${encodeURIComponent(join(runs, "mine"))}/images`, watcher.url).href);
      await sees(page, "most confident mistakes");
      expect(await violations(page)).toEqual([]);
      await picture(page, "images");
      expect(errors).toEqual([]);
      await page.close();
    }, 60_000);
  },
);
