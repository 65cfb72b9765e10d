import * as torch from "../torch/index.js";
import { accuracyOf } from "./accuracy.js";
import type { Classifier, Fitted } from "./classifiers/index.js";
import { type FeatureSet, rows } from "./feature-set.js";
import { fitScaling, type Scaling } from "./scaling.js";
import { stratifiedFolds } from "./splits.js";

/**
 * The values of C that are tried, in units of 1 / (the mean squared length of the training images' scaled features), in which
 * C means the same whatever the scaling and the number of features: ascending.
 */
export const grid: readonly number[] = [1e-2, 1e-1, 1, 1e1, 1e2, 1e3];

/** While C is chosen, minima are found this much more coarsely than for the result. */
const COARSENESS = 10;

export interface ChoiceOptions {
  classNames: readonly string[];
  scaling: Scaling;
  folds: number;
  seed: number;
  signal?: AbortSignal | undefined;
}

/** A C with what speaks for it. */
export interface Choice {
  c: number;
  /** The accuracy over all folds, a fraction. */
  accuracy: number;
}

/**
 * Chooses C by stratified cross-validation on training images alone: the value whose classifiers are right most often on the
 * images of the folds that they were not fitted to; of equal ones the smallest. Accuracy rises with C and then falls, so that the
 * search goes up the grid and ends at the first value that is worse than the best: the largest values take longest.
 *
 * @throws RangeError when a class has one image only; the signal's reason when it is aborted
 */
export async function chooseC(
  classifier: Classifier,
  training: FeatureSet,
  { classNames, scaling, folds, seed, signal }: ChoiceOptions,
): Promise<Choice> {
  const parts = stratifiedFolds(training.labels, { classNames, folds, seed }).map(({ train, test }) =>
    prepare(rows(training, train), rows(training, test), scaling),
  );
  const unit = unitOf(training.features, scaling);
  const fitted: (Fitted | undefined)[] = parts.map(() => undefined);
  let best: Choice | undefined;
  try {
    for (const factor of grid) {
      const c = factor * unit;
      let right = 0;
      for (const [i, { train, test }] of parts.entries()) {
        const next = await classifier.fit(train, {
          ...{ classes: classNames.length, c, coarseness: COARSENESS, signal },
          // Neighbouring values of C have neighbouring minima.
          initial: fitted[i],
        });
        fitted[i]?.[Symbol.dispose]();
        fitted[i] = next;
        using scores = next.scores(test.features);
        right += accuracyOf(scores, test.labels, classNames.length).top1 * test.labels.length;
      }
      const accuracy = right / training.labels.length;
      if (!best || accuracy > best.accuracy + 1e-9) best = { c, accuracy };
      else if (accuracy < best.accuracy - 1e-9) break;
    }
    return best!;
  } finally {
    for (const each of fitted) each?.[Symbol.dispose]();
    for (const { train, test } of parts) for (const set of [train, test]) set.features.dispose();
  }
}

/** Scales two sets as the first, which is trained on, says. The given features are freed; the new ones are the caller's. */
export function prepare(
  train: FeatureSet,
  test: FeatureSet,
  scaling: Scaling,
): { train: FeatureSet; test: FeatureSet } {
  const [a, b] = torch.scope(() => {
    const scale = fitScaling(train.features, scaling);
    return [scale(train.features), scale(test.features)] as const;
  });
  const result = {
    train: { ...train, features: torch.keep(a.clone()) },
    test: { ...test, features: torch.keep(b.clone()) },
  };
  for (const each of [a, b, train.features, test.features]) each.dispose();
  return result;
}

/** 1 / (the mean squared length of the scaled features); 1 where they all are 0. */
function unitOf(features: torch.Tensor, scaling: Scaling): number {
  const mean: number = torch.scope(() =>
    fitScaling(features, scaling)(features).square().sum([1]).mean().item(),
  );
  return mean > 0 ? 1 / mean : 1;
}
