import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Command, Option } from "commander";
import { parseGenerations } from "../generations/generation-set.js";
import type { LoadedModel } from "../predict/index.js";
import { UsageError } from "./errors.js";
import { withImports } from "./imports.js";
import { type AskedTexts, loadAsked, wholeNumber, withGenerations } from "./load-asked.js";
import { printable } from "./text.js";

interface ExportOptions extends AskedTexts {
  to: "onnx" | "web";
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
      new Option(
        "--to <format>",
        "onnx: one file, opset 17, for ONNX Runtime and its like; web: a folder with a page that asks two networks side by side",
      )
        .choices(["onnx", "web"])
        .default("onnx"),
    )
    .option(
      "--out <path>",
      "the file or folder to write (default: NAME.onnx or NAME-web here, by the run's name)",
    )
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

With --to web the folder holds a page that takes a photo, from a file or the camera, and shows what the patriarch and the last
student answer, or the generations of --generations, side by side. All is computed in the browser, out of the folder; it needs
any static server, and onnxruntime-web where Lyceum runs (npm install onnxruntime-web), from which 14 MB are copied.

PyTorch and timm load weights instead: npx lyceum weights convert --help

Examples:
  $ npx lyceum export quickstart
  $ npx lyceum export quickstart --generation 0 --pixels --softmax --out patriarch.onnx
  $ npx lyceum export runs/photos --generations 0-2 --out ensemble.onnx
  $ npx lyceum export quickstart --to web && npx serve quickstart-web`,
    )
    .action(exportRun);

async function exportRun(nameOrPath: string, options: ExportOptions): Promise<void> {
  const out = options.out;
  if (out !== undefined) refuseWhatIsThere(out);
  const written =
    options.to === "web" ? await writeWeb(nameOrPath, options) : await writeOnnx(nameOrPath, options);
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
    return await writeWebPage(shown, out, { title: nameOf(nameOrPath) });
  } finally {
    for (const model of shown) model.dispose();
  }
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
