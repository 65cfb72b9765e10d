/** What axe finds on the pages of a run and of a study, in Chromium, on a desk and on a phone, light and dark. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRun } from "./fixtures/make-run.js";
import { writeReport } from "./index.js";

/** Debian's browser, or one that the environment names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const root = mkdtempSync(join(tmpdir(), "lyceum-axe-"));
let browser: Browser;
let run: string;

describe.skipIf(!existsSync(executablePath))("axe (needs Chromium)", () => {
  beforeAll(async () => {
    await makeRun(join(root, "mine"));
    run = await writeReport(join(root, "mine"));
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true });
  });

  it.each([
    ["a desk", { width: 1200, height: 900 }, "light"],
    ["a phone", { width: 390, height: 800 }, "light"],
    ["a phone at night", { width: 390, height: 800 }, "dark"],
  ] as const)("finds nothing on a run's page, on %s", async (_, viewport, colorScheme) => {
    // The page's own policy forbids scripts, axe's too.
    const page = await browser.newPage({ viewport, colorScheme, bypassCSP: true });
    await page.goto(pathToFileURL(run).href);
    await page.addScriptTag({ content: axe });
    const found = (await page.evaluate("axe.run()")) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    const told = found.violations.map(
      ({ id, nodes }) =>
        `${id} (${nodes.length}): ${nodes[0]!.html.slice(0, 200)} ${nodes[0]!.failureSummary}`,
    );
    expect(told).toEqual([]);
    if (process.env.LYCEUM_PICTURES) {
      const name = `${viewport.width}-${colorScheme}.png`;
      await page.screenshot({ path: join(process.env.LYCEUM_PICTURES, name), fullPage: true });
    }
    // Nothing but what scrolls by itself is wider than the screen.
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(viewport.width);
    await page.close();
  });
});
