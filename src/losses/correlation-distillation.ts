import * as torch from "../torch/index.js";
import { checkPair, checkTemperature } from "./check.js";
import { constant } from "./distillation.js";

/**
 * Distillation by correlation, DIST (Huang et al. 2022): how far the scores of student and teacher are from
 * a perfect correlation, in each image over the classes (inter-class), and in each class over the images of the batch
 * (intra-class).
 *
 * `T² · (1 - mean of Pearson's ρ)` of softmax(logits / T), with `ρ(a, b) = <a', b'> / (|a'| · |b'| + 1e-8)`, where a' and b'
 * are centred; the 1e-8 is that of the authors' code. A row or column in which all scores are the same has ρ = 0.
 *
 * The teacher is a constant. A masked class (a logit of minus infinity) has the score 0, and counts as a class: other than
 * in `distillation`, the loss is not that of the other classes alone.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C]
 * @param options.temperature T > 0, default 1
 * @returns the two unweighted terms, which hold T², scalars in [0, 2 T²]
 * @throws TypeError when shapes differ or are not [N, C], RangeError when the temperature is out of range
 */
export function correlationDistillation(
  student: torch.Tensor,
  teacher: torch.Tensor,
  { temperature = 1 }: { temperature?: number } = {},
): { inter: torch.Tensor; intra: torch.Tensor } {
  checkPair(student, teacher);
  checkTemperature(temperature);
  const ours = scoresAt(student, temperature);
  const theirs = scoresAt(constant(teacher), temperature);
  const distance = (dim: number) =>
    correlation(ours, theirs, dim)
      .mean()
      .neg()
      .add(1)
      .mul(temperature ** 2);
  return { inter: distance(1), intra: distance(0) };
}

/** Pearson's correlation of a and b along a dimension, which is dropped. */
export function correlation(a: torch.Tensor, b: torch.Tensor, dim: number): torch.Tensor {
  const [x, y] = [a, b].map((each) => each.sub(each.mean([dim], true))) as [torch.Tensor, torch.Tensor];
  const norms = normAlong(x, dim).mul(normAlong(y, dim));
  return x.mul(y).sum([dim]).div(norms.add(1e-8));
}

/** The Euclidean norm along a dimension, which is dropped. Its gradient at 0 is 0, where that of a square root is NaN. */
export function normAlong(x: torch.Tensor, dim: number): torch.Tensor {
  return torch.op("aten::norm.ScalarOpt_dim", x, 2, [dim], false);
}

function scoresAt(logits: torch.Tensor, temperature: number): torch.Tensor {
  return (temperature === 1 ? logits : logits.div(temperature)).softmax(1);
}
