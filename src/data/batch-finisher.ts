import type { AugmentExtras } from "../nn/cpu/index.js";
import type { Device, Tensor } from "../torch/index.js";
import * as torch from "../torch/index.js";
import { augmentInBackground, drawOffsets } from "./augment.js";
import type { BatchOptions, BatchTensors } from "./batches.js";
import { drawErasures } from "./erase.js";
import type { ImageList } from "./image-set.js";
import { drawJitter, inTurn } from "./jitter.js";
import { type DrawnOperations, drawOperations, policyOf } from "./policies/index.js";

/** The bytes that a batch is made of. */
export interface BatchBytes {
  /** uint8 [M, C, H, W], contiguous; it stays the caller's */
  images: Tensor;
  /** The batch's images among them, [B]. */
  rows: Int32Array;
  /** The places of the batch's images in their set, [B], which decide what is drawn for them. */
  indices: Int32Array;
  /** [B] */
  labels: Int32Array;
}

/** Makes batches of bytes that lie on the CPU, by the fused operator on a background thread. */
export class BatchFinisher {
  readonly #image: Pick<ImageList, "channels" | "height" | "width">;
  readonly #options: BatchOptions;
  readonly #policy: ReturnType<typeof policyOf> | undefined;

  /** @throws RangeError when there is no such policy, or an option does not fit it */
  constructor(image: Pick<ImageList, "channels" | "height" | "width">, options: BatchOptions) {
    this.#image = image;
    this.#options = options;
    this.#policy = options.augment.policy && policyOf(options.augment.policy);
  }

  /** Augments and normalises the images of a batch, and sends them to the device. */
  async finish(
    { images: bytes, rows, indices, labels: chosen }: BatchBytes,
    epoch: number,
  ): Promise<BatchTensors> {
    const { augment, seed, mean, std, device } = this.#options;
    const offsets = drawOffsets(indices, augment, seed, epoch);
    const args = {
      images: bytes,
      indices: torch.keep(torch.tensor(rows, { dtype: "int64" })),
      offsets: torch.keep(torch.tensor(offsets, { shape: [indices.length, 3] })),
      pad: augment.crop,
      mean,
      std,
    };
    const extras = this.#extras(indices, epoch);
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

  /** Draws the operations on the bytes of each image: those of jitter, then those of the policy. */
  #operations(indices: Int32Array, epoch: number): DrawnOperations {
    const { seed, augment } = this.#options;
    const none = { operations: new Int32Array(0), magnitudes: new Float64Array(0), count: 0 };
    return inTurn(
      augment.jitter ? drawJitter(indices, augment.jitter, seed, epoch) : none,
      this.#policy ? drawOperations(indices, this.#policy, this.#image, seed, epoch) : none,
    );
  }

  /** Draws what is done to images beside crops and flips. */
  #extras(indices: Int32Array, epoch: number): AugmentExtras {
    const { seed, augment } = this.#options;
    const extras: AugmentExtras = {};
    const drawn = this.#operations(indices, epoch);
    if (drawn.count > 0) {
      const shape = [indices.length, drawn.count];
      extras.operations = torch.keep(torch.tensor(drawn.operations, { shape }));
      extras.magnitudes = torch.keep(torch.tensor(drawn.magnitudes, { shape, dtype: "float64" }));
    }
    if (augment.erase) {
      const drawn = drawErasures(indices, augment.erase, this.#image, seed, epoch);
      extras.erasures = torch.keep(torch.tensor(drawn, { shape: [indices.length, 5] }));
      extras.noise = augment.erase.fill === "noise";
    }
    return extras;
  }
}

/** Sends a tensor from the CPU to a device without waiting for it, by way of memory that the device can read itself. */
function send(tensor: Tensor, device: Device): Tensor {
  if (device === "cpu") return tensor;
  using pinned = torch.op("aten::pin_memory", tensor) as Tensor;
  tensor.dispose();
  return torch.keep(pinned.toDevice(device, pinned.dtype, true));
}
