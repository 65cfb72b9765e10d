import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { removeLeftovers } from "../../leftovers.js";
import * as torch from "../../torch/index.js";
import type { TextList } from "./text-list.js";

/** The columns of an index by their names. */
export type Columns = Record<string, Uint8Array | Int32Array | Float64Array>;

/** The format of the files; another number makes them be written anew. */
const version = "1";

/** The file that an index with this key is kept in: $LYCEUM_DATA/indices, else ~/.cache/lyceum/indices. */
export function indexFile(...key: string[]): string {
  const name = createHash("sha256")
    .update(JSON.stringify([version, ...key]))
    .digest("hex");
  const home = process.env.LYCEUM_DATA || join(homedir(), ".cache", "lyceum");
  return join(home, "indices", `${name.slice(0, 32)}.safetensors`);
}

/**
 * Keeps an index for the next time. Where the file cannot be written, the index is made anew each time, and nothing else is
 * lost: so a failure is no error.
 */
export function saveIndex(file: string, columns: Columns, metadata: Record<string, string>): void {
  try {
    mkdirSync(join(file, ".."), { recursive: true });
    // Nobody waits for this: what stays now goes the next time.
    void removeLeftovers(join(file, ".."));
    torch.scope(() => {
      const tensors = Object.entries(columns).map(([name, values]) => [name, torch.tensor(values)] as const);
      torch.saveSafetensors(file, Object.fromEntries(tensors), metadata);
    });
  } catch {
    rmSync(file, { force: true });
  }
}

/**
 * Reads an index.
 *
 * @returns undefined where there is none, or one that is damaged
 */
export function loadIndex(file: string): { columns: Columns; metadata: Record<string, string> } | undefined {
  try {
    return torch.scope(() => {
      const { tensors, metadata } = torch.loadSafetensors(file);
      const columns = Object.entries(tensors).map(([name, tensor]) => [name, tensor.toTypedArray()] as const);
      return { columns: Object.fromEntries(columns) as Columns, metadata };
    });
  } catch {
    return undefined;
  }
}

/** Lays a list of texts out as two columns. */
export function columnsOf(name: string, { bytes, starts }: TextList): Columns {
  return { [name]: bytes, [`${name}.starts`]: Float64Array.from(starts) };
}

/** Puts a list of texts together from its two columns. @throws TypeError when they do not fit each other */
export function textsOf(columns: Columns, name: string): TextList {
  const bytes = columns[name];
  const starts = columns[`${name}.starts`];
  const ascending = starts?.every((start, i) => start >= (i ? starts[i - 1]! : 0));
  if (
    !(bytes instanceof Uint8Array) ||
    !starts ||
    !ascending ||
    starts.at(-1) !== bytes.length ||
    starts[0] !== 0
  )
    throw new TypeError(`the texts of ${name} do not fit together`);
  return { bytes, starts: Uint32Array.from(starts) };
}
