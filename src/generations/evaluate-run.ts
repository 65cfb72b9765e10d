import type { Dataset } from "../data/index.js";
import { foldBatchNorm, setKernels } from "../nn/index.js";
import type { EnsembleResult, Summary } from "../runs/index.js";
import { type GenerationResult, RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { answer } from "../training/index.js";
import { prepareImages } from "./images.js";
import { freshModel, judgedK, type ModelFactory } from "./line.js";
import { judge, judgeEnsemble, loadAnswers } from "./results.js";
import { loadWeights } from "./train-generations.js";

export interface EvaluateRunOptions {
  /** Which generations; all finished ones when left out. */
  generations?: readonly number[] | undefined;
  /** Judge the mean of their softmax too. */
  ensemble?: boolean;
  /** As they were given to `trainGenerations`, if they were. */
  model?: ModelFactory | undefined;
  dataset?: Dataset | undefined;
  signal?: AbortSignal | undefined;
  /** Told of each generation before it is judged, and on how many images. */
  onGeneration?: ((generation: number, testImages: number) => void) | undefined;
}

export interface RunEvaluation {
  generations: GenerationResult[];
  ensemble?: EnsembleResult;
  /** What the training itself stored. */
  stored: Summary;
}

/**
 * Runs a finished run's networks over the test images again, from their weights. Nothing is chosen by it: it repeats
 * what the training measured, and should give the same numbers.
 *
 * @throws Error when the folder is no run, has no such generation, or its files do not fit its recipe
 */
export async function evaluateRun(
  directory: string,
  options: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  const folder = await RunFolder.open(directory);
  const recipe = { ...folder.recipe, device: deviceHere(folder.recipe.device as torch.Device) };
  setKernels(recipe.kernels);
  const stored = await folder.readSummary();
  const finished = stored?.generations.length ?? 0;
  if (!stored || finished === 0) throw new Error(`${directory}: no generation is finished yet`);
  const wanted = options.generations ?? stored.generations.map(({ generation }) => generation);
  const missing = wanted.find(
    (generation) => !(Number.isInteger(generation) && generation >= 0 && generation < finished),
  );
  if (missing !== undefined || wanted.length === 0) {
    throw new RangeError(`${directory}: no generation ${missing ?? ""}; finished ones: 0 to ${finished - 1}`);
  }

  const images = await prepareImages(recipe, options.dataset);
  const k = judgedK(recipe, images.classes);
  const labels = images.dataset.test.labels;
  const loader = images.testLoader();
  const answers: torch.Tensor[] = [];
  const generations: GenerationResult[] = [];
  try {
    for (const generation of wanted) {
      options.onGeneration?.(generation, labels.length);
      const model = freshModel(recipe, generation, images, options.model);
      loadWeights(model, folder.generation(generation).weights);
      const frozen = foldBatchNorm(model);
      const { logits } = await answer(frozen, loader, { device: recipe.device, signal: options.signal });
      frozen.dispose();
      answers.push(logits);
      using teacherLogits =
        generation > 0 ? loadAnswers(folder.generation(generation - 1).testLogits) : undefined;
      const test = judge(logits, labels, { k, teacherLogits });
      generations.push({ ...stored.generations[generation]!, test });
    }
    const ensemble = options.ensemble ? judgeEnsemble(answers, labels, k) : undefined;
    return { generations, ...(ensemble && { ensemble }), stored };
  } finally {
    loader.dispose();
    for (const logits of answers) logits.dispose();
  }
}

/** A run that was trained on a card can be judged without one. */
function deviceHere(device: torch.Device): torch.Device {
  return torch.cudaAvailable() ? device : "cpu";
}
