import type { Parameter } from "../nn/index.js";
import type { OptionProblem, OptionShape, OptionsOf, Z } from "../options.js";
import type { Optimizer } from "./optimizer.js";

/** An optimiser that a recipe can name. */
export interface OptimizerDefinition<Shape extends OptionShape = OptionShape> {
  readonly kind: "optimizer";
  /** The name in recipes, in kebab case. */
  readonly name: string;
  /** One sentence for documentation and help. */
  readonly summary: string;
  /** `learningRate` is among them: the schedule takes it as its highest rate. */
  options(z: Z): Shape;
  create(parameters: readonly Parameter[], options: OptionsOf<Shape>): Optimizer;
  /** Problems of options that their schemas accept; none by default. */
  check?(options: OptionsOf<Shape>): OptionProblem[];
}

/** Declares an optimiser; one file of this folder each, and one line in its index. */
export function defineOptimizer<Shape extends OptionShape>(
  definition: Omit<OptimizerDefinition<Shape>, "kind">,
): OptimizerDefinition<Shape> {
  return { kind: "optimizer", ...definition };
}

/** The option `learningRate`, with an optimiser's own default. */
export function learningRateOption(z: Z, learningRate: number) {
  return z
    .number()
    .positive()
    .max(1000)
    .default(learningRate)
    .describe("The highest learning rate of the schedule.");
}

/**
 * The parameters that weight decay leaves alone unless `decayNorm` asks for it: those with fewer than two dimensions,
 * which are biases and the scales and shifts of normalisations.
 */
export function undecayed(parameters: readonly Parameter[], decayNorm: boolean): Parameter[] {
  return decayNorm ? [] : parameters.filter(({ shape }) => shape.length < 2);
}
