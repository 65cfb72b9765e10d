/** The programs of the documentation are compiled by the strict compiler, and run as a reader would run them. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { loadModel, toOnnx, trainGenerations } from "lyceum";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { sharp } from "../packages.js";
import { placeOf, root } from "./testing/pages.js";
import { foreignBlocks, programs } from "./testing/programs.js";

const all = programs();
const nameOf = (at: number) => `program-${at}.ts`;

/** The folder of the programs; within the checkout, so that packages are found. */
mkdirSync(join(root, "build"), { recursive: true });
const compiled = mkdtempSync(join(root, "build/programs-"));
const here = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "lyceum-programs-"));

beforeAll(async () => {
  for (const [at, { text }] of all.entries()) writeFileSync(join(compiled, nameOf(at)), text);
  process.chdir(folder);
  // What the pages take to be there: a run, photographs, an exported network, a study.
  const data = { name: "synthetic", classes: 4, size: 32, trainCount: 32, testCount: 8 };
  const recipe = { data, model: "resnet8", epochs: 1, batchSize: 16, generations: 1, patriarch: { k: 2 } };
  await trainGenerations(recipe, { directory: "runs/quickstart" });
  using model = await loadModel("runs/quickstart");
  writeFileSync("patriarch.onnx", toOnnx(model, { pixels: true, softmax: true }));
  const pixels = { width: 40, height: 40, channels: 3 as const, background: "#357" };
  for (const file of ["photo.png", "a.jpg", "cat.jpg"])
    await (await sharp())({ create: pixels }).toFile(file);
  for (const [at, part] of ["train", "val"].entries())
    for (const name of ["cats", "dogs"]) {
      mkdirSync(`photos/${part}/${name}`, { recursive: true });
      for (let i = 0; i < 8 - 4 * at; i++) copyFileSync("a.jpg", `photos/${part}/${name}/${i}.jpg`);
    }
  copyFileSync(join(root, "src/docs/fixtures/small.pt"), "small.pt");
  mkdirSync("studies");
  const base = { ...recipe, data: { ...data, size: 8, trainCount: 16 }, generations: 2 };
  const study = { base, seeds: 2, arms: { strict: { patriarch: "strict" }, tolerant: {} } };
  writeFileSync("studies/tolerance.yaml", JSON.stringify(study));
});
afterAll(() => {
  process.chdir(here);
  for (const made of [folder, compiled]) rmSync(made, { recursive: true });
});

it("all of them compile", async () => {
  const paths = { lyceum: ["../../src/index.ts"], "lyceum/*": ["../../src/*/index.ts"] };
  const compilerOptions = { allowImportingTsExtensions: true, paths };
  writeFileSync(
    join(compiled, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }),
  );
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", compiled, "--pretty", "false"];
  const { stdout } = await promisify(execFile)(process.execPath, tsc).catch((error) => error);
  const named = stdout.replace(/\S*program-(\d+)\.ts/g, (_: string, at: string) => all[Number(at)]!.place);
  expect(named).toBe("");
});

const run = all.flatMap((program, at) => (!program.startsItself ? [[program.place, at] as const] : []));

it.each(run)("%s", async (_, at) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(/* @vite-ignore */ pathToFileURL(join(compiled, nameOf(at))).href);
  log.mockRestore();
});

it("what is of other libraries can be parsed", async () => {
  expect(foreignBlocks().length).toBeGreaterThan(0);
  for (const block of foreignBlocks()) {
    const parsed = transform(block.text, { loader: "js", format: "esm", target: "esnext" }).then(
      () => "",
      String,
    );
    expect(await parsed, placeOf(block)).toBe("");
  }
});
