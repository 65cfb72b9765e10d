import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Command, Option } from "commander";
import type { LoadedModel } from "../predict/index.js";
import { UsageError } from "./errors.js";
import { withImports } from "./imports.js";
import { type AskedTexts, loadAsked, withGenerations } from "./load-asked.js";
import { printable } from "./text.js";

interface ExportOptions extends AskedTexts {
  to: "onnx";
  out?: string;
  pixels?: boolean;
  softmax?: boolean;
  json?: boolean;
}

export const exportCommand = () =>
  withGenerations(withImports(new Command("export")))
    .description("write a trained network, or an ensemble, for other programs")
    .argument("<run>", "a run's folder, its name in runs/, or a weights file")
    .addOption(
      new Option("--to <format>", "onnx: one file, opset 17, for ONNX Runtime and its like")
        .choices(["onnx"])
        .default("onnx"),
    )
    .option("--out <file>", "the file to write (default: NAME.onnx here, by the run's name)")
    .option("--pixels", "take bytes, as image files store them, and normalise them in the graph")
    .option("--softmax", "give probabilities instead of logits; an ensemble does in any case")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
The graph takes any number of images [N, C, H, W] of the network's own size: float32 "images" that are normalised already,
or with --pixels uint8 "pixels". Batch norm is folded into the convolutions. The file's metadata name the classes and how
images are resized and normalised. A network of your own can be written too, if it computes the same for every batch and
image; what cannot be is refused by the layer's name. docs/export.md shows how to use the file.

PyTorch and timm load weights instead: npx lyceum weights convert --help

Examples:
  $ npx lyceum export quickstart
  $ npx lyceum export quickstart --generation 0 --pixels --softmax --out patriarch.onnx
  $ npx lyceum export runs/photos --generations 0-2 --out ensemble.onnx`,
    )
    .action(exportRun);

async function exportRun(nameOrPath: string, options: ExportOptions): Promise<void> {
  using model = await loadAsked(nameOrPath, options);
  const out = options.out ?? defaultName(nameOrPath, model);
  if (existsSync(out))
    throw new UsageError(`${out}: is there already: remove it, or name another with --out`);
  const { toOnnx } = await import("../predict/index.js");
  const { writeAtomic } = await import("../runs/index.js");
  const bytes = toOnnx(model, options);
  await writeAtomic(out, bytes);
  if (options.json) console.log(JSON.stringify({ written: out, bytes: bytes.length }));
  else console.log(`${printable(out)}   ${(bytes.length / 2 ** 20).toFixed(1)} MiB`);
}

/** A name in the working folder: the run's, with its generations. */
function defaultName(nameOrPath: string, { descriptions }: LoadedModel): string {
  const name = basename(nameOrPath).replace(/\.safetensors$/, "");
  return `${name}-generation-${descriptions.map(({ generation }) => generation).join("-")}.onnx`;
}
