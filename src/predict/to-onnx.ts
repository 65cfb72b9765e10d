import { exportOnnx } from "../interop/index.js";
import { lyceumVersion, type WeightsDescription } from "../runs/index.js";
import type { LoadedModel } from "./loaded-model.js";

export interface ToOnnxOptions {
  /**
   * Whether the graph takes bytes, uint8 `pixels` [N, C, H, W] as image files store them, and normalises them itself. Default:
   * it takes float32 `images` that are normalised already.
   */
  pixels?: boolean | undefined;
  /** Whether it gives `probabilities` instead of `logits`. Default: only an ensemble does. */
  softmax?: boolean | undefined;
  /**
   * Whether weights of convolutions and linear layers are rounded to int8: a quarter of the bytes, and slightly other answers.
   * Default: false.
   */
  int8?: boolean | undefined;
}

/**
 * Writes a loaded network, or an ensemble, as an ONNX file (opset 17): any number of images, classes and normalisation among
 * its metadata.
 *
 * @returns the file's bytes
 * @throws OnnxError naming the layer that cannot be written; RangeError when the file would be larger than 2 GiB
 */
export function toOnnx(
  model: LoadedModel,
  { pixels = false, softmax, int8 }: ToOnnxOptions = {},
): Uint8Array {
  const { models, descriptions, ensemble, imageSize, classes } = model;
  const [first] = descriptions;
  const { mean, std } = first!;
  return exportOnnx(models, {
    size: imageSize,
    classes: classes.length,
    normalise: pixels ? { mean, std } : undefined,
    softmax,
    int8,
    ...ensemble,
    names: descriptions.map(({ generation }) => `generation-${generation}`),
    description: descriptions.map(inWords).join("; "),
    version: lyceumVersion(),
    metadata: metadataOf(first!),
  });
}

const inWords = ({ model, generation, role }: WeightsDescription) =>
  `${model}, ${role === "patriarch" ? "the patriarch" : `student ${generation}`}`;

/** What a program needs to feed the graph and to read its answer, by the keys of a weights file. */
function metadataOf({ classNames, mean, std, shorterSide }: WeightsDescription): Record<string, string> {
  return {
    classNames: JSON.stringify(classNames),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    ...(shorterSide === undefined
      ? { resize: "exact" }
      : { resize: "centre-crop", shorterSide: String(shorterSide) }),
  };
}
