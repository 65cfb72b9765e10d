import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { UsageError } from "./errors.js";
import { timmNetworkOf, writeHuggingFace } from "./hugging-face.js";
import { importFiles, withImports } from "./imports.js";
import { type NetworkFile, openNetworkFile } from "./network-file.js";
import { printable } from "./text.js";
import { inWords } from "./weights-show.js";

interface ConvertOptions {
  model?: string;
  to: "safetensors" | "huggingface";
  names: "torchvision" | "timm";
  classes?: string;
  import?: string[];
  json?: boolean;
}

export const convertCommand = () =>
  withImports(new Command("convert"))
    .description("write the weights of a file in another format, or by other names")
    .argument("<in>", "a safetensors file, or one that torch.save wrote (.pt, .pth, .bin)")
    .argument("<out>", "the file to write; for Hugging Face's layout, the folder")
    .option("--model <network>", "the network whose weights these are (default: the one that they fit)")
    .addOption(
      new Option("--to <format>", "safetensors, or huggingface: a folder that timm.create_model loads")
        .choices(["safetensors", "huggingface"])
        .default("safetensors"),
    )
    .addOption(
      new Option("--names <whose>", "names of tensors in a safetensors file")
        .choices(["torchvision", "timm"])
        .default("torchvision"),
    )
    .option("--classes <file>", "the names of the classes, one a line in the order of the logits")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
Names of timm's are read as well as torchvision's, and prefixes such as "module." are taken off. What a file of Lyceum's
says of its classes and images is kept, and so is what config.json says beside a file from Hugging Face's Hub (model.safetensors). Other
files say nothing of them: they are taken to be normalised as torchvision's
networks are, and cut out of the middle to 224 x 224 pixels as those; with --classes, the file can then be used by lyceum predict.
Hugging Face's layout has a model card too (README.md), with the results of the run where the file lies in one's folder. Nothing that
is there is written over.

Examples:
  $ npx lyceum weights convert resnet18.pth resnet18.safetensors
  $ npx lyceum weights convert resnet18.pth resnet18.safetensors --classes imagenet-classes.txt
  $ npx lyceum weights convert runs/photos/generation-2/weights.safetensors photos-resnet18 --to huggingface`,
    )
    .action(convert);

async function convert(from: string, to: string, options: ConvertOptions): Promise<void> {
  if (options.to === "huggingface" && options.names === "timm")
    throw new UsageError("--names timm: Hugging Face's layout has timm's names in any case; leave it out");
  if (existsSync(to)) throw new UsageError(`${to}: is there already: remove it, or name another`);
  const imports = await importFiles(options.import);
  using file = await openNetworkFile(from, { ...options, imports });
  const { fit, notes } = file;
  await mkdir(dirname(to), { recursive: true });
  const written =
    options.to === "huggingface"
      ? await writeHuggingFace(from, to, file, imports)
      : await writeSafetensors(to, file, options.names);
  if (options.json) return console.log(JSON.stringify({ written, fit, notes }, null, 2));
  for (const note of notes) console.log(printable(note));
  console.log(`${inWords(fit)}\n${written.join("\n")}`);
}

async function writeSafetensors(
  to: string,
  { tensors, fit: { model }, description: { classNames, input, own } }: NetworkFile,
  names: ConvertOptions["names"],
): Promise<string[]> {
  const { saveSafetensors, scope } = await import("../torch/index.js");
  const { toTimm } = await import("../interop/index.js");
  const { writeWeights } = await import("../runs/index.js");
  if (names === "timm") {
    const { names: table } = await timmNetworkOf(model);
    scope(() => saveSafetensors(to, table ? toTimm(tensors, table) : tensors, { format: "pt" }));
  } else if (classNames) {
    writeWeights(to, tensors, { generation: 0, role: "patriarch", ...own, model, classNames, ...input });
  } else saveSafetensors(to, tensors, { format: "pt" });
  return [to];
}
