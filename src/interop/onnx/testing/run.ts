/** Runs ONNX files by onnxruntime-web, an implementation that has nothing of Lyceum's or of libtorch's. */
import { InferenceSession, Tensor } from "onnxruntime-web";
import type { Module } from "../../../nn/index.js";
import * as torch from "../../../torch/index.js";
import { exportOnnx, type OnnxOptions } from "../export.js";

/** @param images float32 or uint8, as the file's input wants them */
export async function answerOf(
  bytes: Uint8Array,
  images: torch.Tensor,
): Promise<{ name: string; dims: readonly number[]; data: Float32Array }> {
  const session = await InferenceSession.create(bytes);
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const values = images.toTypedArray();
  const given =
    values instanceof Uint8Array
      ? new Tensor("uint8", values, images.shape)
      : new Tensor("float32", values as Float32Array, images.shape);
  const { [output!]: answer } = await session.run({ [input!]: given });
  await session.release();
  return { name: output!, dims: answer!.dims, data: answer!.data as Float32Array };
}

/** The largest difference between two lists, as a share of the largest number of the first. */
export function largestDifference(expected: torch.TypedArray, found: Float32Array): number {
  if (expected.length !== found.length) return Infinity;
  let [largest, difference] = [0, 0];
  for (const [i, value] of found.entries()) {
    largest = Math.max(largest, Math.abs(Number(expected[i])));
    difference = Math.max(difference, Math.abs(Number(expected[i]) - value));
    if (Number.isNaN(value)) return Infinity;
  }
  return difference / largest;
}

/** The largest difference between a network's own answer and that of its file, for a batch of a size that was not tried. */
export async function differenceOf(
  model: Module,
  images: torch.Tensor,
  options: Partial<OnnxOptions> = {},
): Promise<number> {
  const [, channels, height, width] = images.shape as [number, number, number, number];
  const own = torch.scope(() => torch.noGrad(() => model.forward(images).toTypedArray()));
  const size = { channels, height, width };
  const classes = own.length / images.shape[0]!;
  const { data } = await answerOf(exportOnnx([model], { size, classes, version: "0", ...options }), images);
  return largestDifference(own, data);
}
