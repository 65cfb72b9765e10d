import { mobileNetV2 } from "../names/mobilenet-v2.js";
import type { NameTable } from "../names/table.js";
import { vgg } from "../names/vgg.js";

/** A network of Lyceum's as timm has it. */
export interface TimmNetwork {
  /** Its name in timm. */
  architecture: string;
  /** How many features the classifier gets. */
  features: number;
  /** Path of the layer that sees the images, in timm's names. */
  firstConv: string;
  /** Path of the layer that makes the logits, in timm's names. */
  classifier: string;
  /** How timm names its parts, where that is not as torchvision does. */
  names?: NameTable;
}

const resnet = (architecture: string, features: number): TimmNetwork => ({
  architecture,
  features,
  firstConv: "conv1",
  classifier: "fc",
});

/** The networks that timm has too, by their names here. */
export const timmNetworks: Readonly<Record<string, TimmNetwork>> = {
  resnet18: resnet("resnet18", 512),
  resnet34: resnet("resnet34", 512),
  resnet50: resnet("resnet50", 2048),
  resnet101: resnet("resnet101", 2048),
  resnet152: resnet("resnet152", 2048),
  "wide-resnet50-2": resnet("wide_resnet50_2", 2048),
  "resnext50-32x4d": resnet("resnext50_32x4d", 2048),
  densenet121: {
    architecture: "densenet121",
    features: 1024,
    firstConv: "features.conv0",
    classifier: "classifier",
  },
  "vgg16-bn": {
    architecture: "vgg16_bn",
    features: 512,
    firstConv: "features.0",
    classifier: "head.fc",
    names: vgg,
  },
  "mobilenet-v2": {
    architecture: "mobilenetv2_100",
    features: 1280,
    firstConv: "conv_stem",
    classifier: "classifier",
    names: mobileNetV2,
  },
};
