import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { datasetNames } from "../data/sets/index.js";
import { modelNames } from "../models/index.js";
import { readBoundedText } from "./bounded-file.js";
import { nearest } from "./nearest.js";
import { applyOverride, type Override, parseOverride } from "./overrides.js";
import { type Problem, problemsOf } from "./problems.js";
import { type Recipe, recipeSchema } from "./schema.js";
import { MAX_YAML_BYTES, type ParsedYaml, parseYaml, toYaml, YamlError } from "./yaml.js";

/** A recipe that cannot be used; the message has a line for each thing that is wrong. */
export class RecipeError extends Error {
  override name = "RecipeError";
}

/** The recipes that come with the package. */
const recipeFolder = fileURLToPath(new URL("../../recipes/", import.meta.url));

/**
 * Reads a recipe, puts in the overrides and the defaults, and checks all of it.
 *
 * @param nameOrPath the name of a recipe that comes with Lyceum, or the path of a file
 * @param set overrides, as `--set` takes them: `["patriarch=strict", "student.hardWeight=0.5"]`
 * @throws RecipeError that names file, line, key, what was given and what is allowed
 */
export async function loadRecipe(nameOrPath: string, { set = [] }: { set?: string[] } = {}): Promise<Recipe> {
  const path = await findRecipe(nameOrPath);
  const yaml = await readFileAsYaml(path);
  const overrides = set.map((text) => asRecipeError(() => parseOverride(text)));
  const name = basename(path, extname(path));
  return resolve(
    { title: name, ...asMapping(yaml.value, path) },
    { yaml, path, overrides, onlyKnownNames: true },
  );
}

/**
 * Reads the resolved recipe that a run folder holds; code that made it may have brought its own network and images.
 *
 * @throws RecipeError
 */
export async function loadStoredRecipe(path: string): Promise<Recipe> {
  const yaml = await readFileAsYaml(path);
  return resolve(asMapping(yaml.value, path), { yaml, path, overrides: [] });
}

/**
 * Checks a recipe that was written in code and fills in the defaults.
 *
 * @throws RecipeError
 */
export function resolveRecipe(input: unknown): Recipe {
  return resolve(input, { overrides: [] });
}

/** A resolved recipe as YAML, all of it written out, as a run folder keeps it. */
export function recipeToYaml(recipe: Recipe): string {
  return toYaml(recipe);
}

/** The recipes that come with Lyceum, by name. */
export async function listRecipes(): Promise<{ name: string; description: string; path: string }[]> {
  const names = await recipeNames();
  return Promise.all(
    names.map(async (name) => {
      const recipe = await loadRecipe(name);
      return { name, description: recipe.description ?? "", path: pathOf(name) };
    }),
  );
}

interface Origin {
  yaml?: ParsedYaml;
  path?: string;
  overrides: Override[];
  onlyKnownNames?: boolean;
}

function resolve(base: unknown, origin: Origin): Recipe {
  const input = origin.overrides.reduce(applyOverride, base);
  const result = recipeSchema().safeParse(input);
  const problems = result.success
    ? origin.onlyKnownNames
      ? unknownNames(result.data)
      : []
    : problemsOf(result.error, input);
  if (problems.length > 0)
    throw new RecipeError(problems.map((problem) => locate(problem, origin)).join("\n"));
  return result.data!;
}

/** A file can only name the networks and images that Lyceum has. */
function unknownNames({ data, model }: Recipe): Problem[] {
  return [
    { path: ["data", "name"], given: data.name, known: datasetNames },
    { path: ["model"], given: model, known: modelNames },
  ]
    .filter(({ given, known }) => !(known as readonly string[]).includes(given))
    .map(({ path, given, known }) => {
      const meant = nearest(given, known);
      const hint = meant ? `; did you mean "${meant}"?` : "";
      return { path, message: `must be one of ${known.join(", ")}, given "${given}"${hint}` };
    });
}

function locate({ path, message }: Problem, { yaml, path: file, overrides }: Origin): string {
  const key = path.length > 0 ? `${path.join(".")}: ` : "";
  const guilty = overrides.findLast((one) =>
    one.path.every((part, i) => i >= path.length || part === path[i]),
  );
  if (guilty) return `--set ${guilty.text}: ${key}${message}`;
  const line = yaml?.lineOf(path);
  return `${file ? `${file}${line ? `:${line}` : ""}: ` : "recipe: "}${key}${message}`;
}

async function readFileAsYaml(path: string): Promise<ParsedYaml> {
  const text = await readBoundedText(path, { maxBytes: MAX_YAML_BYTES }).catch((error) => {
    throw new RecipeError(error.message);
  });
  try {
    return parseYaml(text);
  } catch (error) {
    const line = error instanceof YamlError && error.line ? `:${error.line}` : "";
    throw new RecipeError(`${path}${line}: ${(error as Error).message}`);
  }
}

function asMapping(value: unknown, path: string): object {
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value;
  throw new RecipeError(`${path}: a recipe is a mapping, such as "data: cifar100"`);
}

async function findRecipe(nameOrPath: string): Promise<string> {
  const names = await recipeNames();
  if (names.includes(nameOrPath)) return pathOf(nameOrPath);
  if (existsSync(nameOrPath)) return nameOrPath;
  const meant = nearest(nameOrPath, names);
  const hint = meant ? `; did you mean "${meant}"?` : `; the recipes are ${names.join(", ")}`;
  throw new RecipeError(`${nameOrPath}: neither a recipe nor a file${hint}`);
}

async function recipeNames(): Promise<string[]> {
  const files = await readdir(recipeFolder);
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
}

const pathOf = (name: string) => join(recipeFolder, `${name}.yaml`);

function asRecipeError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new RecipeError((error as Error).message);
  }
}
