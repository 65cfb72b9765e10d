import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MOST_POINTS, readProgress } from "../../runs/index.js";
import { ProgressFile } from "./progress-file.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-progress-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const fields = { generation: 1, role: "student", epochs: 3 } as const;
const extent = { epochs: 3, epochsLater: [3], stepsPerEpoch: 1000, imagesPerEpoch: 8000 };
const step = (epoch: number, step: number, loss = 1) => ({
  ...{ epoch, step, loss, terms: { hard: loss / 2 }, top1: 0.25, images: 8, imagesPerSecond: 100 },
});

describe("ProgressFile", () => {
  it("tells where the training stands, every two seconds, and goes with its end", async () => {
    const path = join(folder, "progress.json");
    vi.useFakeTimers({ toFake: ["performance"] });
    {
      await using file = new ProgressFile(path, fields, extent);
      file.onStep(step(1, 10, 2));
      await vi.waitFor(() => expect(existsSync(path)).toBe(true));
      file.onStep(step(1, 20, 3));
      expect(await readProgress(path)).toMatchObject({ step: 10, curve: [[10, 2]] });
      vi.advanceTimersByTime(2000);
      file.onStep(step(1, 500, 4));
      await vi.waitFor(async () =>
        expect(await readProgress(path)).toMatchObject({
          ...{ ...fields, epoch: 2, step: 500, stepsPerEpoch: 1000, loss: 4, terms: { hard: 2 }, top1: 0.25 },
          // One and a half epochs of this generation and three of the next, at 100 of 8000 images a second.
          secondsLeft: 360,
          curve: [
            [10, 2],
            [20, 3],
            [500, 4],
          ],
        }),
      );
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keeps a curve of bounded length with the losses' mean, anew for each epoch", async () => {
    const path = join(folder, "progress.json");
    vi.useFakeTimers({ toFake: ["performance"] });
    await using file = new ProgressFile(path, fields, extent);
    file.onStep(step(0, 999, 77));
    await vi.waitFor(() => expect(existsSync(path)).toBe(true));
    for (let i = 1; i <= 2 * MOST_POINTS; i++) file.onStep(step(1, i, i % 2 === 0 ? 1 : 3));
    vi.advanceTimersByTime(2000);
    file.onStep(step(1, 900, 2));
    await vi.waitFor(async () => expect((await readProgress(path))?.step).toBe(900));
    const { curve } = (await readProgress(path))!;
    expect(curve.length).toBeGreaterThan(MOST_POINTS / 8);
    expect(curve.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(curve.at(-1)).toEqual([900, 2]);
    expect(curve[0]).toEqual([4, 2]);
  });

  it("tells of epochs that are too short to tell of a step", async () => {
    const path = join(folder, "progress.json");
    await using file = new ProgressFile(path, fields, extent);
    file.onEpoch({ ...step(0, 0), learningRate: 0.1, seconds: 80 });
    await vi.waitFor(async () =>
      expect(await readProgress(path)).toMatchObject({ epoch: 1, step: 1000, secondsLeft: 400, curve: [] }),
    );
  });

  it("leaves a training alone whose disk fails", async () => {
    await using file = new ProgressFile(join(folder, "missing/progress.json"), fields, extent);
    file.onStep(step(0, 1));
    await file[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
  });
});
