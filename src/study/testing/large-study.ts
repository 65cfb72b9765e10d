/**
 * Makes the results folder of a study of 1,000 networks without training any, to measure what is done with so many:
 * 4 arms, 50 seeds, lines of 5 generations, each network judged on 10,000 images of 100 classes.
 *
 *   npx vite-node --config vitest.config.ts src/study/testing/large-study.ts FOLDER [SEEDS]
 *
 * It writes FOLDER/large.yaml and FOLDER/results/large, of 0.7 GB, in a minute or two.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evaluateLogits, type Logits, Predictions } from "../../analysis/index.js";
import { toYaml } from "../../recipe/index.js";
import type { NetworkFile } from "../network-file.js";
import { planStudy } from "../plan.js";
import { type Scores, saveScores, scoresOf } from "../scores.js";
import { checkStudy } from "../study-file.js";
import { StudyFolder } from "../study-folder.js";

const IMAGES = 10_000;
const CLASSES = 100;
const GENERATIONS = 5;

const contentOf = (seeds: number) => ({
  title: "1,000 networks that were drawn",
  base: { data: { name: "cifar100" }, model: "resnet20", generations: GENERATIONS, epochs: 60 },
  seeds,
  reference: "strict",
  arms: {
    strict: { patriarch: "strict" },
    tolerant: { patriarch: { k: 5, primaryScore: 0.8 } },
    softer: { patriarch: { method: "label-smoothing", epsilon: 0.1 } },
    sure: { patriarch: { method: "confidence-penalty", weight: 0.1 } },
  },
});

/** Draws numbers in [0, 1) (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws the logits of a network that is right for about two thirds of the images. */
function drawLogits(labels: Int32Array, seed: number): Logits {
  const draw = drawing(seed);
  const values = Float64Array.from({ length: IMAGES * CLASSES }, () => draw() + draw() + draw() + draw());
  labels.forEach((label, image) => {
    values[image * CLASSES + label]! += 4 * draw();
  });
  return { values, classes: CLASSES };
}

/** Scores that differ a little from others, as two networks' do, so that no two files are the same. */
const changed = (scores: Scores, by: number): Scores => ({
  ...scores,
  labelScores: scores.labelScores.map((score, image) => (image === by ? score * 0.9 : score)),
});

const [directory = ".", seeds = "50"] = process.argv.slice(2);
const content = contentOf(Number(seeds));
const study = checkStudy(content);
const folder = new StudyFolder(join(directory, "results", "large"));
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, "large.yaml"), toYaml(content));
await folder.begin(study);

const draw = drawing(0);
const labels = Int32Array.from({ length: IMAGES }, () => Math.floor(draw() * CLASSES));
const drawn = Array.from({ length: GENERATIONS }, (_, generation) => {
  const logits = drawLogits(labels, generation + 1);
  return {
    result: evaluateLogits(logits, labels, { k: 5 }),
    scores: scoresOf(new Predictions(logits), labels),
  };
});
const sha256 = "0".repeat(64);
const { networks } = planStudy(study);
for (const [index, { fingerprint, decides, generation }] of networks.entries()) {
  const { result, scores } = drawn[generation]!;
  saveScores(folder.network(fingerprint).scores, { test: changed(scores, index) });
  const curve = Array.from({ length: 60 }, (_, epoch) => 4 / (1 + 0.1 * epoch + 0.001 * draw()));
  const file: NetworkFile = {
    ...{ format: 1, fingerprint, decides, images: { train: sha256, test: sha256 } },
    test: result,
    curve: { trainLoss: curve, trainTop1: curve.map((loss) => 1 / (1 + loss)) },
    ...{
      trainSeconds: 400 + 10 * draw(),
      cpuSeconds: 800 + 20 * draw(),
      kernels: "none: the numbers were drawn",
    },
    machine: { cpu: "none", cores: 1, memoryGiB: 1, os: "none", arch: "none" },
    ...{ lyceum: "0.1.0", date: new Date(0).toISOString() },
  };
  await folder.writeNetwork(file);
}
process.stdout.write(`${networks.length} networks in ${folder.directory}\n`);
