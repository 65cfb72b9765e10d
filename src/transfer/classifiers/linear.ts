import * as torch from "../../torch/index.js";
import type { Fitted } from "./define.js";

/** A linear classifier of its weights, which it takes over. @param weights float64 [classes, D + 1], the bias last */
export function linear(weights: torch.Tensor): Fitted {
  torch.keep(weights);
  const width = weights.shape[1]! - 1;
  return {
    weights,
    scores: (features) =>
      torch.scope(() =>
        torch.linear(
          features.to({ dtype: "float64" }),
          weights.narrow(1, 0, width),
          weights.select(1, width),
        ),
      ),
    [Symbol.dispose]: () => weights.dispose(),
  };
}
