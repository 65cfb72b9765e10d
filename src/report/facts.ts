/** What a run was trained on and how, in words, from its resolved recipe. */
import type { ResizedCropOptions } from "../data/index.js";
import type { Recipe } from "../recipe/index.js";
import type { GenerationResult } from "../runs/types.js";
import { count, nameOf, percent, plural } from "./numbers.js";

/**
 * Says in words what a run was trained on and how: pairs of a heading and a text.
 *
 * @param methodLines what its generations learn from, as such pairs
 */
export function factsOf(
  recipe: Recipe,
  results: readonly GenerationResult[],
  methodLines: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const { data, model, generations, epochs, batchSize, optimizer, schedule, augment, seed } = recipe;
  const limit = Object.entries(data.limit ?? {}).map(
    ([part, n]) => `${part === "train" ? "training" : part} images limited to ${count(n)}`,
  );
  const heldOut = data.heldOut > 0 ? [`${percent(data.heldOut)} of the training images held out`] : [];
  // A method may train its network for another number of epochs than the recipe's.
  const others = results.flatMap(({ generation, role, epochs: trained = epochs }) =>
    trained === epochs ? [] : [`${nameOf(generation, role)}: ${trained}`],
  );
  return [
    ["images", [imagesLine(data), ...limit, ...heldOut].join("; ")],
    ["network", `${model}, ${plural(generations, "generation")}`],
    ...methodLines,
    [
      "training",
      `${plural(epochs, "epoch")}${others.length > 0 ? ` (${others.join(", ")})` : ""} of batches of ${batchSize}; ${withOptions(optimizer)}; schedule ${withOptions(schedule)}`,
    ],
    ["augmentation", augmentationLine(augment)],
    ["seed", String(seed)],
  ];
}

/** Names a member of a family that a recipe chose, and its options: "sgd (learningRate 0.1, momentum 0.9)". */
function withOptions({ kind, ...options }: Recipe["schedule"]): string {
  const given = Object.entries(options).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return given.length > 0 ? `${kind} (${given.join(", ")})` : kind;
}

const policyLine = ({ name, ...options }: NonNullable<Recipe["augment"]["policy"]>) =>
  withOptions({ kind: name, ...options });

const boxesLine = ({ area, aspect }: ResizedCropOptions) => {
  const [least, most] = area.map((share) => percent(share));
  const [narrow, wide] = aspect.map((ratio) => ratio.toFixed(2));
  return `random boxes (${least} to ${most} of the area, ${narrow} to ${wide} times as wide as high)`;
};

/** The set's name, or the folder that it is, and the size at which its images are seen. */
function imagesLine({ name, labels, root, size }: Recipe["data"]): string {
  const which = name === "folder" && root !== undefined ? `folder ${root}` : name;
  const seen = size === undefined ? "" : `, ${size} x ${size} pixels`;
  return `${which}${labels === "coarse" ? ", coarse labels" : ""}${seen}`;
}

/** Names the random changes to the training images and their options, in the order in which they are made. */
function augmentationLine(augment: Recipe["augment"]): string {
  const { resizedCrop, jitter, policy, crop, flip, erase, mixup, cutmix } = augment;
  const parts = [
    resizedCrop && boxesLine(resizedCrop),
    jitter && withOptions({ kind: "colour jitter", ...jitter }),
    policy && policyLine(policy),
    crop > 0 && `random crops (padding ${crop})`,
    flip && "flips",
    erase && withOptions({ kind: "random erasing", ...erase }),
    mixup && withOptions({ kind: "Mixup", ...mixup }),
    cutmix && withOptions({ kind: "CutMix", ...cutmix }),
  ];
  return parts.filter((part) => part).join(", ") || "none";
}
