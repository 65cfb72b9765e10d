/** The networks that a recipe can name. Apart from the networks, so that reading a recipe needs no libtorch. */

/** Depths of those for small images. */
export const resnetDepths = {
  resnet8: 8,
  resnet14: 14,
  resnet20: 20,
  resnet32: 32,
  resnet44: 44,
  resnet56: 56,
  resnet110: 110,
} as const;

export const modelNames = [
  ...(Object.keys(resnetDepths) as (keyof typeof resnetDepths)[]),
  "densenet-bc-40-12",
  "resnet18",
  "resnet34",
] as const;

export type ModelName = (typeof modelNames)[number];
