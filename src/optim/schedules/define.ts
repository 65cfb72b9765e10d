import type { OptionProblem, OptionShape, OptionsOf, Z } from "../../options.js";

/** The learning rate of each step, as a pure function of the step counted from 0 over the whole training. */
export type Schedule = (step: number) => number;

/** The training that a schedule is made for. */
export interface TrainingLength {
  /** The highest rate, which every schedule reaches. */
  learningRate: number;
  epochs: number;
  stepsPerEpoch: number;
}

/** A kind of schedule that a recipe can name. */
export interface ScheduleDefinition<Shape extends OptionShape = OptionShape> {
  readonly kind: "schedule";
  /** The name in recipes, in kebab case. */
  readonly name: string;
  /** One sentence for documentation and help. */
  readonly summary: string;
  options(z: Z): Shape;
  create(options: OptionsOf<Shape>, training: TrainingLength): Schedule;
  /** Problems of options with a training of so many epochs; none by default. */
  check?(options: OptionsOf<Shape>, training: { epochs: number }): OptionProblem[];
}

/** Declares a kind of schedule; one file of this folder each, and one line in its index. */
export function defineSchedule<Shape extends OptionShape>(
  definition: Omit<ScheduleDefinition<Shape>, "kind">,
): ScheduleDefinition<Shape> {
  return { kind: "schedule", ...definition };
}
