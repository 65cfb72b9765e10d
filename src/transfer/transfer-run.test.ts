import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acquireLock, RunFolder } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { classifiers } from "./classifiers/index.js";
import { untrainedRun } from "./testing/untrained-run.js";
import { readTransfer, transferNames } from "./transfer-file.js";
import { type TransferOptions, type TransferProgress, transferRun } from "./transfer-run.js";
import { writeFeatures } from "./write-features.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-transfer-"));
const run = join(root, "trained");
const data = { name: "synthetic", classes: 6, trainCount: 60, testCount: 30 };

beforeAll(() => untrainedRun(run));
afterAll(() => rmSync(root, { recursive: true }));

const names = classifiers.filter((each) => !("missing" in each && each.missing())).map(({ name }) => name);
const transfer = (options: Partial<TransferOptions> = {}) =>
  transferRun(run, { data, classifiers: names, folds: 2, ...options });
/** The content of what a transfer writes. */
const written = () => {
  const folder = join(run, "transfer");
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  return [...files, join(run, "summary.json")].map((file) => [file, readFileSync(file, "utf8")]);
};

describe("transferRun", () => {
  it("tries every generation on the same draws, keeps the result, and tells it in the summary", async () => {
    const notes: string[] = [];
    const seen: string[] = [];
    const result = await transfer({
      ...{ name: "shapes", shots: [5, 3], splits: 2 },
      onNote: (note) => notes.push(note),
      onProgress: ({ generation, doing, done, of }) => seen.push(`${generation} ${doing} ${done}/${of}`),
    });
    expect(result).toMatchObject({
      ...{ name: "shapes", classes: 6, images: { train: 60, test: 30 }, layer: "the input of fc" },
      ...{ shots: [3, 5], splits: 2, folds: 2, seed: 0, scaling: "standardise", spatial: "mean" },
      // The set can be drawn in any size: it is that of the training.
      data: { name: "synthetic", size: 10 },
    });
    expect(notes).toEqual([]);
    expect(seen).toContain("0 images 90/90");
    expect(seen).toContain(`1 classifiers ${4 * names.length}/${4 * names.length}`);
    expect(result.generations.map(({ generation, role, features }) => [generation, role, features])).toEqual([
      [0, "patriarch", 64],
      [1, "student", 64],
    ]);
    for (const { results } of result.generations) {
      expect(results.map(({ shots, classifier }) => `${classifier} ${shots}`)).toEqual(
        [3, 5].flatMap((shots) => names.map((name) => `${name} ${shots}`)),
      );
      for (const { classifier, top1, meanClassAccuracy, c } of results) {
        expect([top1.length, c.length]).toEqual([2, classifier === "knn" ? 0 : 2]);
        // As many test images of each class: both accuracies are one.
        for (const [i, value] of top1.entries()) expect(meanClassAccuracy[i]).toBeCloseTo(value, 12);
      }
    }
    expect(await transferNames(run)).toEqual(["shapes"]);
    expect(await readTransfer(run, "shapes")).toEqual(result);
    const { generations } = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"));
    const { top1 } = result.generations[1]!.results.at(-1)!;
    expect(generations[1].transfer).toMatchObject({ name: "shapes", shots: 5 });
    expect(generations[1].transfer.knnTop1).toBeCloseTo((top1[0]! + top1[1]!) / 2, 12);
    expect((await (await RunFolder.look(run)).readSummary())!.generations[1]!.transfer!.knnTop1).toBe(
      generations[1].transfer.knnTop1,
    );
  });

  it("gives the same numbers again, and others for another seed", async () => {
    const options = { name: "again", shots: [3], splits: 2, generations: [1] };
    const numbers = async (seed: number) => (await transfer({ ...options, seed })).generations[0]!.results;
    expect(await numbers(0)).toEqual(await numbers(0));
    expect(await numbers(1)).not.toEqual(await numbers(0));
  });

  it("takes all training images, tells what images of another kind become", async () => {
    const notes: string[] = [];
    const result = await transfer({
      ...{ name: "grey", generations: [1], scaling: "l2" },
      data: { ...data, classes: 2, channels: 1, size: 12, trainCount: 80 },
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([
      "the images have 12 x 12 pixels, the network was trained on 10 x 10: they are taken as they are",
      "the images are grey, the network was trained on colours: their one channel serves for all three",
    ]);
    expect(result.shots).toEqual([null]);
    for (const { top1 } of result.generations[0]!.results) expect(top1).toHaveLength(1);
  });

  const wrong: [string, Partial<TransferOptions>, RegExp][] = [
    [
      "too many shots",
      { shots: [11] },
      /11 images of each class were asked for, but class .+ has 10 training images/,
    ],
    ["one shot", { shots: [1] }, /shots must be whole numbers from 2/],
    ["no draws", { shots: [2], splits: 0 }, /splits must be 1 to 1000, got 0/],
    ["one fold", { folds: 1 }, /folds must be 2 to 100, got 1/],
    ["a seed of a half", { seed: 0.5 }, /seed must be a whole number/],
    ["a generation that is not there", { generations: [2] }, /no generation 2; finished ones: 0 to 1/],
    ["a layer that is not there", { layer: "layer9" }, /no layer "layer9"; did you mean "layer\d"/],
    ["a name that is a path", { name: "../x" }, /must be of letters, digits/],
    ["a set that is not there", { data: "nonsuch" as "mnist" }, /nonsuch/],
    ["a folder that is not there", { data: { folder: join(root, "none") } }, /none: is not there/],
  ];
  it.each(wrong)("refuses %s, and writes nothing", async (_, options, message) => {
    const files = written();
    await expect(transfer(options)).rejects.toThrow(message);
    expect(written()).toEqual(files);
  });

  it("refuses a run that another process trains", async () => {
    const lock = await acquireLock(join(run, ".lock"));
    await expect(transfer()).rejects.toThrow("another process is at work in this run");
    await lock.release();
  });

  it("goes on with what was finished when it was stopped, to the same numbers", async () => {
    const options = { name: "begun", shots: [3, 4], splits: 2 };
    const whole = await transfer({ ...options, name: "whole" });
    const seen: string[] = [];
    const notes: string[] = [];
    const stopAt = async (when: string) => {
      const controller = new AbortController();
      const onProgress = ({ generation, doing, done }: TransferProgress) => {
        seen.push(`${generation} ${doing}`);
        if (`${generation} ${doing} ${done}` === when) controller.abort();
      };
      const onNote = (note: string) => void notes.push(note);
      return transfer({ ...options, onProgress, onNote, signal: controller.signal });
    };
    const first = 2 * names.length;
    await expect(stopAt(`0 classifiers ${first + 1}`)).rejects.toThrow("aborted");
    expect(existsSync(join(run, "transfer", "begun.unfinished"))).toBe(true);
    expect(await transferNames(run)).not.toContain("begun");
    await expect(stopAt(`1 classifiers ${first + 1}`)).rejects.toThrow("aborted");
    expect(notes.join()).toContain("goes on with a transfer of this name that was stopped: 1 of its parts");
    seen.length = 0;
    const result = await stopAt("never");
    expect(notes.at(-1)).toContain("3 of its parts");
    // The features of generation 0 are not needed any more.
    expect(new Set(seen)).toEqual(new Set(["1 images", "1 classifiers"]));
    expect(result.generations).toEqual(whole.generations);
    expect(existsSync(join(run, "transfer", "begun.unfinished"))).toBe(false);
  });

  it("does not believe a part that the disk has changed", async () => {
    const options = { name: "flipped", shots: [3, 4], splits: 1 };
    const controller = new AbortController();
    const onProgress = ({ generation }: TransferProgress) => void (generation === 1 && controller.abort());
    await expect(transfer({ ...options, onProgress, signal: controller.signal })).rejects.toThrow("aborted");
    const path = join(run, "transfer", "flipped.unfinished");
    const text = readFileSync(path, "utf8");
    // Another accuracy from 0 to 1 is as good a number as the one that was found.
    const changed = text.replace(/"top1":\[[\d.]+/, '"top1":[0.123');
    expect(changed).not.toBe(text);
    writeFileSync(path, changed);
    const notes: string[] = [];
    const result = await transfer({ ...options, onNote: (note) => void notes.push(note) });
    expect(notes).toEqual([]);
    expect(JSON.stringify(result)).not.toContain("0.123");
  });

  it.each([
    ["other options", { folds: 3 }],
    ["other images", { data: { ...data, testCount: 31 } }],
  ] as const)("does not go on with what was begun with %s", async (_, change) => {
    const options = { name: "other", shots: [3], splits: 1 };
    const controller = new AbortController();
    const onProgress = ({ generation }: TransferProgress) => void (generation === 1 && controller.abort());
    await expect(transfer({ ...options, onProgress, signal: controller.signal })).rejects.toThrow("aborted");
    const notes: string[] = [];
    await transfer({ ...options, ...change, onNote: (note) => void notes.push(note) });
    expect(notes).toEqual([]);
  });

  it("stops where the signal says so: nothing is written, and no tensor stays", async () => {
    const files = written();
    const stopAt = async (when: string) => {
      const controller = new AbortController();
      const onProgress = ({ doing, done }: { doing: string; done: number }) => {
        if (`${doing} ${done}` === when) controller.abort();
      };
      const work = transfer({ name: "stopped", shots: [3], onProgress, signal: controller.signal });
      await expect(work).rejects.toThrow("aborted");
      expect(written()).toEqual(files);
    };
    await stopAt("images 60");
    await stopAt("classifiers 1");
    const { tensors } = settled();
    await stopAt("images 60");
    await stopAt("classifiers 1");
    expect(settled().tensors).toBeLessThanOrEqual(tensors);
  });
});

describe("a result from anyone", () => {
  const good = () => JSON.parse(readFileSync(join(run, "transfer/shapes.json"), "utf8"));
  const other = join(root, "other");
  const read = (text: string) => {
    mkdirSync(join(other, "transfer"), { recursive: true });
    writeFileSync(join(other, "transfer/x.json"), text);
    return readTransfer(other, "x");
  };
  const changed = (change: (value: ReturnType<typeof good>) => void) => {
    const value = { ...good(), name: "x" };
    change(value);
    return JSON.stringify(value);
  };

  it("in another format is refused with the version that reads it", async () => {
    await expect(
      read(changed((value) => Object.assign(value, { format: 2, lyceum: "9.9.9" }))),
    ).rejects.toThrow(
      /transfer\/x\.json: is in format 2, written by Lyceum 9\.9\.9, .*read it with Lyceum 9\.9\.9 or a newer one, or measure again/,
    );
  });

  const hostile: [string, () => string, RegExp][] = [
    ["no JSON", () => "{", /x.json: not JSON/],
    ["a list", () => "[]", /x.json/],
    ["of a later format", () => changed((value) => (value.format = 2)), /x.json: is in format 2/],
    ["of another name", () => changed((value) => (value.name = "y")), /name: is y, not that of the file/],
    [
      "of accuracies above 1",
      () => changed((value) => (value.generations[0].results[0].top1[0] = 7)),
      /top1/,
    ],
    [
      "of accuracies in words",
      () => changed((value) => (value.generations[0].results[0].top1 = "0.5")),
      /top1/,
    ],
    [
      "of lists that do not fit",
      () => changed((value) => value.generations[0].results[0].top1.pop()),
      /of one length/,
    ],
    ["without results", () => changed((value) => (value.generations[0].results = [])), /results/],
    ["without generations", () => changed((value) => (value.generations = [])), /generations/],
    [
      "with a generation twice",
      () => changed((value) => value.generations.push(value.generations[0])),
      /in the order of their numbers/,
    ],
    [
      "of a million draws",
      () => changed((value) => (value.generations[0].results[0].top1 = Array(1e5).fill(0.5))),
      /top1/,
    ],
    ["of 5 MiB", () => `"${"x".repeat(5 * 2 ** 20)}"`, /x.json/],
  ];
  it.each(hostile)("that is %s is refused by its file", async (_, text, message) => {
    await expect(read(text())).rejects.toThrow(message);
  });

  it("throws an Error that names the file, or is read, whatever is changed", async () => {
    const text = changed(() => {});
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...'0-9."[]{}ex:,'), async (at, to) => {
        const result = await read(text.slice(0, at) + to + text.slice(at + 1)).catch((error) => error);
        if (result instanceof Error) expect(result.message).toContain("x.json");
        else expect(result.generations.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  it("is looked for by names that are no paths", async () => {
    expect(await readTransfer(run, "../summary")).toBeUndefined();
    writeFileSync(join(run, "transfer/.hidden.json"), "{}");
    expect(await transferNames(run)).not.toContain(".hidden");
    expect(await transferNames(join(root, "none"))).toEqual([]);
  });
});

describe("writeFeatures", () => {
  const weights = join(run, "generation-1/weights.safetensors");
  const folder = join(root, "features");
  beforeAll(() => mkdirSync(folder));

  it("writes features, labels, classes and names of both parts", async () => {
    const path = join(folder, "x.safetensors");
    expect(await writeFeatures(weights, path, { data, layer: "layer2" })).toEqual({
      images: 90,
      features: 32,
    });
    const { tensors, metadata } = torch.loadSafetensors(path);
    expect(tensors.features!.shape).toEqual([90, 32]);
    expect(tensors.labels!.shape).toEqual([90]);
    expect(JSON.parse(metadata.classNames!)).toHaveLength(6);
    expect(metadata).toMatchObject({ format: "lyceum-features", layer: "layer2", trainImages: "60" });
    const imageNames = JSON.parse(Buffer.from(tensors.imageNames!.toTypedArray() as Uint8Array).toString());
    expect([imageNames.length, imageNames[60]]).toEqual([90, "synthetic test 0"]);

    const npy = join(folder, "x.npy");
    await writeFeatures(weights, npy, { data, layer: "layer2", part: "test" });
    const bytes = readFileSync(npy);
    const start = 10 + bytes.readUInt16LE(8);
    expect(start % 64).toBe(0);
    expect(bytes.toString("latin1", 0, start)).toBe(
      `\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (30, 32), }`.padEnd(127) +
        "\n",
    );
    const values = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
    );
    expect([...values]).toEqual([...tensors.features!.narrow(0, 60, 30).toTypedArray()]);
    const labels = readFileSync(join(folder, "x.labels.npy"));
    expect(labels.toString("latin1")).toContain("'<i4', 'fortran_order': False, 'shape': (30,), }");
    expect(JSON.parse(readFileSync(join(folder, "x.json"), "utf8"))).toMatchObject({ trainImages: "0" });
    expect(readdirSync(folder).sort()).toEqual(["x.json", "x.labels.npy", "x.npy", "x.safetensors"]);
  });

  it("names the file that cannot be written", async () => {
    const npy = join(folder, "gone", "x.npy");
    await expect(writeFeatures(weights, npy, { data })).rejects.toThrow(
      `${npy}: cannot be written: its folder is gone`,
    );
  });

  it.each(["safetensors", "npy"])("leaves no .%s behind when it is stopped", async (ending) => {
    const empty = mkdtempSync(join(root, "stopped-"));
    const controller = new AbortController();
    const work = writeFeatures(weights, join(empty, `x.${ending}`), {
      ...{ data, signal: controller.signal },
      onProgress: () => controller.abort(),
    });
    await expect(work).rejects.toThrow("aborted");
    expect(readdirSync(empty)).toEqual([]);
  });

  it("refuses other endings before it begins", async () => {
    await expect(writeFeatures(weights, "x.csv", { data })).rejects.toThrow(
      "must end in .safetensors or .npy",
    );
  });
});
