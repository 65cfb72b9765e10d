/** `lyceum export`: what onnxruntime-web makes of the files, beside what Lyceum itself predicts. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trainGenerations } from "../generations/index.js";
import { createModel } from "../models/index.js";
import { loadModel } from "../predict/index.js";
import { readWeights, writeWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
const root = mkdtempSync(join(tmpdir(), "lyceum-cli-export-"));
const trained = join(root, "mine");
beforeAll(async () => {
  const data = { name: "synthetic", classes: 4, size: 10, trainCount: 64, testCount: 16 };
  const recipe = { data, model: "resnet8", epochs: 1, batchSize: 32, generations: 2, patriarch: { k: 2 } };
  await trainGenerations(recipe, { directory: trained });
});
afterAll(() => rmSync(root, { recursive: true }));

test("an ensemble that takes bytes answers as predict does", async () => {
  const command = ["export", trained, "--generations", "0,1", "--weights", "1,3", "--pixels", "--json"];
  expect(await run(command)).toBe(0);
  const { written, bytes } = JSON.parse(terminal.out);
  expect(written).toEqual(["mine-generation-0-1.onnx"]);
  const file = readFileSync(written[0]);
  expect(file).toHaveLength(bytes);

  const pixels = torch.randint(0, 256, [3, 3, 10, 10], { dtype: "uint8", generator: new torch.Generator(1) });
  const session = await InferenceSession.create(file);
  const given = new Tensor("uint8", pixels.toTypedArray() as Uint8Array, pixels.shape);
  const { probabilities } = await session.run({ pixels: given });
  using model = await loadModel(trained, { generations: [0, 1], weights: [1, 3] });
  for (const [i, { scores }] of (
    await model.predict([...pixels.split(1)].map((each) => each.squeeze(0)))
  ).entries()) {
    for (const { index, score } of scores)
      expect((probabilities!.data as Float32Array)[4 * i + index]).toBeCloseTo(score, 5);
  }
  const { classes } = model;
  const text = file.toString("latin1");
  const said = [
    "classNames",
    JSON.stringify(classes),
    "resize",
    "resnet8, the patriarch; resnet8, student 1",
  ];
  expect(said.filter((part) => !text.includes(part))).toEqual([]);
});

test("--int8 writes a smaller file, whose answers are slightly others", async () => {
  expect(await run(["export", trained, "--out", "whole.onnx"])).toBe(0);
  expect(await run(["export", trained, "--out", "small.onnx", "--int8"])).toBe(0);
  const [whole, small] = ["whole.onnx", "small.onnx"].map((path) => readFileSync(path));
  // Biases, scales and names stay.
  expect(small!.length).toBeLessThan(0.45 * whole!.length);
  expect(small!.toString("latin1")).toContain("weights rounded to int8");
});

test("the last generation's logits are the default; a file that is there stays", async () => {
  expect(await run(["export", trained])).toBe(0);
  expect(terminal.out).toMatch(/^mine-generation-1\.onnx\n\d\.\d MiB\n$/);
  writeFileSync("mine-generation-0.onnx", "mine");
  expect(await run(["export", trained, "--generation", "0"])).toBe(2);
  expect(terminal.err).toContain(
    "mine-generation-0.onnx: is there already: remove it, or name another with --out",
  );
  expect(readFileSync("mine-generation-0.onnx", "utf8")).toBe("mine");
});

test("wrong options are told before anything is written", async () => {
  expect(await run(["export", trained, "--generation", "7"])).toBe(2);
  expect(await run(["export", trained, "--to", "tflite"])).toBe(2);
  expect(terminal.err).toMatch(/no generation 7[\s\S]*Allowed choices are onnx, web, huggingface/);
});

test("a generation for timm has a model card with the results of its line", async () => {
  const directory = join(root, "large");
  cpSync(trained, directory, { recursive: true });
  // The weights of a network that timm has, where those of a small one were: training one would take long.
  const path = join(directory, "generation-1/weights.safetensors");
  torch.scope(() => {
    const { description } = readWeights(path);
    const generator = new torch.Generator(1);
    const network = createModel("mobilenet-v2", { classes: 4, channels: 3, generator });
    writeWeights(path, network.stateDict(), { ...description, model: "mobilenet-v2" });
  });
  expect(await run(["export", directory, "--to", "huggingface"])).toBe(0);
  const files = ["config.json", "model.safetensors", "README.md"].map((file) => `large-generation-1/${file}`);
  expect(terminal.out).toBe(`${files.join("\n")}\n8.7 MiB\n`);
  const card = readFileSync("large-generation-1/README.md", "utf8");
  expect(card).toContain("| student 1 (this network) |");
  expect(card).toContain("of the 16 test images right");
  expect(await run(["export", directory, "--to", "huggingface", "--generations", "0-1"])).toBe(2);
  expect(terminal.err).toContain("--generations is not of --to huggingface");
});
