/**
 * The imported files that a run was made with: the run records them, and asks for them by name when they are
 * needed.
 */
import { basename } from "node:path";
import { builtIn, type Definition, isDefinition, type Library } from "../recipe/index.js";
import type { Import } from "./environment.js";

/** An imported file, and those of its exports that a recipe can name. */
export interface ImportedFile extends Import {
  definitions: readonly Definition[];
}

/**
 * What a recipe can name beside Lyceum's own definitions: files that export definitions, or definitions
 * themselves.
 */
export type Imports = readonly (ImportedFile | Definition)[];

/**
 * Gives a library of Lyceum's own definitions and the imported ones.
 *
 * @throws TypeError when two different definitions of one kind have the same name
 */
export function libraryOf(imports: Imports): Library {
  return builtIn.with(imports.flatMap((one) => (isDefinition(one) ? [one] : [...one.definitions])));
}

/**
 * Gives the files among the imports, which are what a run can record; definitions given in code have no file.
 */
export function filesOf(imports: Imports): Import[] {
  return imports.flatMap((one) => (isDefinition(one) ? [] : [{ file: one.file, sha256: one.sha256 }]));
}

/**
 * Checks that the files which a run was made with are given again, in whatever version.
 *
 * @param noted the files that the run has recorded
 * @throws Error that names the first file which is missing
 */
export function askForImports(directory: string, noted: readonly Import[], imports: Imports): void {
  const given = filesOf(imports);
  const missing = noted.find((one) => !given.some((other) => isSame(one, other)));
  if (missing) throw new Error(`${directory}: was made with --import ${missing.file}: give that file again`);
}

/**
 * Checks that the files which a run was made with are given again, unchanged. A file decides what networks
 * are or what they learn, and one run must not mix two versions of it.
 *
 * @param noted the files that the run has recorded
 * @throws Error that names the first file which is missing or has changed
 */
export function checkImports(directory: string, noted: readonly Import[], imports: Imports): void {
  askForImports(directory, noted, imports);
  const given = filesOf(imports);
  for (const { file, sha256 } of noted) {
    if (given.some((one) => one.sha256 === sha256)) continue;
    const now = given.find((one) => basename(one.file) === basename(file))!;
    throw new Error(
      `${directory}: ${now.file} is not the file that the run began with (its SHA-256 was ${sha256}): put it back, or ` +
        "start a new run",
    );
  }
}

/**
 * Tells whether two files have the same content, wherever they lie, or the same name, as two versions of one
 * file do.
 */
const isSame = (one: Import, other: Import) =>
  one.sha256 === other.sha256 || basename(one.file) === basename(other.file);
