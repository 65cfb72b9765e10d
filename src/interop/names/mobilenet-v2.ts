import type { NameTable } from "./table.js";

/** The number of inverted residuals in each stage (Sandler et al. 2018, table 2). */
const stages = [1, 2, 3, 4, 3, 3, 1];

/** The parts of the first block, which has no expansion: torchvision numbers them, timm names them. */
const first = [
  ["0.0", "conv_dw"],
  ["0.1", "bn1"],
  ["1", "conv_pw"],
  ["2", "bn2"],
] as const;

/** The parts of every other block: expansion, depthwise convolution, projection. */
const other = [
  ["0.0", "conv_pw"],
  ["0.1", "bn1"],
  ["1.0", "conv_dw"],
  ["1.1", "bn2"],
  ["2", "conv_pwl"],
  ["3", "bn3"],
] as const;

/** torchvision numbers the blocks through, from 1; timm counts within each stage. */
const blocks = stages
  .flatMap((count, stage) => Array.from({ length: count }, (_, block) => `blocks.${stage}.${block}`))
  .flatMap((timm, i) =>
    (i === 0 ? first : other).map(
      ([ours, theirs]) => [`features.${i + 1}.conv.${ours}`, `${timm}.${theirs}`] as const,
    ),
  );

/** timm's MobileNetV2, which is built as its EfficientNets (`timm/models/efficientnet.py`, `mobilenetv2_100`). */
export const mobileNetV2: NameTable = {
  family: "mobilenetv2",
  modules: [
    ["features.0.0", "conv_stem"],
    ["features.0.1", "bn1"],
    ...blocks,
    ["features.18.0", "conv_head"],
    ["features.18.1", "bn2"],
    ["classifier.1", "classifier"],
  ],
};
