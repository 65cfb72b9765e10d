import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { UsageError } from "./errors.js";
import { printable } from "./text.js";

/** The package's own folder: the same two folders up from `src/cli` and from `dist/cli`. */
const home = fileURLToPath(new URL("../../", import.meta.url));
const template = join(home, "templates/project");

export const initCommand = () =>
  new Command("init")
    .description("make a project: a recipe, a network and a method of your own, tests")
    .argument("[folder]", "where; made if it is not there", ".")
    .addHelpText(
      "after",
      `
The project trains on drawn shapes, in seconds and without a download. Nothing that is there is written over.

Examples:
  $ npx lyceum init my-line
  $ cd my-line && npm install && npm run setup && npm run train`,
    )
    .action(init);

async function init(folder: string): Promise<void> {
  const files = (await readdir(template, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(template, join(entry.parentPath, entry.name)))
    .sort();
  const places = files.map((file) => [file, join(folder, placeOf(file))] as const);
  const taken = places.filter(([, place]) => existsSync(place)).map(([, place]) => place);
  if (taken.length > 0)
    throw new UsageError(
      `${taken.slice(0, 3).join(", ")}: there already, and nothing is written over: name a new folder`,
    );
  for (const [file, place] of places) {
    await mkdir(dirname(place), { recursive: true });
    const text = await readFile(join(template, file), "utf8");
    await writeFile(place, file === "package.json" ? await packageOf(text, folder) : text, { flag: "wx" });
    console.log(printable(place));
  }
  const go = folder === "." ? "" : `cd ${printable(folder)} && `;
  console.log(`\nnext: ${go}npm install && npm run setup && npm run train`);
}

/** npm leaves files of this name out of packages, so that the template has it without the dot. */
const placeOf = (file: string) => (file === "gitignore" ? ".gitignore" : file);

/** Names the project by its folder, and adds this Lyceum: by its version, or from a clone by its place. */
async function packageOf(text: string, folder: string): Promise<string> {
  const content = JSON.parse(text);
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (name) content.name = name;
  const { version } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  content.dependencies.lyceum = existsSync(join(home, "src"))
    ? `file:${home.replace(/\/$/, "")}`
    : `^${version}`;
  return `${JSON.stringify(content, null, 2)}\n`;
}
