import { ensembleLogits, evaluateLogits, slackWithin } from "../analysis/index.js";
import { setKernels } from "../nn/index.js";
import {
  type EnsembleResult,
  type GenerationResult,
  type Imports,
  libraryOf,
  RunFolder,
  type Summary,
} from "../runs/index.js";
import * as torch from "../torch/index.js";
import { compare, type Difference } from "./differences.js";
import type { Given } from "./experiment.js";
import { prepareImages } from "./images.js";
import { type Evaluated, evaluateMember, type Member, storedLogits } from "./member.js";
import { evaluateEnsemble } from "./results.js";

export interface EvaluateRunOptions extends Given {
  /** Which generations; all finished ones when left out. */
  generations?: readonly number[] | undefined;
  /** Whether the mean of their softmax is evaluated too. */
  ensemble?: boolean;
  /** What names in the run's recipe may mean, beside Lyceum's own definitions: imported files, or definitions. */
  imports?: Imports | undefined;
  signal?: AbortSignal | undefined;
  /** Called before each generation is evaluated, with the number of test images. */
  onGeneration?: ((generation: number, testImages: number) => void) | undefined;
}

export interface RunEvaluation {
  generations: GenerationResult[];
  ensemble?: EnsembleResult;
  /** What the training itself stored. */
  stored: Summary;
  /**
   * How far logits are from the stored ones at most, and how far rounding explains; undefined where a generation's
   * test-logits.safetensors is not there, so that only its numbers could be compared.
   */
  logits: { difference: number; allowed: number } | undefined;
  /** What is not as stored, by more than rounding on another machine explains. */
  differences: Difference[];
}

/**
 * Runs a finished run's networks over the test images again, from their weights, and compares with what the training
 * stored. Nothing is chosen by it: it repeats a measurement, and should come to the same.
 *
 * The stored logits must be those of the weights, up to what rounding on another machine explains, and the stored numbers
 * those of the stored logits. Where a generation's logits are not there, its numbers may be as far off as logits within
 * that rounding can make them.
 *
 * @throws Error when the folder is no run, has no such generation, or its files do not fit its recipe or its images
 */
export async function evaluateRun(
  directory: string,
  options: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  const run = await openRun(directory, options);
  const { stored, wanted, images, k } = run;
  const { labels } = images.dataset.test;
  const members: Member[] = [];
  const generations: GenerationResult[] = [];
  const differences: Difference[] = [];
  try {
    for (const generation of wanted) {
      options.onGeneration?.(generation, labels.length);
      const member = await evaluateMember(run, generation, options);
      members.push(member);
      const { difference, rounding } = member;
      const of = `generation ${generation}`;
      if (difference > rounding) differences.push({ of, what: "logits", difference, allowed: rounding });
      using teacherLogits = generation > 0 ? storedLogits(run, generation - 1) : undefined;
      const before = stored.generations[generation]!;
      const { test, differences: found } = compare(of, before.test, [member], {
        evaluate: ([logits]) => evaluateLogits(logits!, labels, { k, teacherLogits }),
        slack: () => slackWithin(member.now, labels, rounding, { k, teacherLogits }),
      });
      generations.push({ ...before, test });
      differences.push(...found);
      if (!options.ensemble) disposeLogits(member);
    }
    const furthest = members.reduce((most, member) => (member.difference > most.difference ? member : most));
    const logits = members.every((member) => member.stored)
      ? { difference: furthest.difference, allowed: furthest.rounding }
      : undefined;
    const result = { generations, stored, logits, differences };
    if (!options.ensemble) return result;

    const inARow = wanted.every((generation, i) => generation === wanted[0]! + i);
    const name = inARow ? `${wanted[0]}-${wanted.at(-1)}` : wanted.join(",");
    // Log-probabilities move by the logit's move and the normaliser's, and a mean of scores by no more than its members.
    const bound = 2 * Math.max(...members.map(({ rounding }) => rounding));
    const together = compare(`ensemble ${name}`, stored.ensembles[name]?.test, members, {
      evaluate: (logits) => evaluateEnsemble(logits, labels, k).test,
      slack: () => slackWithin(ensembleLogits(members.map(({ now }) => now)), labels, bound, { k }),
    });
    differences.push(...together.differences);
    return { ...result, ensemble: { test: together.test } };
  } finally {
    for (const member of members) disposeLogits(member);
  }
}

function disposeLogits({ now, stored }: Member): void {
  now.dispose();
  stored?.dispose();
}

async function openRun(directory: string, options: EvaluateRunOptions): Promise<Evaluated> {
  const { imports = [], model, dataset } = options;
  const folder = await RunFolder.open(directory, imports);
  await folder.askForImports(imports);
  const stored = await folder.readSummary();
  const finished = stored?.generations.length ?? 0;
  if (!stored || finished === 0) throw new Error(`${directory}: no generation is finished yet`);
  const wanted = options.generations ?? stored.generations.map(({ generation }) => generation);
  const missing = wanted.find(
    (generation) => !(Number.isInteger(generation) && generation >= 0 && generation < finished),
  );
  if (missing !== undefined || wanted.length === 0)
    throw new RangeError(`${directory}: no generation ${missing ?? ""}; finished ones: 0 to ${finished - 1}`);

  // A run that was trained on a card can be evaluated without one.
  const recipe = { ...folder.recipe, device: torch.cudaAvailable() ? folder.recipe.device : "cpu" };
  setKernels(recipe.kernels);
  const library = libraryOf(imports);
  const images = await prepareImages(recipe, { library, dataset });
  const { k } = stored;
  if (k > images.classes)
    throw new Error(`${directory}: summary.json: k is ${k}, but the images have ${images.classes} classes`);
  return { folder, recipe, library, stored, wanted, images, model, k };
}
