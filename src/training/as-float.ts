import type * as torch from "../torch/index.js";

/** Losses are never computed in less than float32. */
export function asFloat(logits: torch.Tensor): torch.Tensor {
  const { dtype } = logits;
  return dtype === "bfloat16" || dtype === "float16" ? logits.to({ dtype: "float32" }) : logits;
}
