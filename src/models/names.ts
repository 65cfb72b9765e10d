/** The networks that a recipe can name, and their depth. Apart from the networks, so that reading a recipe needs no libtorch. */
export const resnetDepths = {
  resnet8: 8,
  resnet14: 14,
  resnet20: 20,
  resnet32: 32,
  resnet44: 44,
  resnet56: 56,
  resnet110: 110,
} as const;

export type ModelName = keyof typeof resnetDepths;

export const modelNames = Object.keys(resnetDepths) as ModelName[];
