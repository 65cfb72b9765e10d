/** Tables of options, for pages that are generated from the schemas which check the options. */
import type { JsonSchema as Shape } from "../recipe/json-schema.js";

/** Makes the lines of a table with a row for each option, by the option's name. */
export function tableOf(options: readonly [string, Shape][]): string[] {
  const rows = options
    .flatMap(([name, value]) => flattened(name, value))
    .map(([option, inner]) => {
      const { meaning, standing } = split(inner);
      return `| \`${option}\` | ${cell(allowed(inner))} | ${cell(standing)} | ${cell(meaning)} |`;
    });
  return ["| key | allowed | default | meaning |", "|---|---|---|---|", ...rows];
}

/**
 * Turns a nested mapping into keys with dots, after a row for the mapping itself where it is described. Of a choice from a
 * family there are the options of all members.
 */
function flattened(name: string, shape: Shape): [string, Shape][] {
  const { properties, ...rest } = shape;
  const members = properties ? [shape] : mappingsOf(shape).filter(tagOf);
  const inner = members.flatMap((member) => {
    const tag = tagOf(member)?.[0];
    const options = Object.entries(member.properties ?? {}).filter(([key]) => key !== tag);
    return options.flatMap(([key, value]) => flattened(`${name}.${key}`, value));
  });
  return shape.description || inner.length === 0 ? [[name, rest], ...inner] : inner;
}

/** Lists those alternatives of a key that are mappings, with unions split into their members. */
export function mappingsOf(shape: Shape): Shape[] {
  const union = shape.anyOf ?? shape.oneOf;
  if (union) return union.flatMap(mappingsOf);
  return shape.properties ? [shape] : [];
}

/** Finds the key whose constant value tells a mapping from its alternatives, and that value. */
export function tagOf({ properties = {} }: Shape): [string, unknown] | undefined {
  const found = Object.entries(properties).find(([, inner]) => inner.const !== undefined);
  return found && [found[0], found[1].const];
}

/** Splits a schema's description from the default, which stands in the schema or at the description's end. */
function split(shape: Shape): { meaning: string; standing: string } {
  const [meaning = "", told] = (shape.description ?? "").split(/ Default: /);
  const standing = shape.default === undefined ? (told ?? "–").replace(/\.$/, "") : code(shape.default);
  return { meaning, standing };
}

/** Puts the default of a key into words, where its schema has one. */
export function defaultOf(shape: Shape): string {
  return shape.default === undefined ? "" : `Default: ${code(shape.default)}.`;
}

/** Puts the values that a key may have into words. */
export function allowed(shape: Shape): string {
  const union = shape.anyOf ?? shape.oneOf;
  if (union) return [...new Set(union.map(allowed))].join(" or ");
  if (shape.const !== undefined) return code(shape.const);
  if (shape.enum) return shape.enum.map(code).join(", ");
  const bounds = [
    shape.minimum !== undefined && shape.minimum > Number.MIN_SAFE_INTEGER ? `≥ ${shape.minimum}` : "",
    shape.exclusiveMinimum !== undefined ? `> ${shape.exclusiveMinimum}` : "",
    shape.maximum !== undefined && shape.maximum < Number.MAX_SAFE_INTEGER ? `≤ ${shape.maximum}` : "",
    shape.exclusiveMaximum !== undefined ? `< ${shape.exclusiveMaximum}` : "",
  ].filter((bound) => bound !== "");
  switch (shape.type) {
    case "integer":
      return ["whole number", ...bounds].join(" ");
    case "number":
      return ["number", ...bounds].join(" ");
    case "boolean":
      return "true, false";
    case "array":
      if (shape.prefixItems)
        return `list of ${shape.prefixItems.length}: ${[...new Set(shape.prefixItems.map(allowed))].join(", ")}`;
      return `list of ${allowed(shape.items ?? {})}`;
    case "object":
      if (!shape.properties) return "mapping of the keys below";
      return `mapping of ${Object.keys(shape.properties).map(code).join(", ")}`;
    default:
      return shape.pattern ? `text like ${code(shape.pattern)}` : "text";
  }
}

const code = (value: unknown) => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

/** Escapes a text so that it stays within its cell of a Markdown table. */
const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
