import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { imagenet } from "../interop/index.js";
import { createModel } from "../models/index.js";
import { loadModel } from "../predict/index.js";
import { readWeights, writeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const fixtures = new URL("../interop/fixtures/", import.meta.url).pathname;
const terminal = useTerminal();
let home: string;
beforeEach(() => {
  home = process.cwd();
});

const description = {
  model: "resnet8",
  generation: 1,
  role: "student",
  classNames: ["cat", "dog", "owl"],
  channels: 3,
  height: 32,
  width: 32,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.2, 0.3],
} as const;

/** Writes the weights of a small network, and gives their file. */
function weightsOf(name: string, classes = 3): string {
  const path = join(home, `${name}.safetensors`);
  torch.scope(() => {
    const model = createModel(name, { classes, channels: 3, generator: new torch.Generator(1) });
    writeWeights(path, model.stateDict(), { ...description, model: name });
  });
  return path;
}

describe("show", () => {
  test("lists the tensors of a file of PyTorch's, and what was left out", async () => {
    expect(await run(["weights", "show", `${fixtures}good/checkpoint.pt`])).toBe(0);
    expect(terminal.out).toMatch(/^conv1.weight {9,}float32 +\[4, 3, 3, 3\]$/m);
    expect(terminal.out).toContain("8 tensors of 135 numbers, written by torch.save");
    expect(terminal.out).toContain('every name began with "module.", which is left out');
    expect(terminal.out).toContain("fits no network of Lyceum's; the nearest is ");
  });

  test("says which network fits, and what the file says of itself", async () => {
    expect(await run(["weights", "show", weightsOf("resnet8")])).toBe(0);
    expect(terminal.out).toContain('classNames: ["cat","dog","owl"]');
    expect(terminal.out).toContain("fits resnet8 with 3 classes and 3 channels");
  });

  test("--json gives the same for programs", async () => {
    expect(await run(["weights", "show", weightsOf("resnet8"), "--json"])).toBe(0);
    const shown = JSON.parse(terminal.out);
    expect(shown).toMatchObject({ format: "safetensors", metadata: { model: "resnet8" }, notes: [] });
    expect(shown.tensors[0]).toEqual({
      name: expect.any(String),
      dtype: expect.any(String),
      shape: expect.any(Array),
    });
    expect(shown.fits).toMatchObject([{ model: "resnet8", classes: 3 }]);
  });

  test("refuses a file that would run a command, by its name", async () => {
    const path = `${fixtures}hostile/system-in-tensor.pt`;
    expect(await run(["weights", "show", path])).toBe(1);
    expect(terminal.err).toContain(`lyceum: ${path}: its pickle, at byte 127: names posix.system`);
  });
});

describe("convert", () => {
  test("keeps the tensors to the bit, and what a file of Lyceum's says", async () => {
    const from = weightsOf("resnet8");
    const to = join(home, "deeper", "copy.safetensors");
    expect(await run(["weights", "convert", from, to])).toBe(0);
    expect(terminal.out).toBe(`fits resnet8 with 3 classes and 3 channels\n${to}\n`);
    const [before, after] = [readWeights(from), readWeights(to)];
    expect(after.description).toEqual(before.description);
    expect(Object.keys(after.tensors).sort()).toEqual(Object.keys(before.tensors).sort());
    for (const [name, tensor] of Object.entries(before.tensors))
      expect(after.tensors[name]!.equal(tensor), name).toBe(true);
  });

  test("with a list of classes, a bare file becomes one that predict takes", async () => {
    const bare = join(home, "bare.safetensors");
    torch.saveSafetensors(bare, torch.loadSafetensors(weightsOf("resnet8")).tensors, {});
    const list = join(home, "classes.txt");
    writeFileSync(list, "Katze\nHund\nEule\n");
    const to = join(home, "named.safetensors");
    expect(await run(["weights", "convert", bare, to, "--classes", list])).toBe(0);
    using model = await loadModel(to);
    expect(model.classes).toEqual(["Katze", "Hund", "Eule"]);
    expect(model.imageSize).toEqual({ channels: 3, height: 224, width: 224 });
    expect(model.descriptions[0]).toMatchObject({ model: "resnet8", shorterSide: 256, ...imagenet });
    writeFileSync(list, "Katze\nHund\n");
    expect(await run(["weights", "convert", bare, join(home, "x.safetensors"), "--classes", list])).toBe(1);
    expect(terminal.err).toContain(`${list}: names 2 classes, but the network tells 3 apart`);
    expect(existsSync(join(home, "x.safetensors"))).toBe(false);
  });

  test("writes what timm reads: names, and the description of network and images", async () => {
    const to = join(home, "hub");
    expect(await run(["weights", "convert", weightsOf("resnet18"), to, "--to", "huggingface"])).toBe(0);
    expect(readdirSync(to).sort()).toEqual(["README.md", "config.json", "model.safetensors"]);
    expect(JSON.parse(readFileSync(join(to, "config.json"), "utf8"))).toEqual({
      architecture: "resnet18",
      num_classes: 3,
      num_features: 512,
      global_pool: "avg",
      label_names: ["cat", "dog", "owl"],
      pretrained_cfg: {
        custom_load: false,
        input_size: [3, 32, 32],
        fixed_input_size: false,
        interpolation: "bicubic",
        crop_pct: 1,
        crop_mode: "squash",
        mean: [0.5, 0.4, 0.3],
        std: [0.2, 0.2, 0.3],
        num_classes: 3,
        pool_size: null,
        first_conv: "conv1",
        classifier: "fc",
      },
    });
    const { tensors, metadata } = torch.loadSafetensors(join(to, "model.safetensors"));
    expect(metadata).toEqual({ format: "pt" });
    expect(Object.keys(tensors)).toContain("layer4.1.bn2.num_batches_tracked");
    const card = readFileSync(join(to, "README.md"), "utf8");
    expect(card).toContain("`resnet18` that tells 3 classes apart in colour images of 32 x 32 pixels.");
    expect(card).not.toContain("## Results");

    // Back again: what the configuration says of classes and images is kept.
    const back = join(home, "back.safetensors");
    expect(await run(["weights", "convert", join(to, "model.safetensors"), back])).toBe(0);
    const { model, classNames, height, mean, std } = description;
    expect(readWeights(back).description).toMatchObject({ classNames, height, mean, std });
    expect(readWeights(back).description.model).toBe(model.replace("8", "18"));
  });

  test.each([
    [["--to", "onnx"], 2, "'onnx' is invalid. Allowed choices are safetensors, huggingface"],
    [["--model", "resnet14"], 1, "does not fit resnet14: 30 missing (layer1.1.conv1.weight, "],
    [["--model", "resnet9"], 2, 'no network is called "resnet9"; did you mean "resnet8"?'],
    [["--to", "huggingface"], 1, "timm has no network like resnet8; it has resnet18, "],
    [["--to", "huggingface", "--names", "timm"], 2, "has timm's names in any case"],
    [["--classes", "nowhere.txt"], 1, "nowhere.txt: there is no such file"],
  ])("%j is refused", async (options, code, message) => {
    const to = join(home, "out");
    expect(await run(["weights", "convert", weightsOf("resnet8"), to, ...options])).toBe(code);
    expect(terminal.err).toContain(message);
    expect(existsSync(to)).toBe(false);
  });

  test("writes nothing over what is there", async () => {
    const from = weightsOf("resnet8");
    copyFileSync(from, join(home, "there.safetensors"));
    expect(await run(["weights", "convert", from, join(home, "there.safetensors")])).toBe(2);
    expect(terminal.err).toContain("there.safetensors: is there already: remove it, or name another");
  });
});
