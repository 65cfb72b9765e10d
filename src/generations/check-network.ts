/** Checks before a training that a network can be trained and, afterwards, frozen. */
import { checkBatchNormPairs, type Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import type { Experiment } from "./experiment.js";

/**
 * Checks before the training that the network's batch norms can be folded, which is done after it.
 *
 * @throws FoldingError when a pair that the network names is not one
 */
export function checkFolding({ images }: Pick<Experiment, "images">, model: Module): void {
  torch.scope(() => {
    checkBatchNormPairs(model, { example: blank(2, images, model) });
  });
}

/**
 * Tries a batch of one image where the training has such batches, before a step is taken.
 *
 * @throws Error when the network cannot be trained on it
 */
export function checkLoneImage(
  { recipe, images }: Pick<Experiment, "recipe" | "images">,
  model: Module,
): void {
  if (recipe.batchSize > 1 && images.trainCount > 1) return;
  torch.scope(() =>
    torch.noGrad(() => {
      // A forward pass in training moves the running statistics.
      const before = Object.entries(model.stateDict()).map(
        ([name, tensor]) => [name, tensor.clone()] as const,
      );
      try {
        model.train().forward(blank(1, images, model));
      } catch (error) {
        throw new Error(
          `a batch of one image cannot be trained on (${(error as Error).message}): raise batchSize`,
          {
            cause: error,
          },
        );
      } finally {
        model.loadStateDict(Object.fromEntries(before));
      }
    }),
  );
}

/** Makes a batch of zeros that a network can take: [count, channels, H, W], on its device and of its dtype. */
function blank(
  count: number,
  { channels, height, width }: Experiment["images"],
  model: Module,
): torch.Tensor {
  const { device, dtype } = model.parameters()[0] ?? { device: "cpu", dtype: "float32" };
  return torch.zeros([count, channels, height, width], { device, dtype }).contiguous("channelsLast");
}
