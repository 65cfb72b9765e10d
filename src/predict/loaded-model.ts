import { setImmediate as nextTurn } from "node:timers/promises";
import { type EnsembleOptions, ensembleProbabilities } from "../analysis/index.js";
import type { ImageSize } from "../data/index.js";
import { type Kernels, type Module, kernels as processKernels, setKernels } from "../nn/index.js";
import type { WeightsDescription } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { type ImageInput, Preparation } from "./preparation.js";

export type { ImageInput } from "./preparation.js";

export interface PredictOptions {
  /** How many of the best classes to name. Default: all classes. */
  top?: number | undefined;
}

/** The score of one class. */
export interface ClassScore {
  /** The name of the class. */
  class: string;
  /** The index of the class in `classes`. */
  index: number;
  /** The softmax probability, a fraction from 0 to 1; for an ensemble by default the mean over its members. */
  score: number;
}

/** The prediction for one image. */
export interface Prediction {
  /** The class with the highest score; where several share it, the one with the lowest index. */
  label: string;
  /** The best classes, highest score first. */
  scores: ClassScore[];
}

/** The result for one image of many: its prediction, or the error that prevented one. */
export type PredictionResult<T = ImageInput> =
  | { image: T; prediction: Prediction; error?: undefined }
  | { image: T; prediction?: undefined; error: Error };

/** An image that is to be predicted. */
interface Item<T> {
  image: T;
  /** The name of the image in messages, where it has no path. */
  name?: string;
  /** The normalised values of the image, [H, W, C], where it was given as a tensor. */
  values?: Float32Array;
}

/** An image with its normalised values, or the error that came of reading it. */
type Prepared<T> =
  | { image: T; name: string; values: Float32Array; error?: undefined }
  | { image: T; name: string; values?: undefined; error: Error };

/** One frozen network, with the description and the path of its weights file. */
export interface Member {
  model: Module;
  description: WeightsDescription;
  path: string;
}

/** The most images in a batch: more at once make a CPU no faster, and take more memory. */
const MOST_IMAGES = 64;
/** The most values in a batch, by which large images come in small batches: 13 images of 3 x 224 x 224. */
const MOST_VALUES = 2 ** 21;

/**
 * A trained network ready to predict, or several as an ensemble, made by {@link loadModel}. Calls may
 * overlap. Images are decoded in the background, and the event loop turns between batches.
 */
export class LoadedModel {
  /** The names of the classes, in the order of their indices. */
  readonly classes: readonly string[];
  /**
   * The size to which every image is brought before the network sees it: channels, and height and width in
   * pixels.
   */
  readonly imageSize: Readonly<ImageSize>;
  /** The descriptions in the weights files, one for each member. */
  readonly descriptions: readonly WeightsDescription[];
  /**
   * The frozen networks with their batch norms folded, one for each member. They take images that are normalised as the
   * first member's description says, float32 [N, C, H, W], and return logits [N, classes].
   */
  readonly models: readonly Module[];
  /** How several members are averaged. */
  readonly ensemble: Readonly<EnsembleOptions>;
  readonly #device: torch.Device;
  readonly #kernels: Kernels;
  readonly #preparation: Preparation;
  #disposed = false;

  /**
   * @internal
   * @param members networks for the same classes and images, which the model owns from then on
   * @throws Error when the members are for different classes or images
   */
  constructor(
    members: readonly Member[],
    { device, kernels, ensemble }: { device: torch.Device; kernels: Kernels; ensemble: EnsembleOptions },
  ) {
    checkAlike(members);
    const { classNames, channels, height, width, shorterSide, mean, std } = members[0]!.description;
    this.classes = classNames;
    this.imageSize = { channels, height, width };
    this.descriptions = members.map(({ description }) => description);
    this.models = members.map(({ model }) => model);
    this.#device = device;
    this.#kernels = kernels;
    this.ensemble = ensemble;
    this.#preparation = new Preparation(this.imageSize, { mean, std }, shorterSide);
  }

  /**
   * Predicts the class of one image, or of each of several.
   *
   * @param image a file's path, the bytes of an encoded image (PNG, JPEG, WebP, GIF, TIFF), or a tensor: [C,
   *   H, W], of the network's own size, uint8 as images are stored or float32 normalised already; or an array
   *   of these; or one tensor [N, C, H, W]. Tensors are copied before the promise is returned
   * @returns one prediction for one image, else an array in the images' order
   * @throws ImageError for the first image that cannot be read, TypeError for a tensor of another shape or
   *   dtype, RangeError when `top` is no positive integer, or a tensor or the network's logits hold NaN or
   *   infinity, Error when the model was disposed of
   */
  predict(image: string | Uint8Array, options?: PredictOptions): Promise<Prediction>;
  predict(images: readonly ImageInput[], options?: PredictOptions): Promise<Prediction[]>;
  predict(image: ImageInput, options?: PredictOptions): Promise<Prediction | Prediction[]>;
  async predict(
    images: ImageInput | readonly ImageInput[],
    { top }: PredictOptions = {},
  ): Promise<Prediction | Prediction[]> {
    const preparation = this.#preparation;
    const batched = torch.isTensor(images) && images.shape.length !== 3;
    const many = batched || Array.isArray(images);
    // Tensors are copied before the first await, since the caller may then dispose of them or write to them.
    let items: Item<unknown>[];
    if (batched) {
      items = preparation.tensors(images, "the tensor").map((values, i) => {
        return { image: images, name: `the tensor's image ${i}`, values };
      });
    } else {
      items = (many ? (images as readonly ImageInput[]) : [images as ImageInput]).map((image, i) => {
        const name = many ? `images[${i}]` : torch.isTensor(image) ? "the tensor" : "the image";
        return torch.isTensor(image)
          ? { image, name, values: preparation.tensor(image, name) }
          : { image, name };
      });
    }
    const predictions: Prediction[] = [];
    for await (const { prediction, error } of this.#results(items, top)) {
      if (error) throw error;
      predictions.push(prediction);
    }
    return many ? predictions : predictions[0]!;
  }

  /**
   * Predicts the classes of any number of images, one after another, with at most two batches of them in
   * memory. An image that cannot be read does not stop the others.
   *
   * @param images single images, each given as for {@link predict}; a tensor must stay unchanged until its
   *   result is there
   * @returns a result for each image, in their order: its prediction, or the error that prevented one
   * @throws RangeError when `top` is no positive integer, Error when the model was disposed of
   */
  predictEach<T extends ImageInput>(
    images: Iterable<T>,
    { top }: PredictOptions = {},
  ): AsyncGenerator<PredictionResult<T>, void, undefined> {
    return this.#results(named(images), top);
  }

  async *#results<T>(
    items: Iterable<Item<T>>,
    top = this.classes.length,
  ): AsyncGenerator<PredictionResult<T>, void, undefined> {
    if (!Number.isInteger(top) || top < 1) throw new RangeError(`top must be 1 or more, got ${top}`);
    const batches = inBatches(items, this.#batchSize);
    const prepareNext = () => {
      const { value, done } = batches.next();
      return done ? undefined : Promise.all(value.map((item) => this.#prepare(item)));
    };
    try {
      let coming = prepareNext();
      while (coming) {
        const batch = await coming;
        // The next batch is decoded in the background while this one is computed.
        coming = prepareNext();
        yield* this.#predictBatch(batch, top);
        if (coming) await nextTurn();
      }
    } finally {
      batches.return(undefined);
    }
  }

  async #prepare<T>(item: Item<T>): Promise<Prepared<T>> {
    const { image, name = "the image", values } = item;
    try {
      return { image, name, values: values ?? (await this.#preparation.image(image as ImageInput, name)) };
    } catch (error) {
      return { image, name, error: error as Error };
    }
  }

  #predictBatch<T>(batch: readonly Prepared<T>[], top: number): PredictionResult<T>[] {
    const logits = this.#logits(batch.flatMap(({ values }) => (values ? [values] : [])));
    const classes = this.classes.length;
    let row = 0;
    return batch.map(({ image, name, values, error }) => {
      if (!values) return { image, error };
      const start = classes * row++;
      const members = logits.map((all) => ({ values: all.subarray(start, start + classes), classes }));
      try {
        return { image, prediction: this.#rank(ensembleProbabilities(members, this.ensemble), top) };
      } catch (cause) {
        const what = typeof image === "string" ? image : name;
        return {
          image,
          error: new RangeError(`${what}: the network's logits are NaN or infinite`, { cause }),
        };
      }
    });
  }

  #rank(scores: Float64Array, top: number): Prediction {
    const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, top);
    const ranked = best.map((index) => ({ class: this.classes[index]!, index, score: scores[index]! }));
    return { label: ranked[0]!.class, scores: ranked };
  }

  /**
   * Computes each member's logits for a batch, [N, classes] row by row. It is synchronous, so that no other
   * call can run while this model's kernels are the process's.
   */
  #logits(images: readonly Float32Array[]): Float32Array[] {
    if (this.#disposed) throw new Error("this model was disposed of");
    if (images.length === 0) return this.models.map(() => new Float32Array());
    const { channels, height, width } = this.imageSize;
    const joined = new Float32Array(images.length * images[0]!.length);
    images.forEach((values, i) => {
      joined.set(values, i * values.length);
    });
    const before = processKernels();
    setKernels(this.#kernels);
    try {
      return torch.scope(() =>
        torch.noGrad(() => {
          const options = { shape: [images.length, height, width, channels], device: this.#device };
          const batch = torch.tensor(joined, options).permute([0, 3, 1, 2]);
          return this.models.map((model) => {
            const logits = model.forward(batch).to({ dtype: "float32", device: "cpu" });
            const expected = [images.length, this.classes.length];
            if (`${logits.shape}` === `${expected}`) return logits.toTypedArray() as Float32Array;
            throw new Error(`the network's logits are [${logits.shape}], expected [${expected}]`);
          });
        }),
      );
    } finally {
      setKernels(before);
    }
  }

  get #batchSize(): number {
    const { channels, height, width } = this.imageSize;
    return Math.max(1, Math.min(MOST_IMAGES, Math.floor(MOST_VALUES / (channels * height * width))));
  }

  /** Frees the networks. Predictions that have not ended yet fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const model of this.models) model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Checks that the members of an ensemble have the same classes and take the same images. */
function checkAlike(members: readonly Member[]): void {
  const [first] = members;
  for (const key of ["classNames", "channels", "height", "width", "shorterSide"] as const) {
    const odd = members.find(
      ({ description }) => JSON.stringify(description[key]) !== JSON.stringify(first!.description[key]),
    );
    if (odd) throw new Error(`${odd.path}: its ${key} is not that of ${first!.path}: they form no ensemble`);
  }
}

function* named<T>(images: Iterable<T>): Generator<Item<T>> {
  let i = 0;
  for (const image of images) yield { image, name: `images[${i++}]` };
}

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[], undefined> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
