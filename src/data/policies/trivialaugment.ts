import { definePolicy } from "./define.js";
import { common, drawOperation, either, highestLevel, type OperationSpace } from "./space.js";

/** The wide magnitudes of torchvision's TrivialAugmentWide, whose levels are 31. Translation is in pixels of any image. */
const space: OperationSpace = {
  ...common(6),
  "shear-x": either(0.99),
  "shear-y": either(0.99),
  "translate-x": either(32),
  "translate-y": either(32),
  rotate: either(135),
  brightness: either(0.99),
  color: either(0.99),
  contrast: either(0.99),
  sharpness: either(0.99),
};

export const trivialaugment = definePolicy({
  name: "trivialaugment",
  summary: "TrivialAugment, wide: one random operation of random strength (Müller and Hutter 2021).",
  space,
  draw: (_, random, image) => [
    drawOperation(space, (random) => random.below(highestLevel + 1), random, image),
  ],
});
