import type { Predictions } from "../../analysis/index.js";
import type { AnyDataset } from "../../data/index.js";
import type { HistogramCounts } from "../../interop/index.js";
import { type Library, recipeToYaml } from "../../recipe/index.js";
import type { RunFolder } from "../../runs/index.js";
import { chooseDifferent, chooseExamples, type Example, type Network } from "../examples.js";
import { nameOf } from "../numbers.js";
import { findImages, readPredictions } from "../run-contents.js";
import { RunBoard } from "./board.js";
import type { Conversion } from "./index.js";

/** Writes all that TensorBoard can show of a run: scalars, recipe, hyperparameters, histograms of scores, test images. */
export async function writeEvents(
  run: RunFolder,
  folder: string,
  { library, dataset }: { library: Library; dataset: AnyDataset | undefined },
): Promise<Conversion> {
  const records = await run.readMetrics();
  const summary = await run.readSummary();
  const generations = summary?.generations ?? [];
  const begun = records[0] && new Date(records[0].date);
  const board = new RunBoard(folder, run.recipe, { yaml: recipeToYaml(run.recipe), date: begun });
  for (const record of records) board.epoch(record);
  const notes: string[] = generations.length === 0 ? ["no generation is finished yet"] : [];
  const images = generations.length > 0 ? await findImages(run, library, dataset) : "";
  const networks: Network[] = [];
  const written = new Set([folder]);
  for (const result of generations) {
    const { generation, role, epochs } = result;
    const last = records.findLast((record) => record.generation === generation);
    const place = { step: epochs ?? last?.epoch ?? 0, date: last && new Date(last.date) };
    const file = board.generation(result, place);
    written.add(file.path);
    const predictions = readPredictions(run, generation);
    if (!predictions) {
      notes.push(
        `generation ${generation}: its test-logits.safetensors is not in the run folder: no histograms`,
      );
      continue;
    }
    networks.push({ name: nameOf(generation, role), generation, predictions });
    const labels =
      typeof images === "string" || images.test.count !== predictions.images ? undefined : images.test.labels;
    for (const [tag, counts] of histogramsOf(predictions, labels))
      file.histogram(tag, counts, place.step, place.date);
    if (typeof images !== "string" && labels) {
      const examples = await examplesOf(images, networks);
      for (const example of examples) {
        const { name, text } = captionOf(example);
        file.image(name, pictureIn(example, images), place.step, place.date);
        file.text(`${name}/predictions`, text, place.step, place.date);
      }
    }
  }
  if (images && typeof images === "string") notes.push(`no test images: ${images}`);
  return { written: [...written], notes };
}

/** Images on which the patriarch and the last network so far differ most; of the patriarch alone, some by lot. */
function examplesOf(images: AnyDataset, networks: readonly Network[]): Promise<Example[]> {
  return networks.length > 1 ? chooseDifferent(images, networks) : chooseExamples(images, networks);
}

function captionOf({ index, label, predictions }: Example): { name: string; text: string } {
  const lines = predictions.map(({ name, best }) => {
    const scores = best.map(({ className, score }) => `${className} ${(100 * score).toFixed(1)} %`);
    return `- ${name}: ${scores.join(", ")}`;
  });
  return { name: `images/test ${index}`, text: `Label: ${label}\n\n${lines.join("\n")}` };
}

function pictureIn({ picture }: Example, { test }: AnyDataset) {
  const { height, width } = test;
  return { png: Buffer.from(picture.slice(picture.indexOf(",") + 1), "base64"), height, width };
}

/** Histograms over the test images: of the best class's score, and of the label's where the labels are known. */
function* histogramsOf(
  predictions: Predictions,
  labels: ArrayLike<number> | undefined,
): Generator<[string, HistogramCounts]> {
  yield ["scores/best class", countsOf(predictions.confidences)];
  if (labels)
    yield ["scores/label", countsOf(Float64Array.from(labels, (label, i) => predictions.scores(i)[label]!))];
}

/** The number of ranges from 0 to 1. */
const RANGES = 40;

/** Counts fractions in ranges of equal width. */
export function countsOf(values: Float64Array): HistogramCounts {
  const counts = new Array<number>(RANGES).fill(0);
  for (const value of values) counts[Math.min(RANGES - 1, Math.floor(value * RANGES))]!++;
  return {
    limits: Array.from({ length: RANGES }, (_, i) => (i + 1) / RANGES),
    counts,
    min: values.reduce((least, value) => Math.min(least, value), Infinity),
    max: values.reduce((most, value) => Math.max(most, value), -Infinity),
    sum: values.reduce((sum, value) => sum + value, 0),
    sumOfSquares: values.reduce((sum, value) => sum + value * value, 0),
  };
}
