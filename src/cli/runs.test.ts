import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeRun } from "../report/fixtures/make-run.js";
import { run } from "./program.js";

const here = process.cwd();
let home: string;
let out: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "lyceum-cli-runs-"));
  process.chdir(home);
  out = "";
  vi.spyOn(console, "log").mockImplementation((text) => {
    out += `${text}\n`;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(here);
  rmSync(home, { recursive: true });
});

it("lists the runs of runs/ with their state and result, damaged ones in their line", async () => {
  await makeRun("runs/one", { generations: 3 });
  await makeRun("runs/two", { generations: 3, finished: 1 });
  mkdirSync("runs/odd\u001b[31m");
  writeFileSync("runs/odd\u001b[31m/recipe.yaml", "data: [");
  expect(await run(["runs"])).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines[0]!.split(/ {2,}/)).toEqual([
    "run",
    "state",
    "generations",
    "epochs",
    "top-1",
    "ensemble",
    "data",
    "model",
    "begun",
  ]);
  expect(lines[1]).toMatch(/^odd\ufffd\[31m {2,}damaged: recipe.yaml/);
  expect(lines[2]).toMatch(
    /^one {2,}finished {2,}3\/3 {2,}\d\d\.\d\d % {2,}\d\d\.\d\d % {2,}synthetic {2,}resnet20 {2,}\d{4}-\d\d-\d\d \d\d:\d\d$/,
  );
  expect(lines[3]).toMatch(/^two {2,}unfinished {2,}1\/3 {2,}\d\d\.\d\d % {2,}synthetic {2,}resnet20/);
  expect(lines).toHaveLength(4);
});

it("prints JSON, and says so where there is none", async () => {
  await makeRun("elsewhere/one", { generations: 2, finished: 2 });
  expect(await run(["runs", "elsewhere", "--json"])).toBe(0);
  expect(JSON.parse(out)).toMatchObject([
    { name: "one", directory: "elsewhere/one", state: "finished", generations: { finished: 2, of: 2 } },
  ]);
  out = "";
  mkdirSync("empty");
  expect(await run(["runs", "empty"])).toBe(0);
  expect(out).toBe("empty holds no runs\n");
});
