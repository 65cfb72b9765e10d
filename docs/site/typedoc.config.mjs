/**
 * The documentation site (`npm run docs`). Its pages are the repository's Markdown files; the API reference comes out of the
 * docstrings of everything that package.json offers to importers.
 */
import { readFileSync } from "node:fs";
import { showLinkedFiles } from "./linked-files.mjs";
import { adaptMarkdown } from "./markdown.mjs";
import { pages, sections } from "./pages.mjs";
import { applyReadingOrder } from "./reading-order.mjs";

const root = new URL("../../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const path = (file) => new URL(file, root).pathname;
const reference = "API reference";

/** Names an options object that a signature takes apart, so that docstrings can speak of `options.k`. */
function nameOptions(app) {
  app.converter.on("createParameter", (_context, parameter) => {
    if (parameter.name === "__namedParameters") parameter.name = "options";
  });
}

/** Gives the package's main entry point the name by which it is imported. */
function nameMainEntry(app) {
  app.converter.on("createDeclaration", (_context, declaration) => {
    if (declaration.parent?.isProject() && declaration.name === "index") declaration.name = "lyceum";
  });
}

export default {
  name: "Lyceum",
  entryPoints: Object.values(exports)
    .flatMap(({ types }) => types ?? [])
    .map((file) => path(file.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts"))),
  tsconfig: path("tsconfig.build.json"),
  out: path("build/site"),
  plugin: [nameOptions, nameMainEntry, applyReadingOrder, showLinkedFiles],
  router: "reading-order",

  readme: path("README.md"),
  projectDocuments: pages.map(({ file }) => path(file)),
  categorizeByGroup: false,
  categoryOrder: [...Object.keys(sections), reference],
  defaultCategory: reference,
  navigation: { includeCategories: true },
  headings: { readme: false },
  searchInDocuments: true,

  includeVersion: true,
  hideGenerator: true,
  // Where the sources can be looked at on the web is not known.
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,

  favicon: path("docs/site/favicon.svg"),
  customCss: path("docs/site/style.css"),
  markdownItLoader: adaptMarkdown,
  highlightLanguages: [
    "typescript",
    "javascript",
    "json",
    "jsonc",
    "yaml",
    "python",
    "shellscript",
    "console",
    "bibtex",
    "mermaid",
  ],
  ignoredHighlightLanguages: ["csv"],

  validation: { invalidLink: true, invalidPath: true, notExported: false },
  treatWarningsAsErrors: true,
};
