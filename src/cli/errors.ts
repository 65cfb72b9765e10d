/** The command was used wrongly: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What was computed is not what was stored: exit code 3. */
export class NotAsStored extends Error {
  override name = "NotAsStored";
}

/** The person stopped it, and what was done is safe: exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
}
