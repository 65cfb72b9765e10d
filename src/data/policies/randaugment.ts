import { definePolicy } from "./define.js";
import { common, drawOperation, either, highestLevel, type OperationSpace } from "./space.js";

/** The magnitudes of torchvision's RandAugment, whose levels are 31. */
const space: OperationSpace = {
  ...common(4),
  "shear-x": either(0.3),
  "shear-y": either(0.3),
  "translate-x": either(({ width }) => (150 / 331) * width),
  "translate-y": either(({ height }) => (150 / 331) * height),
  rotate: either(30),
  brightness: either(0.9),
  color: either(0.9),
  contrast: either(0.9),
  sharpness: either(0.9),
};

export const randaugment = definePolicy({
  name: "randaugment",
  summary: "RandAugment: some random operations, all of one strength (Cubuk et al. 2020).",
  space,
  options: (z) => ({
    operations: z
      .int()
      .min(1)
      .max(10)
      .default(2)
      .describe("Of randaugment: how many operations are applied to an image, one after the other."),
    magnitude: z
      .int()
      .min(0)
      .max(highestLevel)
      .default(9)
      .describe("Of randaugment: how strong the operations are."),
  }),
  draw: ({ operations, magnitude }, random, image) =>
    Array.from({ length: operations }, () => drawOperation(space, () => magnitude, random, image)),
});
