/** The definitions that the names in a recipe can stand for: Lyceum's own and those that a program brings. */
import { type DatasetDefinition, datasets } from "../data/index.js";
import { type Method, methods } from "../methods/index.js";
import { type ModelDefinition, models } from "../models/index.js";
import { type OptimizerDefinition, optimizers, type ScheduleDefinition, schedules } from "../optim/index.js";
import { nearest } from "./nearest.js";

/**
 * Any value made by `defineMethod`, `defineModel`, `defineDataset`, `defineOptimizer` or `defineSchedule`.
 */
export type Definition =
  | Method
  | ModelDefinition
  | DatasetDefinition
  | OptimizerDefinition
  | ScheduleDefinition;

type Kind = Definition["kind"];
type OfKind<K extends Kind> = Extract<Definition, { kind: K }>;

const kinds: Record<Kind, string> = {
  method: "method",
  model: "network",
  dataset: "data set",
  optimizer: "optimiser",
  schedule: "schedule",
};

/**
 * A set of definitions, which are found by kind and name. A library never changes: `with` makes a new one.
 */
export class Library {
  readonly #definitions: ReadonlyMap<string, Definition>;

  private constructor(definitions: ReadonlyMap<string, Definition>) {
    this.#definitions = definitions;
  }

  static of(definitions: readonly Definition[]): Library {
    return new Library(new Map(definitions.map((each) => [keyOf(each), each])));
  }

  /**
   * Makes a library that holds more definitions beside those of this one.
   *
   * @throws TypeError when two different definitions of one kind have the same name
   */
  with(definitions: readonly Definition[]): Library {
    const all = new Map(this.#definitions);
    for (const definition of definitions) {
      const known = all.get(keyOf(definition));
      if (known !== undefined && known !== definition) {
        throw new TypeError(
          `there are two ${kinds[definition.kind]}s called "${definition.name}": give one of them another name`,
        );
      }
      all.set(keyOf(definition), definition);
    }
    return all.size === this.#definitions.size ? this : new Library(all);
  }

  /** Lists the definitions of a kind, Lyceum's own first. */
  all<K extends Kind>(kind: K): OfKind<K>[] {
    return [...this.#definitions.values()].filter((each): each is OfKind<K> => each.kind === kind);
  }

  /** Finds a definition by its name; undefined where there is none. */
  find<K extends Kind>(kind: K, name: string): OfKind<K> | undefined {
    return this.#definitions.get(keyOf({ kind, name })) as OfKind<K> | undefined;
  }

  /**
   * Finds a definition by its name.
   *
   * @throws RangeError that suggests the nearest name when there is none
   */
  get<K extends Kind>(kind: K, name: string): OfKind<K> {
    const found = this.find(kind, name);
    if (found) return found;
    const names = this.all(kind).map((each) => each.name);
    const meant = nearest(name, names);
    throw new RangeError(
      `there is no ${kinds[kind]} "${name}"; ${meant ? `did you mean "${meant}"?` : `known: ${names.join(", ")}`}`,
    );
  }
}

const keyOf = ({ kind, name }: Pick<Definition, "kind" | "name">) => `${kind} ${name}`;

/** Lyceum's own definitions. */
export const builtIn = Library.of([...methods, ...models, ...datasets, ...optimizers, ...schedules]);

/** Tells for each kind whether a value has the fields without which it is no definition of that kind. */
const essentials: Record<Kind, (value: Record<string, unknown>) => boolean> = {
  method: ({ loss }) => typeof loss === "function",
  model: ({ create }) => typeof create === "function",
  dataset: ({ from }) => typeof from === "object" && from !== null,
  optimizer: ({ create, options }) => typeof create === "function" && typeof options === "function",
  schedule: ({ create, options }) => typeof create === "function" && typeof options === "function",
};

/** Tells whether a value was made by one of the `define…` functions. */
export function isDefinition(value: unknown): value is Definition {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name } = value as { kind?: unknown; name?: unknown };
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind)) return false;
  const has = essentials[kind as Kind];
  return typeof name === "string" && name !== "" && has(value as Record<string, unknown>);
}

/**
 * Replaces the definitions that stand in a recipe written in code by their names, and gives both:
 * `{ patriarch: { method: mine, weight: 2 } }` becomes `{ patriarch: { method: "my-method", weight: 2 } }`.
 */
export function extractDefinitions(input: unknown): { input: unknown; definitions: Definition[] } {
  const definitions: Definition[] = [];
  const named = (value: unknown) => {
    if (!isDefinition(value)) return value;
    definitions.push(value);
    return value.name;
  };
  if (typeof input !== "object" || input === null || Array.isArray(input)) return { input, definitions };
  const plain = Object.fromEntries(
    Object.entries(input).map(([key, value]) => {
      const whole = named(value);
      const holds = typeof whole === "object" && whole !== null && !Array.isArray(whole);
      if (!holds) return [key, whole];
      return [
        key,
        Object.fromEntries(Object.entries(whole).map(([inner, part]) => [inner, named(part)])),
      ] as const;
    }),
  );
  return { input: plain, definitions };
}
