/**
 * The scores of a network in a small file: of each image the best few as float16, and that of its label, so that
 * ensembles and comparisons need neither weights nor images.
 */
import type { Logits, Predictions } from "../analysis/index.js";
import * as torch from "../torch/index.js";

/** How many of an image's scores are kept; all of them where there are no more classes. */
const KEPT = 20;

/** The kept scores of N images. What is left of an image's score is spread evenly over its other classes. */
export interface Scores {
  /** The number of classes, C. */
  classes: number;
  /** The number of scores kept of each image, R. */
  ranks: number;
  /** The classes with the best scores, best first, [N, R]. */
  bestClasses: Int32Array;
  /** Their scores, [N, R], rounded to float16. */
  bestScores: Float32Array;
  /** [N] */
  labels: Int32Array;
  /** The score of each image's label, [N], rounded to float16. */
  labelScores: Float32Array;
}

/** Picks the scores that are kept of a network's predictions. */
export function scoresOf(predictions: Predictions, labels: Int32Array): Scores {
  const { images, classes } = predictions;
  const ranks = Math.min(KEPT, classes);
  const scores: Scores = {
    classes,
    ranks,
    bestClasses: new Int32Array(images * ranks),
    bestScores: new Float32Array(images * ranks),
    labels: Int32Array.from(labels),
    labelScores: new Float32Array(images),
  };
  const row = new Float64Array(classes);
  const { values } = predictions.logits;
  const order = Array.from({ length: classes }, (_, c) => c);
  for (let image = 0; image < images; image++) {
    predictions.scores(image, row);
    // Logits differ where scores are equal by rounding. Of equal ones the lower class comes first, as everywhere.
    const logit = (label: number) => values[image * classes + label]!;
    order.sort((a, b) => logit(b) - logit(a) || a - b);
    for (let rank = 0; rank < ranks; rank++) {
      scores.bestClasses[image * ranks + rank] = order[rank]!;
      scores.bestScores[image * ranks + rank] = row[order[rank]!]!;
    }
    scores.labelScores[image] = row[labels[image]!]!;
  }
  return scores;
}

/**
 * The least score that a class is given when scores are read, so that its logarithm is finite: the smallest number
 * of float16 above 0, 2^-24, is the finest that a file can tell from 0.
 */
const LEAST = 2 ** -25;

/**
 * By how much each rank is raised above the next when scores are read, as a fraction. Rounding to float16 moves a
 * score by up to 2^-12 of itself and can make two equal; all ranks together are raised by less, and keep their order.
 */
const RANK_STEP = 2 ** -17 / KEPT;

/** Makes logits of kept scores: their logarithms, [N, C], which a softmax turns back into the scores. */
export function logitsOf({ classes, ranks, bestClasses, bestScores, labels, labelScores }: Scores): Logits {
  const images = labels.length;
  const values = new Float64Array(images * classes);
  for (let image = 0; image < images; image++) {
    const row = values.subarray(image * classes, (image + 1) * classes);
    row.fill(-1);
    let sum = 0;
    let known = 0;
    const give = (label: number, score: number) => {
      if (row[label]! < 0) known++;
      else sum -= row[label]!;
      row[label] = score;
      sum += score;
    };
    give(labels[image]!, labelScores[image]!);
    for (let rank = 0; rank < ranks; rank++)
      give(
        bestClasses[image * ranks + rank]!,
        bestScores[image * ranks + rank]! * (1 + (ranks - rank) * RANK_STEP),
      );
    const others = classes - known;
    const rest = others > 0 ? Math.max(0, 1 - sum) / others : 0;
    for (let c = 0; c < classes; c++) row[c] = Math.log(Math.max(row[c]! < 0 ? rest : row[c]!, LEAST));
  }
  return { values, classes };
}

/** Writes scores of several parts of the images as one safetensors file. */
export function saveScores(path: string, parts: Readonly<Record<string, Scores>>): void {
  torch.scope(() => {
    const tensors: Record<string, torch.Tensor> = {};
    const metadata: Record<string, string> = {};
    for (const [part, scores] of Object.entries(parts)) {
      const { classes, ranks, bestClasses, bestScores, labels, labelScores } = scores;
      const dtype = classes <= 256 ? "uint8" : "int32";
      const shape = [labels.length, ranks];
      tensors[`${part}.bestClasses`] = torch.tensor(bestClasses, { shape }).to({ dtype });
      tensors[`${part}.bestScores`] = torch.tensor(bestScores, { shape }).to({ dtype: "float16" });
      tensors[`${part}.labels`] = torch.tensor(labels).to({ dtype });
      tensors[`${part}.labelScores`] = torch.tensor(labelScores).to({ dtype: "float16" });
      metadata[part] = String(classes);
    }
    torch.saveSafetensors(path, tensors, metadata);
  });
}

/** What can be done where a file of scores cannot be used. */
export const scoresRemedy =
  "Put the file back as it was committed, or remove it and the .json of the same name: `lyceum study` then trains this " +
  "network again";

/** The greatest number of logits, N times C, that is made of scores: 4 GiB, ten times those of ImageNet's 50,000. */
const MOST_LOGITS = 2 ** 29;

function read(path: string): torch.Safetensors {
  try {
    return torch.loadSafetensors(path);
  } catch (error) {
    throw new Error(`${(error as Error).message}. ${scoresRemedy}`);
  }
}

/**
 * Reads the scores of one part of the images.
 *
 * @throws Error that names the file when it is damaged or lacks that part
 */
export function loadScores(path: string, part: string): Scores {
  return torch.scope(() => {
    const { tensors, metadata } = read(path);
    const classes = Number(metadata[part]);
    const named = (name: string) => {
      const tensor = tensors[`${part}.${name}`];
      if (!tensor) throw new Error(`${path}: holds no scores of the part "${part}". ${scoresRemedy}`);
      return tensor;
    };
    const best = named("bestClasses");
    const [images = 0, ranks = 0] = best.shape;
    const bestClasses = best.to({ dtype: "int32" }).toTypedArray() as Int32Array;
    const bestScores = named("bestScores").to({ dtype: "float32" }).toTypedArray() as Float32Array;
    const labels = named("labels").to({ dtype: "int32" }).toTypedArray() as Int32Array;
    const labelScores = named("labelScores").to({ dtype: "float32" }).toTypedArray() as Float32Array;
    const isClass = (label: number) => label >= 0 && label < classes;
    const isScore = (score: number) => score >= 0 && score <= 1;
    const fits =
      Number.isInteger(classes) &&
      classes >= 2 &&
      images * classes <= MOST_LOGITS &&
      images >= 1 &&
      ranks >= 1 &&
      ranks <= classes &&
      best.shape.length === 2 &&
      bestScores.length === images * ranks &&
      labels.length === images &&
      labelScores.length === images &&
      bestClasses.every(isClass) &&
      labels.every(isClass) &&
      bestScores.every(isScore) &&
      labelScores.every(isScore);
    if (!fits)
      throw new Error(`${path}: the scores of the part "${part}" do not fit together. ${scoresRemedy}`);
    return { classes, ranks, bestClasses, bestScores, labels, labelScores };
  });
}
