/** The live page as commands begin and end it, by the built program. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { start } from "../torch/testing/child.js";

const program = resolve("dist/cli/main.js");
const root = mkdtempSync(join(tmpdir(), "lyceum-watch-command-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Waits for an address that a process tells. */
function addressFrom({ child }: ReturnType<typeof start>): Promise<string> {
  let told = "";
  return new Promise((done) => {
    child.stdout!.on("data", (text) => {
      told += text;
      const [url] = /http:\/\/\S+/.exec(told) ?? [];
      if (url) done(url);
    });
  });
}

const isServed = (url: string) =>
  fetch(url).then(
    ({ status }) => status === 200,
    () => false,
  );

describe.skipIf(!existsSync(program))("the command (needs dist)", () => {
  it("serves the folder until Ctrl-C, which is its end and no failure", async () => {
    mkdirSync(join(root, "runs"));
    const watching = start(program, ["watch", "--port", "0"], { cwd: root });
    const url = await addressFrom(watching);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await isServed(url)).toBe(true);
    watching.child.kill("SIGINT");
    expect(await watching.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await isServed(url)).toBe(false);
  });

  it("train --watch shows the training as long as it lasts", async () => {
    const recipe =
      "data: { name: synthetic, trainCount: 600, size: 8 }\nmodel: resnet8\ngenerations: 1\nepochs: 2\n";
    writeFileSync(join(root, "mine.yaml"), recipe);
    const training = start(program, ["train", "mine.yaml", "--watch"], { cwd: root });
    const url = await addressFrom(training);
    expect(await isServed(url)).toBe(true);
    const { code, stdout } = await training.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining(`live: ${url}`)]);
    // It ends with its training, at once.
    await expect.poll(() => isServed(url), { timeout: 5000 }).toBe(false);
  });
});
