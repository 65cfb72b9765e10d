import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { augmentInBackground, drawOffsets } from "./augment.js";
import type { BatchOptions, BatchSource, EpochBatches, Made } from "./batches.js";
import type { ImageSet } from "./image-set.js";

/** The set's bytes as a tensor of the CPU: in place where their buffer allows, else a copy. */
export function imagesOf({ images, count, channels, height, width }: ImageSet): Tensor {
  const shape = [count, channels, height, width];
  return images.buffer instanceof SharedArrayBuffer
    ? torch.fromBuffer(images, shape)
    : torch.tensor(images, { shape });
}

/** Brings a tensor of the CPU to a device without waiting for it, by way of memory that the device can read itself. */
function send(tensor: Tensor, device: Device): Tensor {
  if (device === "cpu") return tensor;
  using pinned = torch.op("aten::pin_memory", tensor) as Tensor;
  tensor.dispose();
  return torch.keep(pinned.toDevice(device, pinned.dtype, true));
}

/**
 * Batches made on the CPU by the fused operator, on a background thread: for training there, and for sets that have no
 * room on the device.
 */
export class HostBatches implements BatchSource {
  readonly #set: ImageSet;
  readonly #options: BatchOptions;
  readonly #images: Tensor;

  constructor(set: ImageSet, options: BatchOptions) {
    this.#set = set;
    this.#options = options;
    this.#images = torch.keep(imagesOf(set));
  }

  epoch(order: Int32Array, epoch: number): EpochBatches {
    return { make: (start, end) => this.#make(order.slice(start, end), epoch), dispose: () => {} };
  }

  dispose(): void {
    this.#images.dispose();
  }

  async #make(indices: Int32Array, epoch: number): Promise<Made> {
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
    const chosen = indices.map((index) => this.#set.labels[index]!);
    const labels = torch.keep(torch.tensor(chosen, { dtype: "int64" }));
    try {
      const images = torch.keep(await augmentInBackground(args));
      return { images: send(images, device), labels: send(labels, device) };
    } catch (error) {
      labels.dispose();
      throw error;
    } finally {
      args.indices.dispose();
      args.offsets.dispose();
    }
  }
}
