import { createHash } from "node:crypto";
import { readBytes } from "./byte-source.js";
import { DataError } from "./data-error.js";
import { type Found, type Layout, readParts } from "./parts.js";
import { findDataset } from "./places.js";
import { datasetNamed } from "./sets/index.js";

/** What was found of one file of a data set. */
export interface FileReport {
  /** A path, for a member of an archive "ARCHIVE: MEMBER". */
  file: string;
  /** Whether its content, unpacked, is the official one to the bit. */
  ok: boolean;
  /** What is wrong and what to do about it, when `ok` is false. */
  problem?: string;
}

export interface VerifyReport {
  name: string;
  /** The folder or archive that was found. */
  place: string;
  ok: boolean;
  files: FileReport[];
}

/**
 * Compares each file of a data set with the official one, by checksum of the unpacked content.
 *
 * @throws DataError when the set is not found; RangeError when it has no files. Damaged files do not throw.
 */
export async function verifyDataset(name: string, { root }: { root?: string } = {}): Promise<VerifyReport> {
  const { from } = datasetNamed(name);
  if ("make" in from) throw new RangeError(`the ${name} set is made, not stored: there is nothing to verify`);
  const found = await findDataset(name, from.layout, { ...from, root });
  const files = await verifyParts(from.layout, found);
  const place = "archive" in found ? found.archive : found.folder;
  return { name, place, ok: files.every(({ ok }) => ok), files };
}

/** Reports on each part, and on the archive when it is damaged. */
export async function verifyParts(layout: Layout, found: Found): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  const note = (error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    reports.push({ file: error.file, ok: false, problem: error.message });
  };
  const visit: Parameters<typeof readParts>[2] = async ({ bytes, md5 }, source) => {
    const { file, remedy } = source;
    const hash = createHash("md5");
    await readBytes(source, bytes, (chunk) => hash.update(chunk));
    const actual = hash.digest("hex");
    if (actual === md5) reports.push({ file, ok: true });
    else note(new DataError({ file }, `has the MD5 ${actual}, the official one ${md5}`, remedy));
  };
  if ("archive" in found) {
    await readParts(layout, found, visit).catch(note);
  } else {
    for (const part of layout.parts) await readParts({ ...layout, parts: [part] }, found, visit).catch(note);
  }
  return reports;
}
