/** The error of a command that was used wrongly: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The error of a run whose results, computed again, are not the stored ones: exit code 3. */
export class NotAsStored extends Error {
  override name = "NotAsStored";
}

/** The error of a comparison that does not show what was expected of it: exit code 4. */
export class NotShown extends Error {
  override name = "NotShown";
}

/**
 * The error of a command that runs in several processes, of which one has failed: the exit code is that process's, which has
 * told why, or else the message does.
 */
export class ChildFailed extends Error {
  override name = "ChildFailed";

  constructor(
    readonly code: number,
    message = "",
  ) {
    super(message);
  }
}

/** The error of a command that a person has stopped, after its work so far was saved: exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
}
