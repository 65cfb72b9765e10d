import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
let home: string;
beforeEach(() => {
  home = process.cwd();
});

const commands = ["train", "predict", "evaluate", "runs", "report", "recipes", "data", "doctor", "setup"];

describe("help", () => {
  test("lists every command, with examples, and so does each command's own", async () => {
    expect(await run(["--help"])).toBe(0);
    for (const command of commands) expect(terminal.out).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(terminal.out).toContain("Examples:");
    for (const words of [
      ...commands.map((c) => [c]),
      ["data", "list"],
      ["data", "fetch"],
      ["data", "verify"],
    ]) {
      terminal.out = "";
      expect(await run([...words, "--help"])).toBe(0);
      expect(terminal.out, words.join(" ")).toMatch(/Examples?:\n {2}\$ npx lyceum /);
    }
  });

  test("the version is the package's", async () => {
    expect(await run(["--version"])).toBe(0);
    expect(terminal.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong use is exit code 2 and one line that helps", () => {
  test.each([
    [["trian"], "Did you mean train?"],
    [["train", "--sed", "1"], "Did you mean one of --seed, --set?"],
    [["train"], "lyceum: which recipe?\nrecipes that come with Lyceum:\n"],
    [["study"], "missing required argument 'study'"],
    [["study"], "studies: all-images, "],
    [["train", "quikstart"], 'did you mean "quickstart"?'],
    [["train", "quickstart", "--set", "epoch=1"], 'did you mean "epochs"?'],
    [["train", "quickstart", "--seed", "x"], "--set seed=x: seed: must be a whole number from 0"],
    [["train", "quickstart", "--name", "../up"], "--name ../up: must be one folder name"],
    [["train", "quickstart", "--resume", "runs/x"], "--resume goes on with the run's own recipe"],
    [["report", "nothing-here"], "nothing-here: there is no such run"],
    [["evaluate"], "missing required argument 'run'"],
    [["evaluate"], "there are no runs in runs/ yet: npx lyceum train quickstart makes one"],
    [["predict", "quickstart"], "missing required argument 'image'"],
    [["predict", "nothing-here", "a.png"], "nothing-here: there is no such run"],
    [["predict", ".", "a.png", "--top", "0"], "--top 0: must be a whole number from 1"],
    [["predict", ".", "a.png", "--generation", "last"], "--generation last: must be a whole number from 0"],
    [["predict", ".", "-", "-"], "- stands for stdin, which holds one image: give it once"],
    [["runs", "nothing-here"], "nothing-here: there is no such folder"],
    [["data", "fetch", "cifar1000"], 'did you mean "cifar100"?'],
    [["recipes", "extra"], "too many arguments"],
  ])("%j", async (args, message) => {
    process.chdir(home);
    expect(await run(args)).toBe(2);
    expect(terminal.err).toContain(message);
    expect(terminal.err).not.toContain("    at ");
    expect(readdirSync(home)).toEqual([]);
  });
});

test("a failure is exit code 1 and one line; where it came from only on demand", async () => {
  const folder = join(home, "norun");
  mkdirSync(folder);
  expect(await run(["evaluate", folder])).toBe(1);
  expect(terminal.err).toBe(`lyceum: ${folder}: is not a run: it holds no recipe.yaml\n`);
  vi.stubEnv("LYCEUM_DEBUG", "1");
  expect(await run(["evaluate", folder])).toBe(1);
  expect(terminal.err).toContain("    at ");
  vi.unstubAllEnvs();
});

test("a name in runs/ is as good as a path, and a near one is offered", async () => {
  process.chdir(home);
  mkdirSync("runs/quick", { recursive: true });
  expect(await run(["report", "quick"])).toBe(1);
  expect(terminal.err).toContain("runs/quick: is not a run: it holds no recipe.yaml");
  expect(await run(["report", "quik"])).toBe(2);
  expect(terminal.err).toContain('did you mean "quick"?');
});

test("--name never takes a folder that is there, and says how to go on with it", async () => {
  process.chdir(home);
  mkdirSync("runs/mine", { recursive: true });
  writeFileSync("runs/mine/x", "");
  expect(await run(["train", "quickstart", "--name", "mine"])).toBe(2);
  expect(terminal.err).toContain("runs/mine: is there already; take another --name, or --resume runs/mine");
  expect(terminal.err).not.toContain("torchrun");
});

test("a job of torchrun that finds its run begun hears of --auto-resume", async () => {
  process.chdir(home);
  mkdirSync("runs/grown", { recursive: true });
  writeFileSync("runs/grown/x", "");
  vi.stubEnv("TORCHELASTIC_RUN_ID", "job");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await run(["train", "quickstart", "--name", "grown"])).toBe(2);
  expect(terminal.err).toContain("(torchrun --nnodes 1:2) needs --auto-resume");
});

test("recipes are listed for people and for programs", async () => {
  expect(await run(["recipes"])).toBe(0);
  expect(terminal.out).toMatch(/^quickstart +Fashion-MNIST, /m);
  terminal.out = "";
  expect(await run(["recipes", "--json"])).toBe(0);
  expect(JSON.parse(terminal.out).map(({ name }: { name: string }) => name)).toContain("cifar100-resnet110");
});

test("data list finds a set where it is, and says how to get the others", async () => {
  process.chdir(home);
  vi.stubEnv("LYCEUM_DATA", home);
  mkdirSync("mnist");
  for (const part of ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"])
    writeFileSync(`mnist/${part}-ubyte`, "");
  expect(await run(["data", "list", "--json"])).toBe(0);
  const sets = JSON.parse(terminal.out) as { name: string; place: string | null }[];
  expect(sets.find(({ name }) => name === "mnist")!.place).toBe(join(home, "mnist"));
  expect(sets.find(({ name }) => name === "synthetic")!.place).toBe("made, not stored");
  terminal.out = "";
  expect(await run(["data", "verify", "mnist"])).toBe(1);
  expect(terminal.out.match(/^damaged {2}/gm)).toHaveLength(4);
  expect(terminal.err).toContain(`mnist in ${join(home, "mnist")} is not the official set`);
  vi.unstubAllEnvs();
});

test("doctor reports libtorch, its speed and the disk", async () => {
  expect(await run(["doctor", "--json"])).toBe(0);
  const findings = JSON.parse(terminal.out) as { name: string; state: string; detail: string }[];
  const named = Object.fromEntries(findings.map(({ name, detail }) => [name, detail]));
  expect(named.libtorch).toMatch(/^\d+\.\d+/);
  expect(named["matrix speed"]).toMatch(/GFLOP\/s/);
  expect(named.disk).toMatch(/GiB free/);
});
