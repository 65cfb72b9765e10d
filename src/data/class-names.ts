import { DataError } from "./data-error.js";

/**
 * Reads class names out of an official list, which has one a line.
 *
 * @throws DataError when there are not as many as classes
 */
export function parseClassNames(text: string, classes: number, file: string, remedy: string): string[] {
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (names.length !== classes) {
    throw new DataError({ file }, `has ${names.length} class names, expected ${classes}`, remedy);
  }
  return names;
}
