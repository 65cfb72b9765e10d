import { DataError } from "./data-error.js";
import type { RemoteFile } from "./download.js";
import type { Dataset } from "./image-set.js";
import type { Found, Layout } from "./parts.js";

/** Which data to load, and how much of it. */
export interface DataSpec {
  /** One of {@link datasetNames}. */
  readonly name: string;
  /** The folder, or the archive, that holds the set; the usual places when left out. */
  readonly root?: string;
  /**
   * Of sets with two levels (cifar100, synthetic): the classes or the families that they form. Default
   * "fine".
   */
  readonly labels?: "fine" | "coarse";
  /**
   * At most so many images of each part: a stratified sample (each class has its share, within one image),
   * decided by `seed`, in the set's own order.
   */
  readonly limit?: { readonly train?: number; readonly test?: number };
  /** Decides the sample that `limit` takes and what the synthetic set draws. Default 0. */
  readonly seed?: number;
  /** Of the synthetic set: see {@link SyntheticOptions}. */
  readonly classes?: number;
  readonly size?: number;
  readonly channels?: 1 | 3;
  readonly trainCount?: number;
  readonly testCount?: number;
  readonly noise?: number;
}

/** A set that lies in files. */
export interface FileSource {
  readonly layout: Layout;
  /** Where the system's packages put it. */
  readonly systemFolders?: readonly string[];
  /** The Debian package that brings it. */
  readonly package?: string;
  readonly download: { readonly baseUrl: string; readonly files: readonly RemoteFile[] };
  read(found: Found, spec: DataSpec): Promise<Dataset>;
}

/**
 * A data set that Lyceum knows. A new one is a file that makes one of these and a line in `sets/index.ts`.
 */
export interface DatasetSource {
  readonly name: string;
  /** One line: what it shows, how many images, their size. */
  readonly description: string;
  /** Whether `labels: "coarse"` means something. */
  readonly hasFamilies: boolean;
  /** Where the set lies in files, or what makes it without any. */
  readonly from: FileSource | { make(spec: DataSpec): Dataset };
}

/** Class names out of an official list: one a line. */
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
