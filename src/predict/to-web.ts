import { existsSync } from "node:fs";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readableClass } from "../interop/index.js";
import { type WeightsDescription, writeAtomic } from "../runs/index.js";
import type { About } from "./about.js";
import type { LoadedModel } from "./loaded-model.js";
import { toOnnx } from "./to-onnx.js";

/** The page, as it was built: the same for the modules in `src`, as tests load them, and for those in `dist`. */
const page = fileURLToPath(new URL("../../dist/web/", import.meta.url));
const pageFiles = ["index.html", "style.css", "app.js"];

/** What onnxruntime-web needs in a browser, without WebGPU: 14 MB. */
const runtimeFiles = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

/**
 * Writes a folder that any static server can serve: a page that takes a photo, and shows what each of the networks answers, side
 * by side, computed in the browser by onnxruntime-web out of the same folder. Nothing is loaded from elsewhere.
 *
 * @param models one network each, for the same classes and images
 * @param folder where nothing is yet; it appears whole or not at all
 * @param options.title the page's heading
 * @param options.int8 whether weights are rounded to int8, as for {@link toOnnx}. Default: false
 * @returns the paths of what was written
 * @throws Error when the folder is there, or onnxruntime-web is not installed; OnnxError when a network cannot be written;
 *   RangeError for images that are neither grey nor colour
 */
export async function writeWebPage(
  models: readonly LoadedModel[],
  folder: string,
  { title, int8 = false }: { title: string; int8?: boolean | undefined },
): Promise<string[]> {
  const [first] = models;
  const { channels, height, width } = first!.imageSize;
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`a browser's images have 1 or 3 channels, these networks take ${channels}`);
  if (existsSync(folder)) throw new Error(`${folder}: is there already: remove it, or name another folder`);
  const runtime = findRuntime();
  const { shorterSide } = first!.descriptions[0]!;
  const files = models.map((_, i) => `network-${i}.onnx`);
  const about: About = {
    ...{ title, classes: first!.classes.map(readableClass), channels, height, width },
    ...(shorterSide !== undefined && { shorterSide }),
    networks: models.map(({ descriptions }, i) => ({ file: files[i]!, ...inWords(descriptions) })),
  };
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    for (const file of pageFiles) await copyFile(join(page, file), join(temporary, file));
    for (const file of runtimeFiles) await copyFile(join(runtime, file), join(temporary, file));
    for (const [i, model] of models.entries())
      await writeAtomic(join(temporary, files[i]!), toOnnx(model, { pixels: true, softmax: true, int8 }));
    await writeAtomic(join(temporary, "about.json"), `${JSON.stringify(about, null, 2)}\n`);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  return [...pageFiles, ...runtimeFiles, ...files, "about.json"].map((file) => join(folder, file));
}

/** @throws Error that says how to install it when neither the working folder nor Lyceum has it */
function findRuntime(): string {
  const places = [pathToFileURL(join(process.cwd(), "package.json")), import.meta.url];
  for (const place of places) {
    try {
      return dirname(createRequire(place).resolve("onnxruntime-web/wasm"));
    } catch {
      // The next place may have it.
    }
  }
  throw new Error(
    "the page needs onnxruntime-web, which is not installed here: npm install onnxruntime-web, then the same command again",
  );
}

function inWords(descriptions: readonly WeightsDescription[]): { name: string; about: string } {
  const [one] = descriptions;
  if (descriptions.length > 1) {
    const generations = descriptions.map(({ generation }) => generation).join(", ");
    return { name: "Ensemble", about: `${one!.model}, generations ${generations}` };
  }
  const { role, generation, model } = one!;
  return role === "patriarch"
    ? { name: "Patriarch", about: `${model}, the first of its line` }
    : { name: `Student ${generation}`, about: `${model}, generation ${generation} of its line` };
}
