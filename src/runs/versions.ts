/** Which runs this version of Lyceum reads, and with which it goes on: see docs/run-folder.md. */
import { lyceumVersion } from "./environment.js";

/** The three numbers of a version such as "1.2.3" or "1.2.3-beta.1"; undefined where it is none. */
function numbersOf(version: string): [number, number, number] | undefined {
  const found = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][\w.+-]*)?$/.exec(version);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : undefined;
}

/** Tells whether a version is newer than another. Pre-releases count as the version that they precede. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  if (!a || !b) return false;
  const at = a.findIndex((number, i) => number !== b[i]);
  return at >= 0 && a[at]! > b[at]!;
}

/**
 * Tells whether a version is newer than another and, by semantic versioning, may have changed what files mean: another major
 * number or, below 1.0.0, another minor one.
 */
export function isNewerAndIncompatible(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  if (!a || !b || !isNewer(version, than)) return false;
  return a[0] !== b[0] || (a[0] === 0 && a[1] !== b[1]);
}

/**
 * Checks that this version may go on with a run.
 *
 * @param path the file that says which versions have worked on the run
 * @param writers these versions
 * @throws Error that names the version which can
 */
export function checkMayGoOn(path: string, writers: readonly (string | undefined)[]): void {
  const here = lyceumVersion();
  const newer = writers.find((version) => version !== undefined && isNewer(version, here));
  if (newer === undefined) return;
  throw new Error(
    `${path}: Lyceum ${newer} has worked on this run, which may train otherwise than this version, ${here}: go on with Lyceum ` +
      `${newer} or a newer one`,
  );
}
