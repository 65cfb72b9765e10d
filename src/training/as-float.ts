import type * as torch from "../torch/index.js";

/** Brings logits of 16 bits to float32, since losses are never computed in less. */
export function asFloat(logits: torch.Tensor): torch.Tensor {
  const { dtype } = logits;
  return dtype === "bfloat16" || dtype === "float16" ? logits.to({ dtype: "float32" }) : logits;
}
