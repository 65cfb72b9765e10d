/** Watches all runs and studies below some folders. */
import type { Imports } from "../runs/index.js";
import { type Found, findPlaces, type Places } from "./places.js";
import { WatchedRun } from "./watched-run.js";
import { WatchedStudy } from "./watched-study.js";

/** How many are looked at at the same time. */
const AT_ONCE = 8;
/** The time between two searches for new runs, in milliseconds; what nobody works at is looked at as seldom. */
const SEARCH_MS = 5000;

/** What is watched, by name, and looked at again on demand. Files are looked at rather than listened to, since a mounted disk tells nothing. */
export class WatchedFolder {
  readonly #roots: readonly string[];
  readonly #imports: Imports;
  #runs = new Map<string, WatchedRun>();
  #studies = new Map<string, WatchedStudy>();
  #notes: readonly string[] = [];
  #searched = Number.NEGATIVE_INFINITY;
  #looking: Promise<string[]> | undefined;

  constructor(roots: readonly string[], imports: Imports = []) {
    this.#roots = roots;
    this.#imports = imports;
  }

  /** The folders that are watched, as they were given. */
  get roots(): readonly string[] {
    return this.#roots;
  }

  /** In the order in which they began, the newest first. */
  get runs(): WatchedRun[] {
    const dateOf = ({ listing, name }: WatchedRun) => `${listing.date ?? ""} ${name}`;
    return [...this.#runs.values()].sort((a, b) => (dateOf(a) < dateOf(b) ? 1 : -1));
  }

  get studies(): WatchedStudy[] {
    return [...this.#studies.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What a person should know of the search for runs, in sentences. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  run(name: string): WatchedRun | undefined {
    return this.#runs.get(name);
  }

  study(name: string): WatchedStudy | undefined {
    return this.#studies.get(name);
  }

  /** Looks at the files. @returns the names of the runs and studies that changed, came or went */
  look(): Promise<string[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<string[]> {
    const isSearch = performance.now() - this.#searched >= SEARCH_MS;
    const changed = isSearch ? this.#take(await findPlaces(this.#roots)) : [];
    if (isSearch) this.#searched = performance.now();
    const due = [...this.#runs.values(), ...this.#studies.values()].filter(
      (each) => isSearch || (each.kind === "run" && each.listing.state === "training") || each.version === 0,
    );
    let next = 0;
    const work = async () => {
      for (let i = next++; i < due.length; i = next++) {
        const each = due[i]!;
        // One that cannot be looked at now does not keep the others from being seen.
        if (await each.refresh({ again: isSearch }).catch(() => false)) changed.push(each.name);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return [...new Set(changed)];
  }

  #take({ found, notes }: Places): string[] {
    const changed: string[] = [];
    this.#notes = notes;
    const keep = <T>(before: Map<string, T>, kind: Found["kind"], make: (found: Found) => T) => {
      const after = new Map<string, T>();
      for (const one of found) {
        if (one.kind !== kind) continue;
        if (!before.has(one.name)) changed.push(one.name);
        after.set(one.name, before.get(one.name) ?? make(one));
      }
      for (const name of before.keys()) if (!after.has(name)) changed.push(name);
      return after;
    };
    this.#runs = keep(this.#runs, "run", (one) => new WatchedRun(one));
    this.#studies = keep(this.#studies, "study", (one) => new WatchedStudy(one, this.#imports));
    return changed;
  }
}
