/** Evaluates a trained network of a study on the held-out and the test images. */
import { defaultK, evaluateLogits, Predictions } from "../analysis/index.js";
import type { Loader } from "../data/index.js";
import type { Images } from "../generations/index.js";
import type { Module } from "../nn/index.js";
import type { TestResult } from "../runs/index.js";
import type { Device } from "../torch/index.js";
import { checkLogits, predict } from "../training/index.js";
import { type Scores, scoresOf } from "./scores.js";
import type { Part } from "./types.js";

interface EvaluatePartsOptions {
  /** The network's teacher, with which it is compared. */
  teacher: Module | undefined;
  device: Device;
  /** Whether the test images are evaluated. */
  test: boolean;
}

/** The results of a network by part; undefined where a part has no images, or was not asked for. */
interface EvaluatedParts {
  heldOut: TestResult | undefined;
  test: TestResult | undefined;
  /** The scores that are kept, by part. */
  scores: Partial<Record<Part, Scores>>;
}

/**
 * Evaluates a frozen network on the images that were held out, where there are any, and on the test images.
 *
 * @throws Diverged when the scores of an image are not numbers
 */
export async function evaluateParts(
  network: Module,
  images: Images,
  { teacher, device, test }: EvaluatePartsOptions,
): Promise<EvaluatedParts> {
  const { superclasses } = images.dataset;
  const evaluated: EvaluatedParts = { heldOut: undefined, test: undefined, scores: {} };
  const add = async (part: Part, loader: Loader) => {
    const { result, scores } = await evaluate(network, teacher, loader, { device, superclasses });
    evaluated[part] = result;
    evaluated.scores[part] = scores;
  };
  using heldOutLoader = images.validationLoader();
  if (heldOutLoader) await add("heldOut", heldOutLoader);
  if (test) {
    using testLoader = images.testLoader();
    await add("test", testLoader);
  }
  return evaluated;
}

/** Evaluates a network on some images, beside its teacher where it has one. */
async function evaluate(
  network: Module,
  teacher: Module | undefined,
  loader: Loader,
  { device, superclasses }: { device: Device; superclasses: Int32Array | undefined },
): Promise<{ result: TestResult; scores: Scores }> {
  const { logits, labels } = await predict(network, loader, { device });
  using own = logits;
  checkLogits(own, "the images after the last epoch");
  using teacherLogits = teacher && (await predict(teacher, loader, { device })).logits;
  const k = defaultK(own.shape[1]!);
  const result = evaluateLogits(own, labels, { k, teacherLogits, superclasses });
  return { result, scores: scoresOf(new Predictions(own), labels) };
}
