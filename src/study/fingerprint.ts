/** Fingerprints networks by all that decides what they learn, so that trained ones are found again. */
import { methodOf, teachersOf } from "../generations/index.js";
import { builtIn, type Library, namesBeyond, type Recipe } from "../recipe/index.js";
import { decidingRecipe, sha256Of, withoutPlace } from "../runs/index.js";

/**
 * The version of the numerics: a recipe trained by another version gives other numbers than rounding explains. It is
 * raised by hand with any change of random numbers, losses, layers, updates or defaults that does so, and finished
 * work of earlier versions then counts no more.
 */
export const NUMERICS = 1;

/**
 * Everything that decides what one network of a line learns. Two networks for which this is equal are the same
 * network, whatever arm they belong to. The number of generations in the line is no part of it: a method gets its
 * options as they are for the generation. The processor's kernels are none either, and are recorded beside the
 * results, since a study that goes on elsewhere would otherwise find nothing of its own.
 */
export interface Decides {
  numerics: number;
  generation: number;
  /** The resolved recipe without the methods, and without what may change while a run goes on. */
  recipe: Record<string, unknown>;
  method: { name: string; options: Record<string, unknown> };
  /** The fingerprints of the networks that teach it, in the order in which its method asks for them. */
  teachers: string[];
  /** The SHA-256 of each imported file, where the recipe names definitions that are not Lyceum's own. */
  imports?: string[];
}

/** A network of a line with its fingerprint. */
export interface Fingerprinted {
  decides: Decides;
  /** A SHA-256 in hexadecimal. */
  fingerprint: string;
}

/**
 * Fingerprints the networks of a line, by generation.
 *
 * @param imports the SHA-256 of the files that were imported for names in the recipe
 */
export function fingerprintLine(
  recipe: Recipe,
  library: Library,
  imports: readonly string[] = [],
): Fingerprinted[] {
  const { patriarch, student, ...common } = decidingRecipe(recipe) as Record<string, unknown>;
  const foreign = namesBeyond(recipe, builtIn).length > 0 ? [...imports].sort() : [];
  const line: Fingerprinted[] = [];
  for (let generation = 0; generation < recipe.generations; generation++) {
    const { method, options } = methodOf({ recipe, library }, generation);
    const teachers = teachersOf({ recipe, library }, generation).map((one) => line[one]!.fingerprint);
    const decides: Decides = {
      numerics: NUMERICS,
      generation,
      recipe: common,
      method: { name: method.name, options: withoutPlace(options) },
      teachers,
      ...(foreign.length > 0 && { imports: foreign }),
    };
    line.push({ decides, fingerprint: sha256Of(decides) });
  }
  return line;
}
