import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { beforeEach, expect, test } from "vitest";
import { loadDataset } from "../data/index.js";
import * as methods from "../methods/index.js";
import * as torch from "../torch/index.js";
import { writeTransfer } from "../transfer/transfer-file.js";
import { makeRun } from "./fixtures/make-run.js";
import { writeReport } from "./index.js";

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "lyceum-report-")), "run");
});
const report = async (options = {}) => {
  const path = await writeReport(directory, options);
  expect(path).toBe(join(directory, "report.html"));
  const source = readFileSync(path, "utf8");
  const { document } = parseHTML(source);
  const texts = (selector: string) =>
    [...document.querySelectorAll(selector)].map((node) => node.textContent!.replace(/\s+/g, " ").trim());
  return { source, document, texts };
};

test("shows results, charts, examples, recipe and environment", async () => {
  const run = await makeRun(directory);
  const { document, texts } = await report();
  const { generations, ensembles } = (await run.readSummary())!;
  expect(texts("h1")).toEqual(["A made-up run"]);
  expect(texts(".headline")[0]).toContain(
    `${(generations[2]!.test.top1 * 100).toFixed(2)} % of the 400 test images`,
  );
  expect(document.querySelectorAll("svg")).toHaveLength(4 + 3);
  // Two runs of one recipe are told apart by their folders.
  expect(document.title).toBe("run: A made-up run – Lyceum");
  const rows = texts("table")[0]!
    .split(/(?=patriarch|student|ensemble)/)
    .slice(1);
  expect(rows).toHaveLength(5);
  expect(rows[0]).toMatch(/^patriarch/);
  expect(rows[4]).toContain(`ensemble 0–2${(ensembles["0-2"]!.test.top1 * 100).toFixed(2)} %`);
  expect(texts("pre")[0]).toContain("generations: 3");
  expect(texts("dd").join()).toContain(process.version);
  expect(document.querySelectorAll(".warning")).toHaveLength(0);
});

test("needs no network: no scripts, no addresses outside the page", async () => {
  await makeRun(directory);
  const { source, document } = await report();
  expect(document.querySelectorAll("script, link, iframe, object")).toHaveLength(0);
  expect(source.replaceAll("http-equiv", "")).not.toMatch(/https?:|url\(|@import/);
  expect(
    [...document.querySelectorAll("img")].every((img) =>
      img.getAttribute("src")!.startsWith("data:image/png"),
    ),
  ).toBe(true);
});

test("a dozen images: six that the patriarch gets right, six wrong; the same ones every time", async () => {
  await makeRun(directory);
  const { texts, document } = await report();
  const verdicts = texts(".predictions > div:first-child h3").slice(0, 12);
  expect(verdicts).toEqual([...Array(6).fill("patriarch right"), ...Array(6).fill("patriarch wrong")]);
  const [dozen, different] = [...document.querySelectorAll(".examples")];
  expect(dozen!.querySelectorAll(".predictions > div")).toHaveLength(24);
  expect(different!.querySelectorAll(".predictions > div")).toHaveLength(12);
  for (const card of document.querySelectorAll(".predictions > div")) {
    const scores = [...card.querySelectorAll(".value")].map((node) => Number(node.textContent));
    expect(scores).toHaveLength(5);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  }
  expect((await report()).texts(".truth")).toEqual(texts(".truth"));
});

test("tells what the networks know beside the best class, and of which classes the last one knows least", async () => {
  const run = await makeRun(directory);
  const { texts, document } = await report();
  const { generations, ensembles } = (await run.readSummary())!;
  const rows = (table: (typeof document)["body"]) =>
    [...table.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent!));
  const tables = [...document.querySelectorAll("table")].map((table) => rows(table));
  const [, knowledge, hard, confused] = tables;
  const cell = (row: number, heading: string) => knowledge![row]![knowledge![0]!.indexOf(heading)];
  const student = generations[1]!.test;
  expect(cell(2, "superclass share")).toBe(`${(100 * student.superclassShare!).toFixed(2)} %`);
  expect(cell(2, "KL to teacher")).toBe(student.teacherKl!.toFixed(3));
  expect(cell(1, "KL to teacher")).toBe("");
  expect(cell(5, "disagreement")).toBe(`${(100 * ensembles["0-2"]!.test.disagreement!).toFixed(2)} %`);
  expect(texts("h2")).toContain("How far the scores can be trusted");

  expect(hard![0]).toEqual(["class", "patriarch", "student 2", "images"]);
  const accuracies = hard!.slice(1).map((row) => Number.parseFloat(row[2]!));
  expect(accuracies).toHaveLength(8);
  expect(accuracies).toEqual([...accuracies].sort((a, b) => a - b));
  expect(hard!.slice(1).every((row) => row[3] === "40")).toBe(true);
  expect(confused![0]).toEqual(["class", "taken for", "images"]);
  for (const [label, takenFor, images] of confused!.slice(1)) {
    expect(label).not.toBe(takenFor);
    expect(images).toMatch(/^\d+ of 40$/);
  }
});

test("a run from before these metrics is shown without them", async () => {
  const run = await makeRun(directory);
  const summary = (await run.readSummary())!;
  for (const { test } of [...summary.generations, ...Object.values(summary.ensembles)]) {
    for (const name of Object.keys(test)) if (name !== "top1") delete (test as Record<string, unknown>)[name];
  }
  await run.writeSummary(summary);
  const { texts, document } = await report();
  expect(texts("h2")).not.toContain("How far the scores can be trusted");
  expect(document.querySelectorAll("svg").length).toBe(3 + 3);
  expect(document.querySelectorAll("table").length).toBe(1 + 3);
});

test("an unfinished run says so; one network has no line to speak of", async () => {
  await makeRun(directory, { finished: 1 });
  const { texts } = await report();
  expect(texts(".warning")).toEqual(["This run is not finished: 1 of 3 generations so far."]);
  expect(texts(".headline")[0]).toMatch(/^The patriarch gets \d/);
});

test("a strict run of three classes says that its secondary classes are two", async () => {
  const data = { name: "synthetic", classes: 3, testCount: 400, trainCount: 500, size: 16 } as const;
  await makeRun(directory, { data, patriarch: "strict" });
  expect((await report()).texts("figcaption").join()).toContain("the classes ranked 2 to 3");
});

test("a training of 60,000 epochs is shown too", async () => {
  await makeRun(directory, { finished: 1 });
  const path = join(directory, "metrics.jsonl");
  const line = readFileSync(path, "utf8").split("\n")[0]!;
  const lines = Array.from({ length: 60_000 }, (_, i) => line.replace('"epoch":1,', `"epoch":${i + 1},`));
  writeFileSync(path, lines.join("\n"));
  expect((await report()).texts("h3")[0]).toBe("patriarch");
});

test("without a finished generation there is nothing to report", async () => {
  await makeRun(directory, { finished: 0 });
  await expect(writeReport(directory)).rejects.toThrow(`${directory}: no generation is finished yet`);
});

test("says what is missing, and shows the rest", async () => {
  const run = await makeRun(directory);
  rmSync(join(directory, "metrics.jsonl"));
  rmSync(join(directory, "environment.json"));
  rmSync(run.generation(2).testLogits);
  const { texts } = await report();
  expect(texts(".empty")).toEqual([
    "There is no metrics.jsonl in the run folder.",
    "None here: the generations' test-logits.safetensors are not in the run folder.",
    "There is no environment.json in the run folder.",
  ]);
  expect(texts("h2")).not.toContain("Which classes are hard");
  expect(texts("tbody tr")).toHaveLength(5 + 5);
});

test("images of the code's own are shown when they are given, and asked for by name when not", async () => {
  const dataset = await loadDataset({ name: "synthetic", testCount: 400, trainCount: 500, size: 16 });
  await makeRun(directory);
  const recipe = join(directory, "recipe.yaml");
  const own = readFileSync(recipe, "utf8").replace(/^data:\n( {2}.*\n)+/m, "data:\n  name: my-images\n");
  writeFileSync(recipe, own);
  expect((await report()).texts(".empty")[0]).toMatch(
    /^None here: the images could not be read \(.*my-images/,
  );
  expect((await report({ dataset })).document.querySelectorAll(".example")).toHaveLength(12 + 6);
});

test("without the images, the labels beside the logits say how sure the line's gain is", async () => {
  await makeRun(directory);
  const withImages = (await report()).texts(".headline, .headline + p");
  expect(withImages[1]).toContain("(95 %)");
  const recipe = join(directory, "recipe.yaml");
  writeFileSync(
    recipe,
    readFileSync(recipe, "utf8").replace(/^data:\n( {2}.*\n)+/m, "data:\n  name: my-images\n"),
  );
  expect((await report()).texts(".headline, .headline + p")).toEqual(withImages);
});

test("labels that do not fit the logits are an error that names the file", async () => {
  await makeRun(directory);
  const recipe = join(directory, "recipe.yaml");
  writeFileSync(
    recipe,
    readFileSync(recipe, "utf8").replace(/^data:\n( {2}.*\n)+/m, "data:\n  name: my-images\n"),
  );
  const path = join(directory, "generation-2/test-logits.safetensors");
  const logits = torch.zeros([400, 10]);
  for (const labels of [torch.full([400], 10), torch.full([399], 1)]) {
    torch.saveSafetensors(path, { logits, labels: labels.to({ dtype: "int32" }) });
    await expect(report()).rejects.toThrow(
      /generation-2\/test-logits\.safetensors: holds no int32 tensor "labels"/,
    );
  }
});

test("images that the logits do not belong to are not shown", async () => {
  await makeRun(directory);
  const dataset = await loadDataset({ name: "synthetic", testCount: 300, trainCount: 500, size: 16 });
  expect((await report({ dataset })).texts(".empty")).toEqual([
    "None here: the stored logits are not for these test images.",
  ]);
});

test("whatever a hostile run folder says stays text", async () => {
  const evil = `</style></title><script>alert(1)</script><img src=x onerror='x'>"`;
  await makeRun(directory, { title: evil, description: evil, model: evil });
  const environment = join(directory, "environment.json");
  writeFileSync(
    environment,
    JSON.stringify({ ...JSON.parse(readFileSync(environment, "utf8")), commandLine: evil, commit: evil }),
  );
  const dataset = await loadDataset({ name: "synthetic", testCount: 400, trainCount: 500, size: 16 });
  const classNames = dataset.classNames.map((name, c) => `${evil}${name}${c}`);
  const line = readFileSync(join(directory, "metrics.jsonl"), "utf8").split("\n")[0]!;
  appendFileSync(
    join(directory, "metrics.jsonl"),
    `${line.replace('"hard"', `${JSON.stringify(evil)}:1,"hard"`)}\n`,
  );
  const { document, source } = await report({ dataset: { ...dataset, classNames } });
  expect(document.querySelectorAll("script")).toHaveLength(0);
  expect(document.querySelectorAll("img")).toHaveLength(12 + 6);
  expect(document.querySelectorAll("h1")[0]!.textContent).toBe(evil);
  expect(source).not.toContain("<script");
});

test("whatever a method of one's own and a transfer are called stays text", async () => {
  const evil = `</pre></svg><script>alert("x")</script><img src=x onerror='y'>`;
  const mine = methods.defineMethod({
    ...{ name: "mine", summary: evil, formula: evil, terms: { hard: evil, topScoreDifference: evil } },
    options: (z) => ({ words: z.string().default(evil) }),
    describe: ({ words }) => `mine ${words}`,
    loss: () => {
      throw new Error("nobody trains here");
    },
  });
  await makeRun(directory, { finished: 1, patriarch: mine });
  await writeTransfer(directory, {
    ...{
      lyceum: evil,
      name: "birds",
      data: { name: evil, root: evil },
      classes: 2,
      images: { train: 9, test: 9 },
    },
    ...{
      layer: evil,
      spatial: "mean",
      scaling: "l2",
      shots: [5],
      splits: 1,
      folds: 2,
      seed: 0,
      date: evil,
      seconds: 1,
    },
    generations: [
      {
        ...{ generation: 0, role: "patriarch", features: 64 },
        results: [{ shots: 5, classifier: "svm", top1: [0.5], meanClassAccuracy: [0.5], c: [1] }],
      },
    ],
  });
  const { document, source, texts } = await report({ imports: [mine] });
  expect(document.querySelectorAll("script")).toHaveLength(0);
  expect(source).not.toMatch(/<script|<img src=x/);
  // It is shown: in the method's line, in the recipe, and as the name of a curve.
  expect(source.split("&lt;script&gt;").length).toBeGreaterThan(3);
  expect(texts("pre")[0]).toContain('alert("x")');
});

test("logits that are not [N, C] are an error that names the file", async () => {
  const run = await makeRun(directory);
  writeFileSync(run.generation(0).testLogits, "not safetensors");
  await expect(writeReport(directory)).rejects.toThrow(run.generation(0).testLogits);
});
