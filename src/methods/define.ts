/**
 * The definition of a method: one value from which the recipe's schema, error messages, report and
 * documentation learn everything about it.
 */
import type { OptionProblem, OptionShape, OptionsOf, Z } from "../options.js";
import type { Tensor } from "../torch/index.js";
import type { FirstWeights } from "./weights-options.js";

/**
 * A loss to be minimised, and the unweighted terms that it is made of: all are scalars, means over the batch.
 */
export interface Losses {
  loss: Tensor;
  terms: Record<string, Tensor>;
}

/** The input of a method's loss, for one batch of N images and C classes. */
export interface LossInput {
  /** The logits of the network that is trained, [N, C], float32 or finer. */
  logits: Tensor;
  /** The labels of the images, [N] int64, each in 0..C-1. */
  labels: Tensor;
  /**
   * The logits of the teachers that the method asked for, in the order it asked, each [N, C], for the very
   * images that the trained network saw, augmented in the same way. No gradient flows into them.
   */
  teachers: readonly Tensor[];
  /**
   * The logits, [N, C], of the network's last snapshot for these images, where the method has `snapshot`; undefined before
   * the first one. No gradient flows into them.
   */
  snapshot?: Tensor | undefined;
  /**
   * The logits of the networks that are trained together with this one, each [N, C], for these images; none unless the
   * method has `peers`. No gradient flows into them.
   */
  peers?: readonly Tensor[];
  /**
   * Where several processes compute a batch in parts: the place of the first of these images in the whole batch, and how many it
   * has. Undefined where one process computes it.
   */
  part?: { readonly start: number; readonly of: number };
  /** The generation of the network that is trained: 0 is the patriarch. */
  generation: number;
  /** The number of generations in the whole line. */
  generations: number;
  /** The fraction of this network's training that is done, at least 0 and below 1. */
  readonly progress: number;
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** The number of epochs for which this network is trained. */
  readonly epochs: number;
}

/** A network's place in its line. */
export interface Place {
  /** The generation of the network: 0 is the patriarch, 1 the first student. */
  generation: number;
  /** The number of generations in the whole line. */
  generations: number;
}

/**
 * What a generation learns from: labels, a teacher, several teachers, a penalty. See {@link defineMethod}.
 */
export interface Method<S extends OptionShape = OptionShape> {
  readonly kind: "method";
  /** The name of the method in recipes: lower case words joined by hyphens. */
  readonly name: string;
  /** One sentence for lists and docs, with the source of the idea. */
  readonly summary: string;
  /** The loss as a formula in plain text. */
  readonly formula: string;
  /** Where the idea was published, for the docs: authors, year and a number to find it by. */
  readonly source?: string;
  /**
   * What each term of the loss is, in words, by the names that `loss` gives them; for plots, tables and docs.
   */
  readonly terms: Readonly<Record<string, string>>;
  /**
   * The schemas of the options by key, with `.default()` where a key may be left out and `.describe()` for
   * people.
   */
  options?(this: void, z: Z): S;
  /**
   * Says which earlier generations teach the given one, by number: their networks are frozen, and the loss
   * gets their logits. A method without it has no teachers, and can train a patriarch.
   */
  teachers?(this: void, generation: number, options: OptionsOf<S>): readonly number[];
  /**
   * Tells whether, once `epoch` of the training's `epochs` epochs are done, a frozen copy of the network is taken, whose
   * answers for the images to come its loss is then given as `snapshot`. It replaces the copy before. A method without it
   * takes none.
   */
  snapshot?(this: void, epoch: number, options: OptionsOf<S>, epochs: number): boolean;
  /**
   * Says how many other networks of the same architecture, with first weights of their own, are trained together with the
   * network by the same loss, which is given the logits of the others as `peers`. They are not kept. Default: 0.
   */
  peers?(this: void, options: OptionsOf<S>): number;
  /**
   * Says for how many epochs the network is trained; 0 leaves it as it begins.
   *
   * @param epochs the recipe's number, which is meant where a method has no such member
   */
  epochs?(this: void, options: OptionsOf<S>, epochs: number): number;
  /**
   * Says which place of the recipe's learning-rate schedule belongs to a place of the training. The schedule is that of a
   * training of `epochs` epochs, the recipe's number.
   *
   * @param epoch the epochs of training that are done, with a fraction within one
   * @returns the epochs of the schedule that are done then; where a method has no such member, `epoch` itself
   */
  scheduleAt?(this: void, epoch: number, options: OptionsOf<S>, epochs: number): number;
  /**
   * Names the file with whose weights the network begins, its SHA-256 to which the file is held, and how its images are
   * normalised. Without it the weights are fresh.
   */
  weights?(this: void, options: OptionsOf<S>): FirstWeights;
  /**
   * Says by what the network's logits are divided once it is trained: above 1 its scores are softer. Its weights are changed
   * for that, so that whoever uses the network sees the softened answers. Default: 1, which leaves them as they are.
   */
  answerTemperature?(this: void, options: OptionsOf<S>): number;
  /**
   * Gives the options as they are for one generation, where they change along the line, such as a weight that is given
   * as a list. `teachers`, `loss` and `check` get the result; `describe` and `complete` get the options as they were
   * given. Two lines whose options come to the same in a generation train the same network there.
   */
  at?(this: void, options: OptionsOf<S>, place: Place): OptionsOf<S>;
  /**
   * Says why the loss of a batch cannot be computed in parts, as several processes do that train together: the loss of a batch
   * is then no mean over its images, each by itself. Undefined, or a method without it: it can.
   */
  wholeBatch?(this: void, options: OptionsOf<S>): string | undefined;
  /** Computes the loss of one batch. */
  loss(this: void, input: LossInput, options: OptionsOf<S>): Losses;
  /**
   * Finds what in the options does not fit together, or does not fit the data.
   *
   * @param data.classes the number of classes; undefined before the images are known
   * @returns a list of problems, empty where there are none
   */
  check?(this: void, options: OptionsOf<S>, data: { classes: number | undefined }): readonly OptionProblem[];
  /**
   * Fills in options whose defaults depend on other options, once `check` found nothing; a run stores the
   * result.
   */
  complete?(this: void, options: OptionsOf<S>): OptionsOf<S>;
  /**
   * Describes the options in one line for people. Without it the line is the name and the options as they
   * are.
   */
  describe?(this: void, options: OptionsOf<S>): string;
}

/** The form of a method's name, which needs no quotes in a recipe or on a command line. */
const nameForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Defines a method, which the keys `patriarch` and `student` of a recipe can then choose. The library's own
 * methods are made by this function too and have no privilege.
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
 * Gives a method's options as they are for one generation.
 *
 * @throws TypeError when the method's `at` returns no options
 */
export function optionsAt(
  method: Method,
  options: Record<string, unknown>,
  place: Place,
): Record<string, unknown> {
  if (!method.at) return options;
  const settled: unknown = method.at(options, place);
  if (typeof settled !== "object" || settled === null || Array.isArray(settled))
    throw new TypeError(`${method.name} must give back its options for generation ${place.generation}`);
  return settled as Record<string, unknown>;
}

/**
 * Gives the earlier generations that a method asks for as teachers, in its order.
 *
 * @throws TypeError when the method returns no list, RangeError when one of them is not an earlier generation
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

/**
 * Gives the number of epochs for which a method trains a network.
 *
 * @param epochs the recipe's number
 * @throws RangeError that names the method when what it says is no number of epochs
 */
export function trainedEpochs(method: Method, options: Record<string, unknown>, epochs: number): number {
  const trained: unknown = method.epochs ? method.epochs(options, epochs) : epochs;
  if (Number.isSafeInteger(trained) && (trained as number) >= 0) return trained as number;
  throw new RangeError(
    `${method.name} must train for a whole number of epochs, 0 or more, but asks for ${trained}`,
  );
}

/**
 * Gives the number of networks that a method has trained together with one.
 *
 * @throws RangeError that names the method when it is no number of networks
 */
export function peersOf(method: Method, options: Record<string, unknown>): number {
  const peers: unknown = method.peers ? method.peers(options) : 0;
  if (Number.isSafeInteger(peers) && (peers as number) >= 0) return peers as number;
  throw new RangeError(`${method.name} must have a whole number of peers, 0 or more, but asks for ${peers}`);
}

/**
 * Gives the temperature by which a method has a trained network's logits divided.
 *
 * @throws RangeError that names the method when it is not finite and above 0
 */
export function answerTemperature(method: Method, options: Record<string, unknown>): number {
  const temperature: unknown = method.answerTemperature ? method.answerTemperature(options) : 1;
  if (typeof temperature === "number" && temperature > 0 && temperature < Number.POSITIVE_INFINITY)
    return temperature;
  throw new RangeError(`${method.name} must soften by a temperature above 0, but asks for ${temperature}`);
}

/**
 * Describes a method with its options in one line: in the method's own words, or by its name and the options.
 */
export function describeMethod(method: Method, options: Record<string, unknown>): string {
  if (method.describe) return method.describe(options);
  const given = Object.entries(options).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [method.name, ...given].join(", ");
}
