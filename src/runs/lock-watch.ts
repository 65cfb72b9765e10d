/**
 * What this process has seen of locks whose holders cannot be looked for. Machines' clocks, and that of their disk, may all differ,
 * so no time of a file is compared with any clock: it only counts for how long a lock has looked the same while this
 * process was looking.
 */
export class LockWatch {
  readonly #seen = new Map<string, { version: string; since: number; hasChanged: boolean }>();
  readonly #now: () => number;

  /** @param now a clock of this process that does not jump, in seconds */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /**
   * Takes note of how a lock looks now.
   *
   * @param version what changes whenever the lock's holder gives a sign of life
   * @returns the seconds for which it is known to look like this, and whether it was seen to change, by which its holder was alive then
   */
  look(path: string, version: string): { silentSeconds: number; hasChanged: boolean } {
    const before = this.#seen.get(path);
    const now = this.#now();
    if (before?.version !== version)
      this.#seen.set(path, { version, since: now, hasChanged: before !== undefined });
    const { since, hasChanged } = this.#seen.get(path)!;
    return { silentSeconds: now - since, hasChanged };
  }
}
