/** What a reader of files is, for the harness that gives it damaged ones. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A small folder of files that a reader accepts: bytes by path. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

export interface Reader {
  name: string;
  /**
   * Makes folders that the reader accepts, one file of which is damaged at a time.
   *
   * @param folder where the files will lie
   */
  seeds(folder: string): Promise<readonly Files[]> | readonly Files[];
  /** The paths that are damaged; every one when left out. */
  only?: RegExp;
  /** Makes checksums fit a damaged file again, so that what lies behind them is reached too. */
  mend?(bytes: Buffer, path: string): Uint8Array;
  /** What each line of a message must begin with; `PATH` stands for the one file's path. */
  line?: string;
  /** Reads the folder, and frees what it gives. */
  read(folder: string): unknown;
  /** The address space in kilobytes that its process needs where 8 GB do not do, such as for WebAssembly, which reserves much. */
  addressSpace?: number;
  /** Ends what the reader has started, such as a server. */
  close?(): unknown;
  /** Whether everything is read somehow, and nothing is refused, as what a cache holds. */
  forgiving?: boolean;
  /** Whether it takes tens of milliseconds, so that the quick test tries one input. */
  slow?: boolean;
  /** Whether it takes so long that it is left to the long run. */
  long?: boolean;
}

/** Makes a folder that holds these files and nothing else. */
export function plant(folder: string, files: Files): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
