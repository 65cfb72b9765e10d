import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
beforeEach(() => {
  writeFileSync(
    "small.yaml",
    `data: { name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 64, testCount: 40 }
model: resnet8
patriarch: { k: 3, primaryScore: 0.8 }
generations: 2
epochs: 2
batchSize: 16
`,
  );
});

test("trains, reports, evaluates again to the same numbers, and says where stored ones differ", async () => {
  expect(await run(["train", "small.yaml", "--seed", "3"])).toBe(0);
  expect(terminal.out).toMatch(/generation 2\/2 student {2}epoch 2\/2 {2}loss /);
  expect(terminal.out).toMatch(/^patriarch +\d+\.\d\d %/m);
  expect(terminal.out).toMatch(/^ensemble 0–1 +\d+\.\d\d %/m);
  expect(terminal.out).toMatch(
    /report: runs\/small\/report\.html\n(warning: . of 2 networks are hardly better than guessing.*\n)?$/,
  );
  expect(existsSync("runs/small/report.html")).toBe(true);
  expect(readFileSync("runs/small/recipe.yaml", "utf8")).toContain("seed: 3");

  terminal.out = "";
  expect(await run(["evaluate", "small"])).toBe(0);
  expect(terminal.out).toMatch(/the same as the training stored\n$/);

  terminal.out = "";
  expect(await run(["evaluate", "small", "--ensemble", "0-1", "--json"])).toBe(0);
  const summary = JSON.parse(readFileSync("runs/small/summary.json", "utf8"));
  const evaluated = JSON.parse(terminal.out);
  expect(evaluated).toMatchObject({ k: 5, differences: [], logits: { difference: 0 } });
  expect(evaluated.ensembles["0-1"].test.top1).toBe(summary.ensembles["0-1"].test.top1);

  terminal.out = "";
  expect(await run(["evaluate", "small", "--ensemble", "1-1"])).toBe(0);
  expect(terminal.out).toMatch(/the same as the training stored, which stored no such ensemble\n$/);

  summary.generations[1].test.top1 = 0.999;
  summary.generations[1].test.scoreByRank[1] = 0.75;
  writeFileSync("runs/small/summary.json", JSON.stringify(summary));
  terminal.out = "";
  expect(await run(["evaluate", "small", "--generation", "1"])).toBe(3);
  expect(terminal.out).toMatch(/generation 1: top1 is \d+\.\d\d %, stored was 99\.90 %/);
  expect(terminal.out).toMatch(/generation 1: scoreByRank\[1\] is 0\.\d+, stored was 0\.75/);
  expect(terminal.err).toContain("runs/small: not what the training stored");
  terminal.out = "";
  expect(await run(["evaluate", "small", "--json"])).toBe(3);
  expect(JSON.parse(terminal.out).differences).toContainEqual(
    expect.objectContaining({ of: "generation 1", what: "top1", stored: 0.999, now: expect.any(Number) }),
  );
  expect(await run(["evaluate", "small", "--generation", "2"])).toBe(2);
  expect(terminal.err).toContain("--generation 2: must be from 0 to 1");
});

test("the result as JSON alone on stdout; the next run gets a name of its own", async () => {
  for (const name of ["small", "small-2"]) {
    terminal.out = "";
    expect(await run(["train", "small.yaml", "--set", "epochs=1", "--json"])).toBe(0);
    const result = JSON.parse(terminal.out);
    expect(result).toMatchObject({ state: "finished", recipe: { epochs: 1 } });
    expect(result.generations).toHaveLength(2);
    expect(result.report).toBe(join(process.cwd(), "runs", name, "report.html"));
  }
  expect(terminal.err).toContain("small → runs/small-2");
});

test("Ctrl-C saves and says how to go on; --resume goes on to the end", async () => {
  const progress = vi.mocked(process.stdout.write);
  const write = progress.getMockImplementation()!;
  progress.mockImplementation((text) => {
    if (String(text).includes("epoch 1/2")) setImmediate(() => process.emit("SIGINT"));
    return write(text);
  });
  expect(await run(["train", "small.yaml", "--name", "mine"])).toBe(130);
  expect(terminal.err).toContain("stopped; to go on: npx lyceum train --resume runs/mine\n");
  expect(existsSync("runs/mine/summary.json")).toBe(false);
  progress.mockImplementation(write);
  terminal.out = "";
  expect(await run(["train", "--resume", "mine"])).toBe(0);
  expect(terminal.out).toMatch(/report: runs\/mine\/report\.html/);
  const epochs = readFileSync("runs/mine/metrics.jsonl", "utf8").trim().split("\n");
  expect(epochs).toHaveLength(4);
});

test("a finished line goes on with more generations; what cannot change is refused by its key", async () => {
  expect(await run(["train", "small.yaml", "--epochs", "1", "--generations", "1", "--name", "mine"])).toBe(0);
  terminal.out = "";
  expect(await run(["train", "--resume", "mine", "--generations", "2", "--set", "title=a longer line"])).toBe(
    0,
  );
  expect(terminal.out).toContain(
    "from generation 1 on: title a longer line (before: small), generations 2 (before: 1)\n",
  );
  expect(terminal.out).toMatch(/^student 1 +\d+\.\d\d %/m);
  expect(readFileSync("runs/mine/report.html", "utf8")).toContain("<title>mine: a longer line");
  expect(await run(["train", "--resume", "mine", "--seed", "7"])).toBe(2);
  expect(terminal.err).toContain("lyceum: seed: cannot change while a run goes on");
  expect(await run(["train", "--resume", "mine", "--generations", "x"])).toBe(2);
  expect(await run(["train", "small.yaml", "--resume", "mine"])).toBe(2);
  expect(terminal.err).toContain("--resume goes on with the run's own recipe, in its own folder: no recipe");
});

test("a training that cannot start leaves no folder behind", async () => {
  expect(await run(["train", "small.yaml", "--set", "data={name: mnist, root: /nowhere}"])).toBe(1);
  expect(terminal.err).toMatch(/^lyceum: mnist: the data set is in none of these places/);
  expect(readdirSync("runs")).toEqual([]);
});
