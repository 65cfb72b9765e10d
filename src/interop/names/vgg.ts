import type { NameTable } from "./table.js";

/** timm's VGG, whose first linear layers are convolutions (`timm/models/vgg.py`, `ConvMlp`). */
export const vgg: NameTable = {
  family: "vgg",
  modules: [
    ["classifier.0", "pre_logits.fc1"],
    ["classifier.3", "pre_logits.fc2"],
    ["classifier.6", "head.fc"],
  ],
  convolutions: { "classifier.0": [7, 7], "classifier.3": [1, 1] },
};
