import * as torch from "../../torch/index.js";
import { labelTensor } from "../feature-set.js";
import { minimise } from "../lbfgs.js";
import { defineClassifier } from "./define.js";
import { linear } from "./linear.js";

/** How far from 0 the gradient of the mean loss may be at the minimum. Accuracies no longer move there. */
const TOLERANCE = 1e-5;

/**
 * Multinomial logistic regression with a penalty on the weights, 1/2 |W|² + C Σᵢ -log softmax(W xᵢ + b) of the label: what
 * scikit-learn's `LogisticRegression` minimises. The biases are free.
 */
export const logistic = defineClassifier({
  name: "logistic",
  label: "logistic",
  summary: "multinomial logistic regression with an L2 penalty, by L-BFGS in float64",
  isLinear: true,
  fit: async ({ features, labels }, { classes, c, initial, coarseness = 1, signal }) => {
    const [count = 0, width = 0] = features.shape;
    const [x, target, penalty] = torch.scope(() => {
      const fine = features.to({ dtype: "float64" });
      const x = torch.cat([fine, torch.ones([count, 1], { dtype: "float64" })], 1);
      const target = torch.oneHot(labelTensor(labels), classes).to({ dtype: "float64" });
      const penalty = torch.full([1, width + 1], 1 / (c * count), { dtype: "float64" });
      penalty.narrow(1, width, 1).zero_();
      return [x, target, penalty] as const;
    });
    for (const tensor of [x, target, penalty]) torch.keep(tensor);
    using start = torch.keep(
      initial?.weights?.clone() ?? torch.zeros([classes, width + 1], { dtype: "float64" }),
    );
    try {
      const weights = await minimise(
        start,
        (weights) => {
          const logits = x.matmul(weights.t());
          const scores = logits.logSoftmax(1);
          const pull = weights.mul(penalty);
          const value = -scores.mul(target).sum().item() / count + weights.mul(pull).sum().item() / 2;
          const gradient = scores.exp().sub_(target).t().matmul(x).div_(count).add_(pull);
          return { value, gradient };
        },
        { tolerance: TOLERANCE * coarseness, signal },
      );
      return linear(weights);
    } finally {
      for (const tensor of [x, target, penalty]) tensor.dispose();
    }
  },
});
