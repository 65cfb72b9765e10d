/** The option `--data` of commands that take other images than a run's. */
import { statSync } from "node:fs";
import { datasetNames } from "../data/sets/index.js";
import { applyOverride, nearest, type RecipeInput } from "../recipe/index.js";
import { parseOverride } from "../recipe/overrides.js";
import { UsageError } from "./errors.js";

/** How `--data` is described in help texts. */
export const dataHelp =
  "the images: a folder of photographs, or a set's name; options of the set may follow, as in cifar100,labels=coarse";

/**
 * Reads a set's name or a folder's path, with options after commas: "photos", "cifar10,limit.train=500".
 *
 * @param known names of further sets, those of imported files
 * @returns what a recipe would say as `data`
 * @throws UsageError when it is neither a folder nor a set, or an option is no KEY=VALUE
 */
export function parseData(text: string, known: readonly string[] = []): RecipeInput["data"] {
  const names = [...new Set([...datasetNames, ...known])];
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  // A folder's name may have commas in it.
  const [first, ...options] = isFolder(text) ? [text] : (text.split(",") as [string, ...string[]]);
  const isName = names.includes(first) && first !== "folder";
  if (!isName && !isFolder(first) && first !== "folder") {
    const meant = nearest(first, names);
    throw new UsageError(
      `--data ${first}: there is no such folder and no such set${meant ? `; did you mean "${meant}"?` : `; known sets: ${names.join(", ")}`}`,
    );
  }
  const data: Record<string, unknown> = isName || first === "folder" ? { name: first } : { folder: first };
  let recipe: unknown = { data };
  for (const option of options) {
    if (!/^[^=]+=/.test(option))
      throw new UsageError(`--data ${text}: ${option || "an option"} must look like key=value`);
    recipe = applyOverride(recipe, parseOverride(`data.${option}`));
  }
  return (recipe as { data: unknown }).data as RecipeInput["data"];
}
