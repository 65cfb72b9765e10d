import {
  copyFileSync,
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
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { strict } from "../methods/index.js";
import { resnet8 } from "../models/index.js";
import { SGD } from "../optim/index.js";
import * as torch from "../torch/index.js";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
import { CheckpointWriter } from "./checkpoint-writer.js";
import { loadNewest } from "./load-newest.js";
import { objectiveOf } from "./objective.js";
import { beginning } from "./train-network.js";
import { checkpointFiles, NotFinite } from "./write-checkpoint.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-checkpoints-"));
afterAll(() => rmSync(root, { recursive: true }));

const { train } = makeSynthetic({ classes: 4, size: 12, trainCount: 8, testCount: 8 });

function learner(seed = 1) {
  const options = { classes: 4, channels: train.channels, generator: new torch.Generator(seed) };
  const model = resnet8.create(options).to({ memoryFormat: "channelsLast" });
  return {
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    objective: objectiveOf(strict, {}),
  };
}

const at = (step: number) => ({ ...beginning, step });
const shift = (model: ReturnType<typeof learner>["model"], by: number) =>
  torch.noGrad(() => torch.scope(() => model.fc.weight.add_(by)));

let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(root, `${count++}`);
  mkdirSync(folder);
});

describe("CheckpointWriter", () => {
  it("writes the same bytes as saveCheckpoint does, and keeps the checkpoint before", async () => {
    const trained = learner();
    const [newest, previous] = checkpointFiles(folder);
    const expected = join(folder, "expected.safetensors");
    await using writer = new CheckpointWriter(folder);
    await writer.write(trained, at(1));
    saveCheckpoint(expected, trained, at(1));
    expect(readFileSync(newest).equals(readFileSync(expected))).toBe(true);
    expect(existsSync(previous)).toBe(false);
    shift(trained.model, 1);
    await writer.write(trained, at(2));
    expect(readFileSync(previous).equals(readFileSync(expected))).toBe(true);
    saveCheckpoint(expected, trained, at(2));
    expect(readFileSync(newest).equals(readFileSync(expected))).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(
      ["expected.safetensors", "previous.safetensors", "state.safetensors"].sort(),
    );
  });

  it("writes what the weights were when it was asked, whatever becomes of them", async () => {
    const trained = learner();
    await using writer = new CheckpointWriter(folder);
    const before = trained.model.fc.weight.tolist();
    const written = writer.write(trained, at(1));
    expect(writer.isBusy).toBe(true);
    expect(() => writer.write(trained, at(2))).toThrow(/being written/);
    torch.noGrad(() => trained.model.fc.weight.fill_(7));
    await written;
    expect(writer.isBusy).toBe(false);
    const other = learner(9);
    loadCheckpoint(checkpointFiles(folder)[0], other);
    expect(other.model.fc.weight.tolist()).toEqual(before);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("keeps what is there where a weight is %d", async (bad) => {
    const trained = learner();
    await using writer = new CheckpointWriter(folder);
    await writer.write(trained, at(1));
    const kept = readFileSync(checkpointFiles(folder)[0]);
    torch.noGrad(() => torch.scope(() => trained.model.fc.bias!.narrow(0, 2, 1).fill_(bad)));
    const refused = writer.write(trained, at(2));
    await expect(refused).rejects.toThrow(NotFinite);
    await expect(refused).rejects.toMatchObject({ tensor: "model.fc.bias" });
    expect(readFileSync(checkpointFiles(folder)[0]).equals(kept)).toBe(true);
    expect(readdirSync(folder)).toEqual(["state.safetensors"]);
    // A running statistic is no weight: a network of one's own may well keep infinities in a buffer.
    const sound = learner();
    torch.noGrad(() => sound.model.bn1.runningMean.fill_(Number.NEGATIVE_INFINITY));
    await writer.write(sound, at(3));
    expect(loadNewest(folder, learner(2))?.position).toEqual(at(3));
  });

  it("names the file that cannot be written, and can be asked again", async () => {
    const trained = learner();
    await using writer = new CheckpointWriter(folder);
    rmSync(folder, { recursive: true });
    await expect(writer.write(trained, at(1))).rejects.toMatchObject({ code: "ENOENT" });
    mkdirSync(folder);
    await writer.write(trained, at(1));
    expect(loadNewest(folder, learner(2))?.position).toEqual(at(1));
  });
});

describe("loadNewest", () => {
  async function two() {
    await using writer = new CheckpointWriter(folder);
    const trained = learner();
    await writer.write(trained, at(1));
    shift(trained.model, 1);
    await writer.write(trained, at(2));
    return trained;
  }

  it("finds nothing in an empty folder, or in none", () => {
    expect(loadNewest(folder, learner())).toBeUndefined();
    expect(loadNewest(join(folder, "none"), learner())).toBeUndefined();
  });

  it("takes the newest one", async () => {
    const trained = await two();
    const other = learner(5);
    expect(loadNewest(folder, other)).toEqual({ path: checkpointFiles(folder)[0], position: at(2) });
    expect(other.model.fc.weight.tolist()).toEqual(trained.model.fc.weight.tolist());
  });

  it.each<[string, (path: string) => void]>([
    ["torn", (path) => writeFileSync(path, readFileSync(path).subarray(0, 3000))],
    ["empty", (path) => writeFileSync(path, "")],
    [
      "of a flipped bit",
      (path) => {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1]! ^= 16;
        writeFileSync(path, bytes);
      },
    ],
    ["another file", (path) => writeFileSync(path, "no checkpoint at all, but some text instead of it")],
  ])("takes the one before where the newest is %s, and says so", async (_, damage) => {
    await two();
    const [newest] = checkpointFiles(folder);
    damage(newest);
    const found = loadNewest(folder, learner(5));
    expect(found?.position).toEqual(at(1));
    expect(found?.note).toContain(newest);
    expect(found?.note).toMatch(/previous\.safetensors, is sound: .* at step 1 after 0 epochs/);
  });

  it("names the version that reads a checkpoint in another format", async () => {
    await two();
    const [newest, previous] = checkpointFiles(folder);
    const forge = (changes: Record<string, string | undefined>) => {
      for (const path of [newest, previous]) {
        const { tensors, metadata } = torch.loadSafetensors(path);
        const all = Object.entries({ ...metadata, ...changes }).filter(([, text]) => text !== undefined);
        torch.saveSafetensors(path, tensors, Object.fromEntries(all) as Record<string, string>);
      }
    };
    const said = () => {
      try {
        return String(loadNewest(folder, learner(5)));
      } catch (error) {
        return (error as Error).message;
      }
    };
    forge({ format: "lyceum-checkpoint-3", lyceum: "9.9.9" });
    expect(said()).toMatch(
      /state\.safetensors: is in format lyceum-checkpoint-3, written by Lyceum 9\.9\.9, .*, reads format lyceum-checkpoint-2: read it with Lyceum 9\.9\.9 or a newer one; .*: remove .* from its beginning/,
    );
    // Before checkpoints noted their version.
    forge({ format: "lyceum-checkpoint-1", lyceum: undefined });
    expect(said()).toMatch(/lyceum-checkpoint-1, and .* read it with the version that wrote it; /);
    forge({ format: "something else" });
    expect(said()).toContain("no checkpoint: its format is not lyceum-checkpoint-2");
  });

  it("takes the one before where a process died between the two renames", async () => {
    await two();
    rmSync(checkpointFiles(folder)[0]);
    expect(loadNewest(folder, learner(5))).toEqual({ path: checkpointFiles(folder)[1], position: at(1) });
  });

  it("says what to do where none is sound", async () => {
    await two();
    const [newest, previous] = checkpointFiles(folder);
    writeFileSync(newest, "");
    copyFileSync(newest, previous);
    expect(() => loadNewest(folder, learner(5))).toThrow(
      /state\.safetensors: 0 bytes .*the one before it does not serve either: remove .* from its beginning/,
    );
  });
});
