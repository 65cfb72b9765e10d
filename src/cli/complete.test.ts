/** The words that complete a command line. */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { complete } from "./complete.js";
import { program, run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const names = async (...words: string[]) => (await complete(program(), words)).words.map(({ name }) => name);
const paths = async (...words: string[]) => (await complete(program(), words)).paths;

/** Folders that hold what a list looks for, in the test's empty one. */
function makeThings() {
  for (const name of ["first", "second"]) {
    mkdirSync(`runs/${name}`, { recursive: true });
    writeFileSync(`runs/${name}/recipe.yaml`, "");
  }
  mkdirSync("runs/notes");
  mkdirSync("results/begun", { recursive: true });
  writeFileSync("results/begun/study.yaml", "");
  mkdirSync("studies");
  writeFileSync("studies/own.yaml", "");
  writeFileSync("mine.yaml", 'title: "Mine, \\u001b[31mred"\ndata: synthetic\nepochs: 2\n');
  writeFileSync("docker-compose.yaml", "services: { web: {} }\n");
  writeFileSync("broken.yaml", "data: [");
}

test("commands, but not the hidden ones", async () => {
  const all = await names("");
  expect(all).toContain("train");
  expect(all).toContain("completion");
  expect(all).not.toContain("complete");
  expect(all).not.toContain("study-worker");
  expect(await names("tra")).toEqual(["train", "transfer"]);
  expect(await names("data", "")).toEqual(["list", "fetch", "verify", "check", "help"]);
});

test("every option of every command is offered by that command", async () => {
  const walk = async (command: ReturnType<typeof program>, words: string[]) => {
    const offered = await names(...words, "--");
    const own = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
    expect(offered, words.join(" ")).toEqual(expect.arrayContaining(own));
    for (const inner of command.commands) await walk(inner, [...words, inner.name()]);
  };
  await walk(program(), []);
  expect(await names("train", "--re")).toEqual(["--resume"]);
});

test("an option's value: choices, runs, networks, methods", async () => {
  makeThings();
  expect(await names("export", "first", "--to", "")).toEqual(["onnx", "web", "huggingface"]);
  expect(await names("export", "first", "--to=w")).toEqual(["--to=web"]);
  expect(await names("train", "--resume", "")).toEqual(["first", "second"]);
  expect(await names("weights", "convert", "--model", "resnet18")).toEqual(["resnet18"]);
  expect(await names("train", "--set", "epo")).toEqual(["epochs="]);
  expect(await names("train", "--set", "student=born")).toEqual(["student=born-again"]);
  expect(await names("train", "--set", "model=vgg")).toEqual(["model=vgg16-bn"]);
  expect(await names("transfer", "first", "--data", "cifar")).toEqual(["cifar10", "cifar100"]);
  expect(await names("train", "--seed", "")).toEqual([]);
  expect(await paths("train", "--import", "")).toBe("files");
  expect(await paths("train", "--out", "")).toBe("folders");
});

test("arguments: recipes, runs, studies; an option's value does not count as one", async () => {
  makeThings();
  expect(await names("train", "mi")).toEqual(["mine.yaml"]);
  expect(await names("train", "quick")).toEqual(["quickstart"]);
  expect(await names("report", "")).toEqual(["first", "second"]);
  expect(await names("report", "--json", "s")).toEqual(["second"]);
  expect(await names("report", "first", "")).toEqual([]);
  expect(await names("evaluate", "--generation", "0", "f")).toEqual(["first"]);
  expect(await names("compare", "first", "")).toEqual(["begun", "first", "second"]);
  expect(await names("study", "o")).toEqual(["own"]);
  expect(await names("study", "few-data-")).toEqual(["few-data-search"]);
  expect(await names("data", "fetch", "fash")).toEqual(["fashion-mnist"]);
  expect(await names("completion", "")).toEqual(["bash", "zsh", "fish"]);
  expect(await paths("predict", "first", "")).toBe("files");
  expect(await paths("predict", "first", "a.png", "")).toBe("files");
  expect(await names("report", "--", "f")).toEqual(["first"]);
});

test("what cannot be completed has no words, and is no error", async () => {
  for (const words of [
    [],
    ["nothing", ""],
    ["train", "--nothing", ""],
    ["--", "", ""],
    ["train", "-"],
    ["=", "--="],
  ])
    await expect(complete(program(), words)).resolves.toHaveProperty("words");
});

test("the shells ask by a command, a line a word", async () => {
  makeThings();
  expect(await run(["complete", "--", "train", "--resume", "f"])).toBe(0);
  expect(terminal.out).toBe("first\trun\n:folders\n");
  terminal.out = "";
  expect(await run(["complete", "--", "train", "mine"])).toBe(0);
  expect(terminal.out).toBe("mine.yaml\tMine, \ufffd[31mred\n:files\n");
});

test("train without a recipe says what there is", async () => {
  makeThings();
  expect(await run(["train"])).toBe(2);
  expect(terminal.err).toContain(
    "recipes in this folder:\n  mine.yaml   Mine, \ufffd[31mred\nrecipes that come",
  );
  expect(terminal.err).toMatch(/\n {2}quickstart +Fashion-MNIST, /);
  expect(terminal.err).not.toMatch(/docker|broken/);
  expect(terminal.err).toContain("npx lyceum init FOLDER");
  terminal.err = "";
  expect(await run(["predict"])).toBe(2);
  expect(terminal.err).toMatch(/runs in runs\/:\n {2}first {2,}\S/);
});
