/** Generates docs/recipe.md, every key of a recipe, out of the schema that checks recipes. */
import { zod } from "../packages.js";
import { builtIn, type Library, recipeSchema } from "../recipe/index.js";
import type { JsonSchema as Shape } from "../recipe/json-schema.js";
import { allowed, defaultOf, mappingsOf, tableOf, tagOf } from "./option-table.js";

const introduction = `# Recipes

A recipe is a YAML file that says what differs from the defaults below. This page is generated from the schema that checks
recipes (\`npm run generate\`); editors complete keys by \`schema/recipe.schema.json\`. Unknown keys are errors that
suggest the nearest key. \`--set key.path=value\` overrides a key on the command line.

Where a key chooses from a family (\`data\`, \`patriarch\`, \`student\`, \`optimizer\`, \`schedule\`), a bare name stands for the
member with its defaults: \`patriarch: strict\` is \`patriarch: { method: strict }\`. A program can bring members of its
own, by value in code and by \`--import\` on the command line: see [tutorial.md](tutorial.md).

Recipes and studies are read as YAML 1.2: one document of at most 64 KiB, UTF-8, with at most 32 levels and 1000 aliases. There are no
merge keys (\`<<\`) and no tags; \`yes\` and \`1:30\` are words, \`010\` is ten. What is wrong is told with file, line and remedy.
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
