/** The words about a file in a format that this version does not read. */
import { lyceumVersion } from "./environment.js";
import { isNewer } from "./versions.js";

/** What is known of a file in another format. Its content comes from anyone, and is checked here. */
export interface OtherFormat {
  /** The format that it says it is in. */
  found: unknown;
  /** The one that this version reads. */
  reads: number | string;
  /** The version of Lyceum that wrote it, where the file says so. */
  lyceum?: unknown;
  /** The commit of that version, where the file says so. */
  commit?: unknown;
  /** What else can be done, to stand after "or". */
  remedy?: string;
}

/** Makes the error: which format the file is in, which version wrote it, which reads it, and what else can be done. */
export function otherFormat(path: string, { found, reads, lyceum, commit, remedy }: OtherFormat): Error {
  const here = lyceumVersion();
  const [writer, at] = [shortText(lyceum), shortText(commit)];
  const by = writer === undefined ? "" : `, written by Lyceum ${writer}${at ? ` (commit ${at})` : ""}`;
  const reader = readerOf({ found, reads, writer, at }, here);
  return new Error(
    `${path}: is in format ${shortText(found) ?? "unknown"}${by}, and this version, Lyceum ${here}, reads format ${reads}: ` +
      `read it with ${reader}${remedy ? `, or ${remedy}` : ""}`,
  );
}

function readerOf(
  {
    found,
    reads,
    writer,
    at,
  }: { found: unknown; reads: unknown; writer?: string | undefined; at?: string | undefined },
  here: string,
): string {
  if (writer !== undefined && isNewer(writer, here)) return `Lyceum ${writer} or a newer one`;
  // A format can change between two commits of one version.
  if (writer === here) return at ? `its commit ${at}` : "the commit of it that wrote the file";
  if (writer !== undefined) return `Lyceum ${writer}`;
  if (typeof found !== "number" || typeof reads !== "number") return "the version that wrote it";
  return found < reads ? "an older version, the one that wrote it" : "a newer one";
}

/** A value as a word or two; undefined where it is neither a text nor a number. */
function shortText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 40) : undefined;
}
