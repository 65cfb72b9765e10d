import { createHash } from "node:crypto";
import type { Html } from "../report/html.js";

/** A part of a page, which is sent anew when what it shows has changed. */
export interface Part {
  /** Unique on its page, of letters and hyphens. */
  name: string;
  html: Html;
}

/** A page as it is now. */
export interface View {
  title: string;
  parts: Part[];
  /** The names of the runs and studies that it shows; all where it is undefined. */
  watches?: readonly string[];
}

/** Tells one state of a part from another. */
export const versionOf = ({ html }: Part): string =>
  createHash("sha256").update(html.text).digest("base64url").slice(0, 12);

/** Remembers what was made of something until that changes. */
export class Memo<T> {
  readonly #kept = new Map<string, { of: string; made: T }>();

  /** @param of what the thing is made of, as a text; it is made again when that is another one */
  get(name: string, of: string, make: () => T): T {
    const kept = this.#kept.get(name);
    if (kept?.of === of) return kept.made;
    const made = make();
    this.#kept.set(name, { of, made });
    return made;
  }
}
