import * as torch from "../../torch/index.js";
import type { Update } from "./update.js";

/** A factor: a number, or a tensor [] that a recorded step computes anew. */
type Factor = number | torch.Tensor;

/** The factors of one step, see {@link foreachUpdate}. */
interface Factors {
  /** What weight decay leaves: 1 - lr · weightDecay. */
  kept: Factor;
  /** 1 / √(1 - β2ᵗ) */
  root: Factor;
  /** lr / (1 - β1ᵗ) */
  rate: Factor;
}

/**
 * AdamW by a few operators on whole lists.
 *
 * @param learningRate a number, or float32 [1] on the device
 */
export function foreachUpdate(update: Update, learningRate: number | torch.Tensor): void {
  const { ready, moments, betas, eps, undecayed, weightDecay } = update;
  const parameters = ready.map(({ parameter }) => parameter);
  const gradients = ready.map(({ gradient }) => gradient);
  const averages = moments.map(({ average }) => average);
  const squares = moments.map(({ square }) => square);
  update.step.add_(1);
  const factors =
    typeof learningRate === "number" ? numbers(update, learningRate) : tensors(update, learningRate);

  const decaying = weightDecay === 0 ? [] : parameters.filter((parameter) => !undecayed.has(parameter));
  scale_(decaying, factors.kept);
  torch.foreachMul_(averages, betas[0]);
  torch.foreachAdd_(averages, gradients, { alpha: 1 - betas[0] });
  torch.foreachMul_(squares, betas[1]);
  torch.foreachAddcmul_(squares, gradients, gradients, 1 - betas[1]);
  const roots = torch.foreachSqrt(squares);
  scale_(roots, factors.root);
  torch.foreachAdd_(roots, eps);
  const { rate } = factors;
  if (typeof rate === "number") torch.foreachAddcdiv_(parameters, averages, roots, -rate);
  else {
    const steps: torch.Tensor[] = torch.op("aten::_foreach_div.List", averages, roots);
    torch.foreachAddcmul_(parameters, steps, repeated(steps, rate), -1);
  }
}

function numbers({ step, betas, weightDecay }: Update, learningRate: number): Factors {
  const count = step.item();
  return {
    kept: 1 - learningRate * weightDecay,
    root: 1 / Math.sqrt(1 - betas[1] ** count),
    rate: learningRate / (1 - betas[0] ** count),
  };
}

/** The same without a look at the count. In float64, because 1 - β2ᵗ loses half the digits of a float32 at first. */
function tensors({ step, betas, weightDecay }: Update, learningRate: torch.Tensor): Factors {
  const count = step.to({ dtype: "float64" });
  const rate = learningRate.reshape([]).to({ dtype: "float64" });
  const rest = (beta: number): torch.Tensor => torch.op("aten::pow.Scalar", beta, count).neg().add(1);
  return {
    kept: rate.mul(-weightDecay).add(1),
    root: rest(betas[1]).rsqrt(),
    rate: rate.div(rest(betas[0])),
  };
}

function scale_(list: torch.Tensor[], factor: Factor): void {
  if (list.length === 0) return;
  if (typeof factor === "number") torch.foreachMul_(list, factor);
  else torch.foreachMul_(list, repeated(list, factor));
}

/** The factor once for each tensor and in its dtype, because libtorch 1.13 cannot multiply a list by one tensor. */
function repeated(list: readonly torch.Tensor[], factor: torch.Tensor): torch.Tensor[] {
  const byType = new Map<torch.DType, torch.Tensor>();
  return list.map(({ dtype }) => {
    const found = byType.get(dtype) ?? factor.to({ dtype });
    byType.set(dtype, found);
    return found;
  });
}
