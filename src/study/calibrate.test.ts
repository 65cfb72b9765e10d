import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { calibrate } from "./calibrate.js";
import { type Calibration, calibrated, readCalibration } from "./calibration.js";
import { beginStudy, workAtStudy } from "./run-study.js";
import { checkStudy, type StudyFile } from "./study-file.js";
import { StudyFolder } from "./study-folder.js";
import { tinyStudy } from "./testing/tiny-study.js";

const file = {
  ...tinyStudy,
  seeds: [0],
  arms: {
    strict: { patriarch: "strict" },
    smoothed: { patriarch: { method: "label-smoothing", epsilon: 0.5 } },
    tolerant: { patriarch: { k: 3, primaryScore: 0.8 } },
  },
  calibrate: {
    like: "smoothed",
    within: 0.2,
    arms: { tolerant: { key: "patriarch.primaryScore", range: [0.4, 0.95] } },
  },
};

/** Trains a round's patriarchs in this process. */
async function train(round: StudyFile, directory: string): Promise<void> {
  const folder = new StudyFolder(directory);
  await folder.begin(checkStudy(round));
  expect(await workAtStudy(await beginStudy(folder.studyFile, directory))).toEqual(new Map());
}

let directory: string;
let found: Calibration;
beforeAll(async () => {
  directory = join(mkdtempSync(join(tmpdir(), "lyceum-study-")), "tiny");
  // Patriarchs that have learned nothing yet are all alike: the least is within reach of the target.
  found = await calibrate(checkStudy({ ...file, calibrate: { ...file.calibrate, within: 0.5 } }), {
    directory,
    train,
  });
});

/** A copy of the folder, with something of its calibration changed. */
function changed(change: (found: Calibration) => object): string {
  const copy = join(mkdtempSync(join(tmpdir(), "lyceum-study-")), "tiny");
  cpSync(directory, copy, { recursive: true });
  writeFileSync(join(copy, "calibration.json"), JSON.stringify(change(structuredClone(found))));
  return copy;
}

const study = checkStudy({ ...file, calibrate: { ...file.calibrate, within: 0.5 } });

it("sets the strength that it found in the arms that it is asked for", async () => {
  expect(await readCalibration(directory)).toEqual(found);
  const { value, measure, tried } = found.arms.tolerant!;
  expect(Math.abs(measure - found.target)).toBeLessThanOrEqual(0.5 * found.target);
  expect(tried.length).toBeGreaterThan(0);
  const { arms } = await calibrated(study, directory);
  expect(arms[2]!.recipe.patriarch).toMatchObject({ k: 3, primaryScore: value });
  expect(arms[1]!.recipe).toEqual(study.arms[1]!.recipe);
});

it("trains nothing twice when it is made anew", async () => {
  const trained: string[] = [];
  const again = await calibrate(study, {
    directory,
    train: async (round, folder) => {
      await new StudyFolder(folder).begin(checkStudy(round));
      const { left } = await beginStudy(join(folder, "study.yaml"), folder);
      trained.push(...left.map(({ fingerprint }) => fingerprint));
    },
  });
  expect(trained).toEqual([]);
  expect(again).toEqual(found);
});

describe("a calibration is refused in words that name it and the remedy", () => {
  const arm = (change: object) => (one: Calibration) => ({
    ...one,
    arms: { tolerant: { ...one.arms.tolerant!, ...change } },
  });
  it.each<[string, (one: Calibration) => object, RegExp]>([
    ["that names another key", arm({ key: "patriarch.k" }), /is of other arms than the study's/],
    ["of other arms", (one) => ({ ...one, arms: {} }), /is of other arms than the study's/],
    ["that is like another arm", (one) => ({ ...one, like: "strict" }), /is of other arms than the study's/],
    [
      "beyond the range",
      arm({ value: 0.99 }),
      /its patriarch\.primaryScore of tolerant, 0\.99, is not in the range from/,
    ],
    ["that came not close enough", arm({ measure: 9 }), /its tolerant is not within 0\.5 of the target/],
    ["of other patriarchs", (one) => ({ ...one, of: "0".repeat(64) }), /that the study has changed since/],
    ["of nothing", () => ({}), /calibration\.json: by: /],
  ])("%s", async (_, change, message) => {
    const copy = changed(change);
    const before = readFileSync(join(copy, "calibration.json"), "utf8");
    for (const attempt of [() => calibrated(study, copy), () => beginStudy(written(), copy)]) {
      await expect(attempt()).rejects.toThrow(message);
      await expect(attempt()).rejects.toThrow(join(copy, "calibration.json"));
      await expect(attempt()).rejects.toThrow(/remove it: it is made anew/);
    }
    expect(readFileSync(join(copy, "calibration.json"), "utf8")).toBe(before);
    expect(existsSync(join(copy, "study.yaml"))).toBe(false);
  });
});

it("is of the patriarchs alone: neither a student nor the strength as it is written matters, all else does", async () => {
  const accepts = async (change: object) => {
    const other = checkStudy({ ...study.file, ...change });
    return calibrated(other, directory).then(
      () => true,
      () => false,
    );
  };
  const { arms, base } = study.file;
  expect(await accepts({ base: { ...base, student: { temperature: 2 } } })).toBe(true);
  expect(await accepts({ arms: { ...arms, tolerant: { patriarch: { k: 3, primaryScore: 0.6 } } } })).toBe(
    true,
  );
  expect(await accepts({ base: { ...base, epochs: 3 } })).toBe(false);
  expect(await accepts({ arms: { ...arms, tolerant: { patriarch: { k: 4, primaryScore: 0.8 } } } })).toBe(
    false,
  );
  expect(await accepts({ arms: { ...arms, smoothed: { patriarch: "label-smoothing" } } })).toBe(false);
  expect(await accepts({ calibrate: { ...study.file.calibrate, seeds: [1] } })).toBe(false);
});

it("leaves arms alone that the study does not ask for, whatever the file says", async () => {
  const copy = changed((one) => ({ ...one, arms: { ...one.arms, strict: { ...one.arms.tolerant! } } }));
  const { arms } = await calibrated(study, copy);
  expect(arms[0]!.recipe).toEqual(study.arms[0]!.recipe);
});

function written(): string {
  const path = join(mkdtempSync(join(tmpdir(), "lyceum-study-")), "tiny.yaml");
  writeFileSync(path, JSON.stringify(study.file));
  return path;
}
