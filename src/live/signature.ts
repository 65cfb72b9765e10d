import { lstat } from "node:fs/promises";
import { join } from "node:path";

/** Says in a short text when and how some files of a folder were last changed; it changes when one of them does. */
export async function signatureOf(folder: string, names: readonly string[]): Promise<string> {
  const each = names.map(async (name) => {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    return found ? `${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs}` : "-";
  });
  return (await Promise.all(each)).join(" ");
}
