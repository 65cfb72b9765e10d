import type { ZodObject, ZodType, z } from "zod";

/** zod's `z`, handed to whoever describes options, so that zod itself is loaded only when a recipe is read. */
export type Z = typeof z;

/** The schemas of a definition's options by key, with defaults and descriptions: a recipe's schema is made of them. */
export type OptionShape = Readonly<Record<string, ZodType>>;

/** The values of such options once they were checked and defaults filled in. */
export type OptionsOf<Shape extends OptionShape> = z.output<ZodObject<Shape>>;

/** What is wrong with an option although its schema accepts it. */
export interface OptionProblem {
  /** Keys that lead from the options to the value. */
  path: PropertyKey[];
  message: string;
}
