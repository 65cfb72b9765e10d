import * as torch from "../../torch/index.js";
import { labelTensor } from "../feature-set.js";
import { normalised } from "../scaling.js";
import { defineClassifier } from "./define.js";

/** How many neighbours vote, and the temperature of their votes. */
export const neighbours = { k: 20, temperature: 0.07 } as const;

/** How many images are compared with all training images at a time. */
const AT_ONCE = 1024;

/**
 * The nearest neighbours, by the cosine between features: each of the k nearest training images votes for its class with
 * weight exp(cosine / temperature) (Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance
 * Discrimination", section 3.4, with its temperature). Nothing is trained and nothing chosen, so that it checks the others.
 */
export const knn = defineClassifier({
  name: "knn",
  label: "k-NN",
  summary: `the ${neighbours.k} nearest training images by cosine, weighted by exp(cosine / ${neighbours.temperature})`,
  isLinear: false,
  fit: async ({ features, labels }, { classes }) => {
    const [known, votes] = torch.scope(() => [
      normalised(features.to({ dtype: "float32" })).t(),
      labelTensor(labels),
    ]);
    torch.keep(known!);
    torch.keep(votes!);
    const k = Math.min(neighbours.k, labels.length);
    const some = (rows: torch.Tensor) =>
      torch.scope(() => {
        const cosines = normalised(rows.to({ dtype: "float32" })).matmul(known!);
        const [nearest, which] = cosines.topk(k, 1) as unknown as [torch.Tensor, torch.Tensor];
        const weights = nearest.sub(1).div(neighbours.temperature).exp();
        const chosen = votes!.indexSelect(0, which.flatten(0)).reshape([...which.shape]);
        return torch.op("aten::scatter_add", torch.zeros([rows.shape[0]!, classes]), 1, chosen, weights);
      });
    return {
      scores: (given) =>
        torch.scope(() => {
          const parts = [];
          for (let start = 0; start < given.shape[0]!; start += AT_ONCE)
            parts.push(some(given.narrow(0, start, Math.min(AT_ONCE, given.shape[0]! - start))));
          return torch.cat(parts);
        }),
      [Symbol.dispose]: () => {
        known!.dispose();
        votes!.dispose();
      },
    };
  },
});
