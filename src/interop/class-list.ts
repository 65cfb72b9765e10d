import { boundedText } from "./bounded-text.js";

/**
 * Reads the names of classes from a text file: one a line, in the order of the logits. Empty lines at the end do not count.
 *
 * @throws Error that names the file when it is missing, too long or not UTF-8, names fewer than two classes, or one twice
 *   or not at all
 */
export function readClassList(path: string): string[] {
  const names = boundedText(path, "a list of classes")
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
