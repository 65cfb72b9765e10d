import { join } from "node:path";
import { Command } from "commander";
import type { BegunStudy, Calibration, Study } from "../study/index.js";
import { withImports } from "./imports.js";
import { prepareWork, type StudyWork, trainBegun, type WorkFlags, withWorkOptions } from "./study-work.js";
import { table } from "./text.js";

export const calibrateCommand = () =>
  withWorkOptions(withImports(new Command("calibrate")))
    .description("find how strong each patriarch of a study must be to be as soft as another")
    .option("--json", "print the calibration as JSON, progress on stderr")
    .addHelpText(
      "after",
      `
The study's key \`calibrate\` says what is made equal. Patriarchs are trained alone, and judged on held-out images; the
test images are not loaded. What was found is kept in RESULTS/NAME/calibration.json, and \`lyceum study\` uses it; it
calibrates by itself where that was not done.

Examples:
  $ npx lyceum calibrate studies/tolerance.yaml
  $ npx lyceum calibrate tolerance --jobs 2`,
    )
    .action(async (named: string, options: WorkFlags) => {
      const { beginStudy, readCalibration } = await import("../study/index.js");
      const work = await prepareWork("calibrate", named, options);
      const { path, directory, imports } = work;
      const begun = await beginStudy(path, directory, { imports, amend: options.amend ?? false });
      const isMade = begun.study.file.calibrate !== undefined && !begun.uncalibrated;
      const found = (isMade && (await readCalibration(directory))) || (await calibrateNow(begun, work));
      console.log(options.json ? JSON.stringify(found, null, 2) : calibrationTable(found));
    });

/**
 * Calibrates a study that has begun, and says what was found. Of several processes one does it, and the others wait
 * for what it finds: the rounds of one would be in the way of another's.
 */
export async function calibrateNow({ study, folder }: BegunStudy, work: StudyWork): Promise<Calibration> {
  const { readCalibration } = await import("../study/index.js");
  const { waitForLock } = await import("../runs/index.js");
  const lock = await waitForLock(join(folder.work, "calibration.lock"), {
    onWait: (message) => work.output.write(`waiting for the calibration of another process: ${message}\n`),
  });
  try {
    return (study.file.calibrate && (await readCalibration(work.directory))) ?? (await search(study, work));
  } finally {
    await lock.release();
  }
}

async function search(study: Study, work: StudyWork): Promise<Calibration> {
  const { beginStudy, calibrate, checkStudy, StudyFolder } = await import("../study/index.js");
  const { directory, imports, output } = work;
  const { library } = study;
  const told = new Set<string>();
  return await calibrate(study, {
    directory,
    imports,
    train: async (round, folder) => {
      const inner = new StudyFolder(folder);
      await inner.begin(checkStudy(round, { path: inner.studyFile, library }));
      const begun = await beginStudy(inner.studyFile, folder, { imports });
      const failures =
        begun.left.length > 0
          ? await trainBegun(begun, { ...work, shard: undefined, arms: undefined }, "calibration: ")
          : undefined;
      const [failed] = failures?.values() ?? [];
      if (failed !== undefined) throw new Error(`a patriarch of the calibration failed: ${failed}`);
    },
    onRound: (found) => {
      const all = Object.entries(found).flatMap(([arm, { tried, target }]) =>
        tried.map(
          ({ strength, value }) =>
            `calibration: ${arm} at ${strength}: ${value.toFixed(4)}, wanted ${target.toFixed(4)}`,
        ),
      );
      for (const line of all) if (!told.has(line)) output.write(`${line}\n`);
      for (const line of all) told.add(line);
    },
  });
}

const headings = { entropy: "held-out entropy", topScore: "held-out top score" } as const;

function calibrationTable({ by, like, target, arms }: Calibration): string {
  const percent = (measure: number) => `${((100 * (measure - target)) / Math.abs(target)).toFixed(1)} %`;
  return table([
    ["patriarch", "key", "value", headings[by], "off by", "trainings"],
    [like, "", "", target.toFixed(4), "", ""],
    ...Object.entries(arms).map(([arm, { key, value, measure, tried }]) => [
      arm,
      key,
      String(value),
      measure.toFixed(4),
      percent(measure),
      String(tried.length),
    ]),
  ]);
}
