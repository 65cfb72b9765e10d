import {
  checkEnsembleOptions,
  type EnsembleOptions,
  ensembleLogits,
  evaluateLogits,
  slackWithin,
} from "../analysis/index.js";
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
import { ensembleName } from "./generation-set.js";
import { prepareImages } from "./images.js";
import { type Evaluated, evaluateMember, type Member, storedLogits } from "./member.js";
import { evaluateEnsemble } from "./results.js";

export interface EvaluateRunOptions extends Given {
  /** The generations to evaluate. Default: all finished ones. */
  generations?: readonly number[] | undefined;
  /**
   * Whether the ensemble of these generations is evaluated too, and how it is put together; weights are in the
   * order of `generations`. Default: false; `true` stands for `{}`, the mean of softmax that a training stores.
   */
  ensemble?: boolean | EnsembleOptions;
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
  /** The result of their ensemble, where it was asked for, and its name, as `ensembleName` gives it. */
  ensemble?: EnsembleResult & { name: string };
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
 *   generation that was asked for is not finished, TypeError or RangeError when the ensemble's options do not
 *   fit
 */
export async function evaluateRun(
  directory: string,
  options: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  const run = await openRun(directory, options);
  const { stored, wanted, images, k } = run;
  const { superclasses, test: testImages } = images.dataset;
  const { labels } = testImages;
  const together = options.ensemble === true ? {} : options.ensemble || undefined;
  // Wrong options are refused before the networks are run.
  if (together) checkEnsembleOptions(together, wanted.length);
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
      const extras = { k, teacherLogits, superclasses };
      const { test, differences: found } = compare(of, before.test, [member], {
        evaluate: ([logits]) => evaluateLogits(logits!, labels, extras),
        slack: () => slackWithin(member.now, labels, rounding, extras),
      });
      generations.push({ ...before, test });
      differences.push(...found);
      if (!together) disposeLogits(member);
    }
    const furthest = members.reduce((most, member) => (member.difference > most.difference ? member : most));
    const logits = members.every((member) => member.stored)
      ? { difference: furthest.difference, allowed: furthest.rounding }
      : undefined;
    const result = { generations, stored, logits, differences };
    if (!together) return result;

    const name = ensembleName(wanted, together);
    // A log-probability is a logit less its normaliser, each of which rounding may move by as much. Neither the
    // logarithm of a mean of scores nor a mean of logits moves further than those of the members.
    const bound = 2 * Math.max(...members.map(({ rounding }) => rounding));
    const { test, differences: found } = compare(`ensemble ${name}`, stored.ensembles[name]?.test, members, {
      evaluate: (logits) => evaluateEnsemble(logits, images.dataset, { k, ...together }).test,
      slack: () => {
        const memberLogits = members.map(({ now }) => now);
        const logits = ensembleLogits(memberLogits, together);
        return slackWithin(logits, labels, bound, { k, memberLogits, superclasses });
      },
    });
    differences.push(...found);
    return { ...result, ensemble: { name, test } };
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
