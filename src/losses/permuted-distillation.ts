import * as torch from "../torch/index.js";
import { checkPair } from "./check.js";
import { constant, distillation } from "./distillation.js";

/**
 * Distillation with permuted predictions, the control DKPP (Furlanello et al. 2018, section 3.2, equation 11): the teacher
 * keeps its best score where it is, and gives its other scores to other classes than they belong to, image by image. The
 * loss is `T² · KL(permuted teacher ‖ student)`, the mean over the batch.
 *
 * What the student can learn from such a teacher is how sure it is, and how its scores are spread, but not which classes
 * resemble each other.
 *
 * @param student logits [N, C], any float dtype
 * @param teacher logits [N, C], a constant
 * @param options.order [N, C - 1] int64, in each row the numbers 0 to C - 2 in some order; see `drawOrder`
 * @param options.temperature T > 0, default 1
 * @returns scalar >= 0, nats
 * @throws TypeError when shapes or dtypes do not fit, RangeError when the temperature is out of range
 */
export function permutedDistillation(
  student: torch.Tensor,
  teacher: torch.Tensor,
  { order, temperature = 1 }: { order: torch.Tensor; temperature?: number },
): torch.Tensor {
  checkPair(student, teacher);
  return distillation(student, permuteAllButTop(constant(teacher), order), { temperature });
}

/**
 * Draws an order of `columns` numbers for each of `rows` rows, every order being equally likely. The same seed gives the
 * same orders on every device: they are drawn on the CPU, from a generator of their own.
 *
 * @param options.seed a whole number from 0 to 2^32 - 1
 * @returns [rows, columns] int64
 */
export function drawOrder(
  rows: number,
  columns: number,
  { seed, device = "cpu" }: { seed: number; device?: torch.Device },
): torch.Tensor {
  // Among doubles, unlike among floats, equal ones are too rare to matter to the order.
  const keys = torch.rand([rows, columns], { generator: new torch.Generator(seed), dtype: "float64" });
  return keys.argsort(1).to({ device });
}

/** Gives the logits of all classes but the best to each other, in each row by its own order. */
function permuteAllButTop(logits: torch.Tensor, order: torch.Tensor): torch.Tensor {
  const [rows, classes] = logits.shape as [number, number];
  if (order.shape.length !== 2 || order.shape[0] !== rows || order.shape[1] !== classes - 1)
    throw new TypeError(`order must be [${rows}, ${classes - 1}], got [${order.shape.join(", ")}]`);
  if (order.dtype !== "int64") throw new TypeError(`order must be int64, got ${order.dtype}`);
  if (classes === 1) return logits;
  // The other classes of a row are those that follow its best one, in a circle.
  const steps = torch.arange(1, classes, 1, { dtype: "int64", device: logits.device });
  const others = logits.argmax(1, true).add(steps).remainder(classes);
  return logits.scatter(1, others, logits.gather(1, others).gather(1, order));
}
