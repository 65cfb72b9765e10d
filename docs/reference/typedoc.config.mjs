/** `npm run docs`: the API reference, out of the docstrings of everything that package.json offers to importers. */
import { readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const path = (file) => new URL(file, root).pathname;

/** Names an options object that a signature takes apart, so that docstrings can speak of `options.k`. */
function nameOptions(app) {
  app.converter.on("createParameter", (_context, parameter) => {
    if (parameter.name === "__namedParameters") parameter.name = "options";
  });
}

export default {
  name: "Lyceum",
  entryPoints: Object.values(exports)
    .flatMap(({ types }) => types ?? [])
    .map((file) => path(file.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts"))),
  tsconfig: path("tsconfig.build.json"),
  out: path("build/reference"),
  readme: "none",
  plugin: [nameOptions],
  excludeInternal: true,
  excludePrivate: true,
};
