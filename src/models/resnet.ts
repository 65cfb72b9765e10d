import {
  applyInOrder,
  BasicBlock,
  BatchNorm2d,
  Bottleneck,
  type Conv2d,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  ResidualStage,
  Sequential,
} from "../nn/index.js";
import type * as torch from "../torch/index.js";
import { convolution } from "./convolution.js";
import { defineModel, type ModelOptions } from "./define.js";

/** A block of a network: from so many channels to as many as the stage has. */
interface BlockShape {
  from: number;
  /** Channels of its result. */
  to: number;
  stride: number;
  generator: torch.Generator;
}

/** The shortcut where the shape changes: a 1x1 convolution with batch norm ("option B"); else undefined. */
function fittedShortcut({ from, to, stride, generator }: BlockShape): Sequential | undefined {
  if (stride === 1 && from === to) return undefined;
  return new Sequential(convolution(from, to, 1, { stride, generator }), new BatchNorm2d(to));
}

/** Two 3x3 convolutions and a shortcut. */
function basicBlock(shape: BlockShape): BasicBlock {
  const { from, to, stride, generator } = shape;
  const layers = {
    conv1: convolution(from, to, 3, { stride, generator }),
    bn1: new BatchNorm2d(to),
    conv2: convolution(to, to, 3, { generator }),
    bn2: new BatchNorm2d(to),
  };
  return new BasicBlock({ ...layers, downsample: fittedShortcut(shape) });
}

/** A 3x3 convolution of few channels between two 1x1 convolutions, and a shortcut. @param width the few channels */
function bottleneck(shape: BlockShape, { width, groups }: { width: number; groups: number }): Bottleneck {
  const { from, to, stride, generator } = shape;
  const layers = {
    conv1: convolution(from, width, 1, { generator }),
    bn1: new BatchNorm2d(width),
    conv2: convolution(width, width, 3, { stride, groups, generator }),
    bn2: new BatchNorm2d(width),
    conv3: convolution(width, to, 1, { generator }),
    bn3: new BatchNorm2d(to),
  };
  return new Bottleneck({ ...layers, downsample: fittedShortcut(shape) });
}

/** The bottlenecks of a network. */
export interface BottleneckOptions {
  /** Channels of the 3x3 convolutions of the first stage; doubled from stage to stage. The blocks have 256 to 2,048. */
  width: number;
  /** Groups into which the channels of the 3x3 convolutions fall. Default: 1. */
  groups?: number;
}

export interface ResNetOptions extends ModelOptions {
  /** How many blocks each of the four stages has: 2, 2, 2, 2 make ResNet-18, and 3, 4, 6, 3 ResNet-34 and ResNet-50. */
  blocks: readonly [number, number, number, number];
  /** Left out, the blocks are basic ones, of 64 to 512 channels. */
  bottleneck?: BottleneckOptions | undefined;
}

/**
 * The residual networks for large images of He et al., "Deep Residual Learning for Image Recognition" (2016), table 1,
 * of basic blocks or of bottlenecks; with wider ones those of Zagoruyko and Komodakis, "Wide Residual Networks" (2016), with
 * grouped ones those of Xie et al., "Aggregated Residual Transformations for Deep Neural Networks" (2017). Bottlenecks have
 * their stride in the 3x3 convolution, as torchvision's. Weights carry torchvision's names: its files fit.
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: ResidualStage;
  readonly layer2: ResidualStage;
  readonly layer3: ResidualStage;
  readonly layer4: ResidualStage;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  constructor({ blocks, bottleneck: narrow, classes, channels, generator }: ResNetOptions) {
    super();
    const expansion = narrow ? 4 : 1;
    const stage = (index: number, stride: number) => {
      const to = (64 << index) * expansion;
      const first = index === 0 ? 64 : to / 2;
      const block = (shape: BlockShape) => {
        if (!narrow) return basicBlock(shape);
        return bottleneck(shape, { width: narrow.width << index, groups: narrow.groups ?? 1 });
      };
      return new ResidualStage(
        ...Array.from({ length: blocks[index]! }, (_, i) =>
          block({ from: i === 0 ? first : to, to, stride: i === 0 ? stride : 1, generator }),
        ),
      );
    };
    this.conv1 = convolution(channels, 64, 7, { stride: 2, generator });
    this.bn1 = new BatchNorm2d(64);
    this.layer1 = stage(0, 1);
    this.layer2 = stage(1, 2);
    this.layer3 = stage(2, 2);
    this.layer4 = stage(3, 2);
    this.fc = new Linear(512 * expansion, classes, { generator });
  }

  override batchNormPairs() {
    return [["conv1", "bn1"]] as const;
  }

  /** @param x [N, channels, H, W], channels-last for speed; @returns logits [N, classes] */
  override forward(x: torch.Tensor): torch.Tensor {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc } = this;
    return applyInOrder([conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc], x);
  }
}

const stem = "conv1 7x7 of stride 2 and padding 3, bn1, ReLU, maxpool 3x3 of stride 2 and padding 1";
const rest = (features: number) =>
  "Convolutions have no bias and begin normal with variance 2 / fan-out; batch norms have eps 1e-5 and momentum 0.1 and " +
  `begin as ones and zeros; fc begins uniform within ±1 / sqrt(${features}), bias included.`;

const resnet = (depth: number, blocks: ResNetOptions["blocks"]) =>
  defineModel({
    name: `resnet${depth}`,
    summary: `ResNet-${depth} for large images (He et al. 2016, table 1).`,
    construction:
      `${stem}; layer1 to layer4 of ${blocks.join(", ")} basic blocks, of 64, 128, 256 and 512 channels; the mean over all ` +
      `pixels; fc: torchvision's resnet${depth}. A basic block is relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), with ` +
      "3x3 convolutions of padding 1; conv1 of the first block of layer2, layer3 and layer4 has stride 2. There the shortcut " +
      "is downsample, a 1x1 convolution of stride 2 with batch norm (option B); elsewhere it is x itself. " +
      rest(512),
    create: (options) => new ResNet({ ...options, blocks }),
  });

interface OfBottlenecks {
  name: string;
  summary: string;
  /** The name of the network in torchvision. */
  torchvision: string;
  blocks: ResNetOptions["blocks"];
  bottleneck: Required<BottleneckOptions>;
}

const ofBottlenecks = ({ name, summary, torchvision, blocks, bottleneck }: OfBottlenecks) => {
  const { width, groups } = bottleneck;
  const grouped = groups === 1 ? "" : ` in ${groups} groups`;
  return defineModel({
    name,
    summary,
    construction:
      `${stem}; layer1 to layer4 of ${blocks.join(", ")} bottlenecks, of 256, 512, 1024 and 2048 channels; the mean over all ` +
      `pixels; fc: torchvision's ${torchvision}. A bottleneck is relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))) + ` +
      `shortcut(x)), with conv1 and conv3 1x1 and conv2 3x3 of padding 1${grouped}, from and to ` +
      `${[1, 2, 4, 8].map((by) => by * width).join(", ")} channels. In the first block of layer2, layer3 and layer4 conv2, ` +
      "not conv1, has stride 2. In the first block of each layer the shortcut is downsample, a 1x1 convolution of conv2's " +
      "stride with batch norm (option B); elsewhere it is x itself. " +
      rest(2048),
    create: (options) => new ResNet({ ...options, blocks, bottleneck }),
  });
};

const deepResnet = (depth: number, blocks: ResNetOptions["blocks"]) =>
  ofBottlenecks({
    name: `resnet${depth}`,
    summary: `ResNet-${depth} for large images (He et al. 2016, table 1; stride in the 3x3 convolutions, "v1.5").`,
    torchvision: `resnet${depth}`,
    blocks,
    bottleneck: { width: 64, groups: 1 },
  });

export const resnet18 = resnet(18, [2, 2, 2, 2]);
export const resnet34 = resnet(34, [3, 4, 6, 3]);
export const resnet50 = deepResnet(50, [3, 4, 6, 3]);
export const resnet101 = deepResnet(101, [3, 4, 23, 3]);
export const resnet152 = deepResnet(152, [3, 8, 36, 3]);
export const wideResNet50x2 = ofBottlenecks({
  name: "wide-resnet50-2",
  summary:
    "WRN-50-2 for large images: ResNet-50 with twice the width inside its blocks (Zagoruyko and Komodakis 2016).",
  torchvision: "wide_resnet50_2",
  blocks: [3, 4, 6, 3],
  bottleneck: { width: 128, groups: 1 },
});
export const resNeXt50 = ofBottlenecks({
  name: "resnext50-32x4d",
  summary: "ResNeXt-50 for large images, of 32 groups (Xie et al. 2017, table 1).",
  torchvision: "resnext50_32x4d",
  blocks: [3, 4, 6, 3],
  bottleneck: { width: 128, groups: 32 },
});
