import { readFileSync, statSync } from "node:fs";

/** In bytes: more than the names of 100,000 classes take. */
const LONGEST = 2 ** 24;

/**
 * Reads a text file that may come from anyone.
 *
 * @param what what the file should be, for messages, such as "a list of classes"
 * @throws Error that names the file when it is missing, no regular file, too long or not UTF-8
 */
export function boundedText(path: string, what: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`${path}: there is no such file`);
  if (!found.isFile()) throw new Error(`${path}: is no regular file`);
  if (found.size > LONGEST) throw new Error(`${path}: ${found.size} bytes are too many for ${what}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw new Error(`${path}: is not valid UTF-8 text`, { cause });
  }
}
