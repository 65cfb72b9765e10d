import {
  type AnyDataset,
  channelStatistics,
  checkDataset,
  checkImageSet,
  type ImageList,
  type ImageSet,
  isStored,
  Loader,
  loadDataset,
  type MakeOptions,
  planSteps,
  type Ranks,
  type StoredImages,
  splitHeldOut,
} from "../data/index.js";
import { builtIn, type Library, type Recipe } from "../recipe/index.js";
import type * as torch from "../torch/index.js";
import { deriveSeed } from "./seeds.js";

/** The images of a recipe, split and ready to be loaded. */
export interface Images {
  dataset: AnyDataset;
  classes: number;
  channels: number;
  /** Pixels. */
  height: number;
  /** Pixels. */
  width: number;
  /**
   * Pixels to which the shorter side of an image in a file is resized before its middle is cut out; undefined where the images
   * are of one size in memory.
   */
  shorterSide: number | undefined;
  /**
   * The mean of each channel over the training images, as a fraction of 255; every image is normalised by it.
   */
  mean: number[];
  /** The standard deviation of each channel over the training images, as a fraction of 255. */
  std: number[];
  /** The number of training images in an epoch. */
  trainCount: number;
  /** The number of training steps in an epoch. */
  stepsPerEpoch: number;
  /**
   * Makes a loader of the training images, shuffled and augmented, in an order of the generation's own.
   *
   * @param options.whole whether it gives whole batches where several processes train together. Default: this process's parts
   */
  trainLoader(generation: number, options?: { whole?: boolean }): Loader;
  /** Makes a loader of the images that are held out of training; undefined where there are none. */
  validationLoader(): Loader | undefined;
  /**
   * Makes a loader of the test images in their order, or of those at `indices`. To be read once a generation,
   * at its end.
   */
  testLoader(indices?: Int32Array): Loader;
}

/** The number of images in a batch of evaluation; larger batches are no faster on a CPU, and take more memory. */
const evaluationBatch = ({ height, width }: ImageList) =>
  Math.max(8, Math.min(256, Math.floor(2 ** 21 / (height * width))));

/** The fewest images of a process's part of a batch, since batch norm cannot train on one. */
export const fewestPerRank = ({ syncBatchNorm = false }: Recipe) => (syncBatchNorm ? 1 : 2);

export interface PrepareImagesOptions extends MakeOptions {
  /** The definitions that the data set's name can stand for. Default: Lyceum's own. */
  library?: Library | undefined;
  /** Images that a program hands over instead of those that the recipe names. */
  dataset?: AnyDataset | undefined;
  /** The processes that train together, of which this is one. Default: it trains alone. */
  ranks?: Ranks | undefined;
  /** Whether the test images are loaded; without them `testLoader` throws. Default: true. */
  test?: boolean | undefined;
}

/**
 * Loads the images that the recipe names, unless images are given, and splits off those that are held out.
 *
 * @throws whatever `signal` was aborted with; Error when the set is not found or damaged; TypeError when
 *   given images do not fit together; RangeError when the part to be held out is so small that it holds no
 *   image
 */
export async function prepareImages(
  recipe: Recipe,
  { library = builtIn, dataset: given, test: wanted = true, ranks, ...making }: PrepareImagesOptions = {},
): Promise<Images> {
  const { heldOut: fraction, ...spec } = recipe.data;
  const definition = library.find("dataset", spec.name);
  if (!given && !definition) {
    throw new Error(
      `the images "${spec.name}" are not one of Lyceum's data sets: give the file that defines them by --import, or, in ` +
        "code, give them again as `dataset` to trainGenerations (with `resume`), evaluateRun or writeReport",
    );
  }
  const dataset = given ?? (await loadDataset(spec, { definition, test: wanted, ...making }));
  checkDataset(spec.name, dataset);
  const { train, test } = dataset;
  for (const set of wanted ? [train, test] : [train]) checkImageSet(set, dataset.classNames.length);
  if (wanted) checkAlike(train, test);
  const split =
    fraction > 0 ? splitHeldOut(train, { fraction, seed: deriveSeed(recipe.seed, "split") }) : undefined;
  if (split?.heldOut.length === 0) {
    throw new RangeError(`data.heldOut is ${fraction}: of ${train.count} training images that is none`);
  }
  const { mean, std } = dataset.normalisation
    ? copyOf(dataset.normalisation)
    : statisticsOf(train, split?.train);
  const common = { mean, std, device: recipe.device as torch.Device };

  const trainCount = split?.train.length ?? train.count;
  // Batch norm cannot train on a batch of a single image.
  const plan = { batchSize: recipe.batchSize, joinLoneLast: true };

  const evaluation = (set: ImageSet | StoredImages, indices?: Int32Array) =>
    new Loader(set, {
      ...common,
      ...(indices && { indices }),
      batchSize: evaluationBatch(set),
      seed: 0,
      shuffle: false,
    });

  return {
    dataset,
    classes: dataset.classNames.length,
    channels: train.channels,
    height: train.height,
    width: train.width,
    shorterSide: isStored(train) ? train.resize : undefined,
    mean,
    std,
    trainCount,
    stepsPerEpoch: planSteps(trainCount, plan).steps,
    trainLoader: (generation, { whole = false } = {}) =>
      new Loader(train, {
        ...common,
        ...(split && { indices: split.train }),
        ...plan,
        seed: deriveSeed(recipe.seed, "batches", generation),
        shuffle: true,
        joinLoneLast: true,
        augment: recipe.augment,
        ...(ranks && !whole && { ranks, fewestPerRank: fewestPerRank(recipe) }),
      }),
    validationLoader: () => split && evaluation(train, split.heldOut),
    testLoader: (indices) => {
      if (!wanted) throw new Error("the test images were not loaded: choices are made on held-out images");
      return evaluation(test, indices);
    },
  };
}

/**
 * Takes the statistics of the training images alone: held-out and test images must have no influence on training.
 *
 * @throws TypeError for images in files, whose data set has to say by what they are normalised
 */
function statisticsOf(train: ImageSet | StoredImages, indices?: Int32Array) {
  if (!isStored(train)) return channelStatistics(train, indices);
  throw new TypeError(`the data set of ${train.name} lacks normalisation, which images in files need`);
}

const copyOf = ({ mean, std }: NonNullable<AnyDataset["normalisation"]>) => ({
  mean: [...mean],
  std: [...std],
});

function checkAlike(train: ImageList, test: ImageList): void {
  const shape = ({ channels, height, width }: ImageList) => `${channels}x${height}x${width}`;
  if (shape(train) !== shape(test)) {
    throw new TypeError(
      `training images are ${shape(train)}, test images ${shape(test)}: they must be alike`,
    );
  }
}
