/** Tests `lyceum study` where it has nothing to train; study.slow.test.ts lets it train. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toYaml } from "../recipe/index.js";
import { runStudy } from "../study/index.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();

/** Writes a small study into the working directory's studies/. */
function write(content: object = { ...tinyStudy, seeds: [0] }): void {
  mkdirSync("studies", { recursive: true });
  writeFileSync("studies/tiny.yaml", toYaml(content));
}

test("of a finished study it prints the table, and writes the same summary and page each time", async () => {
  write();
  await runStudy("studies/tiny.yaml", { directory: "results/tiny" });
  rmSync("results/tiny/.work", { recursive: true });
  expect(await run(["study", "tiny"])).toBe(0);
  expect(terminal.out).toMatch(/^tolerant +1 +\d+\.\d\d %/m);
  expect(terminal.out).toContain("5 of 5 networks are trained");
  const files = ["summary.json", "report.html", "report.md", "data/networks.csv", "figures/accuracy.svg"];
  const read = () => files.map((file) => readFileSync(`results/tiny/${file}`, "utf8"));
  const first = read();
  const summary = JSON.parse(first[0]!);
  expect(summary.arms.strict).toMatchObject({ seeds: [0], top1: [[expect.any(Number), expect.any(Number)]] });
  expect(summary.paired[0]).toMatchObject({ a: "tolerant", b: "strict", generation: 0, seeds: [0] });
  expect(await run(["study", "results/tiny"])).toBe(0);
  expect(read().slice(0, 1)).toEqual(first.slice(0, 1));
  expect(read().slice(3)).toEqual(first.slice(3));
});

test("--plan writes nothing and says what would be trained", async () => {
  write();
  expect(await run(["study", "tiny", "--plan"])).toBe(0);
  expect(terminal.out).toContain("0 of 5 networks are trained; 5 would be trained now");
  expect(existsSync("results")).toBe(false);
});

test("a study that comes with Lyceum is found by its name, a wrong name gets the nearest", async () => {
  expect(await run(["study", "cifar100-resnet110", "--plan"])).toBe(0);
  expect(terminal.out).toContain("ResNet-110, patriarchs compared → results/cifar100-resnet110");
  expect(await run(["study", "cifar100-resnet11"])).toBe(2);
  expect(terminal.err).toContain("there is no such study; looked for studies/cifar100-resnet11.yaml and");
  expect(terminal.err).toContain('did you mean "cifar100-resnet110"?');
});

test.each([
  [["--shard", "3/2"], "--shard 3/2: must look like 3/8, the third of eight parts"],
  [["--jobs", "0"], "--jobs 0: must be a whole number from 1 to 1024"],
  [["--arms", "strickt"], 'studies/tiny.yaml: there is no arm "strickt"; did you mean "strict"?'],
])("%j is refused in words", async (flags, message) => {
  write();
  expect(await run(["study", "tiny", ...flags])).toBe(2);
  expect(terminal.err).toContain(message);
});

test("a mistake in the file is wrong use, with file and line", async () => {
  write({ ...tinyStudy, seeds: [1, 1] });
  expect(await run(["study", "tiny"])).toBe(2);
  expect(terminal.err).toMatch(/^lyceum: studies\/tiny\.yaml:\d+: seeds: 1 is given twice/);
});
