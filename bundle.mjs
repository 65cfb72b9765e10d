/**
 * Bundles the compiled modules into a few files, which Node loads in half the time of a hundred and fifty. The types, which
 * tsc writes, stay one file a module.
 *
 * What several entry points need lies in chunks that they share, so that a program which imports `lyceum/nn` and
 * `lyceum/torch` has one Tensor class and loads the addon once. Paths relative to a module (`import.meta.url`) hold,
 * because every module that has one lies two folders deep, in `dist` as in `src`.
 */
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { build } from "esbuild";

/** What package.json offers to importers: its sources, from "./dist/nn/index.js" to "src/nn/index.ts". */
const offered = Object.values(JSON.parse(readFileSync("package.json", "utf8")).exports)
  .flatMap((target) => target.default ?? [])
  .map((file) => file.replace("./dist/", "src/").replace(/\.js$/, ".ts"));

await build({
  entryPoints: [
    ...offered,
    "src/cli/main.ts",
    "src/training/checkpoint-thread.ts",
    "src/docs/main.ts",
    "src/torch/generate/main.ts",
  ],
  outdir: "dist",
  outbase: "src",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
});
chmodSync("dist/cli/main.js", 0o755);

// Scripts for browsers: of the page that `lyceum export --to web` copies, and of the pages that `lyceum watch` serves.
await build({
  entryPoints: { "web/app": "web/app.ts", "watch/watch": "web/watch/watch.ts" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  logLevel: "warning",
});
for (const file of ["index.html", "style.css"]) copyFileSync(`web/${file}`, `dist/web/${file}`);
