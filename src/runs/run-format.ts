/** The version of the run folder's format, which environment.json and summary.json carry. */
import { lyceumVersion } from "./environment.js";
import { otherFormat } from "./other-format.js";
import { isNewerAndIncompatible } from "./versions.js";

/**
 * The format's version. It is raised whenever a reader of the version before would misread a folder. Version
 * 2 brought `k` in summary.json, `validation` in metrics.jsonl, methods by name in recipe.yaml, and
 * descriptions and checksums in the weights' metadata.
 */
export const RUN_FORMAT = 2;

/**
 * Checks that a JSON file of a run folder is of the format that this version reads, and not written by a version that is so
 * much newer that the same format may hold what this one does not know.
 *
 * @param value the file's parsed content; a file without `format` is of format 1
 * @throws Error that names the file, the version that wrote it and a remedy
 */
export function checkRunFormat(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return;
  const { format = 1, lyceum, commit } = value as { format?: unknown; lyceum?: unknown; commit?: unknown };
  if (format === RUN_FORMAT) {
    const here = lyceumVersion();
    const version = typeof lyceum === "string" ? lyceum.slice(0, 40) : undefined;
    if (version === undefined || !isNewerAndIncompatible(version, here)) return;
    throw new Error(
      `${path}: was written by Lyceum ${version}, and this is ${here}, an older one: read it with Lyceum ${version} or a newer one`,
    );
  }
  throw otherFormat(path, { found: format, reads: RUN_FORMAT, lyceum, commit, remedy: "train anew" });
}
