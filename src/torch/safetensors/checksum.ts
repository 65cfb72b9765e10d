/**
 * A checksum in a file's metadata, by which a file that was damaged on its way or on its disk is told from a sound one.
 *
 * It is the SHA-256 of the JSON text `[metadata, tensors]`: `metadata` lists the `[name, text]` of every other
 * entry and `tensors` the `[name, dtype, shape, SHA-256 of its bytes]` of every tensor, each in the order of the
 * names. What counts is the content, not its layout: a program that rewrites a file faithfully keeps the checksum
 * right.
 */
import { createHash } from "node:crypto";
import type { DType } from "../types.js";
import { codes, type Placed } from "./header.js";

/**
 * Two entries, so that a checksum cannot be lost by a change of its own name: `lyceum.checksum` says that
 * `lyceum.sha256` must be there.
 */
const kindKey = "lyceum.checksum";
const kind = "sha256";
const digestKey = "lyceum.sha256";

/** Digits that stand in a header until the checksum is known. */
const unknown = "0".repeat(64);

const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) =>
  a < b ? -1 : a > b ? 1 : 0;

/** Takes in the tensors one by one, in any order. */
export class Checksum {
  readonly #tensors: [name: string, dtype: string, shape: readonly number[], sha256: string][] = [];

  add(placed: Pick<Placed, "name" | "dtype" | "shape">, bytes: Uint8Array): void {
    this.addDigest(placed, createHash(kind).update(bytes).digest("hex"));
  }

  /** Takes in a tensor whose bytes were hashed before. @param sha256 in hexadecimal */
  addDigest(
    { name, dtype, shape }: { name: string; dtype: DType; shape: readonly number[] },
    sha256: string,
  ): void {
    this.#tensors.push([name, codes[dtype], shape, sha256]);
  }

  /** @param metadata with the checksum's own entries or without */
  digest(metadata: Readonly<Record<string, string>>): string {
    const entries = Object.entries(withoutChecksum(metadata)).sort(byName);
    const content = JSON.stringify([entries, this.#tensors.sort(byName)]);
    return createHash(kind).update(content).digest("hex");
  }
}

/** Adds the checksum to metadata, or zeros in its place as long as it is not known. */
export function withChecksum(
  metadata: Readonly<Record<string, string>>,
  digest: string = unknown,
): Record<string, string> {
  return { [kindKey]: kind, [digestKey]: digest, ...metadata };
}

/** Takes the checksum out of metadata. */
export function withoutChecksum(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([name]) => name !== kindKey && name !== digestKey),
  );
}

/** The names that a caller's metadata cannot use. */
export const reservedKeys: readonly string[] = [kindKey, digestKey];

/**
 * The checksum that a file's content must have; undefined in a file that has none, such as another program's.
 *
 * @throws Error when only a part of the checksum is there
 */
export function expectedDigest(path: string, metadata: Readonly<Record<string, string>>): string | undefined {
  const [named, digest] = [metadata[kindKey], metadata[digestKey]];
  if (named === undefined && digest === undefined) return undefined;
  if (named !== kind || digest === undefined) throw damaged(path, "its checksum is not whole");
  return digest;
}

export function damaged(path: string, reason: string): Error {
  return new Error(`${path}: damaged: ${reason}; restore it from a copy or train again`);
}
