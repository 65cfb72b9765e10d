/** Evaluates features by how well classifiers do that are fitted to them. */
import { setImmediate } from "node:timers/promises";
import * as torch from "../torch/index.js";
import { accuracyOf } from "./accuracy.js";
import { chooseC, prepare } from "./choose-c.js";
import type { Classifier } from "./classifiers/index.js";
import { type FeatureSet, rows } from "./feature-set.js";
import type { Scaling } from "./scaling.js";
import { drawShots, type Split } from "./splits.js";

/** The features of a set's two parts. */
export interface FeatureParts {
  train: FeatureSet;
  /** Undefined where the set has no test images: those that were not drawn to train then test. */
  test: FeatureSet | undefined;
}

export interface EvaluateFeaturesOptions {
  classNames: readonly string[];
  classifiers: readonly Classifier[];
  /** Training images of each class, drawn at random; undefined takes all of the training images. */
  shots: number | undefined;
  /** How often they are drawn. With all training images there is one draw. */
  splits: number;
  /** Decides the draws, and the folds by which C is chosen. */
  seed: number;
  scaling: Scaling;
  folds: number;
  signal?: AbortSignal | undefined;
  /** Called after each classifier that is finished, and tested. */
  onFitted?: (() => void) | undefined;
}

/** The accuracies of a classifier, a value for each draw. */
export interface ClassifierResult {
  classifier: string;
  top1: number[];
  meanClassAccuracy: number[];
  /** The C that cross-validation chose; none for a classifier without. */
  c: number[];
}

/**
 * Fits each classifier to the training images of each draw, with the C that cross-validation on these chooses, and tests it.
 * The same seed draws the same images for every network, so that results can be compared draw by draw.
 *
 * @returns one for each classifier, in their order
 * @throws RangeError that names the class when it has too few images; the signal's reason when it is aborted
 */
export async function evaluateFeatures(
  parts: FeatureParts,
  { classifiers, classNames, splits, shots, onFitted, ...options }: EvaluateFeaturesOptions,
): Promise<ClassifierResult[]> {
  const results: ClassifierResult[] = classifiers.map(({ name }) => ({
    ...{ classifier: name, top1: [], meanClassAccuracy: [], c: [] },
  }));
  const draws = shots === undefined ? 1 : splits;
  for (let draw = 0; draw < draws; draw++) {
    const split = splitOf(parts, { classNames, shots, draw, seed: options.seed });
    const raw = partsOf(parts, split);
    const sides = prepare(rows(raw.train, all(raw.train)), rows(raw.test, all(raw.test)), options.scaling);
    try {
      for (const [i, classifier] of classifiers.entries()) {
        const { c } = classifier.isLinear
          ? await chooseC(classifier, raw.train, { classNames, ...options })
          : { c: undefined };
        const { train, test } = classifier.isLinear ? sides : raw;
        using fitted = await classifier.fit(train, {
          ...{ classes: classNames.length, c: c ?? 1, signal: options.signal },
        });
        using scores = fitted.scores(test.features);
        const { top1, meanClassAccuracy } = accuracyOf(scores, test.labels, classNames.length);
        results[i]!.top1.push(top1);
        results[i]!.meanClassAccuracy.push(meanClassAccuracy);
        if (c !== undefined) results[i]!.c.push(c);
        onFitted?.();
        await setImmediate();
        options.signal?.throwIfAborted();
      }
    } finally {
      for (const { features } of [raw.train, raw.test, sides.train, sides.test]) features.dispose();
    }
  }
  return results;
}

const all = ({ labels }: FeatureSet) => Int32Array.from(labels.keys());

function splitOf(
  { train, test }: FeatureParts,
  {
    shots,
    ...draw
  }: { classNames: readonly string[]; shots: number | undefined; seed: number; draw: number },
): Split {
  if (shots === undefined && !test)
    throw new RangeError(
      "the set has no test images: ask for some images of each class, and the others test",
    );
  const drawn = shots === undefined ? undefined : drawShots(train.labels, { shots, ...draw });
  const split = {
    train: drawn?.train ?? all(train),
    test: test ? all(test) : drawn!.test,
  };
  if (split.test.length === 0)
    throw new RangeError(`no image is left to test with ${shots} images of each class: ask for fewer`);
  return split;
}

/** Copies the features of a split; they are the caller's. */
function partsOf({ train, test }: FeatureParts, split: Split): { train: FeatureSet; test: FeatureSet } {
  const chosen = { train: rows(train, split.train), test: rows(test ?? train, split.test) };
  for (const { features } of Object.values(chosen)) torch.keep(features);
  return chosen;
}
