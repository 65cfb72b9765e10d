/** A file of weights with what is known of the network in it: for the commands that write it in another format. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { InputDescription, WeightsFile } from "../interop/index.js";
import type { Fit, ModelDefinition } from "../models/index.js";
import type { ImportedFile, WeightsDescription } from "../runs/index.js";
import { UsageError } from "./errors.js";
import { faultsInWords, inWords } from "./weights-show.js";

/** What is known of a network's classes and images, and whether its file said so or it is only taken to be so. */
export interface NetworkDescription {
  classNames: readonly string[] | undefined;
  input: InputDescription;
  /** What a file of Lyceum's said; undefined for others. */
  own: WeightsDescription | undefined;
}

/** An open file of weights. Disposing of it frees its tensors. */
export interface NetworkFile extends Disposable {
  /** By torchvision's names. */
  tensors: WeightsFile["tensors"];
  fit: Fit;
  description: NetworkDescription;
  /** Sentences on what was left out or renamed, for people. */
  notes: string[];
}

interface OpenOptions {
  /** The network whose weights these are; undefined where the file says so, or the one that they fit is meant. */
  model?: string | undefined;
  /** A file with the names of the classes. */
  classes?: string | undefined;
  imports: readonly ImportedFile[];
}

/**
 * Reads a weights file of any format, and finds out which network it is of.
 *
 * @throws UsageError when no network has the name, Error when the weights fit none, or what describes them is wrong
 */
export async function openNetworkFile(
  path: string,
  { model, classes, imports }: OpenOptions,
): Promise<NetworkFile> {
  const { nameAsTorchvision, readWeightsFile } = await import("../interop/index.js");
  const { libraryOf } = await import("../runs/index.js");
  const definitions = libraryOf(imports).all("model");
  const file = await readWeightsFile(path);
  try {
    nameAsTorchvision(file);
    const fit = await networkOf(path, file, definitions, model ?? file.metadata.model);
    const description = await describe(path, file, fit, classes);
    const { tensors, notes } = file;
    return { tensors, fit, description, notes, [Symbol.dispose]: () => file[Symbol.dispose]() };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
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

/** What weights are called in a folder of the Hub. */
const hubFiles = ["model.safetensors", "pytorch_model.bin"];

async function describe(
  path: string,
  { metadata }: WeightsFile,
  { classes, channels }: Fit,
  classesFile: string | undefined,
): Promise<NetworkDescription> {
  const { imagenet, readClassList, readHuggingFaceConfig } = await import("../interop/index.js");
  const { describeWeights } = await import("../runs/index.js");
  const own = metadata.format === "lyceum-weights" ? describeWeights(path, metadata) : undefined;
  // A file from Hugging Face's Hub is described by the one beside it.
  const config = join(dirname(path), "config.json");
  const hub =
    !own && hubFiles.includes(basename(path)) && existsSync(config)
      ? readHuggingFaceConfig(config)
      : undefined;
  const classNames =
    classesFile === undefined ? (own?.classNames ?? hub?.classNames) : readClassList(classesFile);
  if (classNames && classNames.length !== classes)
    throw new Error(
      `${classesFile ?? path}: names ${classNames.length} classes, but the network tells ${classes} apart`,
    );
  if (own) {
    const { height, width, shorterSide, mean, std } = own;
    return { classNames, own, input: { channels, height, width, shorterSide, mean, std } };
  }
  if (hub && hub.input.channels !== channels)
    throw new Error(
      `${config}: is of images with ${hub.input.channels} channels, but the network takes ${channels}`,
    );
  if (hub) return { classNames, own, input: hub.input };
  if (channels !== 3) {
    throw new Error(
      `${path}: does not say how images of ${channels} channels are normalised: only a file of Lyceum's does`,
    );
  }
  return { classNames, own, input: { channels, height: 224, width: 224, shorterSide: 256, ...imagenet } };
}
