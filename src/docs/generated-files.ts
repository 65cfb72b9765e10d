import { readFileSync } from "node:fs";
import { withMetricTable } from "../analysis/index.js";
import { schemaText } from "../recipe/schema-file.js";
import { methodsPage } from "./methods-page.js";
import { recipePage } from "./recipe-page.js";

/** A file of the checkout that is generated from definitions in the code. */
export interface GeneratedFile {
  /** The file's path, relative to the checkout. */
  path: string;
  text: string;
}

/** Generates all such files, as they should be. */
export function generatedFiles(): GeneratedFile[] {
  return [
    { path: "schema/recipe.schema.json", text: schemaText() },
    { path: "docs/recipe.md", text: recipePage() },
    { path: "docs/methods.md", text: methodsPage() },
    { path: "docs/metrics.md", text: withMetricTable(readPage("docs/metrics.md")) },
  ];
}

/** Reads a page of which only a part is generated. */
function readPage(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}
