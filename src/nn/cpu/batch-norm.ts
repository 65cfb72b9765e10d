/** Batch norm by Lyceum's operator, which adds and rectifies in the same pass over memory. Differentiable once. */
import * as torch from "../../torch/index.js";
import type { BatchNorm2d, Epilogue } from "../batch-norm2d.js";
import { isOrdered } from "./blocks.js";

/** Computes relu(norm(x) + residual), sum and ReLU as the epilogue says; undefined where the operator does not serve. */
export function normalise(
  norm: BatchNorm2d,
  x: torch.Tensor,
  { residual, relu = false }: Epilogue,
): torch.Tensor | undefined {
  const { weight, bias, runningMean, runningVar, training, momentum, eps } = norm;
  const stored = x.dtype === "float32" || x.dtype === "bfloat16";
  if (!(stored && weight.dtype === "float32" && isOrdered(x))) return undefined;
  // What is broadcast, or of another dtype, is left to ATen's addition.
  if (residual && !(residual.dtype === x.dtype && `${residual.shape}` === `${x.shape}`)) return undefined;
  const statistics = [weight, bias, runningMean, runningVar];
  return torch.op("lyceum::batch_norm", x, ...statistics, residual, relu, training, momentum, eps);
}
