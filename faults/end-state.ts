/** What a job leaves at its end that must not depend on what struck it: everything but times. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The content of a finished run's files, by their names in the run folder. */
export type EndState = ReadonlyMap<string, string>;

/** The keys, at any depth, that hold times. */
const times = new Set(["cpuSeconds", "date", "imagesPerSecond", "seconds", "trainSeconds"]);

/** Reads the end state of a run. */
export function endStateOf(run: string): EndState {
  const state = new Map<string, string>();
  const read = (name: string) => readFileSync(join(run, name), "utf8");
  for (const name of filesBelow(run)) {
    if (name.endsWith(".safetensors")) state.set(name, sha256(join(run, name)));
    else if (/^(summary|[0-9a-f]{16}|transfer\/[\w.-]+)\.json$/.test(name))
      state.set(name, withoutTimes(JSON.parse(read(name))));
    else if (name === "metrics.jsonl") state.set(name, epochsOf(read(name)));
    else if (name === "report.html")
      state.set(name, read(name).trimEnd().endsWith("</html>") ? "whole" : "torn");
    else if (name === "environment.json") state.set(name, "there");
    else state.set(name, sha256(join(run, name)));
  }
  return state;
}

/** The file of a run that holds the weights with which its line ends; undefined where no generation is finished. */
export function lastWeights(state: EndState): string | undefined {
  const numbers = [...state.keys()].flatMap(
    (name) => /^generation-(\d+)\/weights\.safetensors$/.exec(name)?.[1] ?? [],
  );
  const last = Math.max(...numbers.map(Number));
  return numbers.length > 0 ? `generation-${last}/weights.safetensors` : undefined;
}

/** A SHA-256 of all files of an end state. */
export const sha256OfAll = (state: EndState) =>
  createHash("sha256")
    .update(JSON.stringify([...state].sort()))
    .digest("hex");

/**
 * Says in which files two end states differ.
 *
 * @returns empty where they are the same
 */
export function differingFiles(one: EndState, other: EndState): string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((name) => one.get(name) !== other.get(name))
    .sort();
}

function filesBelow(run: string): string[] {
  if (!existsSync(run)) return [];
  const entries = readdirSync(run, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(run.length + 1));
}

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** The records of a log as a reader takes them: whole lines alone, of two for one epoch the later, in order. */
function epochsOf(log: string): string {
  const epochs = new Map<string, string>();
  for (const line of log.split("\n")) {
    try {
      const record = JSON.parse(line) as { generation: number; epoch: number };
      epochs.set(`${record.generation} ${record.epoch}`, withoutTimes(record));
    } catch {
      // A torn line.
    }
  }
  return [...epochs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, record]) => record)
    .join("\n");
}

function withoutTimes(value: unknown): string {
  return JSON.stringify(value, (key, inner) => (times.has(key) ? undefined : inner));
}
