import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generatedFiles } from "./generated-files.js";

// When this fails: npm run generate
test.each(generatedFiles())("$path is what the definitions make of it", ({ path, text }) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(text);
});
