/** Reads study files: arms and seeds over a base recipe, checked before anything is trained. */
import { dirname, isAbsolute, resolve } from "node:path";
import type { z } from "zod";
import {
  builtIn,
  type Library,
  loadRecipeInput,
  MAX_YAML_BYTES,
  nearest,
  nestedHint,
  type ParsedYaml,
  type Problem,
  parseYaml,
  type Recipe,
  readBoundedText,
  shorten,
  show,
  showPath,
  toYaml,
  YamlError,
} from "../recipe/index.js";
import { recipeOf } from "./arm-recipe.js";
import { checkCalibrate } from "./check-calibrate.js";
import { checkGrid, gridArms } from "./grid.js";
import { expectedAt, fileSchema, MAX_ARMS, protoKeyIn } from "./study-schema.js";

/** The error of a study file that cannot be used. Its message has a line for each problem. */
export class StudyError extends Error {
  override name = "StudyError";
}

/** A study as its file says it, with the base recipe written out. */
export interface StudyFile {
  title?: string;
  description?: string;
  /**
   * What the study is for: to compare arms on the test images, or to search for settings, in which case the test
   * images are never loaded.
   */
  kind: "study" | "search";
  /** The recipe that all arms share, as it is written: a mapping, or the name or the path of a recipe. */
  base: Record<string, unknown>;
  seeds: number[];
  /** The name of the arm that the others are compared with. */
  reference: string;
  /** The arm that is claimed to end better, and the arms that it is claimed to be better than. Default: all others. */
  claim?: { arm: string; over?: string[] };
  /** What each arm changes in the base recipe: values by key, a dotted key for one option. */
  arms: Record<string, Record<string, unknown>>;
  /** What is made equal before the arms are compared. */
  calibrate?: CalibrateFile;
  /** Where the arms are the points of a grid: the values of each key, from which the arms are made. */
  grid?: Record<string, (string | number)[]>;
}

/** How a study makes its patriarchs equally soft before it compares them. */
export interface CalibrateFile {
  /** The arm whose patriarch the others are made like. */
  like: string;
  /** What is made equal on held-out images: the mean entropy, or the mean top score. */
  by: "entropy" | "topScore";
  /** How far from the target is close enough, as a fraction of it. */
  within: number;
  /** The seeds that the measures are means over. */
  seeds: number[];
  /** The epochs of the patriarchs that are trained for it; those of the study where it is left out. */
  epochs?: number;
  /** For each arm to be calibrated: the key that says how soft it is, the range to look in, and where to begin. */
  arms: Record<string, { key: string; range: [number, number]; start?: number }>;
}

/** One arm of a study: what it changes, and the recipe that this makes, of seed 0. */
export interface Arm {
  name: string;
  recipe: Recipe;
  /** The arm's place in the grid, where there is one. */
  at?: Record<string, string | number>;
}

/** A study that was checked: its file, and its arms as recipes. */
export interface Study {
  file: StudyFile;
  arms: Arm[];
  library: Library;
}

/**
 * Reads a study file, checks it and all recipes that it makes.
 *
 * @throws StudyError that names the file, the line where it is known, and the remedy
 */
export async function loadStudy(path: string, library: Library = builtIn): Promise<Study> {
  const text = await readBoundedText(path, { maxBytes: MAX_YAML_BYTES }).catch((error) => {
    throw new StudyError(error.message);
  });
  let yaml: ParsedYaml;
  try {
    yaml = parseYaml(text);
  } catch (error) {
    const line = error instanceof YamlError && error.line ? `:${error.line}` : "";
    throw new StudyError(`${path}${line}: ${(error as Error).message}`);
  }
  const { lineOf, value } = yaml;
  const base = isMapping(value) ? value.base : undefined;
  if (!isMapping(value) || typeof base !== "string") return checkStudy(value, { path, library, lineOf });
  const recipe = await loadRecipeInput(resolveBase(path, base)).catch((error) => {
    const line = lineOf(["base"]);
    throw new StudyError(`${path}${line ? `:${line}` : ""}: base: ${(error as Error).message}`);
  });
  return checkStudy({ ...value, base: recipe }, { path, library, lineOf });
}

/** Resolves a base recipe: a path is relative to the study file; anything without a slash or an ending is a name. */
function resolveBase(file: string, named: string): string {
  const isPath = /[\\/]|\.ya?ml$/.test(named);
  return isPath && !isAbsolute(named) ? resolve(dirname(file), named) : named;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Origin {
  path?: string;
  library?: Library;
  lineOf?: (path: readonly PropertyKey[]) => number | undefined;
}

/**
 * Checks a study that was written in code or read from a file.
 *
 * @throws StudyError with a line for each problem
 */
export function checkStudy(
  input: unknown,
  { path = "study", library = builtIn, lineOf }: Origin = {},
): Study {
  /** Says what is wrong at a key of the file; `where` is the key whose line is named, where that is another one. */
  const lineFor = (keys: readonly PropertyKey[], message: string, where = keys) => {
    const line = lineOf?.(where);
    return `${path}${line ? `:${line}` : ""}: ${keys.length > 0 ? `${showPath(keys)}: ` : ""}${message}`;
  };
  const at = (keys: readonly PropertyKey[], message: string) => new StudyError(lineFor(keys, message));
  const all = (lines: readonly string[]) => {
    const more = lines.length > MOST_PROBLEMS ? [`and ${lines.length - MOST_PROBLEMS} more`] : [];
    return new StudyError([...lines.slice(0, MOST_PROBLEMS), ...more].join("\n"));
  };
  const hidden = protoKeyIn(input);
  if (hidden) throw at(hidden, "no key can have this name: choose another");
  const parsed = fileSchema().safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => inWords(issue, input));
    throw all([...new Set(problems.map(({ path, message }) => lineFor(path, message)))]);
  }
  const { seeds: given, arms: written = {}, grid, calibrate, reference: asked, base, ...rest } = parsed.data;
  const seeds = seedsOf(given);
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined)
    throw at(["seeds"], `${twice} is given twice: a seed counts once, so leave the second one out`);
  if (grid) checkGrid(grid, { most: MAX_ARMS, wrong: (keys, message) => at(["grid", ...keys], message) });
  const points = grid ? gridArms(grid) : [];
  const arms: Record<string, Record<string, unknown>> = { ...written };
  for (const { name, changes } of points) {
    if (Object.hasOwn(arms, name)) throw at(["arms", name], "is also the name of a point of the grid");
    arms[name] = changes;
  }
  const names = Object.keys(arms);
  if (names.length === 0)
    throw at(["arms"], "there are none: name at least one, such as `strict: { patriarch: strict }`");
  if (names.length > MAX_ARMS) throw at(["arms"], `${names.length} are too many, at most ${MAX_ARMS}`);
  const wrong = names.find((name) => !nameForm.test(name));
  const form = "an arm's name is made of letters, digits and _ . = + , -, at most 80 of them";
  if (wrong !== undefined && Object.hasOwn(written, wrong)) throw at(["arms", wrong], form);
  if (wrong !== undefined)
    throw at(["grid"], `its point "${wrong}" cannot be named so, since ${form}: write such points as arms`);
  const reference = asked ?? names[0]!;
  if (!names.includes(reference)) throw at(["reference"], noArm(reference, names));
  const { claim } = rest;
  const unknown = claim && [claim.arm, ...(claim.over ?? [])].find((arm) => !names.includes(arm));
  if (unknown !== undefined) throw at(["claim"], noArm(unknown, names));
  if (claim?.over?.includes(claim.arm))
    throw at(["claim", "over"], `${claim.arm} cannot be better than itself`);
  const file: StudyFile = { ...rest, base: base as Record<string, unknown>, seeds, reference, arms: written };
  if (grid) file.grid = grid;
  if (calibrate) file.calibrate = { ...calibrate, seeds: seedsOf(calibrate.seeds ?? seeds.slice(0, 1)) };
  const resolved = names.map((name): Arm => {
    const place = Object.hasOwn(written, name) ? ["arms", name] : ["grid"];
    const changes = arms[name]!;
    const recipe = recipeOf(file.base, changes, library, (problems, inBase) =>
      all(
        problems.map(({ path, message }) =>
          inBase
            ? lineFor(["base", ...path], message)
            : lineFor(place, said({ path, message }), [...place, ...keyOf(path, changes)]),
        ),
      ),
    );
    const point = points.find((one) => one.name === name);
    return { name, recipe, ...(point && { at: point.changes }) };
  });
  if (file.kind === "search" || calibrate) {
    const open = resolved.find(({ recipe }) => recipe.data.heldOut === 0);
    if (open)
      throw at(
        ["base"],
        "settings are chosen on held-out images: give data a `heldOut`, such as { heldOut: 0.1 }",
      );
  }
  if (file.calibrate)
    checkCalibrate(file.calibrate, {
      arms: written,
      wrong: (keys, message) => at(["calibrate", ...keys], message),
      resolve: (arm, changes, wrong) =>
        recipeOf(file.base, { ...written[arm], ...changes }, library, ([first]) => wrong(said(first!))),
    });
  return { file, arms: resolved, library };
}

/** The number of problems that are told at once. */
const MOST_PROBLEMS = 20;

/** Puts what is wrong with the shape of a study file into words. */
function inWords(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  const { path } = issue;
  const expected = expectedAt(path);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const meant = nearest(key, expected.keys);
      const hint = meant
        ? `did you mean "${meant}"?`
        : (nestedHint(key, expected.keys) ?? `known here: ${expected.keys.join(", ")}`);
      return { path: [...path, key], message: `unknown key; ${hint}` };
    });
  const words = expected.words ?? issue.message;
  if (path.length === 0) return [{ path, message: words }];
  const given = path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null)?.[key],
    input,
  );
  return [{ path, message: given === undefined ? `is missing; ${words}` : `${words}, given ${show(given)}` }];
}

/** Says a problem of a recipe with its key. */
const said = ({ path, message }: Problem) => (path.length > 0 ? `${showPath(path)}: ${message}` : message);

const noArm = (name: string, names: readonly string[]) =>
  `there is no arm ${show(name)}; the arms are ${shorten(names.join(", "), 1000)}`;

/** Finds the key of an arm's changes that a path of the recipe lies in: `["patriarch.k"]` for `["patriarch", "k"]`. */
function keyOf(path: readonly PropertyKey[], changes: Readonly<Record<string, unknown>>): PropertyKey[] {
  const keys = path.map(String);
  const found = Object.keys(changes).findLast((key) => key.split(".").every((part, i) => part === keys[i]));
  return found === undefined ? keys : [found, ...keys.slice(found.split(".").length)];
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9_.=+,-]{0,79}$/;

const seedsOf = (given: number | number[]) =>
  typeof given === "number" ? Array.from({ length: given }, (_, seed) => seed) : given;

/** Writes a study file as YAML, with its base recipe written out. */
export function studyToYaml(file: StudyFile): string {
  return toYaml(file);
}
