import { type DownloadOptions, download } from "./download.js";
import { fetchFolder } from "./places.js";
import { datasetNamed } from "./sets/index.js";

export interface FetchOptions extends DownloadOptions {
  /** The folder to put the files in; $LYCEUM_DATA/NAME or ~/.cache/lyceum/NAME when left out. */
  root?: string | undefined;
  /** The address of another server's folder with the same files. */
  baseUrl?: string | undefined;
}

/**
 * Downloads what is not there yet of a data set, from its official address. Checksums are verified; a broken download
 * goes on where it stopped.
 *
 * @returns the folder that holds the set, where `loadDataset` finds it
 * @throws DataError when a file cannot be had or is not the official one; RangeError when the set has no
 *   files
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<string> {
  const { from } = datasetNamed(name);
  if ("make" in from) throw new RangeError(`the ${name} set is made, not fetched: it needs no files`);
  const folder = options.root ?? fetchFolder(name);
  for (const file of from.download.files) {
    await download(file, options.baseUrl ?? from.download.baseUrl, folder, options);
  }
  return folder;
}
