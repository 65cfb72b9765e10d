/** Finds the runs and studies below some folders. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, normalize, resolve } from "node:path";
import { runMarks } from "../runs/index.js";

/** A folder that is a run or a study, or that cannot be looked into. */
export interface Found {
  kind: "run" | "study";
  /** The folder's path as a person would type it, by which pages name it. */
  name: string;
  directory: string;
}

/** What a search came to. */
export interface Places {
  found: Found[];
  /** What a person should know of the search, in sentences. */
  notes: string[];
}

/** How many folders deep runs are looked for. */
const MOST_LEVELS = 4;
/** The most folders that are looked into, so that a search from the top of a disk ends. */
const MOST_FOLDERS = 20_000;

/**
 * Finds runs and studies. Links to folders are not followed; hidden folders and installed packages are left out. The folders need
 * not be there yet.
 */
export async function findPlaces(roots: readonly string[], mostFolders = MOST_FOLDERS): Promise<Places> {
  const found: Found[] = [];
  const notes: string[] = [];
  let looked = 0;
  const look = async (directory: string, level: number): Promise<void> => {
    if (++looked > mostFolders) return;
    const entries: Dirent[] = await readdir(directory, { withFileTypes: true }).catch((error) => {
      if (error.code !== "ENOENT") notes.push(`${directory} cannot be looked into (${error.code}).`);
      return [];
    });
    const names = new Set(entries.map(({ name }) => name));
    const name = nameOf(directory);
    // A study's folder has a summary.json too.
    if (names.has("study.yaml") && names.has("networks"))
      return void found.push({ kind: "study", name, directory });
    if (runMarks.some((mark) => names.has(mark))) return void found.push({ kind: "run", name, directory });
    if (level === MOST_LEVELS) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith(".") || entry.name === "node_modules") continue;
      await look(join(directory, entry.name), level + 1);
    }
  };
  for (const root of roots) await look(root, 0);
  if (looked > mostFolders)
    notes.push(
      `Only the first ${mostFolders.toLocaleString("en-US")} folders were looked into: name a folder nearer to the runs.`,
    );
  return { found, notes };
}

/** A folder is named as it was typed; the working folder by its own name. */
function nameOf(directory: string): string {
  const path = normalize(directory).replace(/[\\/]+$/, "");
  return path === "." || path === ".." || path === "" ? basename(resolve(directory)) : path;
}
