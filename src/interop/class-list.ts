import { readFileSync, statSync } from "node:fs";

/** In bytes: more than the names of 100,000 classes take. */
const LONGEST = 2 ** 24;

/**
 * Reads the names of classes from a text file: one a line, in the order of the logits. Empty lines at the end do not count.
 *
 * @throws Error that names the file when it is missing, too long or not UTF-8, names fewer than two classes, or one twice
 *   or not at all
 */
export function readClassList(path: string): string[] {
  const names = textOf(path)
    .replace(/^\ufeff/, "")
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const empty = names.indexOf("");
  if (names.length < 2) throw new Error(`${path}: must name two classes or more, one a line`);
  if (empty >= 0) throw new Error(`${path}: line ${empty + 1} names no class`);
  const seen = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined)
      throw new Error(
        `${path}: line ${i + 1} names ${JSON.stringify(name)} again, as line ${before + 1} did`,
      );
    seen.set(name, i);
  }
  return names;
}

function textOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`${path}: there is no such file`);
  if (!found.isFile()) throw new Error(`${path}: is no regular file`);
  if (found.size > LONGEST)
    throw new Error(`${path}: ${found.size} bytes are too many for a list of classes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw new Error(`${path}: is not valid UTF-8 text`, { cause });
  }
}
