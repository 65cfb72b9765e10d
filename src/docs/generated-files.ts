import { readFileSync } from "node:fs";
import { withMetricTable } from "../analysis/index.js";
import { schemaText } from "../recipe/schema-file.js";
import { methodsPage } from "./methods-page.js";
import { recipePage } from "./recipe-page.js";

/** A file of the checkout that is made from definitions. */
export interface GeneratedFile {
  /** Relative to the checkout. */
  path: string;
  text: string;
}

export function generatedFiles(): GeneratedFile[] {
  return [
    { path: "schema/recipe.schema.json", text: schemaText() },
    { path: "docs/recipe.md", text: recipePage() },
    { path: "docs/methods.md", text: methodsPage() },
    { path: "docs/metrics.md", text: withMetricTable(readPage("docs/metrics.md")) },
  ];
}

/** A page of which only a part is made. */
function readPage(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}
