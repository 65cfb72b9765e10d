import {
  channelStatistics,
  checkImageSet,
  type Dataset,
  datasetNames,
  type ImageSet,
  Loader,
  loadDataset,
  splitHeldOut,
} from "../data/index.js";
import type { Recipe } from "../recipe/index.js";
import type * as torch from "../torch/index.js";
import { deriveSeed } from "./seeds.js";

/** A recipe's images, split and ready to be loaded. */
export interface Images {
  dataset: Dataset;
  classes: number;
  channels: number;
  /** Of the training images' channels, as fractions of 255: what every image is normalised by. */
  mean: number[];
  std: number[];
  /** Training images seen in an epoch. */
  trainCount: number;
  /** Shuffled and augmented, in an order of the generation's own. */
  trainLoader(generation: number): Loader;
  /** What choices are made on; undefined when nothing is held out. */
  heldOutLoader(): Loader | undefined;
  /** In the set's order. To be read once a generation, at its end. */
  testLoader(): Loader;
}

/** Nothing is shuffled or dropped when a network is judged; larger batches are no quicker on a CPU. */
const evaluationBatch = 256;

/**
 * Loads what the recipe asks for, unless the images are given.
 *
 * @throws Error when the set is not found or damaged, TypeError when given images do not fit together, RangeError
 *   when so small a part is to be held out that it is no image
 */
export async function prepareImages(recipe: Recipe, given?: Dataset): Promise<Images> {
  const { heldOut: fraction, ...spec } = recipe.data;
  if (!given && !datasetNames.includes(spec.name)) {
    throw new Error(
      `the images "${spec.name}" are the code's own, which no command can load: give them again as \`dataset\`, to ` +
        "trainGenerations (with `resume: true`), evaluateRun or writeReport",
    );
  }
  const dataset = given ?? (await loadDataset(spec));
  const { train, test } = dataset;
  for (const set of [train, test]) checkImageSet(set, dataset.classNames.length);
  checkAlike(train, test);
  const split =
    fraction > 0 ? splitHeldOut(train, { fraction, seed: deriveSeed(recipe.seed, "split") }) : undefined;
  if (split?.heldOut.length === 0) {
    throw new RangeError(`data.heldOut is ${fraction}: of ${train.count} training images that is none`);
  }
  // Held-out and test images must not shape what the network is fed.
  const { mean, std } = channelStatistics(train, split?.train);
  const common = { mean, std, device: recipe.device as torch.Device };

  const evaluation = (set: ImageSet, indices?: Int32Array) =>
    new Loader(set, {
      ...common,
      ...(indices && { indices }),
      batchSize: evaluationBatch,
      seed: 0,
      shuffle: false,
    });

  return {
    dataset,
    classes: dataset.classNames.length,
    channels: train.channels,
    mean,
    std,
    trainCount: split?.train.length ?? train.count,
    trainLoader: (generation) =>
      new Loader(train, {
        ...common,
        ...(split && { indices: split.train }),
        batchSize: recipe.batchSize,
        seed: deriveSeed(recipe.seed, "batches", generation),
        shuffle: true,
        joinLoneLast: true,
        augment: recipe.augment,
      }),
    heldOutLoader: () => split && evaluation(train, split.heldOut),
    testLoader: () => evaluation(test),
  };
}

function checkAlike(train: ImageSet, test: ImageSet): void {
  const shape = ({ channels, height, width }: ImageSet) => `${channels}x${height}x${width}`;
  if (shape(train) !== shape(test)) {
    throw new TypeError(
      `training images are ${shape(train)}, test images ${shape(test)}: they must be alike`,
    );
  }
}
