/** Makes a run folder with networks that nobody trained, for tests of what is done with finished runs. */
import { mkdirSync } from "node:fs";
import { models } from "../../models/index.js";
import { resolveRecipe } from "../../recipe/index.js";
import { describeEnvironment, type GenerationResult, RunFolder, writeWeights } from "../../runs/index.js";
import * as torch from "../../torch/index.js";

/** @param options.seed of the recipe and the networks; @param options.patriarch as in a recipe */
export async function untrainedRun(
  directory: string,
  {
    generations = 2,
    seed = 0,
    patriarch = "strict",
  }: { generations?: number; seed?: number; patriarch?: string } = {},
): Promise<void> {
  const size = { channels: 3, height: 10, width: 10 };
  const classNames = ["ant", "bee", "cat", "dog"];
  const data = { name: "synthetic", classes: 4, size: 10, trainCount: 64, testCount: 16 };
  const recipe = resolveRecipe({ title: "untrained", data, model: "resnet8", patriarch, generations, seed });
  const run = await RunFolder.create(directory, recipe, await describeEnvironment({ device: "cpu" }));
  const { create, construction } = models.find(({ name }) => name === "resnet8")!;
  const results: GenerationResult[] = [];
  for (let generation = 0; generation < generations; generation++) {
    const role = generation === 0 ? "patriarch" : "student";
    const generator = new torch.Generator(10 * seed + generation);
    const model = create({ classes: 4, ...size, generator });
    mkdirSync(run.generation(generation).directory);
    writeWeights(run.generation(generation).weights, model.stateDict(), {
      ...{ model: "resnet8", construction, generation, role, classNames, ...size },
      ...{ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    });
    model.dispose();
    const weights = `generation-${generation}/weights.safetensors`;
    results.push({ generation, role, test: { top1: 0.25 }, trainSeconds: 1, weights });
  }
  await run.writeSummary({ title: "untrained", k: 2, generations: results, ensembles: {}, seconds: 2 });
  await run.close();
}
