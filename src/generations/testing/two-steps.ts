/** Takes the first two steps of a recipe's patriarch and of its first student, on drawn images. */
import { expect } from "vitest";
import { makeSynthetic } from "../../data/index.js";
import type { Module } from "../../nn/index.js";
import { builtIn, loadRecipe } from "../../recipe/index.js";
import { type EpochReport, trainNetwork } from "../../training/index.js";
import { type Experiment, freshModel } from "../experiment.js";
import { prepareImages } from "../images.js";
import { createLearner, scheduleFor } from "../learner.js";
import { freeze } from "../train-generation.js";

/** The classes and channels of the data sets that recipes name. */
const shapes: Record<string, { classes: number; channels: 1 | 3 }> = {
  cifar100: { classes: 100, channels: 3 },
  "fashion-mnist": { classes: 10, channels: 1 },
  imagenet: { classes: 20, channels: 3 },
  folder: { classes: 10, channels: 3 },
};

interface Size {
  /** Images in a step. Default: the recipe's. */
  batchSize?: number;
  /** Pixels of the images, each way. Default: 32. */
  size?: number;
}

/** Makes an experiment of a recipe on as many drawn images as two steps take. */
async function experimentOf(name: string, { batchSize, size = 32 }: Size): Promise<Experiment> {
  const read = await loadRecipe(name);
  const { resizedCrop: _, ...augment } = read.augment;
  const recipe = {
    ...read,
    augment,
    data: { name: read.data.name },
    batchSize: batchSize ?? read.batchSize,
  };
  const counts = { trainCount: 2 * recipe.batchSize, testCount: 100 };
  const dataset = makeSynthetic({ ...shapes[recipe.data.name]!, ...counts, size, seed: 1 });
  const images = await prepareImages({ ...recipe, data: { ...recipe.data, heldOut: 0 } }, { dataset });
  return {
    recipe: { ...recipe, data: read.data },
    library: builtIn,
    images,
    folder: undefined,
    model: undefined,
  };
}

/** Trains a generation for an epoch of two steps. */
async function train(
  experiment: Experiment,
  generation: number,
  teachers: readonly Module[],
): Promise<{ model: Module; report: EpochReport; unmoved: string[] }> {
  const model = freshModel(experiment, generation);
  const first = [...model.namedParameters()].map(
    ([name, tensor]) => [name, tensor.detach().clone()] as const,
  );
  using learner = createLearner(experiment, generation, model, teachers);
  using loader = experiment.images.trainLoader(generation);
  expect(loader.stepsPerEpoch).toBe(2);
  const reports: EpochReport[] = [];
  const schedule = scheduleFor(experiment, generation, loader.stepsPerEpoch);
  const observers = [{ onEpoch: (report: EpochReport) => void reports.push(report) }];
  await trainNetwork(learner, { loader, epochs: 1, schedule, observers });
  const last = model.namedParameters();
  const unmoved = first.filter(([name, tensor]) => last.get(name)!.equal(tensor)).map(([name]) => name);
  for (const [, tensor] of first) tensor.dispose();
  return { model, report: reports[0]!, unmoved };
}

/** Expects that a recipe's patriarch and first student each take two steps that move every weight. */
export async function expectTwoSteps(name: string, size: Size = {}): Promise<void> {
  const experiment = await experimentOf(name, size);
  const patriarch = await train(experiment, 0, []);
  const teacher = freeze(patriarch.model);
  const student = await train(experiment, 1, [teacher]);
  for (const { report, unmoved } of [patriarch, student]) {
    expect(unmoved).toEqual([]);
    expect(report.images).toBe(2 * experiment.recipe.batchSize);
    for (const value of [report.loss, ...Object.values(report.terms)])
      expect(value).toSatisfy(Number.isFinite);
  }
  // A fresh network tells nothing apart: its cross-entropy is about the logarithm of the number of classes.
  const uniform = Math.log(experiment.images.classes);
  expect(patriarch.report.terms.hard).toBeGreaterThan(0.5 * uniform);
  expect(patriarch.report.terms.hard).toBeLessThan(3 * uniform);
  expect(student.report.terms.soft).toBeGreaterThan(0);
  for (const model of [teacher, student.model]) model.dispose();
}
