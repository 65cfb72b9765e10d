/** Generates docs/recipe.md, every key of a recipe, out of the schema that checks recipes. */
import { zod } from "../packages.js";
import { builtIn, type Library, recipeSchema } from "../recipe/index.js";
import type { JsonSchema as Shape } from "../recipe/json-schema.js";

const introduction = `# Recipes

A recipe is a YAML file that says what differs from the defaults below. This page is generated from the schema that checks
recipes (\`npm run generate\`); editors complete keys by \`schema/recipe.schema.json\`. Unknown keys are errors that
suggest the nearest key. \`--set key.path=value\` overrides a key on the command line.

Where a key chooses from a family (\`data\`, \`patriarch\`, \`student\`, \`optimizer\`, \`schedule\`), a bare name stands for the
member with its defaults: \`patriarch: strict\` is \`patriarch: { method: strict }\`. A program can bring members of its
own, by value in code and by \`--import\` on the command line: see [tutorial.md](tutorial.md).
`;

/** Generates the text of the page. */
export function recipePage(library: Library = builtIn): string {
  const root = zod().toJSONSchema(recipeSchema(library), { io: "input" }) as Shape;
  const keys = Object.entries(root.properties ?? {});
  return [introduction, ...keys.map(([key, shape]) => section(key, shape))].join("\n");
}

function section(key: string, shape: Shape): string {
  const lines = [`## ${key}`, "", shape.description ?? "", ""];
  const members = mappingsOf(shape);
  if (members.length === 0) {
    lines.push(`Allowed: ${allowed(shape)}. ${defaultOf(shape)}`.trim(), "");
    return lines.join("\n");
  }
  const common = members.length > 1 ? sharedBy(members) : [];
  if (common.length > 0) lines.push(`Whichever is chosen:`, "", ...tableOf(common), "");
  for (const member of members) {
    const [tag, name] = tagOf(member) ?? [];
    if (tag === undefined && members.length > 1) {
      lines.push(`### ${key}: any other name`, "", member.description ?? "", "");
      continue;
    }
    if (tag !== undefined) {
      const usual = member.required?.includes(tag) ? "" : " (the one meant where none is named)";
      lines.push(`### ${key}: ${name}${usual}`, "", member.description ?? "", "");
    }
    const shared = new Set([tag, ...common.map(([option]) => option)]);
    const own = Object.entries(member.properties ?? {}).filter(([option]) => !shared.has(option));
    if (own.length > 0) lines.push(...tableOf(own), "");
  }
  return lines.join("\n");
}

/** Finds the options that all members of a family have with the same schema. */
function sharedBy([first, ...others]: readonly Shape[]): [string, Shape][] {
  return Object.entries(first?.properties ?? {}).filter(([option, shape]) =>
    others.every(({ properties }) => JSON.stringify(properties?.[option]) === JSON.stringify(shape)),
  );
}

function tableOf(options: readonly [string, Shape][]): string[] {
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
function mappingsOf(shape: Shape): Shape[] {
  const union = shape.anyOf ?? shape.oneOf;
  if (union) return union.flatMap(mappingsOf);
  return shape.properties ? [shape] : [];
}

/** Finds the key whose constant value tells a mapping from its alternatives, and that value. */
function tagOf({ properties = {} }: Shape): [string, unknown] | undefined {
  const found = Object.entries(properties).find(([, inner]) => inner.const !== undefined);
  return found && [found[0], found[1].const];
}

/** Splits a schema's description from the default, which stands in the schema or at the description's end. */
function split(shape: Shape): { meaning: string; standing: string } {
  const [meaning = "", told] = (shape.description ?? "").split(/ Default: /);
  const standing = shape.default === undefined ? (told ?? "–").replace(/\.$/, "") : code(shape.default);
  return { meaning, standing };
}

function defaultOf(shape: Shape): string {
  return shape.default === undefined ? "" : `Default: ${code(shape.default)}.`;
}

function allowed(shape: Shape): string {
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
