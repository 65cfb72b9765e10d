import type { Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { BatchFinisher } from "./batch-finisher.js";
import type { BatchOptions, BatchSource, BatchTensors, EpochBatches } from "./batches.js";
import type { ImageSet } from "./image-set.js";

/** The set's bytes as a tensor on the CPU, which shares their memory where their buffer allows it and else is a copy. */
export function imagesOf({ images, count, channels, height, width }: ImageSet): Tensor {
  const shape = [count, channels, height, width];
  return images.buffer instanceof SharedArrayBuffer
    ? torch.fromBuffer(images, shape)
    : torch.tensor(images, { shape });
}

/**
 * Makes batches on the CPU by the fused operator, on a background thread: for training there, and for sets that do not
 * fit on the device.
 */
export class HostBatches implements BatchSource {
  readonly #set: ImageSet;
  readonly #finisher: BatchFinisher;
  readonly #images: Tensor;

  /** @throws RangeError when there is no such policy, or an option does not fit it */
  constructor(set: ImageSet, options: BatchOptions) {
    this.#set = set;
    this.#finisher = new BatchFinisher(set, options);
    this.#images = torch.keep(imagesOf(set));
  }

  epoch(order: Int32Array, epoch: number): EpochBatches {
    return { make: (start, end) => this.#make(order.slice(start, end), epoch), dispose: () => {} };
  }

  dispose(): void {
    this.#images.dispose();
  }

  #make(indices: Int32Array, epoch: number): Promise<BatchTensors> {
    const labels = indices.map((index) => this.#set.labels[index]!);
    return this.#finisher.finish({ images: this.#images, rows: indices, indices, labels }, epoch);
  }
}
