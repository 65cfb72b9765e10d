/** What a method is: the one value from which recipe, schema, messages, report and docs learn about it. */
import type { OptionProblem, OptionShape, OptionsOf, Z } from "../options.js";
import type { Tensor } from "../torch/index.js";

/** A loss to be minimised, and the unweighted terms it is made of: all scalars, means over the batch. */
export interface Losses {
  loss: Tensor;
  terms: Record<string, Tensor>;
}

/** What a loss may be made of, for one batch of N images and C classes. */
export interface LossInput {
  /** The network's answer, [N, C], float32 or finer. */
  logits: Tensor;
  /** [N] int64, each in 0..C-1 */
  labels: Tensor;
  /**
   * The answers of the teachers that the method asked for, in that order, each [N, C], for the very images that the
   * network saw. No gradient flows into them.
   */
  teachers: readonly Tensor[];
  /** The number of the network that is trained: 0 is the patriarch. */
  generation: number;
  /** Networks in the whole line. */
  generations: number;
  /** Fraction of this network's training that is done, at least 0 and below 1. */
  readonly progress: number;
}

/** What a generation learns from: labels, a teacher, several teachers, a penalty. See {@link defineMethod}. */
export interface Method<S extends OptionShape = OptionShape> {
  readonly kind: "method";
  /** What a recipe calls it: lower case words joined by hyphens. */
  readonly name: string;
  /** One sentence for lists and docs, with the source of the idea. */
  readonly summary: string;
  /** The loss as a formula in plain text. */
  readonly formula: string;
  /** The terms of the loss in words, by the names that `loss` gives them; for plots, tables and docs. */
  readonly terms: Readonly<Record<string, string>>;
  /** The options: one schema a key, with `.default()` where it may be left out and `.describe()` for people. */
  options?(this: void, z: Z): S;
  /**
   * The earlier generations whose frozen answers the loss needs, by number. Default: none, so that the method can train
   * a patriarch.
   */
  teachers?(this: void, generation: number, options: OptionsOf<S>): readonly number[];
  /** The loss of one batch. */
  loss(this: void, input: LossInput, options: OptionsOf<S>): Losses;
  /**
   * What in the options does not fit together, or not to the data.
   *
   * @param data.classes the number of classes; undefined before the images are known
   */
  check?(this: void, options: OptionsOf<S>, data: { classes: number | undefined }): readonly OptionProblem[];
  /** Fills in what depends on other options; the result is what a run stores. Called after `check` found nothing. */
  complete?(this: void, options: OptionsOf<S>): OptionsOf<S>;
  /** The options in one line for people. Default: the name and the options as they are. */
  describe?(this: void, options: OptionsOf<S>): string;
}

/** Lower case words, so that a name can stand in a recipe and on a command line without quotes. */
const nameForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * A method as a value: what `patriarch` and `student` of a recipe choose from. The library's own methods are made by
 * this too and have no privilege.
 *
 * @throws TypeError when the name is not of lower case words joined by hyphens
 */
export function defineMethod<S extends OptionShape = Record<never, never>>(
  method: Omit<Method<S>, "kind">,
): Method<S> {
  if (!nameForm.test(method.name)) {
    throw new TypeError(
      `a method's name must be of lower case words joined by hyphens, got ${JSON.stringify(method.name)}`,
    );
  }
  return Object.freeze({ ...method, kind: "method" as const });
}

/**
 * The earlier generations that a method asks for, in its order.
 *
 * @throws TypeError when it gives back no list, RangeError when one of them is not an earlier generation
 */
export function teachersOf(method: Method, generation: number, options: Record<string, unknown>): number[] {
  const teachers: unknown = method.teachers?.(generation, options) ?? [];
  if (!Array.isArray(teachers))
    throw new TypeError(
      `${method.name} must give back a list of generations as its teachers, got ${teachers}`,
    );
  const wrong = teachers.find(
    (teacher) => !(Number.isInteger(teacher) && teacher >= 0 && teacher < generation),
  );
  if (wrong === undefined && !teachers.includes(undefined)) return [...teachers];
  throw new RangeError(
    `${method.name} asks for generation ${wrong} as a teacher of generation ${generation}: only earlier ones can teach`,
  );
}

/** A method's options in one line: its own words, or the name with the options as they are. */
export function describeMethod(method: Method, options: Record<string, unknown>): string {
  if (method.describe) return method.describe(options);
  const given = Object.entries(options).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [method.name, ...given].join(", ");
}
