/** A run's recipe.yaml. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Library, loadStoredRecipe, namesBeyond, type Recipe } from "../recipe/index.js";
import type { Import } from "./environment.js";
import { readJson, sittingsSchema } from "./environment-file.js";

/** The names in a run's recipe that a library lacks; none where the recipe is wrong for more than that. */
export async function namesOf(path: string, shown: string, library: Library): Promise<string[]> {
  const recipe = await readRecipe(path, shown, library, { anyNames: true }).catch(() => undefined);
  return recipe ? namesBeyond(recipe, library) : [];
}

/**
 * Reads which imported files a run has recorded. None are given where the environment cannot be read: the
 * caller has another error to report in that case.
 */
export async function readImports(path: string): Promise<readonly Import[]> {
  const environment = await readJson(path, "environment.json", sittingsSchema()).catch(() => undefined);
  return environment?.imports ?? [];
}

/**
 * Tells whether a file is one that a process may leave which was killed before it had written the recipe.
 * Nothing is trained by then, so that such files can be removed.
 */
export function isLeftover(file: string): boolean {
  return file.startsWith(".lock") || /^\..*\.tmp$/.test(file) || file === "environment.json";
}

/** @throws Error that says what is missing when the folder is no run */
export async function readRecipe(
  path: string,
  shown: string,
  library: Library,
  options: { anyNames?: boolean } = {},
): Promise<Recipe> {
  const files = await readdir(path).catch((error) => {
    const why =
      error.code === "ENOENT" ? "there is no such folder" : error.code === "ENOTDIR" ? "not a folder" : error;
    throw new Error(`${shown}: is not a run: ${why}`);
  });
  if (!files.includes("recipe.yaml")) {
    const begun = files.length > 0 && files.every(isLeftover);
    throw new Error(
      begun
        ? `${shown}: holds no run yet: it was stopped before its recipe was written; train with --name again`
        : `${shown}: is not a run: it holds no recipe.yaml`,
    );
  }
  return loadStoredRecipe(join(path, "recipe.yaml"), library, options);
}
