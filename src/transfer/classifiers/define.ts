import type { Tensor } from "../../torch/index.js";
import type { FeatureSet } from "../feature-set.js";

export interface FitOptions {
  /** How many classes the labels are of; each has at least one image. */
  classes: number;
  /**
   * The weight of the images' losses beside the penalty on the weights, as in scikit-learn: a large C trusts the images. Of no
   * meaning to a classifier without a grid.
   */
  c: number;
  /** Where the search for the minimum begins: a classifier of the same features for another C. */
  initial?: Fitted | undefined;
  /** How exactly the minimum is found: 1 is a classifier's own default, 10 ten times as coarse. Default: 1. */
  coarseness?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A classifier with its weights, which belong to whoever fitted it. */
export interface Fitted {
  /** The weights, float64 [classes, D + 1], the bias last; undefined for a classifier without. */
  readonly weights?: Tensor;
  /** Scores of images, of which the highest wins. @param features [N, D]; @returns [N, classes] */
  scores(features: Tensor): Tensor;
  [Symbol.dispose](): void;
}

/** A way to classify images by their features. */
export interface Classifier<Name extends string = string> {
  readonly kind: "classifier";
  /** Its name in options and results. */
  readonly name: Name;
  /** The heading of its column. */
  readonly label: string;
  readonly summary: string;
  /** Whether C is chosen for it by cross-validation, and features are scaled; else it takes them as they are. */
  readonly isLinear: boolean;
  /** Says what to do where it cannot work on this machine; undefined where it can. */
  missing?(): string | undefined;
  /** @throws the signal's reason when it is aborted */
  fit(training: FeatureSet, options: FitOptions): Promise<Fitted>;
}

/** Makes a classifier's definition. */
export function defineClassifier<const Name extends string>(
  definition: Omit<Classifier<Name>, "kind">,
): Classifier<Name> {
  return { kind: "classifier", ...definition };
}
