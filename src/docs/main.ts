/**
 * Writes the files that are generated from definitions (`npm run generate`), or says with `--check` which are
 * stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./generated-files.js";

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const { path, text } of generatedFiles()) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) stale.push(path);
}
if (stale.length > 0) {
  console.error(`stale: ${stale.join(", ")}; run: npm run generate`);
  process.exitCode = 1;
}
