import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Command, Option } from "commander";
import { parseGenerations } from "../generations/generation-set.js";
import type { LoadedModel } from "../predict/index.js";
import { UsageError } from "./errors.js";
import { findRun } from "./find-run.js";
import { writeHuggingFace } from "./hugging-face.js";
import { importFiles, withImports } from "./imports.js";
import { type AskedTexts, loadAsked, wholeNumber, withGenerations } from "./load-asked.js";
import { openNetworkFile } from "./network-file.js";
import { printable } from "./text.js";

interface ExportOptions extends AskedTexts {
  to: "onnx" | "web" | "huggingface";
  out?: string;
  pixels?: boolean;
  softmax?: boolean;
  int8?: boolean;
  json?: boolean;
}

export const exportCommand = () =>
  withGenerations(withImports(new Command("export")))
    .description("write a trained network, or an ensemble, for other programs")
    .argument("<run>", "a run's folder, its name in runs/, or a weights file")
    .addOption(
      new Option(
        "--to <format>",
        "onnx: one file, opset 17, for ONNX Runtime and its like; web: a folder with a page that asks two networks side by side; " +
          "huggingface: a folder that timm loads, with a model card",
      )
        .choices(["onnx", "web", "huggingface"])
        .default("onnx"),
    )
    .option(
      "--out <path>",
      "the file or folder to write (default: NAME-generation-G.onnx, NAME-web or NAME-generation-G here, by the run's name)",
    )
    .option("--pixels", "take bytes, as image files store them, and normalise them in the graph")
    .option("--softmax", "give probabilities instead of logits; an ensemble does in any case")
    .option(
      "--int8",
      "round the weights of convolutions and linear layers to int8: a quarter of the bytes, slightly other answers",
    )
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
The graph takes any number of images [N, C, H, W] of the network's own size: float32 "images" that are normalised already,
or with --pixels uint8 "pixels". Batch norm is folded into the convolutions. The file's metadata name the classes and how
images are resized and normalised. A network of your own can be written too, if it computes the same for every batch and
image; what cannot be is refused by the layer's name. docs/export.md shows how to use the file.

With --to web the folder holds a page that takes a photo, from a file or the camera, and shows what the patriarch and the last
student answer, or the generations of --generations, side by side. All is computed in the browser, out of the folder; it needs
any static server, and onnxruntime-web where Lyceum runs (npm install onnxruntime-web), from which 14 MB are copied.

With --to huggingface the folder holds config.json and model.safetensors, by which timm.create_model makes the network, and a model
card (README.md) with the results of the whole line, the recipe and how to use it. npx lyceum weights convert --help has more for
PyTorch.

Examples:
  $ npx lyceum export quickstart
  $ npx lyceum export quickstart --generation 0 --pixels --softmax --out patriarch.onnx
  $ npx lyceum export quickstart --int8 --out small.onnx
  $ npx lyceum export runs/photos --generations 0-2 --out ensemble.onnx
  $ npx lyceum export quickstart --to web && npx serve quickstart-web
  $ npx lyceum export runs/photos --to huggingface --out photos-resnet18`,
    )
    .action(exportRun);

async function exportRun(nameOrPath: string, options: ExportOptions): Promise<void> {
  const out = options.out;
  if (out !== undefined) refuseWhatIsThere(out);
  const write = { onnx: writeOnnx, web: writeWeb, huggingface: writeHub }[options.to];
  const written = await write(nameOrPath, options);
  const bytes = written.reduce((sum, file) => sum + statSync(file).size, 0);
  if (options.json) return console.log(JSON.stringify({ written, bytes }));
  for (const file of written) console.log(printable(file));
  console.log(`${(bytes / 2 ** 20).toFixed(1)} MiB`);
  if (options.to === "web") console.log(`to look at it: npx serve ${printable(dirname(written[0]!))}`);
}

function refuseWhatIsThere(out: string): void {
  if (existsSync(out))
    throw new UsageError(`${out}: is there already: remove it, or name another with --out`);
}

async function writeOnnx(nameOrPath: string, options: ExportOptions): Promise<string[]> {
  using model = await loadAsked(nameOrPath, options);
  const generations = model.descriptions.map(({ generation }) => generation);
  const out = options.out ?? `${nameOf(nameOrPath)}-generation-${generations.join("-")}.onnx`;
  refuseWhatIsThere(out);
  const { toOnnx } = await import("../predict/index.js");
  const { writeAtomic } = await import("../runs/index.js");
  await writeAtomic(out, toOnnx(model, options));
  return [out];
}

/** Writes the page. Its networks are those that are asked for, or the patriarch and the last generation. */
async function writeWeb(nameOrPath: string, options: ExportOptions): Promise<string[]> {
  for (const name of ["mean", "weights", "pixels", "softmax"] as const) {
    if (options[name] !== undefined)
      throw new UsageError(
        `--${name} is of --to onnx: the page asks each network by itself, for probabilities`,
      );
  }
  const out = options.out ?? `${nameOf(nameOrPath)}-web`;
  refuseWhatIsThere(out);
  const shown: LoadedModel[] = [];
  const load = async (generation?: number | undefined) => {
    const { generation: _, generations: __, ...others } = options;
    const asked = generation === undefined ? {} : { generation: String(generation) };
    shown.push(await loadAsked(nameOrPath, { ...others, ...asked }));
  };
  try {
    const asked = askedFor(options);
    for (const generation of asked) await load(generation);
    if (asked.length === 0) {
      await load();
      const [last] = shown[0]!.descriptions;
      if (last!.generation > 0) await load(0);
      shown.reverse();
    }
    const { writeWebPage } = await import("../predict/index.js");
    return await writeWebPage(shown, out, { title: nameOf(nameOrPath), int8: options.int8 });
  } finally {
    for (const model of shown) model.dispose();
  }
}

/** Writes one network for timm: that of a run's generation, or of a weights file. */
async function writeHub(nameOrPath: string, options: ExportOptions): Promise<string[]> {
  for (const name of ["generations", "mean", "weights", "pixels", "softmax", "int8"] as const) {
    if (options[name] !== undefined)
      throw new UsageError(`--${name} is not of --to huggingface, which writes one network: --generation G`);
  }
  const path = await findRun(nameOrPath);
  const imports = await importFiles(options.import);
  const { findWeights } = await import("../predict/load-model.js");
  const [generation] = askedFor(options);
  const { files } = await findWeights(path, { generation, imports }).catch((error) => {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  });
  const from = files[0]!;
  // In a run, the folder of the weights is named by its generation.
  const suffix = from === path ? "huggingface" : basename(dirname(from));
  const out = options.out ?? `${nameOf(nameOrPath)}-${suffix}`;
  refuseWhatIsThere(out);
  using file = await openNetworkFile(from, { imports });
  return await writeHuggingFace(from, out, file, imports);
}

/** The generations that the options name, none where they name none. @throws UsageError when a text is no generation */
function askedFor({ generation, generations }: ExportOptions): number[] {
  if (generation !== undefined) return [wholeNumber("--generation", generation, 0)];
  if (generations === undefined) return [];
  const set = parseGenerations(generations);
  if (set) return set;
  throw new UsageError(`--generations ${generations}: must look like 0-2 or 0,2`);
}

const nameOf = (nameOrPath: string) => basename(nameOrPath).replace(/\.safetensors$/, "");
