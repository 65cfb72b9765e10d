import { largestDifference } from "../analysis/index.js";
import type { Loader } from "../data/index.js";
import { foldBatchNorm, type Module } from "../nn/index.js";
import type { Recipe } from "../recipe/index.js";
import * as torch from "../torch/index.js";
import { predict } from "../training/index.js";

/**
 * How far a sum of products may be from the true one, as a fraction of the sum of the products' absolute values. The
 * CPU's kernels keep to 2e-6 (docs/architecture.md, "Rounding"). On a card cuDNN may use TF32, which rounds each of two
 * factors to 11 bits.
 */
function roundingOf({ device, kernels }: Pick<Recipe, "device" | "kernels">): number {
  return device !== "cpu" && kernels !== "exact" ? 2 ** -10 : 2e-6;
}

/** Two machines round, and the errors of each may add up less evenly than signs that are drawn by lot. */
const SAFETY = 4;

/**
 * How far rounding on another machine may move a network's logits. A sum of products that is off by a fraction ε of the
 * products' absolute values is the exact sum for weights that are off by at most ε each (Higham, Accuracy and Stability
 * of Numerical Algorithms, 2002, section 3.1). So the network is run with each weight moved by ε, up or down by lot,
 * and the largest move of a logit is taken {@link SAFETY} times.
 *
 * @param model the network with its weights, not folded; it is moved, and disposed
 * @param unmoved the folded network with the same weights
 * @param loader some of the images
 * @param trained the device and kernels that the logits compared with were made with
 * @returns the largest move of a logit that rounding explains
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
