import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readBoundedText } from "./bounded-file.js";
import { builtIn, type Definition, extractDefinitions, type Library } from "./library.js";
import { nearest } from "./nearest.js";
import { applyOverride, type Override, parseOverride } from "./overrides.js";
import { type Problem, problemsOf } from "./problems.js";
import { recipeSchema } from "./schema.js";
import { shorten, show, showPath } from "./show.js";
import { standIns } from "./stand-ins.js";
import type { Recipe } from "./types.js";
import { MAX_YAML_BYTES, type ParsedYaml, parseYaml, toYaml, YamlError } from "./yaml.js";

/** The error of a recipe that cannot be used. Its message has a line for each problem. */
export class RecipeError extends Error {
  override name = "RecipeError";

  /**
   * @param message a line for each problem
   * @param problems the same by key, without file and line; none where the recipe could not be read at all
   */
  constructor(
    message: string,
    readonly problems: readonly Problem[] = [],
  ) {
    super(message);
  }
}

/** The folder of the recipes that come with the package. */
const recipeFolder = fileURLToPath(new URL("../../recipes/", import.meta.url));

export interface LoadRecipeOptions {
  /** Overrides, as `--set` takes them: `["patriarch=strict", "student.hardWeight=0.5"]`. */
  set?: readonly string[] | undefined;
  /** The definitions that names in the recipe can stand for. Default: Lyceum's own. */
  library?: Library | undefined;
}

/**
 * Reads a recipe, applies the overrides, fills in the defaults, and checks all of it.
 *
 * @param nameOrPath the name of a recipe that comes with Lyceum, or the path of a file
 * @throws RecipeError that names the file, the line, the key, what was given and what is allowed
 */
export async function loadRecipe(
  nameOrPath: string,
  { set = [], library = builtIn }: LoadRecipeOptions = {},
): Promise<Recipe> {
  const path = await findRecipe(nameOrPath);
  const yaml = await readFileAsYaml(path);
  const overrides = set.map((text) => asRecipeError(() => parseOverride(text)));
  const name = basename(path, extname(path));
  return resolve(
    { title: name, ...asMapping(yaml, path) },
    { yaml, path, overrides, onlyKnownNames: true, library },
  );
}

/**
 * Reads a recipe as it is written, unchecked and without defaults.
 *
 * @param nameOrPath the name of a recipe that comes with Lyceum, or the path of a file
 * @throws RecipeError that names the file when it cannot be read or is no mapping
 */
export async function loadRecipeInput(nameOrPath: string): Promise<Record<string, unknown>> {
  const path = await findRecipe(nameOrPath);
  return { ...asMapping(await readFileAsYaml(path), path) };
}

/**
 * Reads the resolved recipe that a run folder holds. It may name a network and images that no library
 * defines, since the program that began the run may have handed them over in code.
 *
 * @param options.anyNames whether names that the library lacks are accepted, for callers that need no
 *   definitions
 * @throws RecipeError that names the file, the line and the key when it cannot be used
 */
export async function loadStoredRecipe(
  path: string,
  library: Library = builtIn,
  { anyNames = false }: { anyNames?: boolean } = {},
): Promise<Recipe> {
  const yaml = await readFileAsYaml(path);
  const input = asMapping(yaml, path);
  const known = anyNames ? library.with(standIns(input, library)) : library;
  return resolve(input, { yaml, path, overrides: [], library: known });
}

/**
 * Checks a recipe that was written in code and fills in the defaults. Definitions may stand in it where names
 * do.
 *
 * @throws RecipeError that names the key, what was given and what is allowed
 */
export function resolveRecipe(input: unknown, library: Library = builtIn): Recipe {
  return readRecipe(input, library).recipe;
}

/**
 * Resolves a recipe as `resolveRecipe` does, and gives also the definitions that stood in it and the library
 * with these added.
 */
export function readRecipe(
  input: unknown,
  known: Library = builtIn,
): { recipe: Recipe; definitions: Definition[]; library: Library } {
  const { input: named, definitions } = extractDefinitions(input);
  const library = asRecipeError(() => known.with(definitions));
  return { recipe: resolve(named, { overrides: [], library }), definitions, library };
}

/** Writes a resolved recipe as YAML, as a run folder keeps it. */
export function recipeToYaml(recipe: Recipe): string {
  return toYaml(recipe);
}

/** Lists the recipes that come with Lyceum, sorted by name. */
export async function listRecipes(): Promise<{ name: string; description: string; path: string }[]> {
  const names = await recipeNames();
  return Promise.all(
    names.map(async (name) => {
      const recipe = await loadRecipe(name);
      return { name, description: recipe.description ?? "", path: pathOf(name) };
    }),
  );
}

/** Where a recipe came from, by which messages name file, line and override. */
interface Origin {
  yaml?: ParsedYaml;
  path?: string;
  overrides: Override[];
  onlyKnownNames?: boolean;
  library: Library;
}

function resolve(base: unknown, origin: Origin): Recipe {
  const { library, overrides, onlyKnownNames } = origin;
  const input = withBatchSize(overrides.reduce(applyOverride, base));
  const result = recipeSchema(library).safeParse(input);
  const problems = result.success
    ? onlyKnownNames
      ? unknownNames(result.data, library)
      : []
    : problemsOf(result.error, input, library);
  if (problems.length > 0) {
    const lines = problems.slice(0, MOST_PROBLEMS).map((problem) => locate(problem, origin));
    if (problems.length > MOST_PROBLEMS) lines.push(`and ${problems.length - MOST_PROBLEMS} more`);
    throw new RecipeError(lines.join("\n"), problems);
  }
  return result.data!;
}

/** Fills in the images of one process as the batch, where they are what a recipe gives. */
function withBatchSize(input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const { batchSize, batchSizePerRank } = input as Record<string, unknown>;
  // What is wrong with it is told once.
  const isUsable = Number.isInteger(batchSizePerRank) && (batchSizePerRank as number) > 0;
  return batchSize === undefined && isUsable ? { ...input, batchSize: batchSizePerRank } : input;
}

/** The number of problems that are told at once: a file can hold thousands. */
const MOST_PROBLEMS = 20;

/**
 * Finds names of networks and data sets that the library does not define. In code such a name is allowed, for
 * a network or for images that are handed over beside the recipe; a recipe file can hand over nothing.
 */
function unknownNames({ data, model }: Recipe, library: Library): Problem[] {
  return [
    { path: ["data", "name"], given: data.name, known: library.all("dataset") },
    { path: ["model"], given: model, known: library.all("model") },
  ].flatMap(({ path, given, known }) => {
    const names = known.map(({ name }) => name);
    if (names.includes(given)) return [];
    const meant = nearest(given, names);
    const hint = meant ? `; did you mean "${meant}"?` : "";
    return [{ path, message: `must be one of ${names.join(", ")}, given ${show(given)}${hint}` }];
  });
}

function locate({ path, message }: Problem, { yaml, path: file, overrides }: Origin): string {
  const key = path.length > 0 ? `${showPath(path)}: ` : "";
  const guilty = overrides.findLast((one) =>
    one.path.every((part, i) => i >= path.length || part === path[i]),
  );
  if (guilty) return `--set ${shorten(guilty.text)}: ${key}${message}`;
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

function asMapping({ value, lineOf }: ParsedYaml, path: string): object {
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value;
  throw new RecipeError(`${path}:${lineOf([]) ?? 1}: a recipe is a mapping, such as "data: cifar100"`);
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
