import { existsSync } from "node:fs";
import { largestDifference } from "../analysis/index.js";
import type { RunFolder, Summary } from "../runs/index.js";
import type * as torch from "../torch/index.js";
import { predict } from "../training/index.js";
import type { Experiment } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { loadTestLogits } from "./results.js";
import { roundingOfLogits } from "./rounding.js";
import { recallNetwork } from "./weights.js";

/** A run that is evaluated again; the recipe's device is one that this machine has. */
export interface Evaluated extends Experiment {
  folder: RunFolder;
  /** The results that the training stored. */
  stored: Summary;
  /** The generations to evaluate. */
  wanted: readonly number[];
  /** How many of an image's best classes the metrics count as primary and secondary. */
  k: number;
}

/** The logits of one generation for the test images: those computed now, and those that were stored. */
export interface Member {
  /** [N, C] float32 */
  now: torch.Tensor;
  /** [N, C] float32; undefined where the generation's test-logits.safetensors is missing. */
  stored: torch.Tensor | undefined;
  /** The largest difference between the two; 0 where nothing is stored. */
  difference: number;
  /** The largest difference that rounding explains. */
  rounding: number;
}

/** The number of test images on which it is measured what rounding does to the logits. */
const SAMPLE = 512;

/**
 * Reads the logits for the test images that a finished generation left in its folder.
 *
 * @returns [N, C], or undefined where the file is missing
 * @throws Error that names the file when the logits are not for as many images and classes
 */
export function storedLogits({ folder, images }: Evaluated, generation: number): torch.Tensor | undefined {
  const path = folder.generation(generation).testLogits;
  if (!existsSync(path)) return undefined;
  const logits = loadTestLogits(path);
  const expected = [images.dataset.test.count, images.classes];
  if (`${logits.shape}` === `${expected}`) return logits;
  const found = logits.shape;
  logits.dispose();
  throw new Error(`${path}: logits of shape [${found}], but the test images call for [${expected}]`);
}

/**
 * Runs a generation's network, made from its stored weights, over the test images and compares its logits
 * with the stored ones.
 *
 * @throws Error that names the file when weights or stored logits are damaged or do not fit, whatever
 *   `signal` was aborted with
 */
export async function evaluateMember(
  run: Evaluated,
  generation: number,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Member> {
  const { folder, recipe, images } = run;
  const device = recipe.device as torch.Device;
  const { weights } = folder.generation(generation);
  const stored = storedLogits(run, generation);
  using madeStored = stored && handOver(stored);
  const frozen = recallNetwork(run, generation, weights);
  // The frozen network is never kept: it is disposed of on every way out.
  using _frozen = handOver(frozen);
  using loader = images.testLoader();
  const { logits: now } = await predict(frozen, loader, { device, signal });
  using madeNow = handOver(now);
  if ((now.toTypedArray() as Float32Array).some(Number.isNaN)) {
    throw new Error(
      `${weights}: the network's logits for the test images are not all numbers: ` +
        "its weights are damaged",
    );
  }
  const difference = stored ? largestDifference(now, stored) : 0;
  const member = (rounding: number): Member => ({
    now: madeNow.keep(),
    stored: madeStored?.keep(),
    difference,
    rounding,
  });
  if (stored && difference === 0) return member(0);

  using sample = images.testLoader(evenlySpread(images.dataset.test.count, SAMPLE));
  const unfolded = recallNetwork(run, generation, weights, { fold: false });
  return member(await roundingOfLogits(unfolded, frozen, sample, folder.recipe, { device, signal }));
}

function evenlySpread(count: number, wanted: number): Int32Array {
  const length = Math.min(count, wanted);
  return Int32Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}
