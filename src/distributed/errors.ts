/** What can go wrong between processes, as classes; each message says which rank, which operation, when, and what to do. */

/** Any failure of a group of processes. */
export class GroupError extends Error {
  override name = "GroupError";
  /** The rank that reports it. */
  readonly rank: number;

  constructor(rank: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.rank = rank;
  }
}

/** Another rank has ended, or can no longer be reached. */
export class PeerLost extends GroupError {
  override name = "PeerLost";
  /** The ranks that were lost, as far as they could be found out. */
  readonly lost: readonly number[];

  constructor(rank: number, lost: readonly number[], message: string, options?: ErrorOptions) {
    super(rank, message, options);
    this.lost = lost;
  }
}

/** Other ranks did not answer within the group's timeout. */
export class TimedOut extends GroupError {
  override name = "TimedOut";
  /** The ranks that did not answer, as far as they could be found out. */
  readonly silent: readonly number[];

  constructor(rank: number, silent: readonly number[], message: string, options?: ErrorOptions) {
    super(rank, message, options);
    this.silent = silent;
  }
}

/** Not all ranks came within the timeout, too many came, or they were told of different numbers of ranks. */
export class WrongWorldSize extends GroupError {
  override name = "WrongWorldSize";
}

/** The store cannot be opened: its port is in use, nobody listens there, or something else does. */
export class NoStore extends GroupError {
  override name = "NoStore";
}

/** The ranks were about to do different things, or to train different things. */
export class RanksDiffer extends GroupError {
  override name = "RanksDiffer";
}

/** This build has no process groups, or none for the device. */
export class NoProcessGroups extends Error {
  override name = "NoProcessGroups";
}

/** Variables of the environment that say which rank this is are missing, or contradict each other. */
export class EnvironmentError extends Error {
  override name = "EnvironmentError";
}
