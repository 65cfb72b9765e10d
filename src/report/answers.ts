import { existsSync } from "node:fs";
import type { RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";

/** What one generation answered to every test image, at its training's end. */
export interface Answers {
  images: number;
  classes: number;
  /** Scores of image i, softmax over its classes. */
  scores(i: number): Float64Array;
  /** The class with the highest score. */
  top(i: number): number;
}

/**
 * Reads a generation's stored answers.
 *
 * @returns undefined when there are none
 * @throws Error that names the file when it does not hold logits [N, C]
 */
export function readAnswers(run: RunFolder, generation: number): Answers | undefined {
  const path = run.generation(generation).testLogits;
  if (!existsSync(path)) return undefined;
  const { logits } = torch.loadSafetensors(path).tensors;
  if (logits?.shape.length !== 2 || logits.dtype !== "float32")
    throw new Error(`${path}: holds no float32 tensor "logits" of shape [N, C]`);
  const [images, classes] = logits.shape as [number, number];
  const values = logits.toTypedArray() as Float32Array;
  logits.dispose();
  const row = (i: number) => values.subarray(i * classes, (i + 1) * classes);
  return {
    images,
    classes,
    scores: (i) => softmax(row(i)),
    top: (i) => row(i).reduce((best, value, c, all) => (value > all[best]! ? c : best), 0),
  };
}

function softmax(logits: Float32Array): Float64Array {
  const highest = Math.max(...logits);
  const powers = Float64Array.from(logits, (value) => Math.exp(value - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}
