import { crossEntropy, patriarchLoss, type StudentWeights, studentLoss } from "../losses/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { asFloat } from "./as-float.js";

/** A loss to be minimised and the unweighted terms it is made of, all scalars. */
export interface Losses {
  loss: torch.Tensor;
  terms: Record<string, torch.Tensor>;
}

/**
 * What a network is trained for.
 *
 * @param logits the network's answer, [N, C]
 * @param labels [N] int64
 * @param images the very images it was given, [N, channels, H, W]
 */
export type Objective = (logits: torch.Tensor, labels: torch.Tensor, images: torch.Tensor) => Losses;

/** The labels alone: a strict patriarch. */
export function strictObjective(): Objective {
  return (logits, labels) => {
    const hard = crossEntropy(logits, labels);
    return { loss: hard, terms: { hard } };
  };
}

/** The labels and the top score difference: a tolerant patriarch. */
export function patriarchObjective(options: { hardWeight: number; k: number }): Objective {
  return (logits, labels) => patriarchLoss(logits, labels, options);
}

/** The labels and a frozen teacher, which answers for the very crops that the student sees. */
export function studentObjective(teacher: Module, weights: StudentWeights): Objective {
  return (logits, labels, images) => {
    const teacherLogits = torch.noGrad(() => asFloat(teacher.forward(images)));
    return studentLoss(logits, labels, teacherLogits, weights);
  };
}
