/** A run as TensorBoard's events and as tables. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainGenerations } from "../../generations/index.js";
import { fieldsOf, recordsOf } from "../../interop/tensorboard/testing/read.js";
import { RunFolder } from "../../runs/index.js";
import { convertRun, RunBoard } from "./index.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-convert-"));
const trained = join(root, "run");
beforeAll(async () => {
  const data = { name: "synthetic", classes: 5, size: 10, trainCount: 64, testCount: 24 };
  const recipe = { data, model: "resnet8", epochs: 2, batchSize: 32, generations: 2, patriarch: { k: 3 } };
  await trainGenerations({ ...recipe, title: 'a, "small" line' }, { directory: trained });
});
afterAll(() => rmSync(root, { recursive: true }));

const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);

/** The values of all events in a folder: tag, step, and the number where it is one. */
function valuesIn(folder: string) {
  const files = readdirSync(folder).filter((name) => name.includes("tfevents"));
  return files.flatMap((file) =>
    recordsOf(readFileSync(join(folder, file)))
      .map(fieldsOf)
      .flatMap((event) =>
        (event[5] ?? []).flatMap((summary) =>
          (fieldsOf(summary as Uint8Array)[1] ?? []).map((value) => {
            const fields = fieldsOf(value as Uint8Array);
            return {
              tag: text(fields[1]![0]),
              step: Number(event[2]?.[0] ?? 0),
              number: fields[2]?.[0],
              fields,
            };
          }),
        ),
      ),
  );
}

it("TensorBoard: a run a generation, a step an epoch", async () => {
  const out = join(root, "events");
  const { written, notes } = await convertRun(trained, out, { to: "tensorboard" });
  expect(notes).toEqual([]);
  expect(written.every((path) => path.startsWith(out))).toBe(true);
  expect(readdirSync(root).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(valuesIn(out).map(({ tag }) => tag)).toEqual(["recipe", "_hparams_/experiment"]);
  const records = await (await RunFolder.open(trained)).readMetrics();
  const { generations } = JSON.parse(readFileSync(join(trained, "summary.json"), "utf8"));
  for (const generation of [0, 1]) {
    const values = valuesIn(join(out, `generation-${generation}`));
    const own = records.filter((record) => record.generation === generation);
    for (const { epoch, trainLoss, learningRate } of own) {
      const at = (tag: string) => values.find((value) => value.tag === tag && value.step === epoch)?.number;
      expect(at("loss/train")).toBe(Math.fround(trainLoss));
      expect(at("learningRate")).toBe(Math.fround(learningRate));
    }
    expect(values.find(({ tag }) => tag === "test/top1")).toMatchObject({
      step: 2,
      number: Math.fround(generations[generation].test.top1),
    });
    const histograms = values.filter(({ fields }) => fields[5]).map(({ tag }) => tag);
    expect(histograms).toEqual(["scores/best class", "scores/label"]);
    expect(values.filter(({ fields }) => fields[4]).length).toBeGreaterThanOrEqual(6);
  }
});

it("tables: a row an epoch, a row a network", async () => {
  const out = join(root, "tables");
  const { written } = await convertRun(trained, out, { to: "csv" });
  expect(written).toEqual(["epochs.csv", "networks.csv"].map((name) => join(out, name)));
  const rows = (name: string) =>
    readFileSync(join(out, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","));
  const [headings, first] = rows("epochs.csv");
  expect(headings).toEqual(expect.arrayContaining(["terms.hard", "terms.soft", "terms.topScoreDifference"]));
  // The patriarch has no soft term: the cell is empty.
  expect(first![headings!.indexOf("terms.soft")]).toBe("");
  expect(rows("epochs.csv")).toHaveLength(5);
  expect(rows("networks.csv").map(([name]) => name)).toEqual(["network", "0", "1", "0-1"]);
  const { generations } = JSON.parse(readFileSync(join(trained, "summary.json"), "utf8"));
  const [names, patriarch] = rows("networks.csv");
  expect(Number(patriarch![names!.indexOf("nll")])).toBe(generations[0].test.nll);
});

it("writes nothing over, and leaves nothing where it fails", async () => {
  const out = join(root, "there");
  writeFileSync(out, "mine");
  await expect(convertRun(trained, out, { to: "csv" })).rejects.toThrow(/there: is there already: remove it/);
  await expect(convertRun(root, join(root, "new"), { to: "csv" })).rejects.toThrow();
  expect(readdirSync(root)).not.toContain("new");
});

it("a training that goes on takes back what it does again", async () => {
  const run = await RunFolder.open(trained);
  const [record] = await run.readMetrics();
  const folder = join(root, "live");
  new RunBoard(folder, run.recipe, { yaml: "a: 1" }).epoch(record!);
  new RunBoard(folder, run.recipe, { yaml: "a: 1" }).epoch(record!);
  const files = readdirSync(join(folder, "generation-0"));
  expect(files).toHaveLength(2);
  const later = files.map((file) =>
    recordsOf(readFileSync(join(folder, "generation-0", file))).map(fieldsOf),
  );
  const restarts = later.flat().filter((event) => event[7]);
  expect(restarts.map((event) => event[2])).toEqual([[1n]]);
});
