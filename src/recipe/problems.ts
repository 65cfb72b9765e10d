import type { z } from "zod";
import { zod } from "../packages.js";
import type { JsonSchema as Shape } from "./json-schema.js";
import type { Library } from "./library.js";
import { nearest } from "./nearest.js";
import { recipeSchema } from "./schema.js";
import { shorten, show } from "./show.js";

/** One problem of a recipe: the path of the key, and in words what is wrong with it. */
export interface Problem {
  path: PropertyKey[];
  message: string;
}

const roots = new WeakMap<Library, Shape>();

/** Gives the recipe's schema as plain data, which is made once for each library. */
function rootOf(library: Library): Shape {
  const known = roots.get(library);
  if (known) return known;
  const made = zod().toJSONSchema(recipeSchema(library), { io: "input", unrepresentable: "any" }) as Shape;
  roots.set(library, made);
  return made;
}

/**
 * Puts zod's findings into words: for each key its path, what was given and what is allowed there.
 *
 * @param error the error that zod found in `input`
 */
export function problemsOf(error: z.ZodError, input: unknown, library: Library): Problem[] {
  const root = rootOf(library);
  const all = flatten(error.issues, []).flatMap((issue) => describe(issue, input, root));
  // zod finds two faults in a whole number that is too large for JavaScript as well as for its key.
  const seen = new Set<string>();
  return all.filter(({ path, message }) => {
    const text = JSON.stringify([path.map(String), message]);
    return seen.size < seen.add(text).size;
  });
}

type Issue = z.core.$ZodIssue;

/**
 * Replaces the failure of a union by the failures of the alternative that was meant, where that can be told.
 */
function flatten(issues: readonly Issue[], prefix: PropertyKey[]): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    const meant =
      issue.code === "invalid_union" &&
      issue.errors.find((inner) => inner.length > 0 && !inner.some(isWrongKind));
    return meant ? flatten(meant, path) : [{ ...issue, path } as Issue];
  });
}

const isWrongKind = (issue: Issue) =>
  issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");

function describe(issue: Issue, input: unknown, root: Shape): Problem[] {
  const { path } = issue;
  if (issue.code === "custom") return [{ path, message: issue.message }];
  if (issue.code === "unrecognized_keys") {
    const known = shapesAt(path, input, root).flatMap((shape) => Object.keys(shape.properties ?? {}));
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      const owners = ownersOf(key, path, input, root);
      if (!meant && owners.length > 0) {
        const chosen = shapesAt(path, input, root).flatMap(tagOf)[0];
        const message = `only ${owners.join(" and ")} ${owners.length > 1 ? "have" : "has"} this, not ${chosen}`;
        return { path: [...path, key], message };
      }
      const hint = meant
        ? `did you mean "${meant}"?`
        : (nestedHint(key, known) ?? `known here: ${[...new Set(known)].join(", ")}`);
      return { path: [...path, key], message: `unknown key; ${hint}` };
    });
  }
  const shapes = shapesAt(path, input, root);
  const given = valueAt(input, path);
  const allowed = [...new Set(shapes.map((shape) => allow(shape, shapes, given)))].join(" or ");
  if (given === undefined) return [{ path, message: `is missing; must be ${allowed}` }];
  const words = shapes.flatMap((shape) => shape.enum ?? (shape.const === undefined ? [] : [shape.const]));
  const meant = typeof given === "string" ? nearest(given, words.map(String)) : undefined;
  const hint = meant ? `; did you mean "${meant}"?` : quotesHint(given, shapes);
  return [{ path, message: `must be ${allowed}, given ${show(given)}${hint}` }];
}

/** Says how a key that was written with dots, as `--set` takes it, is written in a recipe. */
export function nestedHint(key: string, known: readonly string[]): string | undefined {
  const [first = "", second] = key.split(".");
  if (second === undefined || !known.includes(first)) return undefined;
  return `write a mapping, ${first}: { ${shorten(second, 40)}: … }`;
}

/** Says where quotes make a number of a text, or are missing around one. */
function quotesHint(given: unknown, shapes: readonly Shape[]): string {
  const types = shapes.map(({ type }) => type);
  if (typeof given === "string")
    return given.trim() !== "" && Number.isFinite(Number(given)) && types.some(isNumeric)
      ? "; write it without quotes"
      : "";
  const isScalar = typeof given === "number" || typeof given === "boolean";
  return isScalar && shapes.length > 0 && shapes.every(isFreeText)
    ? `; write it with quotes, "${given}"`
    : "";
}

const isFreeText = (shape: Shape) =>
  shape.type === "string" && !shape.enum && shape.const === undefined && !shape.pattern;
const isNumeric = (type: string | undefined) => type === "number" || type === "integer";

/** The keys under which a recipe names the member of a family that it chooses. */
const tags = ["name", "method", "kind"];

/** Finds the alternatives that the schema has at a path, with unions split into their members. */
function shapesAt(path: readonly PropertyKey[], input: unknown, root: Shape): Shape[] {
  let shapes = alternatives(root, input);
  let value = input;
  for (const step of path) {
    value = valueAt(value, [step]);
    shapes = shapes
      .map((shape) =>
        typeof step === "number"
          ? (shape.prefixItems?.[step] ?? shape.items)
          : shape.properties?.[String(step)],
      )
      .filter((shape) => shape !== undefined)
      .flatMap((shape) => alternatives(shape, value));
  }
  return shapes;
}

/**
 * Selects the members of a union that a value can mean: those with the value's tag, or, where a mapping has
 * no tag, those that need none, or those whose required keys it has. All members remain where no member fits.
 */
function alternatives(shape: Shape, value: unknown): Shape[] {
  const all = unionOf(shape);
  if (all.length === 1) return all;
  const mapping = typeof value === "object" && value !== null;
  const matching = all.filter((one) =>
    tags.some((tag) => {
      const given = valueAt(value, [tag]);
      if (given !== undefined) return one.properties?.[tag]?.const === given;
      return mapping && one.properties?.[tag]?.const !== undefined && !one.required?.includes(tag);
    }),
  );
  if (matching.length > 0 || !mapping || tags.some((tag) => valueAt(value, [tag]) !== undefined))
    return matching.length > 0 ? matching : all;
  // A short form has no tag, but a key of its own that must be there.
  const short = all.filter(
    ({ required = [] }) => required.length > 0 && required.every((key) => Object.hasOwn(value, key)),
  );
  return short.length > 0 ? short : all;
}

/** Lists the members of a union, and of the unions in it. A shape that is no union is its own only member. */
function unionOf(shape: Shape): Shape[] {
  const all = shape.anyOf ?? shape.oneOf;
  return all ? all.flatMap(unionOf) : [shape];
}

/**
 * Names the members of the family at a path that have an option `key`, for messages about a key of another
 * member.
 */
function ownersOf(key: string, path: readonly PropertyKey[], input: unknown, root: Shape): string[] {
  const around = shapesAt(path.slice(0, -1), input, root);
  const last = path.at(-1);
  if (last === undefined) return [];
  return around
    .map((shape) => shape.properties?.[String(last)])
    .filter((shape) => shape !== undefined)
    .flatMap(unionOf)
    .filter((shape) => shape.properties?.[key] !== undefined)
    .flatMap(tagOf);
}

/**
 * Gives the name of the family's member whose options a shape describes, or an empty list where it describes
 * none.
 */
function tagOf({ properties = {} }: Shape): string[] {
  return tags.flatMap((tag) => properties[tag]?.const ?? []).map(String);
}

/** The number of names that a message lists at most: a file may define hundreds. */
const MOST_WORDS = 40;

/**
 * Describes in words what a shape allows.
 *
 * @param all all alternatives that are allowed in the same place
 * @param given the value that stands there: how long a text or a list may be is said where one is given
 */
function allow(shape: Shape, all: readonly Shape[], given: unknown): string {
  const words = shape.enum ?? (shape.const === undefined ? undefined : [shape.const]);
  if (words) {
    const more = words.length > MOST_WORDS ? `, … (${words.length} in all)` : "";
    return `${words.length > 1 ? "one of " : ""}${words.slice(0, MOST_WORDS).map(show).join(", ")}${more}`;
  }
  switch (shape.type) {
    case "integer":
      return `a whole number${range(shape)}`;
    case "number":
      return `a number${range(shape)}`;
    case "boolean":
      return "true or false";
    case "array":
      return shape.prefixItems
        ? `a list of ${shape.prefixItems.length}`
        : `a list${Array.isArray(given) ? countOf(shape.minItems, shape.maxItems, "") : ""}`;
    case "object": {
      const tag = tags.find((one) => shape.properties?.[one]?.const !== undefined);
      const family = all.filter((one) => tag !== undefined && one.properties?.[tag]?.const !== undefined);
      if (family.length > 1) return `a mapping of ${tag} and its options`;
      return `a mapping of ${Object.keys(shape.properties ?? {}).join(", ")}`;
    }
    default:
      return shape.pattern
        ? `text that matches ${shape.pattern}`
        : `text${typeof given === "string" ? countOf(shape.minLength, shape.maxLength, " characters") : ""}`;
  }
}

/** Says how many characters or items there may be; nothing where only none at all is ruled out. */
function countOf(least = 0, most = Number.POSITIVE_INFINITY, of: string): string {
  if (most < 2 ** 31) return least > 1 ? ` of ${least} to ${most}${of}` : ` of at most ${most}${of}`;
  return least > 1 ? ` of at least ${least}${of}` : "";
}

function range({ minimum: least, maximum, exclusiveMinimum, exclusiveMaximum }: Shape): string {
  // zod gives whole numbers the bounds of safe integers, which are not shown.
  const minimum = least !== undefined && least > Number.MIN_SAFE_INTEGER ? least : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (minimum !== undefined && high !== undefined) return ` from ${minimum} to ${high}`;
  const bounds = [
    exclusiveMinimum === undefined ? "" : ` above ${exclusiveMinimum}`,
    minimum === undefined ? "" : ` of at least ${minimum}`,
    exclusiveMaximum === undefined ? "" : ` below ${exclusiveMaximum}`,
    high === undefined ? "" : ` of at most ${high}`,
  ].filter((bound) => bound !== "");
  return bounds.join(" and");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[step];
  }
  return here;
}
