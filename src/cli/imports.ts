/**
 * The option `--import FILE`, which loads methods, networks and data sets of one's own before the recipe is
 * read.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { type Definition, isDefinition } from "../recipe/index.js";
import type { ImportedFile } from "../runs/index.js";
import { UsageError } from "./errors.js";

/** Adds the option `--import` to a command. */
export function withImports(command: Command): Command {
  return command.option(
    "--import <file>",
    "a JavaScript module to run, the only thing that runs code of yours: what it exports, made by defineMethod, defineModel, " +
      "defineDataset and their like, names in the recipe may mean; may be repeated",
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

const unreadable: Record<string, string> = {
  ENOENT: "there is no such file",
  EISDIR: "is a folder; give a file in it",
};

async function importFile(file: string): Promise<ImportedFile> {
  const path = resolve(file);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--import ${file}: ${unreadable[error.code ?? ""] ?? error.message}`);
  });
  let exported: Record<string, unknown>;
  // A module may end the process, or wait for what never comes: that is no training that went well.
  const onExit = () => {
    process.stderr.write(`lyceum: --import ${file}: the process ended while the file was loaded\n`);
    process.exitCode = 2;
  };
  process.once("exit", onExit);
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    // A module can throw any value, not only errors.
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--import ${file}: cannot be loaded: ${why}${hintFor(file, error)}`);
  } finally {
    process.off("exit", onExit);
  }
  let definitions: Definition[];
  try {
    definitions = Object.values(exported).filter(isDefinition);
  } catch (error) {
    throw new UsageError(`--import ${file}: an export cannot be read: ${(error as Error).message}`);
  }
  if (definitions.length === 0)
    throw new UsageError(
      `--import ${file}: exports nothing that a recipe can name; export what defineMethod, defineModel or ` +
        "defineDataset gives back",
    );
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, definitions };
}

function hintFor(file: string, error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?ts$/.test(file))
    return `; ${process.version} runs no TypeScript: compile it with tsc, and give the .js file`;
  if (code === "ERR_MODULE_NOT_FOUND" && error.message.includes("'lyceum'"))
    return "; run `npm install lyceum` (or the path of its folder) where the file lies";
  return "";
}
