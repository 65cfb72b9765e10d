/** Tests `train --auto-resume`, the one command that begins a run, goes on with it, or finds it finished. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
beforeEach(() => {
  writeFileSync(
    "small.yaml",
    "data: { name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 64, testCount: 40 }\n" +
      "model: resnet8\npatriarch: { k: 3 }\ngenerations: 2\nepochs: 2\nbatchSize: 16\n",
  );
});

const command = ["train", "small.yaml", "--name", "mine", "--auto-resume"];

test("begins, goes on after a stop, and does nothing more once it is finished", async () => {
  const progress = vi.mocked(process.stdout.write);
  const write = progress.getMockImplementation()!;
  progress.mockImplementation((text) => {
    if (String(text).includes("epoch 1/2")) setImmediate(() => process.emit("SIGINT"));
    return write(text);
  });
  expect(await run(command)).toBe(130);
  progress.mockImplementation(write);

  expect(await run(command)).toBe(0);
  const log = readFileSync("runs/mine/metrics.jsonl", "utf8");
  expect(log.trim().split("\n")).toHaveLength(4);
  const summary = readFileSync("runs/mine/summary.json", "utf8");

  terminal.out = "";
  expect(await run(command)).toBe(0);
  expect(terminal.out).toMatch(/^student 1 +\d+\.\d\d %/m);
  expect(readFileSync("runs/mine/metrics.jsonl", "utf8")).toBe(log);
  expect(readFileSync("runs/mine/summary.json", "utf8")).toBe(summary);
});

test("begins anew where a process was killed before it had written the recipe", async () => {
  mkdirSync("runs/mine", { recursive: true });
  writeFileSync("runs/mine/.recipe.yaml.4242.0badcafe.tmp", "da");
  expect(await run(command)).toBe(0);
});

test("refuses to go on with another recipe's run, and names what differs", async () => {
  expect(await run(command)).toBe(0);
  expect(await run([...command, "--seed", "7"])).toBe(1);
  expect(terminal.err).toContain(
    "was begun with another recipe, which differs in seed: give that recipe, or another name",
  );
});

test("needs a name, by which the run is found again", async () => {
  expect(await run(["train", "small.yaml", "--auto-resume"])).toBe(2);
  expect(terminal.err).toContain("--auto-resume needs --name");
  expect(await run(["train", "--resume", "mine", "--auto-resume"])).toBe(2);
});

test("leaves the folder of another recipe's run alone, though no epoch of it is done", async () => {
  const progress = vi.mocked(process.stdout.write);
  const write = progress.getMockImplementation()!;
  progress.mockImplementation((text) => {
    if (String(text).includes("epochs, ")) process.emit("SIGINT");
    return write(text);
  });
  expect(await run(command)).toBe(130);
  progress.mockImplementation(write);
  rmSync("runs/mine/generation-0", { recursive: true, force: true });
  const recipe = readFileSync("runs/mine/recipe.yaml", "utf8");
  expect(await run([...command, "--seed", "7"])).toBe(1);
  expect(readFileSync("runs/mine/recipe.yaml", "utf8")).toBe(recipe);
});

test("a run of an earlier format is refused for that, not for its recipe", async () => {
  expect(await run(command)).toBe(0);
  const environment = JSON.parse(readFileSync("runs/mine/environment.json", "utf8"));
  writeFileSync("runs/mine/environment.json", JSON.stringify({ ...environment, format: 1 }));
  expect(await run([...command, "--seed", "7"])).toBe(1);
  expect(terminal.err).toContain("environment.json: is in format 1, written by Lyceum");
});
