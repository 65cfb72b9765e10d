import { answerTemperature } from "../methods/index.js";
import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { classifierOf, divideLogits } from "../training/index.js";
import { type Experiment, methodOf } from "./experiment.js";

/**
 * Divides a trained network's logits by the temperature that its generation's method asks for, in its weights: files,
 * evaluation, prediction and the students all see the softened answers.
 *
 * @param options.dryRun whether it is only tried if that can be done, so that it is known before the training
 * @throws Error that names the network when its logits cannot be divided
 */
export function softenAnswers(
  experiment: Pick<Experiment, "recipe" | "library" | "images">,
  generation: number,
  model: Module,
  { dryRun = false }: { dryRun?: boolean } = {},
): void {
  const { method, options } = methodOf(experiment, generation);
  const temperature = answerTemperature(method, options);
  if (temperature === 1) return;
  const { classes, channels, height, width } = experiment.images;
  torch.scope(() => {
    const { device, dtype } = model.parameters()[0]!;
    const drawn = torch.randn([4, channels, height, width], { generator: new torch.Generator(0) });
    const example = drawn.to({ device, dtype }).contiguous("channelsLast");
    const network = { name: experiment.recipe.model, classes, example };
    if (dryRun) classifierOf(model, network);
    else divideLogits(model, temperature, network);
  });
}
