import { existsSync } from "node:fs";
import { largestDifference } from "../analysis/index.js";
import { foldBatchNorm } from "../nn/index.js";
import type { RunFolder, Summary } from "../runs/index.js";
import type * as torch from "../torch/index.js";
import { predict } from "../training/index.js";
import { type Experiment, freshModel } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { loadTestLogits } from "./results.js";
import { roundingOfLogits } from "./rounding.js";
import { loadWeights } from "./weights.js";

/** A run that can be evaluated, and what of it is to be; its recipe has the device of this machine. */
export interface Evaluated extends Experiment {
  folder: RunFolder;
  stored: Summary;
  wanted: readonly number[];
  k: number;
}

/** One generation's logits for the test images, now and as they were stored. */
export interface Member {
  now: torch.Tensor;
  /** Undefined where its test-logits.safetensors is not there. */
  stored: torch.Tensor | undefined;
  /** The largest difference between the two; 0 where nothing is stored. */
  difference: number;
  /** What rounding explains of it. */
  rounding: number;
}

/** How many test images tell what rounding does to the logits. */
const SAMPLE = 512;

/**
 * The logits that a finished generation left in its folder.
 *
 * @returns [N, C], or undefined where the file is not there
 * @throws Error that names the file when they are not for as many images and classes
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
 * Runs a generation's network over the test images, from its weights, and compares its logits with the stored ones.
 *
 * @throws Error that names the file when weights or stored logits do not fit
 */
export async function evaluateMember(
  run: Evaluated,
  generation: number,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Member> {
  const { folder, recipe, images } = run;
  const device = recipe.device as torch.Device;
  const network = () => {
    const model = freshModel(run, generation);
    using made = handOver(model);
    loadWeights(model, folder.generation(generation).weights);
    return made.keep();
  };
  const stored = storedLogits(run, generation);
  using madeStored = stored && handOver(stored);
  const frozen = network();
  // Nobody needs it afterwards.
  using _frozen = handOver(frozen);
  foldBatchNorm(frozen);
  using loader = images.testLoader();
  const { logits: now } = await predict(frozen, loader, { device, signal });
  using madeNow = handOver(now);
  if ((now.toTypedArray() as Float32Array).some(Number.isNaN)) {
    throw new Error(
      `${folder.generation(generation).weights}: the network's logits for the test images are not all numbers: ` +
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
  return member(await roundingOfLogits(network(), frozen, sample, folder.recipe, { device, signal }));
}

function evenlySpread(count: number, wanted: number): Int32Array {
  const taken = Math.min(count, wanted);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
