/** What differs between the file that a study began with and the one that it has now. */
import { sha256Of } from "../runs/index.js";
import type { Study } from "./study-file.js";

/** The parts of a study's file that decide what is trained and compared. */
const deciding = ["kind", "base", "seeds", "reference", "claim", "calibrate", "arms", "grid"] as const;

/**
 * Lists what differs between two files of a study, in words: for seeds, arms and the base recipe which of them, and of a
 * key of the base what it was and is.
 */
export function studyChanges(before: Study, now: Study): string[] {
  return deciding.flatMap((key) => {
    const [a, b] = [before.file[key], now.file[key]];
    if (sha256Of([a]) === sha256Of([b])) return [];
    if (key === "seeds")
      return [`seeds (${listOf(before.file.seeds)} before, ${listOf(now.file.seeds)} now)`];
    if (key === "base") return baseChanges(before.file.base, now.file.base);
    if (key !== "arms") return [key];
    const [old, young] = [before.file.arms, now.file.arms];
    return [...new Set([...Object.keys(old), ...Object.keys(young)])].flatMap((arm) => {
      if (!Object.hasOwn(old, arm)) return [`arm ${arm} (new)`];
      if (!Object.hasOwn(young, arm)) return [`arm ${arm} (gone)`];
      return sha256Of(old[arm]) === sha256Of(young[arm]) ? [] : [`arm ${arm}`];
    });
  });
}

/** Lists the keys of the base recipe that differ: "base.generations (3 before, 2 now)". */
function baseChanges(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const show = (value: unknown) => {
    const text = value === undefined ? "left out" : JSON.stringify(value);
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  };
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
    sha256Of([before[key]]) === sha256Of([now[key]])
      ? []
      : [`base.${key} (${show(before[key])} before, ${show(now[key])} now)`],
  );
}

/** Lists seeds, of many only the first. */
const listOf = (seeds: readonly number[]) =>
  seeds.length > 12 ? `${seeds.slice(0, 10).join(", ")}, … (${seeds.length} in all)` : seeds.join(", ");
