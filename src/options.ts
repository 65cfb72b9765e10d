/** The types of options in definitions (of methods, optimisers, schedules), of whose schemas a recipe's schema is made. */
import type { ZodObject, ZodType, z } from "zod";

export type { Z } from "./packages.js";

/** The schemas of a definition's options by key, with defaults and descriptions. */
export type OptionShape = Readonly<Record<string, ZodType>>;

/** The values of such options once they were checked and defaults filled in. */
export type OptionsOf<Shape extends OptionShape> = z.output<ZodObject<Shape>>;

/** What is wrong with options although their schemas accept them; `key` names the option to blame, if it is one. */
export interface OptionProblem {
  key?: string;
  message: string;
}
