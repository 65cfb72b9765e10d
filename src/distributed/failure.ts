/** Makes errors in words of the failures that the addon reports as data (native/distributed/failure.h). */
import { GroupError, NoStore, PeerLost, RanksDiffer, TimedOut, WrongWorldSize } from "./errors.js";

/** What the addon reports. */
interface Failure {
  kind: "store" | "world" | "differs" | "lost" | "left" | "timeout" | "other";
  operation: string;
  seconds: number;
  ranks: number[];
  /** What each rank said, where they differ. */
  table: string[];
  /** The library's own words. */
  detail: string;
}

/** Whose words it is, and where the store is. */
export interface Speaker {
  rank: number;
  size: number;
  /** The store's name and port, as "node01:29500". */
  store: string;
  agentStore: boolean;
  timeoutSeconds: number;
}

const mark = "process group: ";

/** The failure in an error's text, which libtorch may have wrapped; undefined where it has none. */
function failureOf(error: unknown): Failure | undefined {
  const text = error instanceof Error ? error.message : "";
  const start = text.indexOf(`${mark}{`);
  if (start < 0) return undefined;
  // What follows the data is libtorch's: where the operator was called, and with what.
  const line = text.slice(start + mark.length).split("\n")[0]!;
  try {
    return JSON.parse(line.slice(0, line.lastIndexOf("}") + 1)) as Failure;
  } catch {
    return undefined;
  }
}

/** "rank 2", "ranks 0 and 2", "ranks 0, 1 and 2"; of many the first few. */
export function ranksInWords(ranks: readonly number[]): string {
  if (ranks.length === 1) return `rank ${ranks[0]}`;
  if (ranks.length > 8) return `${ranks.length} ranks (${ranks.slice(0, 8).join(", ")}, …)`;
  return `ranks ${ranks.slice(0, -1).join(", ")} and ${ranks.at(-1)}`;
}

const secondsInWords = (seconds: number) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

const goOn = "Start all ranks again: a training with a run folder goes on from its last checkpoint";

/** The error of a failure that the addon reported, of its class and in words; any other value as it is. */
export function explain(error: unknown, speaker: Speaker): unknown {
  const failure = failureOf(error);
  return failure ? errorOf(failure, speaker, error) : error;
}

function errorOf(failure: Failure, speaker: Speaker, cause: unknown): GroupError {
  const { kind, operation, ranks, table, detail } = failure;
  const { rank, size } = speaker;
  const many = ranks.length > 1;
  const after = `after ${secondsInWords(failure.seconds)}`;
  const here = `rank ${rank} of ${size}`;
  const own = detail ? ` (${firstLine(detail)})` : "";
  switch (kind) {
    case "store":
      return new NoStore(rank, storeSentence(failure, speaker), { cause });
    case "world":
      return new WrongWorldSize(rank, worldSentence(failure, speaker), { cause });
    case "differs":
      return new RanksDiffer(
        rank,
        `${here}: the ranks were about to do different things: ${tableInWords(table)}. ` +
          "All ranks must run the same version with the same recipe and data.",
        { cause },
      );
    case "left":
      return new PeerLost(
        rank,
        ranks,
        `${here}: ${ranksInWords(ranks)} left the group while this rank was at ${operation} (${after}). ` +
          `${many ? "Their" : "Its"} own output says why; all ranks must do the same steps.`,
        { cause },
      );
    case "lost":
      return new PeerLost(
        rank,
        ranks,
        `${here}: ${ranks.length > 0 ? ranksInWords(ranks) : "another rank"} ${many ? "were" : "was"} lost during ` +
          `${operation}, ${after}${own}. ${many ? "They were" : "It was"} killed or lost the network: ` +
          `look at ${many ? "their" : "its"} own output and machine. ${goOn}.`,
        { cause },
      );
    case "timeout":
      return new TimedOut(
        rank,
        ranks,
        `${here}: ${operation} was given up ${after}: ${ranks.length > 0 ? ranksInWords(ranks) : "another rank"} ` +
          `did not answer${own}. It is stopped, stuck or far slower than the others, or the network drops packets; a ` +
          `longer timeout than ${speaker.timeoutSeconds} s helps a slow rank alone. ${goOn}.`,
        { cause },
      );
    default:
      return new GroupError(rank, `${here}: ${operation || "group"}: ${firstLine(detail)}`, { cause });
  }
}

function tableInWords(table: readonly string[]): string {
  const same = new Map<string, number[]>();
  for (const [rank, said] of table.entries()) same.set(said, [...(same.get(said) ?? []), rank]);
  return [...same].map(([said, ranks]) => `${ranksInWords(ranks)}: ${said}`).join("; ");
}

function storeSentence({ operation, detail, seconds }: Failure, { rank, size, store, agentStore }: Speaker) {
  const here = `rank ${rank} of ${size}`;
  const host = agentStore ? "torchrun's agent" : "rank 0";
  if (/in use|EADDRINUSE/i.test(detail)) {
    return (
      `${here}: the port of ${store}, on which this rank must listen, is in use by another program ` +
      "(ss -ltnp names it). Set MASTER_PORT to a free port, the same for all ranks."
    );
  }
  if (/permission denied/i.test(detail)) {
    return `${here}: this user may not listen at ${store}. Set MASTER_PORT to a port above 1023, the same for all ranks.`;
  }
  if (operation === "open") {
    return `${here}: the store at ${store} could not be opened, after ${secondsInWords(seconds)}: ${firstLine(detail)}`;
  }
  if (operation === "greet") {
    return (
      `${here}: what listens at ${store} is not the store of these ranks, after ${secondsInWords(seconds)} ` +
      `(${firstLine(detail)}). Another program has the port, which ${host} then reports too: set MASTER_PORT to a ` +
      "free port, the same for all ranks."
    );
  }
  return (
    `${here}: the store at ${store} ended while this rank waited for the others, after ` +
    `${secondsInWords(seconds)}: ${host}, which holds it, has ended, and its own output says why.`
  );
}

function worldSentence({ operation, ranks, seconds, table }: Failure, { rank, size, store }: Speaker) {
  const here = `rank ${rank} of ${size}`;
  if (operation === "taken") {
    return (
      `${here}: another process has joined at ${store} as rank ${ranks[0]} already. Each process needs a RANK of its ` +
      "own; two trainings on one machine need different values of MASTER_PORT."
    );
  }
  if (operation === "sizes") {
    return (
      `${here}: this rank was told of ${table[0]?.replace(/^protocol \d+, /, "")}, rank ${ranks[0]} of ` +
      `${table[1]?.replace(/^protocol \d+, /, "")}. WORLD_SIZE, and the version of Lyceum, must be the same for all ranks.`
    );
  }
  return (
    `${here}: ${ranksInWords(ranks)} did not come to ${store} within ${secondsInWords(seconds)}. Start ${size} ` +
    "processes, each with a RANK of its own, or set WORLD_SIZE to the number that is there; the output of those that " +
    "are missing says why."
  );
}

/** The first line of a message of the library's, without the place in its source. */
function firstLine(detail: string): string {
  return detail
    .split("\n")[0]!
    .replace(/^\[[^\]]*\.(?:cc|cpp|h):\d+\]\s*/, "")
    .trim();
}
