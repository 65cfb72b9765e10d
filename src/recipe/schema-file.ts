/**
 * Writes the JSON Schema of recipes for editors, schema/recipe.schema.json (`npm run generate`). In an editor
 * with a YAML language server, the first line `# yaml-language-server: $schema=…/schema/recipe.schema.json`
 * gives completion and checks.
 */
import { zod } from "../packages.js";
import { recipeSchema } from "./schema.js";

/** Gives the text that the file should have. */
export function schemaText(): string {
  return `${JSON.stringify(zod().toJSONSchema(recipeSchema(), { io: "input" }), null, 2)}\n`;
}
