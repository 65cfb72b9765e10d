import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Finds the folder of a study's results.
 *
 * @param named the folder itself, the study.yaml in it, the study's own file, or the study's name
 * @param results the folder that holds the folders of results
 * @returns its path; where nothing is found, the one that the study would have
 */
export function findStudyFolder(named: string, results = "results"): string {
  if (existsSync(join(named, "study.yaml"))) return named;
  if (basename(named) === "study.yaml" && existsSync(join(dirname(named), "networks"))) return dirname(named);
  // A folder that is named by its path is never another one of the same name.
  if (/[\\/]/.test(named) && statSync(named, { throwIfNoEntry: false })?.isDirectory()) return named;
  return join(results, basename(named).replace(/\.ya?ml$/, ""));
}
