/** Tests of patriarchs that need more of the training than a loss: on drawn images, whole and in a run folder. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { makeSynthetic } from "../data/index.js";
import { defineMethod, strict } from "../methods/index.js";
import type { ModelOptions } from "../models/index.js";
import * as nn from "../nn/index.js";
import { loadRecipe, type RecipeInput, resolveRecipe } from "../recipe/index.js";
import type { EpochRecord, ProgressEvent } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { evaluateRun, trainGenerations } from "./index.js";

/** A small network, whose logits a function may change. */
class Changed extends nn.Module {
  private readonly hidden: nn.Linear;
  private readonly fc: nn.Linear;
  constructor(
    { classes, generator }: ModelOptions,
    private readonly change: (logits: torch.Tensor) => torch.Tensor,
  ) {
    super();
    this.hidden = new nn.Linear(1, 4, { generator });
    this.fc = new nn.Linear(4, classes, { generator });
  }
  override forward(images: torch.Tensor): torch.Tensor {
    return this.change(this.fc.forward(this.hidden.forward(images.mean([2, 3]))));
  }
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-patriarchs-"));
  return () => rmSync(root, { recursive: true });
});

const recipe = {
  data: { name: "synthetic", classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20, heldOut: 0.25 },
  model: "resnet8",
  patriarch: "strict",
  generations: 1,
  epochs: 4,
  batchSize: 16,
  schedule: "cosine",
  threads: 1,
} satisfies RecipeInput;

const read = (...path: string[]) => readFileSync(join(root, ...path));
const recordsOf = (run: string): EpochRecord[] =>
  read(run, "metrics.jsonl")
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("early-stopped", () => {
  const patriarch = (options: object) => ({ method: "early-stopped", ...options });

  it("is trained for a fraction of the epochs, and its students for all of them", async () => {
    const events: ProgressEvent[] = [];
    const { generations } = await trainGenerations(
      { ...recipe, patriarch: patriarch({ fraction: 0.5 }), generations: 2 },
      { directory: join(root, "early"), onProgress: (event) => void events.push(event) },
    );
    expect(generations.map(({ epochs }) => epochs)).toEqual([2, 4]);
    const { generations: stored } = JSON.parse(read("early", "summary.json").toString());
    expect(stored.map(({ epochs }: { epochs: number }) => epochs)).toEqual([2, 4]);
    const records = recordsOf("early");
    expect(records.map(({ generation, epoch, epochs }) => [generation, epoch, epochs])).toEqual([
      ...[1, 2].map((epoch) => [0, epoch, 2]),
      ...[1, 2, 3, 4].map((epoch) => [1, epoch, 4]),
    ]);
    // Half a cosine over twelve steps: the last step of the patriarch's six is the eleventh, and step 12 of the student's.
    const rate = (step: number) => (0.1 * (1 + Math.cos((Math.PI * step) / 12))) / 2;
    expect(records[1]!.learningRate).toBeCloseTo(rate(10), 12);
    expect(records[5]!.learningRate).toBeCloseTo(rate(11), 12);
  });

  it("is the strict patriarch to the bit where it is trained for all epochs", async () => {
    const files = [];
    for (const [name, method] of [
      ["whole", patriarch({ fraction: 1 })],
      ["strict", "strict"],
    ] as const) {
      await trainGenerations({ ...recipe, epochs: 2, patriarch: method }, { directory: join(root, name) });
      files.push(read(name, "generation-0", "test-logits.safetensors"));
    }
    expect(files[0]!.equals(files[1]!)).toBe(true);
  });

  it("is trained for one epoch at least", async () => {
    const { generations } = await trainGenerations({ ...recipe, patriarch: patriarch({ fraction: 0.01 }) });
    expect(generations[0]!.epochs).toBe(1);
  });
});

describe("softened", () => {
  const patriarch = { method: "softened", temperature: 3 };
  const logitsOf = (...path: string[]) =>
    torch.loadSafetensors(join(root, ...path, "test-logits.safetensors")).tensors.logits!;
  const tensorsOf = (run: string) =>
    torch.loadSafetensors(join(root, run, "generation-0", "weights.safetensors")).tensors;

  it("is the strict patriarch with its classifier divided, in the weights and all that is computed with them", async () => {
    const directory = join(root, "softened");
    await trainGenerations({ ...recipe, epochs: 2, patriarch, generations: 2 }, { directory });
    await trainGenerations({ ...recipe, epochs: 2 }, { directory: join(root, "strict") });
    const [soft, hard] = [tensorsOf("softened"), tensorsOf("strict")];
    for (const [name, tensor] of Object.entries(hard)) {
      const expected = name.startsWith("fc.") ? tensor.div(3) : tensor;
      expect(soft[name]!.equal(expected), name).toBe(true);
    }
    const ratio = logitsOf("strict", "generation-0").div(logitsOf("softened", "generation-0"));
    expect(ratio.allclose(torch.full([20, 5], 3), 1e-3)).toBe(true);
    // Its training, with what was validated in it, is that of the strict patriarch.
    const losses = (run: string) =>
      recordsOf(run).map(({ trainLoss, validation }) => [trainLoss, validation]);
    expect(losses("softened").slice(0, 2)).toEqual(losses("strict"));
    expect((await evaluateRun(directory)).differences).toEqual([]);
  });

  it("is softened once, though its training was stopped after the last epoch", async () => {
    const directory = join(root, "stopped");
    const whole = join(root, "whole");
    await trainGenerations({ ...recipe, epochs: 2, patriarch }, { directory: whole });
    const onProgress = ({ type }: ProgressEvent) => {
      if (type !== "epoch" || recordsOf("stopped").length < 2) return;
      throw new Error("as it was meant to");
    };
    const stopped = trainGenerations({ ...recipe, epochs: 2, patriarch }, { directory, onProgress });
    await expect(stopped).rejects.toThrow("as it was meant to");
    await trainGenerations({ ...recipe, epochs: 2, patriarch }, { directory, resume: true });
    const name = ["generation-0", "weights.safetensors"];
    expect(read("stopped", ...name).equals(read("whole", ...name))).toBe(true);
  });

  it("is refused before the training where the network's logits are no outputs of a linear layer", async () => {
    const events: string[] = [];
    const onProgress = ({ type }: ProgressEvent) => void events.push(type);
    const train = (change: (logits: torch.Tensor) => torch.Tensor) =>
      trainGenerations(
        { ...recipe, patriarch, model: "mine" },
        { onProgress, model: (options) => new Changed(options, change) },
      );
    await expect(train((logits) => logits.add(1))).rejects.toThrow(
      'the answers of the network "mine" cannot be softened by a temperature, since its logits are not the outputs of fc:',
    );
    await expect(train((logits) => logits.logSoftmax(1))).rejects.toThrow("not the outputs of fc");
    expect(events).not.toContain("epoch");
    await expect(train((logits) => logits)).resolves.toBeDefined();
    const unlike = trainGenerations(
      { ...recipe, patriarch, model: "mine" },
      {
        model: (options) =>
          new Changed({ ...options, classes: 3 }, (logits) => torch.cat([logits, logits], 1).narrow(1, 0, 5)),
      },
    );
    await expect(unlike).rejects.toThrow(
      '"mine" cannot be softened by a temperature, since it has no nn.Linear of 5 outputs',
    );
  });
});

describe("pretrained", () => {
  const line = { ...recipe, epochs: 1, generations: 2 };
  const weightsOf = (run: string, generation: number) =>
    join(root, run, `generation-${generation}`, "weights.safetensors");
  const tensors = (path: string) =>
    Object.entries(torch.loadSafetensors(path).tensors).map(([name, tensor]) => [name, tensor.tolist()]);
  const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const earlier = () => trainGenerations(line, { directory: join(root, "earlier") });

  it("has the weights of an earlier run, is not trained, and teaches", async () => {
    await earlier();
    const patriarch = { method: "pretrained", run: join(root, "earlier"), generation: 1 };
    const events: ProgressEvent[] = [];
    const { generations } = await trainGenerations(
      { ...line, patriarch, averageWeights: { decay: 0.9 } },
      { directory: join(root, "later"), onProgress: (event) => void events.push(event) },
    );
    const trained = await evaluateRun(join(root, "earlier"));
    expect(generations[0]).toMatchObject({ role: "patriarch", epochs: 0 });
    expect(generations[0]!.trainSeconds).toBe(0);
    expect(generations[0]!.test.top1).toBe(trained.generations[1]!.test.top1);
    expect(tensors(weightsOf("later", 0))).toEqual(tensors(weightsOf("earlier", 1)));
    expect(recordsOf("later").map(({ generation }) => generation)).toEqual([1]);
    expect(events.find((event) => event.type === "start")!.methods[0]![1]).toContain(
      "not trained: the weights in",
    );
    const stored = (await loadRecipe(join(root, "later", "recipe.yaml"))).patriarch;
    expect(stored).toEqual({
      method: "pretrained",
      weights: weightsOf("earlier", 1),
      sha256: sha256(weightsOf("earlier", 1)),
    });
    // Once the patriarch has its own file in the run, the one it came from is not needed.
    rmSync(join(root, "earlier"), { recursive: true });
    expect((await evaluateRun(join(root, "later"))).differences).toEqual([]);
    const longer = join(root, "later", "recipe.yaml");
    writeFileSync(longer, readFileSync(longer, "utf8").replace("generations: 2", "generations: 3"));
    expect(
      (await trainGenerations(line, { directory: join(root, "later"), resume: true })).generations,
    ).toHaveLength(3);
  });

  it("is the same run wherever its file lies, and another one where the file is another", async () => {
    await earlier();
    const [here, there] = [join(root, "here.safetensors"), join(root, "there.safetensors")];
    for (const path of [here, there]) copyFileSync(weightsOf("earlier", 0), path);
    const begin = (weights: string) => ({
      ...line,
      generations: 1,
      patriarch: { method: "pretrained", weights },
    });
    const directory = join(root, "later");
    await trainGenerations(begin(here), { directory });
    await trainGenerations(begin(there), { directory, resume: "auto" });
    copyFileSync(weightsOf("earlier", 1), there);
    const other = trainGenerations(begin(there), { directory, resume: "auto" });
    await expect(other).rejects.toThrow("was begun with another recipe, which differs in patriarch");
  });

  it("refuses a file that changed after the recipe was read, is of another network, or is none", async () => {
    await earlier();
    const train = (options: object, input: object = {}, directory?: string) =>
      trainGenerations({ ...line, ...input, patriarch: { method: "pretrained", ...options } }, { directory });
    const weights = weightsOf("earlier", 0);
    await expect(train({ weights, sha256: "0".repeat(64) })).rejects.toThrow(
      `${weights}: is not the file that the recipe means: its SHA-256 is ${sha256(weights)}, not 000`,
    );
    await expect(train({ weights }, { model: "resnet14" })).rejects.toThrow(`${weights}: `);
    const turned = makeSynthetic({ classes: 5, size: 8, channels: 1, trainCount: 64, testCount: 20 });
    const classNames = turned.classNames.toReversed();
    await expect(
      trainGenerations(
        { ...line, data: "mine", patriarch: { method: "pretrained", weights } },
        { dataset: { ...turned, classNames } },
      ),
    ).rejects.toThrow(
      `${weights}: its network tells other classes apart than the images have, or in another order`,
    );
    const broken = join(root, "broken.safetensors");
    writeFileSync(broken, "not one");
    await expect(train({ weights: broken })).rejects.toThrow(broken);
  });

  it.each([
    [{}, "patriarch: needs weights, the path of a file, or run, the folder of an earlier run"],
    [{ weights: "a", run: "b" }, "patriarch: weights and run are both given: give one of them"],
    [{ weights: "a", generation: 1 }, "patriarch.generation: is a generation of a run"],
    [{ weights: "nowhere" }, "patriarch.weights: nowhere: there is no such file"],
    [{ run: "nowhere" }, "patriarch.run: nowhere/generation-0/weights.safetensors: there is no such file"],
    [{ weights: "src" }, "patriarch.weights: src: cannot be read (EISDIR"],
    [{ weights: "a", sha256: "abc" }, "patriarch.sha256: must be text that matches"],
    [{ weights: 5 }, "patriarch.weights: must be text"],
  ])("refuses %j", (options, message) => {
    expect(() => resolveRecipe({ ...line, patriarch: { method: "pretrained", ...options } })).toThrow(
      message,
    );
  });
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "2"])(
  "a method may not soften by a temperature of %j",
  async (temperature) => {
    const patriarch = defineMethod({
      ...strict,
      name: "mine",
      answerTemperature: () => temperature as number,
    });
    await expect(trainGenerations({ ...recipe, patriarch })).rejects.toThrow(
      `mine must soften by a temperature above 0, but asks for ${temperature}`,
    );
  },
);

it.each([1.5, -1, Number.NaN, "3", undefined])("a method may not ask for %j epochs", async (epochs) => {
  const patriarch = defineMethod({ ...strict, name: "mine", epochs: () => epochs as number });
  await expect(trainGenerations({ ...recipe, patriarch })).rejects.toThrow(
    `mine must train for a whole number of epochs, 0 or more, but asks for ${epochs}`,
  );
});
