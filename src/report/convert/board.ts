import { join } from "node:path";
import { metrics } from "../../analysis/index.js";
import { EventFile, type HyperParameter } from "../../interop/index.js";
import type { Recipe } from "../../recipe/index.js";
import type { EpochRecord, GenerationResult, TestResult } from "../../runs/index.js";
import { nameOf } from "../numbers.js";

/** Everything that a recipe says, as flat names and values: "optimizer.learningRate" and 0.1. */
export function hyperParametersOf(recipe: Recipe): Record<string, HyperParameter> {
  const found: Record<string, HyperParameter> = {};
  const visit = (value: unknown, path: string) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) visit(inner, path ? `${path}.${key}` : key);
    } else if (typeof value === "number" || typeof value === "string" || typeof value === "boolean")
      found[path] = value;
    else if (value !== undefined && value !== null) found[path] = JSON.stringify(value);
  };
  visit(recipe, "");
  return found;
}

/** The metrics of a test result that are one number each, by their tags. */
export function testScalars(test: TestResult): Record<string, number> {
  return Object.fromEntries(
    metrics.flatMap(({ name }) => {
      const value = test[name];
      return typeof value === "number" && Number.isFinite(value) ? [[`test/${name}`, value]] : [];
    }),
  );
}

/**
 * A folder of TensorBoard's for one run of Lyceum's: the recipe at its top, and a run for each generation, with a step for each
 * epoch.
 */
export class RunBoard {
  readonly #folder: string;
  readonly #recipe: Recipe;
  readonly #files = new Map<number, EventFile>();

  /** @throws Error when the folder cannot be written to */
  constructor(folder: string, recipe: Recipe, { yaml, date }: { yaml: string; date?: Date | undefined }) {
    this.#folder = folder;
    this.#recipe = recipe;
    const top = new EventFile(folder, date);
    if (top.isContinued) return;
    top.text("recipe", `    ${yaml.trim().replaceAll("\n", "\n    ")}`, 0, date);
    top.experiment(
      {
        description: recipe.title ?? "",
        hyperParameters: this.#hyperParameters(0, "patriarch"),
        metrics: metrics
          .filter(({ name }) => ["top1", "top5", "nll", "ece", "brier", "entropy"].includes(name))
          .map(({ name, label, summary }) => ({ tag: `test/${name}`, name: label, description: summary })),
      },
      date,
    );
  }

  /** Writes what an epoch came to. */
  epoch(record: EpochRecord): void {
    const { generation, role, epoch, learningRate, trainLoss, terms, trainTop1, validation } = record;
    const date = new Date(record.date);
    const file = this.#fileOf(generation, role, { date, step: epoch });
    file.scalars(
      {
        "loss/train": trainLoss,
        ...Object.fromEntries(Object.entries(terms).map(([name, value]) => [`terms/${name}`, value])),
        "top1/train": trainTop1,
        ...(validation && { "loss/held-out": validation.loss, "top1/held-out": validation.top1 }),
        learningRate,
        imagesPerSecond: record.imagesPerSecond,
      },
      epoch,
      date,
    );
  }

  /** Writes what a finished generation came to on the test images. @returns its file, for more of it */
  generation(result: GenerationResult, { step, date }: { step: number; date?: Date | undefined }): EventFile {
    const { generation, role, test } = result;
    const file = this.#fileOf(generation, role, { date, step });
    file.scalars(testScalars(test), step, date);
    file.sessionEnd(date);
    return file;
  }

  #fileOf(
    generation: number,
    role: EpochRecord["role"],
    { date, step }: { date: Date | undefined; step: number },
  ): EventFile {
    const known = this.#files.get(generation);
    if (known) return known;
    const file = new EventFile(join(this.#folder, `generation-${generation}`), date);
    // A training that goes on may do epochs again whose lines an earlier file holds.
    if (file.isContinued) file.restart(step, date);
    else file.sessionStart(this.#hyperParameters(generation, role), nameOf(generation, role), date);
    this.#files.set(generation, file);
    return file;
  }

  #hyperParameters(generation: number, role: EpochRecord["role"]): Record<string, HyperParameter> {
    return { generation, role, ...hyperParametersOf(this.#recipe) };
  }
}
