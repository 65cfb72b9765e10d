/**
 * Calibration: finds the strength of each arm's patriarch at which it answers held-out images as softly as that of
 * another arm, so that a study compares the shapes of what patriarchs leave to secondary classes, not how much.
 */
import { join } from "node:path";
import type { Imports } from "../runs/index.js";
import { nextStrength, type Tried } from "./bisection.js";
import { type Calibration, calibrationOf, writeCalibration } from "./calibration.js";
import { openStudy } from "./open-study.js";
import { meanOf } from "./statistics/index.js";
import { type CalibrateFile, type Study, StudyError, type StudyFile } from "./study-file.js";
import type { StudyResult } from "./types.js";

/** How many values are tried for an arm before the calibration gives up. */
const MOST_TRIALS = 12;

export interface CalibrateOptions {
  /** What its recipes can name beside Lyceum's own definitions. */
  imports?: Imports;
  /** The folder of the study's results; the calibration's own networks go into `calibration` in it. */
  directory: string;
  /** Trains what is not finished of a search, whose results are in the folder. */
  train(search: StudyFile, directory: string): Promise<void>;
  /** Called after each round with what has been found so far, by arm. */
  onRound?: (found: Readonly<Record<string, { tried: Tried[]; target: number }>>) => void;
}

/**
 * Calibrates a study: trains patriarchs alone, round by round, until each is as soft as the target's.
 *
 * @throws StudyError when an arm's range does not reach the target; it names the arm, and what its ends give
 */
export async function calibrate(study: Study, options: CalibrateOptions): Promise<Calibration> {
  const { file } = study;
  const asked = file.calibrate;
  if (!asked) throw new StudyError("the study has no key `calibrate`, which says what to make equal");
  const { directory } = options;
  const folder = join(directory, "calibration");
  const ranges = asked.arms;
  const tried: Record<string, Tried[]> = Object.fromEntries(Object.keys(ranges).map((arm) => [arm, []]));
  const strengths: Record<string, number[]> = Object.fromEntries(Object.keys(ranges).map((arm) => [arm, []]));
  for (;;) {
    const search = searchFor(file, asked, strengths);
    await options.train(search, folder);
    const result = await openStudy(folder, { imports: options.imports ?? [], ensembles: false });
    const target = measureOf(result, asked.like, asked.by);
    const away = (one: Tried) => Math.abs(one.value - target) / Math.abs(target);
    let open = 0;
    for (const [arm, range] of Object.entries(ranges)) {
      tried[arm] = strengths[arm]!.map((strength) => ({
        strength,
        value: measureOf(result, trialName(arm, strength), asked.by),
      }));
      if (tried[arm].some((one) => away(one) <= asked.within)) continue;
      // A top score falls where an entropy rises.
      const sign = asked.by === "entropy" ? 1 : -1;
      const rising = tried[arm].map(({ strength, value }) => ({ strength, value: sign * value }));
      const next =
        tried[arm].length === 0 && range.start !== undefined
          ? range.start
          : nextStrength(rising, sign * target, range.range);
      if (next === undefined || tried[arm].length >= MOST_TRIALS)
        throw new StudyError(
          `calibrate: the arm ${arm} does not come to ${target.toFixed(4)}, the ${inWords[asked.by]} of ${asked.like}: ` +
            `${range.key} from ${range.range[0]} to ${range.range[1]} gave ${tried[arm].map(({ strength, value }) => `${value.toFixed(4)} at ${strength}`).join(", ")}. Give it another range`,
        );
      strengths[arm]!.push(Number(next.toPrecision(4)));
      open++;
    }
    options.onRound?.(
      Object.fromEntries(Object.entries(tried).map(([arm, all]) => [arm, { tried: all, target }])),
    );
    if (open > 0) continue;
    const arms = Object.fromEntries(
      Object.entries(ranges).map(([arm, { key }]) => {
        const best = [...tried[arm]!].sort((a, b) => away(a) - away(b))[0]!;
        return [arm, { key, value: best.strength, measure: best.value, tried: tried[arm]! }];
      }),
    );
    const { by, like, within } = asked;
    const found: Calibration = { by, like, target, within, arms, of: calibrationOf(study) };
    await writeCalibration(directory, found);
    return found;
  }
}

const inWords = { entropy: "mean held-out entropy", topScore: "mean held-out top score" } as const;

const trialName = (arm: string, strength: number) => `${arm}=${strength}`;

/** Makes the search of one round: patriarchs alone, the target's and one for each strength to be tried. */
function searchFor(
  file: StudyFile,
  { like, seeds, epochs, arms: asked }: CalibrateFile,
  strengths: Readonly<Record<string, readonly number[]>>,
): StudyFile {
  const alone = { generations: 1, ...(epochs !== undefined && { epochs }) };
  const arms: StudyFile["arms"] = { [like]: { ...file.arms[like], ...alone } };
  for (const [arm, tries] of Object.entries(strengths))
    for (const strength of tries)
      arms[trialName(arm, strength)] = { ...file.arms[arm], [asked[arm]!.key]: strength, ...alone };
  return {
    title: `Calibration of ${file.title ?? "a study"}`,
    kind: "search",
    base: file.base,
    seeds,
    reference: like,
    arms,
  };
}

/** Gives a patriarch's measure on the held-out images, the mean over seeds. */
function measureOf(result: StudyResult, arm: string, by: CalibrateFile["by"]): number {
  const lines = result.arms.find(({ name }) => name === arm)?.lines ?? [];
  if (lines.length === 0)
    throw new StudyError(
      `calibrate: the patriarch of ${arm} is not in ${result.name}: did another process write there?`,
    );
  const values = lines.map(({ seed, networks }) => {
    const value = networks[0]?.heldOut?.[by === "entropy" ? "entropy" : "meanTopScore"];
    if (value === undefined)
      throw new StudyError(`calibrate: the patriarch of ${arm}, seed ${seed}, was not trained`);
    return value;
  });
  return meanOf(values);
}
