/** A study that is trained within seconds, for tests. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toYaml } from "../../recipe/index.js";

/** The content of its file; a test changes what it is about. */
export const tinyStudy = {
  base: {
    data: {
      ...{ name: "synthetic", classes: 5, size: 8, channels: 1 },
      ...{ trainCount: 80, testCount: 40, heldOut: 0.2 },
    },
    model: "resnet8",
    generations: 2,
    epochs: 2,
    batchSize: 16,
  },
  seeds: [0, 1],
  reference: "strict",
  arms: {
    strict: { patriarch: "strict" },
    tolerant: { patriarch: { k: 3, primaryScore: 0.8 } },
    softer: { patriarch: "strict", "student.temperature": 2 },
  },
};

/** Writes a study's file into a new folder. */
export function writeStudy(content: object = tinyStudy): { path: string; directory: string } {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-study-"));
  mkdirSync(join(folder, "studies"));
  const path = join(folder, "studies", "tiny.yaml");
  writeFileSync(path, toYaml(content));
  return { path, directory: join(folder, "results", "tiny") };
}
