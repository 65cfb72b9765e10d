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
  /** The generations to evaluate. Default: all finished ones. */
  generations?: readonly number[] | undefined;
  /** Whether the ensemble of these generations is evaluated too. Default: false. */
  ensemble?: boolean;
  /** What the run's recipe can name beside Lyceum's own definitions: imported files, or definitions. */
  imports?: Imports | undefined;
  /** Stops the evaluation when aborted, whose reason it then throws. */
  signal?: AbortSignal | undefined;
  /** Called before each generation is evaluated, with the number of test images. */
  onGeneration?: ((generation: number, testImages: number) => void) | undefined;
}

export interface RunEvaluation {
  /** The results of the generations that were asked for, in that order. */
  generations: GenerationResult[];
  /** The result of their ensemble, where it was asked for. */
  ensemble?: EnsembleResult;
  /** The results that the training stored. */
  stored: Summary;
  /**
   * The largest difference between a logit and the stored one, and the largest that rounding explains.
   * Undefined where a generation's test-logits.safetensors is missing, so that only its metrics could be
   * compared.
   */
  logits: { difference: number; allowed: number } | undefined;
  /** The numbers that differ from the stored ones by more than rounding on another machine explains. */
  differences: Difference[];
}

/**
 * Runs the networks of a run over the test images again, from their stored weights, and compares the results
 * with those that the training stored. Nothing is chosen by this: it repeats a measurement, and should give
 * the same numbers.
 *
 * The stored logits must be those that the weights give, up to what rounding on another machine explains, and
 * the stored numbers must be those that the stored logits give. Where a generation's logits are missing, its
 * numbers may be as far off as logits within that rounding can make them.
 *
 * @throws Error when the folder is no run or its files do not fit its recipe or its images, RangeError when a
 *   generation that was asked for is not finished
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
    // A log-probability is a logit less its normaliser, each of which rounding may move by as much. The
    // logarithm of a mean of scores moves no further than the log-probabilities of the members.
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
