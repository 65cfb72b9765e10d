import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generatedFiles } from "./generated-files.js";

// `npm run generate` writes the files anew when this fails.
test.each(generatedFiles())("$path is what the definitions make of it", ({ path, text }) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(text);
});
