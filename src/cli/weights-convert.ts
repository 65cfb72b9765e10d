import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command, Option } from "commander";
import type { InputDescription, TimmNetwork, WeightsFile } from "../interop/index.js";
import type { Fit, ModelDefinition } from "../models/index.js";
import type { WeightsDescription } from "../runs/index.js";
import { UsageError } from "./errors.js";
import { importFiles, withImports } from "./imports.js";
import { printable } from "./text.js";
import { faultsInWords, inWords } from "./weights-show.js";

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
    .option("--model <name>", "the network whose weights these are (default: the one that they fit)")
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
says of its classes and images is kept. Other files say nothing of them: they are taken to be normalised as torchvision's
networks are, and cut out of the middle to 224 x 224 pixels as those; with --classes, the file can then be used by lyceum predict.
Nothing that is there is written over.

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
  const { nameAsTorchvision, readWeightsFile } = await import("../interop/index.js");
  const { libraryOf } = await import("../runs/index.js");
  const definitions = libraryOf(imports).all("model");
  using file = await readWeightsFile(from);
  nameAsTorchvision(file);
  const fit = await networkOf(from, file, definitions, options.model ?? file.metadata.model);
  const description = await describe(from, file, fit, options.classes);
  await mkdir(dirname(to), { recursive: true });
  const written =
    options.to === "huggingface"
      ? await writeHuggingFace(to, file, fit, description)
      : await writeSafetensors(to, file, fit, description, options.names);
  if (options.json) return console.log(JSON.stringify({ written, fit, notes: file.notes }, null, 2));
  for (const note of file.notes) console.log(printable(note));
  console.log(`${inWords(fit)}\n${written.join("\n")}`);
}

/**
 * Finds the network whose weights a file holds.
 *
 * @param name the one that they are said to be of; undefined where nothing says so
 * @throws UsageError when no network has this name, Error when the weights fit none, or not this one
 */
async function networkOf(
  path: string,
  { tensors }: WeightsFile,
  definitions: readonly ModelDefinition[],
  name: string | undefined,
): Promise<Fit> {
  const { findFits, isExact } = await import("../models/index.js");
  const { nearest } = await import("../recipe/index.js");
  const chosen = name === undefined ? definitions : definitions.filter((each) => each.name === name);
  if (chosen.length === 0) {
    const meant = nearest(
      name!,
      definitions.map((each) => each.name),
    );
    throw new UsageError(
      `no network is called ${JSON.stringify(name!.slice(0, 100))}${meant ? `; did you mean "${meant}"?` : ""}; --import adds networks of your own`,
    );
  }
  const shapes = new Map(Object.entries(tensors).map(([key, { shape }]) => [key, shape]));
  const [fit] = findFits(chosen, shapes);
  if (!fit || !isExact(fit)) {
    const problem = name === undefined ? inWords(fit!) : `does not fit ${name}: ${faultsInWords(fit!)}`;
    throw new Error(`${path}: ${problem}`);
  }
  return fit;
}

/** What is known of a network's classes and images, and whether its file said so or it is only taken to be so. */
interface Description {
  classNames: readonly string[] | undefined;
  input: InputDescription;
  /** What a file of Lyceum's said; undefined for others. */
  own: WeightsDescription | undefined;
}

async function describe(
  path: string,
  { metadata }: WeightsFile,
  { classes, channels }: Fit,
  classesFile: string | undefined,
): Promise<Description> {
  const { imagenet, readClassList } = await import("../interop/index.js");
  const { describeWeights } = await import("../runs/index.js");
  const own = metadata.format === "lyceum-weights" ? describeWeights(path, metadata) : undefined;
  const classNames = classesFile === undefined ? own?.classNames : readClassList(classesFile);
  if (classNames && classNames.length !== classes)
    throw new Error(
      `${classesFile ?? path}: names ${classNames.length} classes, but the network tells ${classes} apart`,
    );
  if (own) {
    const { height, width, shorterSide, mean, std } = own;
    return { classNames, own, input: { channels, height, width, shorterSide, mean, std } };
  }
  if (channels !== 3) {
    throw new Error(
      `${path}: does not say how images of ${channels} channels are normalised: only a file of Lyceum's does`,
    );
  }
  return { classNames, own, input: { channels, height: 224, width: 224, shorterSide: 256, ...imagenet } };
}

async function writeSafetensors(
  to: string,
  { tensors }: WeightsFile,
  { model }: Fit,
  { classNames, input, own }: Description,
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

async function writeHuggingFace(
  to: string,
  { tensors }: WeightsFile,
  { model, classes }: Fit,
  { classNames, input }: Description,
): Promise<string[]> {
  const { saveSafetensors, scope } = await import("../torch/index.js");
  const { huggingFaceConfig, toTimm } = await import("../interop/index.js");
  const { writeAtomic } = await import("../runs/index.js");
  const network = await timmNetworkOf(model);
  const [config, weights] = [join(to, "config.json"), join(to, "model.safetensors")];
  await mkdir(to);
  scope(() =>
    saveSafetensors(weights, network.names ? toTimm(tensors, network.names) : tensors, { format: "pt" }),
  );
  const content = huggingFaceConfig(network, input, classes, classNames);
  await writeAtomic(config, `${JSON.stringify(content, null, 2)}\n`);
  return [config, weights];
}

/** @throws Error that lists the networks which timm has when this one is none of them */
async function timmNetworkOf(model: string): Promise<TimmNetwork> {
  const { timmNetworks } = await import("../interop/index.js");
  if (Object.hasOwn(timmNetworks, model)) return timmNetworks[model]!;
  throw new Error(`timm has no network like ${model}; it has ${Object.keys(timmNetworks).join(", ")}`);
}
