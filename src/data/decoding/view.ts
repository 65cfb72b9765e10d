/** What a batch shows of its images: a random part of each, or the middle. */
import type { ViewArguments } from "../../nn/cpu/index.js";

/** A random box of the image, stretched to height x width: torchvision's `RandomResizedCrop`. */
export interface RandomView {
  readonly kind: "random";
  readonly height: number;
  readonly width: number;
  /** The least and greatest area of the box, fractions of the image's. Default: 0.08 and 1. */
  readonly scale?: readonly [number, number];
  /** The least and greatest width over height of the box, whose logarithms are equally likely. Default: 3/4 and 4/3. */
  readonly ratio?: readonly [number, number];
}

/** The middle of the image: torchvision's `Resize(resize)`, then `CenterCrop((height, width))`. */
export interface CentralView {
  readonly kind: "central";
  /** What the shorter side of the image becomes, in pixels. What the image does not cover then is black. */
  readonly resize: number;
  readonly height: number;
  readonly width: number;
}

export type View = RandomView | CentralView;

/** A view as the operators take it. */
export function viewArguments(view: View): ViewArguments {
  const { height, width } = view;
  if (view.kind === "central") return { scale: [1, 1], ratio: [1, 1], resize: view.resize, height, width };
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = view;
  return { scale, ratio, resize: 1, height, width };
}
