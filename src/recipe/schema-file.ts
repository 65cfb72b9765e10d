/**
 * The JSON Schema of recipes, for editors: `node dist/recipe/schema-file.js` writes schema/recipe.schema.json.
 * In an editor with a YAML language server, a first line of
 * `# yaml-language-server: $schema=…/schema/recipe.schema.json` gives completion and checks.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { zod } from "../packages.js";
import { recipeSchema } from "./schema.js";

/** Where the schema is published in the package. */
export const schemaPath = fileURLToPath(new URL("../../schema/recipe.schema.json", import.meta.url));

/** The file's text, as it should be. */
export function schemaText(): string {
  return `${JSON.stringify(zod().toJSONSchema(recipeSchema(), { io: "input" }), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(schemaPath, schemaText());
