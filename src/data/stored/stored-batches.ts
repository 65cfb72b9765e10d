import type { Tensor } from "../../torch/index.js";
import { BatchFinisher } from "../batch-finisher.js";
import type { BatchOptions, BatchSource, BatchTensors, EpochBatches } from "../batches.js";
import { boxKeys } from "../decoding/index.js";
import type { Span } from "../epoch-plan.js";
import type { StoredImages } from "../image-set.js";
import { type BoxDraw, decodeStored } from "./decode-stored.js";

/**
 * How many batches are prefetched beside the one that is asked for. A step of the training blocks the event loop, and each piece
 * of a batch that is handed on by JavaScript waits for the next turn: two are needed at least, and images that take the way
 * through sharp need more.
 */
const prefetched = 3;

/** A batch whose images are being decoded. */
interface Decoding {
  readonly end: number;
  readonly images: Promise<Tensor>;
}

/** Makes batches of images that lie in files: decoded natively in the background, ahead of the training. */
export class StoredBatches implements BatchSource {
  readonly #set: StoredImages;
  readonly #options: BatchOptions;
  readonly #finisher: BatchFinisher;

  constructor(set: StoredImages, options: BatchOptions) {
    this.#set = set;
    this.#options = options;
    this.#finisher = new BatchFinisher(set, options);
  }

  epoch(order: Int32Array, epoch: number, spans: readonly Span[]): EpochBatches {
    const places = new Map(spans.map(({ start }, place) => [start, place]));
    const decodings = new Map<number, Decoding>();
    const drop = (start: number) => {
      decodings.get(start)?.images.then(
        (images) => images.dispose(),
        () => {},
      );
      decodings.delete(start);
    };
    const decode = (start: number, end: number) => {
      if (decodings.get(start)?.end === end) return;
      drop(start);
      const images = this.#decode(order.subarray(start, end), epoch);
      // A failure is thrown where the batch is asked for.
      images.catch(() => {});
      decodings.set(start, { end, images });
    };
    return {
      make: async (start, end) => {
        decode(start, end);
        const next = (places.get(start) ?? spans.length) + 1;
        for (const ahead of spans.slice(next, next + prefetched)) decode(ahead.start, ahead.end);
        const { images: coming } = decodings.get(start)!;
        decodings.delete(start);
        const images = await coming;
        try {
          return await this.#finish(images, order.slice(start, end), epoch);
        } finally {
          images.dispose();
        }
      },
      dispose: () => {
        for (const start of [...decodings.keys()]) drop(start);
      },
    };
  }

  dispose(): void {}

  #decode(indices: Int32Array, epoch: number): Promise<Tensor> {
    const { augment, seed } = this.#options;
    const { resizedCrop } = augment;
    const box: BoxDraw | undefined = resizedCrop
      ? { ...resizedCrop, keys: boxKeys(indices, seed, epoch) }
      : undefined;
    return decodeStored(this.#set, indices, box);
  }

  #finish(images: Tensor, indices: Int32Array, epoch: number): Promise<BatchTensors> {
    const labels = indices.map((index) => this.#set.labels[index]!);
    return this.#finisher.finish({ images, rows: Int32Array.from(indices.keys()), indices, labels }, epoch);
  }
}
