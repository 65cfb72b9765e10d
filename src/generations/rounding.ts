import { largestDifference } from "../analysis/index.js";
import type { Loader } from "../data/index.js";
import { foldBatchNorm, type Module } from "../nn/index.js";
import type { Recipe } from "../recipe/index.js";
import * as torch from "../torch/index.js";
import { predict } from "../training/index.js";

/**
 * Gives how far a sum of products may be from the exact one, as a fraction of the sum of the products'
 * absolute values. The CPU's kernels keep to 2e-6 (docs/architecture.md, "Rounding"). On a graphics card
 * cuDNN may use TF32, which rounds each of two factors to 11 bits.
 */
function roundingOf({ device, kernels }: Pick<Recipe, "device" | "kernels">): number {
  return device !== "cpu" && kernels !== "exact" ? 2 ** -10 : 2e-6;
}

/**
 * The factor between the measured move of a logit and the move that is allowed: both machines round, and
 * rounding errors may add up less evenly than the random signs of the measurement.
 */
const SAFETY = 4;

/**
 * Measures how far rounding on another machine may move a network's logits. A sum of products that is off by
 * a fraction ε of the products' absolute values is the exact sum for weights that are off by at most ε each
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). So the network is run with
 * each weight moved by ε, up or down at random, and the largest move of a logit is multiplied by {@link
 * SAFETY}.
 *
 * @param model the network with its weights, not folded; its weights are moved, and it is disposed of
 * @param unmoved the folded network with the same weights
 * @param loader some of the images
 * @param trained the device and the kernels with which the stored logits were computed
 * @returns the largest move of a logit that rounding explains
 * @throws whatever `signal` was aborted with
 */
export async function roundingOfLogits(
  model: Module,
  unmoved: Module,
  loader: Loader,
  trained: Pick<Recipe, "device" | "kernels">,
  { device, signal }: { device: torch.Device; signal?: AbortSignal | undefined },
): Promise<number> {
  moveWeights(model, roundingOf(trained));
  const moved = foldBatchNorm(model);
  const before = await predict(unmoved, loader, { device, signal });
  const after = await predict(moved, loader, { device, signal });
  moved.dispose();
  const largest = largestDifference(before.logits, after.logits);
  before.logits.dispose();
  after.logits.dispose();
  return SAFETY * largest;
}

function moveWeights(model: Module, by: number): void {
  const generator = new torch.Generator(0);
  torch.noGrad(() =>
    torch.scope(() => {
      for (const weight of model.parameters()) {
        const signs = weight.detach().to({ device: "cpu" }).mul(0).uniform_(-1, 1, { generator }).sign();
        weight.mul_(signs.mul(by).add(1).to({ device: weight.device }));
      }
    }),
  );
}
