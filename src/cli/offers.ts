/** What there is to name on a command line: recipes, runs, studies and their like, for messages and for the shell's completion. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { shorten } from "../recipe/show.js";
import { RUNS } from "./find-run.js";
import { printable } from "./text.js";

/** The package's own folder: the same two folders up from `src/cli` and from `dist/chunks`, where the bundle puts this file. */
const home = fileURLToPath(new URL("../../", import.meta.url));

/** Something that can be named, and a line about it. */
export interface Offer {
  name: string;
  about: string;
}

/** Lists the files of recipes in the working folder. What cannot be read as YAML, or holds other keys than a recipe's, is none. */
export async function recipeFiles(): Promise<Offer[]> {
  const { loadRecipeInput } = await import("../recipe/index.js");
  const known = new Set(await recipeKeys());
  const offers: Offer[] = [];
  for (const name of await yamlFiles(".")) {
    const input = await loadRecipeInput(`./${name}`).catch(() => ({}));
    const keys = Object.keys(input);
    if (keys.length > 0 && keys.every((key) => known.has(key))) offers.push({ name, about: aboutOf(input) });
  }
  return offers;
}

/** Lists the recipes that come with Lyceum. */
export async function packagedRecipes(): Promise<Offer[]> {
  const { listRecipes } = await import("../recipe/index.js");
  return (await listRecipes()).map(({ name, description }) => ({ name, about: description }));
}

/** Lists the runs in `runs/`, without a look into them: the folders that hold a recipe. */
export async function runNames(): Promise<string[]> {
  const entries = await readdir(RUNS, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(RUNS, entry.name, "recipe.yaml")))
    .map(({ name }) => name)
    .sort();
}

/** Lists the runs in `runs/` with what they are and how far they are, the newest last. */
export async function runs(): Promise<Offer[]> {
  if (!existsSync(RUNS)) return [];
  const { listRuns } = await import("../runs/index.js");
  return (await listRuns(RUNS)).map(({ name, state, problem, data, model, generations }) => ({
    name,
    about:
      problem ??
      [state, generations && `${generations.finished}/${generations.of}`, data, model]
        .filter(Boolean)
        .join(", "),
  }));
}

/** Lists studies that can be named: those in `studies/`, those with results, and those that come with Lyceum. */
export async function studyNames(): Promise<string[]> {
  const named = await Promise.all(["studies", join(home, "studies")].map(yamlFiles));
  return [
    ...new Set([...named.flat().map((file) => basename(file, ".yaml")), ...(await studyResults())]),
  ].sort();
}

/** Lists the studies in `results/` that were begun. */
export async function studyResults(): Promise<string[]> {
  const names = await readdir("results").catch(() => []);
  return names.filter((name) => existsSync(join("results", name, "study.yaml"))).sort();
}

/** The keys of a recipe that may stand at its top. */
export async function recipeKeys(): Promise<string[]> {
  const { properties } = JSON.parse(await readFile(join(home, "schema/recipe.schema.json"), "utf8"));
  return Object.keys(properties);
}

async function yamlFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return files
    .filter((file) => file.isFile() && /^[^.].*\.ya?ml$/.test(file.name))
    .map(({ name }) => name)
    .sort();
}

function aboutOf({ title, description }: { title?: unknown; description?: unknown }): string {
  const text = [title, description].find((each) => typeof each === "string") as string | undefined;
  return shorten(printable((text ?? "").trim().split("\n")[0]!), 100);
}

/** Writes a list of offers, under a heading; nothing where there are none. */
export function offerLines(heading: string, offers: readonly Offer[]): string[] {
  if (offers.length === 0) return [];
  const width = Math.max(...offers.map(({ name }) => name.length));
  return [
    heading,
    ...offers.map(({ name, about }) => printable(`  ${name.padEnd(width)}   ${about}`).trimEnd()),
  ];
}
