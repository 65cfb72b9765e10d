import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { evaluateLogits, Predictions } from "../analysis/index.js";
import * as torch from "../torch/index.js";
import { EnsembleCache } from "./ensemble-cache.js";
import { ensemblesOf } from "./ensembles.js";
import type { NetworkFile } from "./network-file.js";
import { saveScores, scoresOf } from "./scores.js";
import { StudyFolder } from "./study-folder.js";

const classes = 4;
const labels = Int32Array.from({ length: 12 }, (_, i) => i % classes);

/** Writes the scores of a line of three networks, and gives what is read of their files. */
function lineIn(
  folder: StudyFolder,
  labelsOf: (generation: number) => Int32Array = () => labels,
): NetworkFile[] {
  mkdirSync(join(folder.directory, "networks"), { recursive: true });
  mkdirSync(folder.work, { recursive: true });
  return [0, 1, 2].map((generation) => {
    const values = Float64Array.from({ length: 12 * classes }, (_, i) => Math.sin((generation + 1) * i * i));
    const fingerprint = String(generation).repeat(64);
    const logits = { values, classes };
    saveScores(folder.network(fingerprint).scores, {
      test: scoresOf(new Predictions(logits), labelsOf(generation)),
    });
    return { fingerprint, test: evaluateLogits(logits, labelsOf(generation)) } as unknown as NetworkFile;
  });
}

const newFolder = () => new StudyFolder(mkdtempSync(join(tmpdir(), "lyceum-study-")));

/** Evaluates with what is kept in the folder, and keeps it. */
async function evaluate(folder: StudyFolder, files: readonly NetworkFile[]) {
  const cache = await EnsembleCache.open(folder.work);
  const result = ensemblesOf(folder, files, cache);
  await cache.save();
  return result;
}

it("are kept, and come to the same numbers as those that are computed", async () => {
  const folder = newFolder();
  const files = lineIn(folder);
  const kept = join(folder.work, "ensembles.json");
  const computed = await evaluate(folder, files);
  expect(Object.keys(computed)).toEqual(["0-1", "0-2"]);
  expect(await evaluate(folder, files)).toEqual(computed);
  // That they are read, and not computed again, shows where a kept number is another one.
  const text = readFileSync(kept, "utf8");
  const { top1 } = computed["0-2"]!.test!;
  writeFileSync(kept, text.replaceAll(`"top1":${top1}`, '"top1":0.123'));
  expect((await evaluate(folder, files))["0-2"]!.test!.top1).toBe(0.123);
  // What is damaged, or was kept by another program, is computed again.
  for (const damaged of [
    "{",
    text.replace('"program":"', '"program":"older '),
    text.replaceAll(`${top1}`, "true"),
  ]) {
    writeFileSync(kept, damaged);
    expect(await evaluate(folder, files)).toEqual(computed);
  }
});

it("are computed anew where the scores are others, and nothing is kept without a folder for work", async () => {
  const folder = newFolder();
  const files = lineIn(folder);
  const before = await evaluate(folder, files);
  const values = Float64Array.from({ length: 12 * classes }, (_, i) => Math.sin(i * i + 1));
  const logits = { values, classes };
  saveScores(folder.network(files[1]!.fingerprint).scores, {
    test: scoresOf(new Predictions(logits), labels),
  });
  const others = [files[0]!, { ...files[1]!, test: evaluateLogits(logits, labels) }, files[2]!];
  const after = await evaluate(folder, others as NetworkFile[]);
  expect(after["0-1"]!.test!.nll).not.toBe(before["0-1"]!.test!.nll);
  rmSync(folder.work, { recursive: true });
  expect(await evaluate(folder, others as NetworkFile[])).toEqual(after);
  expect(existsSync(folder.work)).toBe(false);
});

it("refuse scores of images with other labels, and scores of another network", async () => {
  const folder = newFolder();
  const turned = lineIn(folder, (generation) =>
    generation === 1 ? labels.map((one) => (one + 1) % 4) : labels,
  );
  await expect(evaluate(folder, turned)).rejects.toThrow(
    /1{16}\.scores\.safetensors: holds the scores of other images than .*0{16}\.scores\.safetensors, with other labels\. Put/,
  );
  const other = newFolder();
  const [first, second, third] = lineIn(other);
  const wrong = { ...second!, test: { ...second!.test!, top1: second!.test!.top1 + 1 / 12 } };
  await expect(evaluate(other, [first!, wrong, third!])).rejects.toThrow(
    /1{16}\.scores\.safetensors: its scores have a top-1 accuracy of .*: they are another network's\. Put/,
  );
});

it.each<[string, (path: string) => void, RegExp]>([
  [
    "of a huge number of classes",
    (path) => {
      const { tensors } = torch.loadSafetensors(path);
      torch.saveSafetensors(path, tensors, { test: "1e12" });
    },
    /do not fit together\. Put the file back/,
  ],
  [
    "of no image",
    (path) => {
      const none = torch.zeros([0, 4]);
      const empty = torch.zeros([0]);
      const scores = { bestClasses: none, bestScores: none, labels: empty, labelScores: empty };
      const named = Object.fromEntries(Object.entries(scores).map(([name, one]) => [`test.${name}`, one]));
      torch.saveSafetensors(path, named, { test: "4" });
    },
    /do not fit together\. Put the file back/,
  ],
  [
    "that are cut off",
    (path) => writeFileSync(path, readFileSync(path).subarray(0, 90)),
    /Put the file back/,
  ],
  [
    "that never end",
    (path) => {
      rmSync(path);
      symlinkSync("/dev/zero", path);
    },
    /Put the file back/,
  ],
])("refuse scores %s", async (_, damage, message) => {
  const folder = newFolder();
  const files = lineIn(folder);
  damage(folder.network(files[1]!.fingerprint).scores);
  await expect(evaluate(folder, files)).rejects.toThrow(message);
  await expect(evaluate(folder, files)).rejects.toThrow(folder.network(files[1]!.fingerprint).scores);
});
