import { ensembleLogits, evaluateLogits } from "../analysis/index.js";
import type { EnsembleResult, TestResult } from "../runs/index.js";
import * as torch from "../torch/index.js";

/** Judges one generation by its answers to the test images. */
export function judge(
  logits: torch.Tensor,
  labels: Int32Array,
  { k, teacherLogits }: { k: number; teacherLogits?: torch.Tensor | undefined },
): TestResult {
  return evaluateLogits(logits, labels, { k, ...(teacherLogits && { teacherLogits }) });
}

/** The ensembles of generations 0 to m, for each m from 1 on: the mean of their members' softmax. */
export function judgePrefixes(
  answers: readonly torch.Tensor[],
  labels: Int32Array,
  k: number,
): Record<string, EnsembleResult> {
  const results: Record<string, EnsembleResult> = {};
  for (let last = 1; last < answers.length; last++) {
    results[`0-${last}`] = judgeEnsemble(answers.slice(0, last + 1), labels, k);
  }
  return results;
}

/** The mean of the members' softmax against the labels. */
export function judgeEnsemble(
  members: readonly torch.Tensor[],
  labels: Int32Array,
  k: number,
): EnsembleResult {
  const { top1, nll, ece } = evaluateLogits(ensembleLogits(members), labels, { k });
  return { test: { top1, nll, ece } };
}

/** Reads the answers that a finished generation left in its folder, [N, C]. */
export function loadAnswers(path: string): torch.Tensor {
  const { logits } = torch.loadSafetensors(path).tensors;
  if (logits?.shape.length !== 2) throw new Error(`${path}: holds no tensor "logits" of shape [N, C]`);
  return logits;
}
