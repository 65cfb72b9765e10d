import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** The endings by which files in a folder count as images. A file that is named itself may have any name. */
const endings = /\.(png|jpe?g|jpe|jfif|webp|gif|tiff?)$/i;

/** The image files that a command line names, and the folders it names in which there are none. */
export interface FoundImages {
  files: string[];
  problems: { file: string; error: string }[];
}

/**
 * Replaces each folder in a list of paths by the images in it and in the folders below it, sorted by path.
 * Hidden files are left out, and links to folders are not followed.
 */
export async function findImages(paths: readonly string[]): Promise<FoundImages> {
  const found: FoundImages = { files: [], problems: [] };
  for (const path of paths) {
    // A file that is missing is reported by the decoder.
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) {
      found.files.push(path);
      continue;
    }
    try {
      const files = await imagesBelow(path);
      // `push(...files)` would fail for a large folder: a call takes a limited number of arguments.
      for (const file of files) found.files.push(file);
      if (files.length === 0) {
        found.problems.push({ file: path, error: "holds no images (.png, .jpg, .webp, .gif, .tif)" });
      }
    } catch (error) {
      found.problems.push({ file: path, error: (error as Error).message });
    }
  }
  return found;
}

async function imagesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) for (const file of await imagesBelow(path)) files.push(file);
    else if (endings.test(entry.name) && (await isFile(entry, path))) files.push(path);
  }
  return files;
}

async function isFile(
  entry: { isFile(): boolean; isSymbolicLink(): boolean },
  path: string,
): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
