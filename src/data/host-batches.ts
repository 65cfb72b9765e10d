import type { AugmentExtras } from "../nn/cpu/index.js";
import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { augmentInBackground, drawOffsets } from "./augment.js";
import type { BatchOptions, BatchSource, BatchTensors, EpochBatches } from "./batches.js";
import { drawErasures } from "./erase.js";
import type { ImageSet } from "./image-set.js";
import { drawOperations, policyOf } from "./policies/index.js";

/** The set's bytes as a tensor on the CPU, which shares their memory where their buffer allows it and else is a copy. */
export function imagesOf({ images, count, channels, height, width }: ImageSet): Tensor {
  const shape = [count, channels, height, width];
  return images.buffer instanceof SharedArrayBuffer
    ? torch.fromBuffer(images, shape)
    : torch.tensor(images, { shape });
}

/** Sends a tensor from the CPU to a device without waiting for it, by way of memory that the device can read itself. */
function send(tensor: Tensor, device: Device): Tensor {
  if (device === "cpu") return tensor;
  using pinned = torch.op("aten::pin_memory", tensor) as Tensor;
  tensor.dispose();
  return torch.keep(pinned.toDevice(device, pinned.dtype, true));
}

/**
 * Makes batches on the CPU by the fused operator, on a background thread: for training there, and for sets that do not
 * fit on the device.
 */
export class HostBatches implements BatchSource {
  readonly #set: ImageSet;
  readonly #options: BatchOptions;
  readonly #images: Tensor;
  readonly #policy: ReturnType<typeof policyOf> | undefined;

  /** @throws RangeError when there is no such policy, or an option does not fit it */
  constructor(set: ImageSet, options: BatchOptions) {
    this.#set = set;
    this.#options = options;
    this.#policy = options.augment.policy && policyOf(options.augment.policy);
    this.#images = torch.keep(imagesOf(set));
  }

  epoch(order: Int32Array, epoch: number): EpochBatches {
    return { make: (start, end) => this.#make(order.slice(start, end), epoch), dispose: () => {} };
  }

  dispose(): void {
    this.#images.dispose();
  }

  async #make(indices: Int32Array, epoch: number): Promise<BatchTensors> {
    const { augment, seed, mean, std, device } = this.#options;
    const offsets = drawOffsets(indices, augment, seed, epoch);
    const args = {
      images: this.#images,
      indices: torch.keep(torch.tensor(indices, { dtype: "int64" })),
      offsets: torch.keep(torch.tensor(offsets, { shape: [indices.length, 3] })),
      pad: augment.crop,
      mean,
      std,
    };
    const extras = this.#extras(indices, epoch);
    const chosen = indices.map((index) => this.#set.labels[index]!);
    const labels = torch.keep(torch.tensor(chosen, { dtype: "int64" }));
    try {
      const images = torch.keep(await augmentInBackground(args, extras));
      return { images: send(images, device), labels: send(labels, device) };
    } catch (error) {
      labels.dispose();
      throw error;
    } finally {
      args.indices.dispose();
      args.offsets.dispose();
      for (const tensor of [extras.operations, extras.magnitudes, extras.erasures]) tensor?.dispose();
    }
  }

  /** Draws what is done to images beside crops and flips. */
  #extras(indices: Int32Array, epoch: number): AugmentExtras {
    const { seed, augment } = this.#options;
    const extras: AugmentExtras = {};
    if (this.#policy) {
      const drawn = drawOperations(indices, this.#policy, this.#set, seed, epoch);
      const shape = [indices.length, drawn.count];
      extras.operations = torch.keep(torch.tensor(drawn.operations, { shape }));
      extras.magnitudes = torch.keep(torch.tensor(drawn.magnitudes, { shape, dtype: "float64" }));
    }
    if (augment.erase) {
      const drawn = drawErasures(indices, augment.erase, this.#set, seed, epoch);
      extras.erasures = torch.keep(torch.tensor(drawn, { shape: [indices.length, 5] }));
      extras.noise = augment.erase.fill === "noise";
    }
    return extras;
  }
}
