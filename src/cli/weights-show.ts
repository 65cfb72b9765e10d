import { Command } from "commander";
import type { WeightsFile } from "../interop/index.js";
import type { Fit } from "../models/index.js";
import { importFiles, withImports } from "./imports.js";
import { printable, table } from "./text.js";

export const showCommand = () =>
  withImports(new Command("show"))
    .description("the tensors of a file of weights, what else it says, and the network that it fits")
    .argument("<file>", "a safetensors file, or one that torch.save wrote (.pt, .pth, .bin)")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      `
Nothing in the file is run, whoever it comes from: what is no state dict is refused by its name.

Examples:
  $ npx lyceum weights show runs/quickstart/generation-2/weights.safetensors
  $ npx lyceum weights show resnet18-f37072fd.pth --json`,
    )
    .action(show);

async function show(path: string, options: { import?: string[]; json?: boolean }): Promise<void> {
  const imports = await importFiles(options.import);
  const { nameAsTorchvision, readWeightsFile } = await import("../interop/index.js");
  const { libraryOf } = await import("../runs/index.js");
  const { findFits } = await import("../models/index.js");
  using file = await readWeightsFile(path);
  const content = describe(file);
  nameAsTorchvision(file);
  const shapes = new Map(Object.entries(file.tensors).map(([name, { shape }]) => [name, shape]));
  const fits = findFits(libraryOf(imports).all("model"), shapes);
  if (options.json) {
    console.log(JSON.stringify({ file: path, ...content, notes: file.notes, fits }, null, 2));
    return;
  }
  const rows = content.tensors.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(", ")}]`]);
  console.log(printable(table([["tensor", "dtype", "shape"], ...rows])));
  for (const line of summary(content, file.notes, fits)) console.log(printable(line));
}

interface Content {
  format: WeightsFile["format"];
  tensors: { name: string; dtype: string; shape: readonly number[] }[];
  /** Numbers in all tensors together. */
  numbers: number;
  metadata: Record<string, string>;
}

function describe({ format, tensors, metadata }: WeightsFile): Content {
  const entries = Object.entries(tensors);
  return {
    format,
    tensors: entries.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    numbers: entries.reduce((sum, [, { numel }]) => sum + numel, 0),
    metadata,
  };
}

/** The longest text of the metadata that is shown whole; class names of ImageNet take thousands of characters. */
const SHOWN = 200;

function* summary(content: Content, notes: readonly string[], fits: readonly Fit[]): Generator<string> {
  const { format, tensors, numbers, metadata } = content;
  yield "";
  yield `${tensors.length} tensors of ${numbers.toLocaleString("en")} numbers, ${format === "pytorch" ? "written by torch.save" : "safetensors"}`;
  for (const [key, text] of Object.entries(metadata))
    yield `${key}: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text}`;
  for (const note of notes) yield note;
  for (const fit of fits) yield inWords(fit);
}

/** Says whether tensors fit a network, or what is in the way. */
export function inWords(fit: Fit): string {
  const faults = faultsInWords(fit);
  return faults === ""
    ? `fits ${fit.model} with ${fit.classes} classes and ${fit.channels} channels`
    : `fits no network of Lyceum's; the nearest is ${fit.model}, with ${faults}`;
}

/** Lists what keeps tensors from fitting a network, each kind with the first names; empty where nothing does. */
export function faultsInWords({ missing, unexpected, misshaped }: Fit): string {
  const kinds = Object.entries({ missing, unexpected, "of another shape": misshaped });
  return kinds
    .filter(([, names]) => names.length > 0)
    .map(
      ([kind, names]) =>
        `${names.length} ${kind} (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`,
    )
    .join(", ");
}
