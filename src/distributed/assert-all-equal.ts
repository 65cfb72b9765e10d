import { createHash } from "node:crypto";
import { RanksDiffer } from "./errors.js";
import { ranksInWords } from "./failure.js";
import type { ProcessGroup } from "./process-group.js";

/**
 * Compares what must be equal on all ranks, such as the recipe, the data, the version and the parameters' shapes, before
 * the first tensor is sent. Each value is any that JSON can write.
 *
 * @param what names the comparison, if a group makes several
 * @throws RanksDiffer on every rank, naming which ranks differ in what, with the values where they are short
 */
export async function assertAllEqual(
  group: ProcessGroup,
  values: Readonly<Record<string, unknown>>,
  what = "training",
): Promise<void> {
  const mine = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fingerprint(value)]));
  const all = (await group.exchange(`equal/${what}`, JSON.stringify(mine))).map(
    (text) => JSON.parse(text) as Record<string, string>,
  );
  const names = [...new Set(all.flatMap((each) => Object.keys(each)))];
  const differences = names.flatMap((name) => {
    const said = new Map<string, number[]>();
    for (const [rank, each] of all.entries()) {
      const value = each[name] ?? "(not given)";
      said.set(value, [...(said.get(value) ?? []), rank]);
    }
    if (said.size === 1) return [];
    return [`${name} (${[...said].map(([value, ranks]) => `${ranksInWords(ranks)}: ${value}`).join("; ")})`];
  });
  if (differences.length === 0) return;
  throw new RanksDiffer(
    group.rank,
    `rank ${group.rank} of ${group.size}: the ranks differ in ${differences.join(", ")}. All ranks must run the same version ` +
      "of Lyceum with the same recipe on the same data.",
  );
}

/** The value itself where it is short, else the beginning of its SHA-256. */
function fingerprint(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  if (text.length <= 64) return text;
  return `of SHA-256 ${createHash("sha256").update(text).digest("hex").slice(0, 16)}…`;
}
