/** A folder in timm's layout on Hugging Face's Hub: configuration, weights, and a model card. */
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { TimmNetwork } from "../interop/index.js";
import type { ImportedFile } from "../runs/index.js";
import type { NetworkFile } from "./network-file.js";

/**
 * Writes the folder, which appears whole or not at all.
 *
 * @param from the weights file that was opened, by whose place its run is found
 * @param to where nothing is yet
 * @returns the paths of what was written
 * @throws Error when timm has no such network
 */
export async function writeHuggingFace(
  from: string,
  to: string,
  { tensors, fit: { model, classes }, description: { classNames, input } }: NetworkFile,
  imports: readonly ImportedFile[],
): Promise<string[]> {
  const { saveSafetensors, scope } = await import("../torch/index.js");
  const { huggingFaceConfig, toTimm } = await import("../interop/index.js");
  const { modelCard, runOfWeights } = await import("../report/model-card/index.js");
  const { lyceumVersion, writeAtomic } = await import("../runs/index.js");
  const network = await timmNetworkOf(model);
  const { architecture, names } = network;
  const card = modelCard({
    ...{ architecture, classes, classNames, folder: basename(resolve(to)), lyceum: lyceumVersion() },
    size: [input.channels, input.height, input.width],
    run: await runOfWeights(from, imports),
  });
  const config = huggingFaceConfig(network, input, classes, classNames);
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(temporary), { recursive: true });
    await mkdir(temporary);
    scope(() =>
      saveSafetensors(join(temporary, "model.safetensors"), names ? toTimm(tensors, names) : tensors, {
        format: "pt",
      }),
    );
    await writeAtomic(join(temporary, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
    await writeAtomic(join(temporary, "README.md"), card);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  return ["config.json", "model.safetensors", "README.md"].map((file) => join(to, file));
}

/** @throws Error that lists the networks which timm has when this one is none of them */
export async function timmNetworkOf(model: string): Promise<TimmNetwork> {
  const { timmNetworks } = await import("../interop/index.js");
  if (Object.hasOwn(timmNetworks, model)) return timmNetworks[model]!;
  throw new Error(`timm has no network like ${model}; it has ${Object.keys(timmNetworks).join(", ")}`);
}
