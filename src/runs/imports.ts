/** Files of definitions that a run was made with: it notes them, and asks for them by name. */
import { basename } from "node:path";
import { builtIn, type Definition, isDefinition, type Library } from "../recipe/index.js";
import type { Import } from "./environment.js";

/** A loaded file, and what it exports that a recipe can name. */
export interface ImportedFile extends Import {
  definitions: readonly Definition[];
}

/** What names in a recipe may mean beside Lyceum's own definitions: files with some, or definitions themselves. */
export type Imports = readonly (ImportedFile | Definition)[];

/** Lyceum's own definitions and those imported. */
export function libraryOf(imports: Imports): Library {
  return builtIn.with(imports.flatMap((one) => (isDefinition(one) ? [one] : [...one.definitions])));
}

/** The files among what is imported: what a run can note. */
export function filesOf(imports: Imports): Import[] {
  return imports.flatMap((one) => (isDefinition(one) ? [] : [{ file: one.file, sha256: one.sha256 }]));
}

/** @throws Error that names the file which a run was made with and which is not given now */
export function askForImports(directory: string, noted: readonly Import[], imports: Imports): void {
  const given = filesOf(imports);
  const missing = noted.find((one) => !given.some((other) => isSame(one, other)));
  if (missing) throw new Error(`${directory}: was made with --import ${missing.file}: give that file again`);
}

/**
 * A file decides what networks are or learn: one run must not mix two versions of it.
 *
 * @throws Error that names the file which is missing, or another one now
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

/** Whether two are the same file, moved, or two versions of one. */
const isSame = (one: Import, other: Import) =>
  one.sha256 === other.sha256 || basename(one.file) === basename(other.file);
