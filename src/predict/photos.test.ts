/** A folder of photographs from training to prediction. */
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadDataset, nameOf, type StoredImages } from "../data/index.js";
import { writePhotos } from "../data/stored/testing/photos.js";
import { evaluateRun, trainGenerations } from "../generations/index.js";
import { writeReport } from "../report/index.js";
import * as torch from "../torch/index.js";
import { loadModel } from "./index.js";

let folder: string;
let run: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-photos-"));
  run = join(folder, "run");
  await writePhotos(join(folder, "photos"), { train: 12, test: 5 });
  const recipe = {
    data: { folder: join(folder, "photos"), size: 24 },
    model: "resnet8",
    patriarch: { k: 2 },
    generations: 2,
    epochs: 3,
    batchSize: 8,
    augment: { jitter: { brightness: 0.2, hue: 0.1 }, policy: "trivialaugment" },
  };
  await trainGenerations(recipe, { directory: run });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The stored logits of a generation's test images, row by row. */
const logitsOf = (generation: number) =>
  torch.scope(() => {
    const { tensors } = torch.loadSafetensors(join(run, `generation-${generation}/test-logits.safetensors`));
    return tensors.logits!.tolist() as number[][];
  });

it("predicts from files and from bytes what evaluation computed", async () => {
  const { test } = await loadDataset({ name: "folder", root: join(folder, "photos"), size: 24 });
  const paths = Array.from({ length: test.count }, (_, i) => nameOf((test as StoredImages).places, i));
  using model = await loadModel(run, { generation: 1 });
  expect(model.classes).toEqual(["shallow", "steep"]);
  const predictions = await model.predict(paths);
  const fromBytes = await model.predict(paths.map((path) => new Uint8Array(readFileSync(path))));
  expect(fromBytes).toEqual(predictions);
  logitsOf(1).forEach(([a, b], i) => {
    const shallow = 1 / (1 + Math.exp(b! - a!));
    const { score } = predictions[i]!.scores.find(({ index }) => index === 0)!;
    expect(score).toBeCloseTo(shallow, 4);
  });
});

it("evaluates again to the same numbers, and shows the images in the report", async () => {
  const { generations } = await evaluateRun(run);
  expect(generations).toHaveLength(2);
  const html = readFileSync(await writeReport(run), "utf8");
  expect(html).toContain("data:image/png;base64,");
});

it("does not go on with other files than it began with", async () => {
  const photo = join(folder, "photos/train/steep/3.jpg");
  renameSync(photo, join(folder, "photos/train/steep/30.jpg"));
  await expect(
    trainGenerations({ data: "ignored" } as never, { directory: run, resume: true }),
  ).rejects.toThrow(/the files of the train images are not those that the run in .* began with/);
  renameSync(join(folder, "photos/train/steep/30.jpg"), photo);
  await trainGenerations({ data: "ignored" } as never, { directory: run, resume: true });
});

it("names a file that is no image", async () => {
  using model = await loadModel(run);
  await expect(model.predict(join(folder, "photos"))).rejects.toThrow(/photos: is no file/);
  await expect(model.predict(new Uint8Array([1, 2, 3]))).rejects.toThrow(
    "the image: is no image of a known format",
  );
});
