/**
 * The option `--import FILE`, which loads methods, networks and data sets of one's own before the recipe is
 * read.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { isDefinition } from "../recipe/index.js";
import type { ImportedFile } from "../runs/index.js";
import { UsageError } from "./errors.js";

/** Adds the option `--import` to a command. */
export function withImports(command: Command): Command {
  return command.option(
    "--import <file>",
    "a JavaScript module whose exports, made by defineMethod, defineModel or defineDataset, names in the recipe may mean; " +
      "may be repeated",
    (file, all: string[] = []) => [...all, file],
  );
}

/**
 * Loads JavaScript modules, one after another, and collects those of their exports that a recipe can name.
 *
 * @throws UsageError that names the first file which cannot be loaded or exports no definition
 */
export async function importFiles(files: readonly string[] = []): Promise<ImportedFile[]> {
  const imported: ImportedFile[] = [];
  for (const file of files) imported.push(await importFile(file));
  return imported;
}

async function importFile(file: string): Promise<ImportedFile> {
  const path = resolve(file);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `--import ${file}: ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
    );
  });
  let exported: Record<string, unknown>;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UsageError(
      `--import ${file}: cannot be loaded: ${(error as Error).message}${hintFor(file, error)}`,
    );
  }
  const definitions = Object.values(exported).filter(isDefinition);
  if (definitions.length === 0)
    throw new UsageError(
      `--import ${file}: exports nothing that a recipe can name; export what defineMethod, defineModel or ` +
        "defineDataset gives back",
    );
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, definitions };
}

function hintFor(file: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?ts$/.test(file))
    return `; ${process.version} runs no TypeScript: compile it with tsc, and give the .js file`;
  if (code === "ERR_MODULE_NOT_FOUND" && (error as Error).message.includes("'lyceum'"))
    return "; run `npm install lyceum` (or the path of its folder) where the file lies";
  return "";
}
