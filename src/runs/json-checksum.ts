/**
 * Checksums of what a run's JSON files say, by which a file that its disk damaged is told from a sound one. Times and versions
 * are left out, so that two runs of the same numbers have the same checksums.
 */
import { sha256Of } from "./fingerprint.js";

/** The keys, at any depth, that the checksum does not cover. */
const uncovered = new Set([
  "checksum",
  "date",
  "imagesPerSecond",
  "lyceum",
  "seconds",
  "trainSeconds",
  "transfer",
]);

/**
 * Computes the checksum of plain data: the first 16 hexadecimal digits of the SHA-256 of its JSON with sorted keys.
 *
 * @param value an object as `JSON.parse` gives it, or as `JSON.stringify` takes it
 */
export function checksumOf(value: object): string {
  // What JSON has no words for, such as NaN, is compared as it is stored.
  return sha256Of(covered(JSON.parse(JSON.stringify(value)))).slice(0, 16);
}

/**
 * Tells whether data that were read are those that were written.
 *
 * @returns true also for data that carry no checksum, as those of earlier versions and of other programs
 */
export function hasOwnChecksum(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("checksum" in value)) return true;
  return value.checksum === checksumOf(value);
}

function covered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(covered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !uncovered.has(key));
  return Object.fromEntries(entries.map(([key, inner]) => [key, covered(inner)]));
}
