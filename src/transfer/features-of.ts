import { setImmediate } from "node:timers/promises";
import type { Loader } from "../data/index.js";
import { type Module, watch } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { findLayer, type Layer, layerInWords } from "./layer.js";

/** What becomes of features that have rows and columns. */
export type Spatial = "mean" | "flatten";

export interface FeatureOptions {
  /**
   * The path of the layer whose output are the features, as in the names of weights: "layer3.0", "avgpool". Default: the
   * penultimate activations, the input of the network's last `Linear`.
   */
  layer?: string | undefined;
  /** Whether outputs [N, C, H, W] become [N, C], their means over all pixels, or [N, C * H * W]. Default: "mean". */
  spatial?: Spatial | undefined;
  /** Where the network is. Default: "cpu". */
  device?: torch.Device | undefined;
  /** Makes of a batch's images [B, C, H, W] what the network takes. Default: they are taken as they are. */
  prepare?: ((images: torch.Tensor) => torch.Tensor) | undefined;
  /** Stops when aborted, whose reason is then thrown. */
  signal?: AbortSignal | undefined;
}

/** The features of some images. Whoever receives them disposes of them. */
export interface FeatureBatch {
  /** float32 [B, D], on the CPU */
  readonly features: torch.Tensor;
  /** [B] */
  readonly labels: Int32Array;
  /** [B], which images of the set these are */
  readonly indices: Int32Array;
  [Symbol.dispose](): void;
}

/**
 * Gives the features of images: what a layer of a network makes of them, in evaluation mode and without gradients. One batch
 * is in memory at a time. A layer inside a fused group of layers is computed by itself (`nn.watch`); the network is the
 * same afterwards as before.
 *
 * @param loader one that does not shuffle gives the set's order
 * @throws RangeError when the network has no such layer; Error when a forward applies it never, or more than once, or what
 *   it gives is no [N, …]; whatever `signal` was aborted with
 */
export async function* featuresOf(
  model: Module,
  loader: Loader,
  {
    layer: path,
    spatial = "mean",
    device = "cpu",
    prepare = (images) => images,
    signal,
  }: FeatureOptions = {},
): AsyncGenerator<FeatureBatch, void, undefined> {
  const layer = findLayer(model, path);
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  model.eval();
  const found: torch.Tensor[] = [];
  const watching = watch(layer.module, (seen) => {
    const values = seen[layer.side];
    found.push(torch.keep(torch.scope(() => torch.noGrad(() => rowsOf(values, spatial)))));
  });
  const clear = () => {
    for (const tensor of found.splice(0)) tensor.dispose();
  };
  try {
    for await (const batch of loader.epoch(0)) {
      try {
        torch.scope(() => {
          torch.noGrad(() => model.forward(prepare(batch.images).to({ device })));
        });
        const features = onlyOne(found, layer, batch.indices.length);
        found.length = 0;
        const labels = Int32Array.from(batch.labels.toTypedArray(), Number);
        yield { features, labels, indices: batch.indices, [Symbol.dispose]: () => features.dispose() };
      } finally {
        batch.dispose();
        clear();
      }
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    watching[Symbol.dispose]();
    for (const [module, mode] of modes) module.training = mode;
  }
}

/** Makes features [N, D] on the CPU of what a layer gave: a copy, since that may be written over. */
function rowsOf(values: torch.Tensor, spatial: Spatial): torch.Tensor {
  const fine = values.detach().to({ dtype: "float32" });
  const pooled = fine.shape.length === 4 && spatial === "mean" ? fine.mean([2, 3]) : fine.flatten(1);
  return pooled.to({ device: "cpu" }).contiguous().clone();
}

function onlyOne(found: readonly torch.Tensor[], layer: Layer, images: number): torch.Tensor {
  const [features, ...more] = found;
  const complain = (problem: string) => new Error(`${layerInWords(layer)}: ${problem}: choose another layer`);
  if (!features) throw complain("the network's forward does not apply it");
  if (more.length > 0) throw complain(`the network applies it ${found.length} times to the same images`);
  if (features.shape.length !== 2 || features.shape[0] !== images)
    throw complain(`it gives [${features.shape.join(", ")}], not one row for each of ${images} images`);
  return features;
}
