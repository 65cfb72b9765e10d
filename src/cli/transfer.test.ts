import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import * as torch from "../torch/index.js";
import { classifiers } from "../transfer/index.js";
import { untrainedRun } from "../transfer/testing/untrained-run.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const lyceum = (...args: string[]) => {
  Object.assign(terminal, { out: "", err: "" });
  return run(args);
};

const made = mkdtempSync(join(tmpdir(), "lyceum-cli-transfer-"));
beforeAll(async () => {
  for (const seed of [0, 1]) {
    await untrainedRun(join(made, `strict-s${seed}`), { seed });
    await untrainedRun(join(made, `smooth-s${seed}`), { seed: seed, patriarch: "label-smoothing" });
  }
});
afterAll(() => rmSync(made, { recursive: true }));
beforeEach(() => cpSync(made, "runs", { recursive: true }));

const usable = classifiers.filter((each) => !("missing" in each && each.missing())).map(({ name }) => name);
const data = "synthetic,classes=3,trainCount=30,testCount=15";
const transfer = (name: string, ...more: string[]) =>
  lyceum(
    "transfer",
    name,
    "--data",
    data,
    "--classifiers",
    usable.join(),
    "--shots",
    "3",
    "--splits",
    "2",
    ...more,
  );

it("lyceum transfer prints a table with differences, and keeps the numbers", async () => {
  expect(await transfer("strict-s0")).toBe(0);
  expect(terminal.out).toContain(
    "synthetic: 30 training and 15 test images of 3 classes; features are the input of fc, 64 numbers, standardised; C by 3-fold",
  );
  expect(terminal.out).toContain("3 training images of each class, mean ± standard deviation over 2 draws");
  expect(terminal.out).toMatch(/^patriarch( +\d+\.\d\d ± \d+\.\d\d){4,6}$/m);
  expect(terminal.out).toMatch(/^student 1 − patriarch( +[+-]?\d+\.\d\d ± \d+\.\d\d){4,6}$/m);
  expect(terminal.out).toContain("kept as transfer/synthetic.json in runs/strict-s0");
  expect(await transfer("strict-s0", "--json", "--name", "again", "--generations", "1")).toBe(0);
  const json = JSON.parse(terminal.out);
  expect(json).toMatchObject({ name: "again", splits: 2, generations: [{ generation: 1 }] });
  expect(JSON.parse(readFileSync("runs/strict-s0/transfer/again.json", "utf8"))).toEqual(json);
});

it("lyceum compare --transfer compares runs, which were tried in the same way, over seeds", async () => {
  const runs = ["strict-s0", "strict-s1", "smooth-s0", "smooth-s1"];
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic")).toBe(1);
  expect(terminal.err).toContain(
    'strict-s0: has no transfer "synthetic": it has none; npx lyceum transfer runs/strict-s0',
  );
  for (const name of runs) expect(await transfer(name)).toBe(0);
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic", "--metric", "knnTop1", "--json")).toBe(
    0,
  );
  const { arms, metric, part } = JSON.parse(terminal.out);
  expect([metric, part]).toEqual(["knnTop1", "transfer"]);
  const { generations } = JSON.parse(readFileSync("runs/smooth-s1/summary.json", "utf8"));
  expect(arms[1].generations[1]).toEqual(
    generations.map((each: { transfer: { knnTop1: number } }) => each.transfer.knnTop1),
  );
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic")).toBe(0);
  expect(terminal.out).toContain(
    `4 runs, transferred to synthetic: ${usable[0] === "svm" ? "SVM" : "logistic"} top-1 on the images of the transfer`,
  );
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic", "--metric", "top1")).toBe(1);
  expect(await transfer("smooth-s1", "--seed", "1")).toBe(0);
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic")).toBe(1);
  expect(terminal.err).toContain("was made otherwise than that of runs/strict-s0 (seed is 1 there, 0 here)");
  expect(await lyceum("compare", ...runs, "--transfer", "synthetic", "--part", "test")).toBe(2);
});

it("lyceum features writes a file, by its ending", async () => {
  expect(
    await lyceum("features", "strict-s0", "--data", data, "--out", "x.safetensors", "--layer", "layer3.0"),
  ).toBe(0);
  expect(terminal.out).toBe("x.safetensors: 64 features of 45 images\n");
  const { tensors, metadata } = torch.loadSafetensors("x.safetensors");
  expect([tensors.features!.shape, metadata.generation]).toEqual([[45, 64], "1"]);
  const flat = ["--flatten", "--part", "test", "--generation", "0", "--layer", "layer3", "--json"];
  expect(await lyceum("features", "strict-s0", "--data", data, "--out", "x.npy", ...flat)).toBe(0);
  expect(JSON.parse(terminal.out)).toEqual({ file: "x.npy", generation: 0, images: 15, features: 64 * 9 });
});

const wrong: [string[], string][] = [
  [["transfer", "strict-s0", "--data", "fashion-mnits"], 'did you mean "fashion-mnist"?'],
  [["transfer", "strict-s0", "--data", "synthetic,classes"], "classes must look like key=value"],
  [
    ["transfer", "strict-s0", "--data", data, "--classifiers", "svn"],
    "--classifiers svn: must be of svm, logistic, knn",
  ],
  [["transfer", "strict-s0", "--data", data, "--shots", "5,x"], "--shots x: must be a whole number from 2"],
  [["transfer", "strict-s0", "--data", data, "--folds", "1"], "--folds 1: must be a whole number from 2"],
  [
    ["transfer", "strict-s0", "--data", data, "--scale", "log"],
    "--scale log: must be of standardise, l2, none",
  ],
  [["transfer", "strict-s0", "--data", data, "--generations", "2-1"], "must look like 0-2 or 0,2"],
  [
    ["transfer", "strict-s0", "--data", data, "--classifiers", "knn", "--generations", "7"],
    "no generation 7",
  ],
  [["transfer", "strict-s0", "--data", data, "--classifiers", "knn", "--layer", "fcc"], 'did you mean "fc"?'],
  [["transfer", "strict-s9", "--data", data], "there is no such run"],
  [["transfer", "strict-s0"], "required option '--data <images>'"],
  [["features", "strict-s0", "--data", data, "--out", "x.csv"], "must end in .safetensors or .npy"],
  [
    ["features", "strict-s0", "--data", data, "--out", "x.npy", "--part", "both"],
    "must be all, train or test",
  ],
  [["features", "strict-s0", "--data", data, "--out", "x.npy", "--generation", "2"], "must be from 0 to 1"],
];
it.each(wrong)("%j is wrong use", async (args, message) => {
  expect(await lyceum(...args)).toBe(2);
  expect(terminal.err).toContain(message);
  expect(readdirSync(".")).toEqual(["runs"]);
});

it("says what to install where liblinear is missing", async () => {
  const svm: { missing?: () => string | undefined } = classifiers[0];
  const missing = vi
    .spyOn(svm as Required<typeof svm>, "missing")
    .mockReturnValue("sudo apt-get install liblinear-dev");
  expect(await lyceum("transfer", "strict-s0", "--data", data)).toBe(1);
  expect(terminal.err).toContain("apt-get install liblinear-dev");
  missing.mockRestore();
});

it.each([
  [["transfer", "strict-s0", "--data", data, "--classifiers", "knn"], "the same command goes on with it"],
  [["features", "strict-s0", "--data", data, "--out", "x.npy"], "stopped: nothing was written"],
])("%j leaves nothing unfinished behind after Ctrl-C", async (args, words) => {
  const before = readFileSync("runs/strict-s0/summary.json", "utf8");
  const done = lyceum(...args);
  const timer = setInterval(() => process.listenerCount("SIGINT") > 0 && process.emit("SIGINT"), 1);
  const code = await done;
  clearInterval(timer);
  expect(code).toBe(130);
  expect(terminal.err).toContain(words);
  expect(readdirSync(".")).toEqual(["runs"]);
  expect(existsSync("runs/strict-s0/transfer")).toBe(false);
  expect(readFileSync("runs/strict-s0/summary.json", "utf8")).toBe(before);
});

it("the report shows transfers as curves and tables, and those from anyone as text", async () => {
  expect(await transfer("strict-s0")).toBe(0);
  expect(await lyceum("report", "strict-s0")).toBe(0);
  const page = readFileSync("runs/strict-s0/report.html", "utf8");
  expect(page).toContain("How well the features serve elsewhere");
  expect(page).toContain("<h3>synthetic</h3>");
  expect(page).toContain("3 training images of each class: mean ± standard deviation over 2 draws");
  expect(page).toContain("Accuracy on synthetic by generation");
});
