/** What is checked before several processes take their first step together. */
import { createHash } from "node:crypto";
import { checksumOf } from "../data/index.js";
import type { Module } from "../nn/index.js";
import { decidingRecipe, lyceumVersion, sha256Of } from "../runs/index.js";
import * as torch from "../torch/index.js";
import type { Ranks } from "../training/index.js";
import { type Experiment, methodOf } from "./experiment.js";
import { fewestPerRank } from "./images.js";

/**
 * Checks that an experiment can be trained by several processes, and that all have the same.
 *
 * @throws RangeError that names the key and the remedy, RanksDiffer that says in what the processes differ
 */
export async function checkRanks(experiment: Experiment, ranks: Ranks): Promise<void> {
  const { recipe, images } = experiment;
  const { size } = ranks;
  for (let generation = 0; generation < recipe.generations; generation++) {
    const { method, options } = methodOf(experiment, generation);
    const why = method.wholeBatch?.(options);
    if (why !== undefined)
      throw new RangeError(
        `${generation === 0 ? "patriarch" : "student"}: ${method.name} trains in one process only, since ${why}; here are ${size}`,
      );
  }
  const least = Math.floor(recipe.batchSize / size);
  const fewest = fewestPerRank(recipe);
  if (least < fewest)
    throw new RangeError(
      `batchSize: ${recipe.batchSize} images for ${size} processes are too few: each needs ${fewest} or more, so at least ${size * fewest}`,
    );
  const { accumulate = 1 } = recipe;
  if (accumulate > Math.max(1, Math.floor(least / 2)))
    throw new RangeError(
      `accumulate: ${accumulate} parts of ${least} images, a process's part of ${recipe.batchSize}, would hold fewer than two: at most ` +
        `${Math.max(1, Math.floor(least / 2))}`,
    );
  await ranks.mustAgree("set-up", {
    "Lyceum's version": lyceumVersion(),
    "libtorch's version": torch.version(),
    recipe: sha256Of(decidingRecipe(recipe)),
    "training images": checksumOf(images.dataset.train),
    "test images": checksumOf(images.dataset.test),
    classes: JSON.stringify(images.dataset.classNames),
    normalisation: JSON.stringify([images.mean, images.std]),
  });
}

/**
 * Checks that all processes begin with the same weights, which a network of a program's own may not.
 *
 * @throws RanksDiffer where they do not
 */
export async function checkSameWeights(ranks: Ranks, model: Module): Promise<void> {
  const hash = createHash("sha256");
  torch.scope(() => {
    for (const [name, tensor] of Object.entries(model.stateDict())) {
      const { buffer, byteOffset, byteLength } = tensor.to({ device: "cpu" }).toTypedArray();
      hash
        .update(`${name} ${tensor.dtype} ${tensor.shape};`)
        .update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  });
  await ranks.mustAgree("weights", { "the network's first weights": hash.digest("hex") });
}
