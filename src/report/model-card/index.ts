/** A trained network's model card, from the files of its run. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { datasets } from "../../data/index.js";
import { describeMethods } from "../../generations/index.js";
import { type Imports, libraryOf, RunFolder } from "../../runs/index.js";
import { readPredictions } from "../run-contents.js";
import type { CardRun } from "./model-card.js";

export { type CardContent, type CardRun, modelCard } from "./model-card.js";

/**
 * Finds the run to which a weights file belongs, by its place `RUN/generation-N/weights.safetensors`.
 *
 * @param imports what the run's recipe can name beside Lyceum's own definitions; names that nothing defines are accepted
 * @returns undefined where the file lies elsewhere, or the generation has no result
 * @throws Error when the run's files are damaged
 */
export async function runOfWeights(path: string, imports: Imports = []): Promise<CardRun | undefined> {
  const generation = Number(
    /^generation-(\d{1,4})$/.exec(basename(dirname(resolve(path))))?.[1] ?? Number.NaN,
  );
  const directory = dirname(dirname(resolve(path)));
  if (Number.isNaN(generation) || !existsSync(`${directory}/summary.json`)) return undefined;
  if (!(await RunFolder.isBegun(directory))) return undefined;
  const run = await RunFolder.look(directory);
  const summary = await run.readSummary();
  if (run.generation(generation).weights !== resolve(path) || !summary?.generations[generation])
    return undefined;
  const { recipe } = run;
  const library = libraryOf(imports);
  return {
    ...{ name: basename(directory), generation, recipe, summary },
    environment: await run.readEnvironment(),
    testImages: readPredictions(run, generation)?.images,
    methodLines: methodLinesOf(),
    hubName: [...datasets].find(({ name }) => name === recipe.data.name)?.hub,
  };

  /** Without the file that defines a method of one's own its words are missing, and the recipe still names it. */
  function methodLinesOf() {
    try {
      return describeMethods({ recipe, library });
    } catch {
      return [];
    }
  }
}
