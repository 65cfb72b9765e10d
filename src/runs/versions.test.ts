import { describe, expect, test } from "vitest";
import { lyceumVersion } from "./environment.js";
import { checkMayGoOn, isNewer, isNewerAndIncompatible } from "./versions.js";

test.each([
  ["1.2.3", "1.2.2", true, false],
  ["1.3.0", "1.2.9", true, false],
  ["2.0.0", "1.9.9", true, true],
  ["0.2.0", "0.1.9", true, true],
  ["0.1.10", "0.1.9", true, false],
  ["1.0.0", "1.0.0", false, false],
  ["1.0.0-beta.1", "1.0.0", false, false],
  ["0.9.0", "1.0.0", false, false],
  ["", "1.0.0", false, false],
  ["a newer one", "1.0.0", false, false],
])("%s beside %s: newer %s, incompatible %s", (one, other, newer, incompatible) => {
  expect(isNewer(one, other)).toBe(newer);
  expect(isNewerAndIncompatible(one, other)).toBe(incompatible);
});

describe("going on", () => {
  const here = lyceumVersion();
  const later = here.replace(/\d+$/, (patch) => String(Number(patch) + 1));

  test("is for this version and later ones than the run's", () => {
    expect(() => checkMayGoOn("runs/a/summary.json", [here, undefined, "0.0.1", "unknown"])).not.toThrow();
  });

  test("is not for an earlier one, even where the files can be read", () => {
    expect(isNewerAndIncompatible(later, here)).toBe(false);
    expect(() => checkMayGoOn("runs/a/summary.json", [here, later])).toThrow(
      `runs/a/summary.json: Lyceum ${later} has worked on this run, which may train otherwise than this version, ${here}: go on with Lyceum ${later}`,
    );
  });
});
