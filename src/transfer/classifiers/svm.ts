import * as torch from "../../torch/index.js";
import { labelTensor } from "../feature-set.js";
import { defineClassifier } from "./define.js";
import { linear } from "./linear.js";

/**
 * Linear support vector machines, one class against the rest, with the squared hinge loss (Fan et al. 2008, "LIBLINEAR"):
 * 1/2 |w|² + C Σᵢ max(0, 1 - yᵢ w · xᵢ)², where x ends in a 1 for the bias: scikit-learn's `LinearSVC`.
 */
export const svm = defineClassifier({
  name: "svm",
  label: "SVM",
  summary: "linear support vector machines, one class against the rest, squared hinge loss, by liblinear",
  isLinear: true,
  missing: () =>
    torch.hasOperator("lyceum::linear_svm")
      ? undefined
      : "the support vector machine needs liblinear, which was not there when Lyceum was built: sudo apt-get install " +
        "liblinear-dev, then ./setup (npx lyceum setup in a project); or leave it out, by --classifiers logistic,knn",
  fit: async ({ features, labels }, { classes, c, initial, coarseness = 1, signal }) => {
    signal?.throwIfAborted();
    using given = torch.keep(labelTensor(labels));
    const weights = await torch.opAsync(
      "lyceum::linear_svm",
      features,
      given,
      classes,
      c,
      1,
      1e-3 * coarseness,
      initial?.weights,
    );
    const fitted = linear(weights);
    if (signal?.aborted) fitted[Symbol.dispose]();
    signal?.throwIfAborted();
    return fitted;
  },
});
