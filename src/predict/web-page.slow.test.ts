/** The page for browsers, in Chromium: its answers beside those of `predict`. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainGenerations } from "../generations/index.js";
import { type LoadedModel, loadModel, writeWebPage } from "./index.js";
import { serve } from "./testing/serve.js";

/** Debian's browser, or one that the environment names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const root = mkdtempSync(join(tmpdir(), "lyceum-web-"));
const folder = join(root, "web");
let browser: Browser;
let models: LoadedModel[];

describe.skipIf(!existsSync(executablePath))("the page (needs Chromium)", () => {
  beforeAll(async () => {
    const data = { name: "synthetic", classes: 6, size: 16, trainCount: 128, testCount: 16 };
    const recipe = { data, model: "resnet8", epochs: 2, batchSize: 32, generations: 2, patriarch: { k: 2 } };
    const run = join(root, "run");
    await trainGenerations(recipe, { directory: run });
    models = [await loadModel(run, { generation: 0 }), await loadModel(run)];
    await writeWebPage(models, folder, { title: "<b>mine</b>" });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    for (const model of models ?? []) model.dispose();
    rmSync(root, { recursive: true });
  });

  const requests: string[] = [];
  async function open(address: string): Promise<Page> {
    const page = await browser.newPage();
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(address);
    await page.waitForSelector("#file:not([disabled])");
    return page;
  }

  /** Gives the page an image; returns the classes and scores of each network, as the page shows them. */
  async function ask(page: Page, file: string): Promise<{ name: string; value: number }[][]> {
    await page.evaluate(
      "document.getElementById('answers').querySelectorAll('ol').forEach((list) => list.remove())",
    );
    await page.setInputFiles("#file", file);
    await page.waitForSelector("section:last-child ol");
    const texts = await page.locator("section ol").allInnerTexts();
    return texts.map((text) => {
      const lines = text.split("\n").filter((line) => line.trim() !== "");
      return lines.flatMap((name, i) =>
        i % 2 === 0 ? [{ name, value: Number.parseFloat(lines[i + 1]!) }] : [],
      );
    });
  }

  async function expectAnswers(page: Page, file: string, percent: number) {
    const shown = await ask(page, file);
    expect(shown).toHaveLength(2);
    for (const [i, model] of models.entries()) {
      const { scores } = await model.predict(file);
      const byName = new Map(scores.map(({ class: name, score }) => [name, 100 * score]));
      expect(shown[i]).toHaveLength(5);
      for (const { name, value } of shown[i]!)
        expect(Math.abs(value - byName.get(name)!)).toBeLessThan(percent);
    }
  }

  it("answers as predict does, and asks no other host", async () => {
    await using server = await serve(folder);
    const page = await open(server.address);
    expect(await page.locator("h1").innerText()).toBe("<b>mine</b>");
    const noise = (size: number) =>
      Uint8Array.from({ length: 3 * size * size }, (_, i) => (i * i * 7919) % 251);
    const own = join(root, "own.png");
    writeFileSync(
      own,
      await sharp(noise(16), { raw: { width: 16, height: 16, channels: 3 } })
        .png()
        .toBuffer(),
    );
    // An image of the networks' own size is not resized: what is left is the rounding of the page's numbers.
    await expectAnswers(page, own, 0.06);
    const photo = join(root, "photo.png");
    const smooth = sharp(noise(8), { raw: { width: 8, height: 8, channels: 3 } }).resize(120, 90, {
      fit: "fill",
    });
    writeFileSync(photo, await smooth.png().toBuffer());
    await expectAnswers(page, photo, 2);
    const others = requests.filter((url) => !url.startsWith(server.address) && !/^(blob|data):/.test(url));
    expect(others).toEqual([]);
    await page.close();
  });

  it("says so where a file is no image", async () => {
    await using server = await serve(folder);
    const page = await open(server.address);
    writeFileSync(join(root, "no.jpg"), "no image");
    await page.setInputFiles("#file", join(root, "no.jpg"));
    await page.getByText(/is no image/).waitFor();
    await page.close();
  });

  it("is written whole, and not over what is there", async () => {
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    expect(bytes).toBeLessThan(20e6);
    await expect(writeWebPage(models, folder, { title: "again" })).rejects.toThrow(/web/);
    expect(readdirSync(root).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
