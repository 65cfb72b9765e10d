import * as torch from "../torch/index.js";
import type { Reading } from "./meter.js";

/** The error of a training whose loss became NaN or infinite, which no later step can mend. */
export class Diverged extends Error {
  override name = "Diverged";
}

/**
 * Checks that the loss is finite.
 *
 * @param epoch the number of the epoch, from 0
 * @param step the number of steps done in it
 * @throws Diverged when the loss is not finite
 */
export function checkFinite({ loss }: Reading, epoch: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new Diverged(
    `the loss became ${loss} in epoch ${epoch + 1}, at or before step ${step}. Usually ${remedy}`,
  );
}

/**
 * Checks that a network's scores are numbers. The last step of an epoch can break a network whose losses were
 * finite until then.
 *
 * @param logits [N, C]; minus infinity is allowed, since a network may mask a class by it
 * @param images the images that were predicted, in words
 * @throws Diverged when the scores of an image are not numbers
 */
export function checkLogits(logits: torch.Tensor, images: string): void {
  const broken = torch.scope(() => torch.noGrad(() => logits.softmax(1).isnan().any().item()));
  if (broken) throw new Diverged(`the network's logits for ${images} are not finite. Usually ${remedy}`);
}

export const remedy = "a lower optimizer.learningRate, a few schedule.warmupEpochs, or clipNorm mends it";
