import {
  channelStatistics,
  checkDataset,
  checkImageSet,
  type Dataset,
  type ImageSet,
  Loader,
  loadDataset,
  type MakeOptions,
  planSteps,
  splitHeldOut,
} from "../data/index.js";
import { builtIn, type Library, type Recipe } from "../recipe/index.js";
import type * as torch from "../torch/index.js";
import { deriveSeed } from "./seeds.js";

/** A recipe's images, split and ready to be loaded. */
export interface Images {
  dataset: Dataset;
  classes: number;
  channels: number;
  height: number;
  width: number;
  /** Of the training images' channels, as fractions of 255: what every image is normalised by. */
  mean: number[];
  std: number[];
  /** Training images seen in an epoch. */
  trainCount: number;
  /** Training steps of an epoch. */
  stepsPerEpoch: number;
  /** Shuffled and augmented, in an order of the generation's own. */
  trainLoader(generation: number): Loader;
  /** The images held out of training, on which choices are made; undefined when there are none. */
  validationLoader(): Loader | undefined;
  /** In the set's order, or in that of `indices`. To be read once a generation, at its end. */
  testLoader(indices?: Int32Array): Loader;
}

/** Images per batch of evaluation; larger ones are no quicker on a CPU. */
const evaluationBatch = 256;

export interface PrepareImagesOptions extends MakeOptions {
  /** What the data set's name may mean. Default: Lyceum's own sets. */
  library?: Library | undefined;
  /** Images that a program hands over instead. */
  dataset?: Dataset | undefined;
}

/**
 * Loads what the recipe asks for, unless the images are given.
 *
 * @throws whatever `signal` was aborted with; Error when the set is not found or damaged, TypeError when given images do not fit together, RangeError
 *   when so small a part is to be held out that it is no image
 */
export async function prepareImages(
  recipe: Recipe,
  { library = builtIn, dataset: given, ...making }: PrepareImagesOptions = {},
): Promise<Images> {
  const { heldOut: fraction, ...spec } = recipe.data;
  const definition = library.find("dataset", spec.name);
  if (!given && !definition) {
    throw new Error(
      `the images "${spec.name}" are not one of Lyceum's data sets: give the file that defines them by --import, or, in ` +
        "code, give them again as `dataset` to trainGenerations (with `resume`), evaluateRun or writeReport",
    );
  }
  const dataset = given ?? (await loadDataset(spec, { definition, ...making }));
  checkDataset(spec.name, dataset);
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

  const trainCount = split?.train.length ?? train.count;
  // Batch norm cannot train on a lone image.
  const plan = { batchSize: recipe.batchSize, joinLoneLast: true };

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
    height: train.height,
    width: train.width,
    mean,
    std,
    trainCount,
    stepsPerEpoch: planSteps(trainCount, plan).steps,
    trainLoader: (generation) =>
      new Loader(train, {
        ...common,
        ...(split && { indices: split.train }),
        ...plan,
        seed: deriveSeed(recipe.seed, "batches", generation),
        shuffle: true,
        joinLoneLast: true,
        augment: recipe.augment,
      }),
    validationLoader: () => split && evaluation(train, split.heldOut),
    testLoader: (indices) => evaluation(test, indices),
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
