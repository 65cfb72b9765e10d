import type { Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { Augmenter, drawOffsets } from "./augment.js";
import type { BatchOptions, BatchSource, EpochBatches } from "./batches.js";
import { imagesOf } from "./host-batches.js";
import type { ImageSet } from "./image-set.js";

/**
 * Makes batches on the device where the network is, of a set that lies there whole. What an epoch draws is drawn on the
 * CPU, as for every other device, and copied over at once, so that no step has anything to copy and to wait for.
 */
export class ResidentBatches implements BatchSource {
  readonly #options: BatchOptions;
  /** uint8 [N, C, H, W] */
  readonly #images: Tensor;
  /** int64 [N] */
  readonly #labels: Tensor;
  readonly #augmenter: Augmenter;

  constructor(set: ImageSet, options: BatchOptions) {
    const { device, augment, mean, std } = options;
    this.#options = options;
    const here = imagesOf(set);
    this.#images = torch.keep(here.to({ device }));
    if (this.#images !== here) here.dispose();
    this.#labels = torch.keep(torch.tensor(set.labels, { dtype: "int64", device }));
    this.#augmenter = new Augmenter({ images: this.#images, pad: augment.crop, mean, std });
  }

  epoch(order: Int32Array, epoch: number): EpochBatches {
    const { augment, seed, device } = this.#options;
    const drawn = drawOffsets(order, augment, seed, epoch);
    const indices = torch.keep(torch.tensor(order, { dtype: "int64", device }));
    const shape = [order.length, 3];
    const offsets = torch.keep(torch.tensor(drawn, { shape, dtype: "int64", device }));
    const make = (start: number, end: number) =>
      torch.scope(() => {
        const which = indices.narrow(0, start, end - start);
        const images = torch.keep(this.#augmenter.batch(which, offsets.narrow(0, start, end - start)));
        return { images, labels: torch.keep(this.#labels.indexSelect(0, which)) };
      });
    return {
      make: async (start, end) => make(start, end),
      dispose: () => {
        indices.dispose();
        offsets.dispose();
      },
    };
  }

  dispose(): void {
    for (const tensor of [this.#images, this.#labels]) tensor.dispose();
    this.#augmenter.dispose();
  }
}
