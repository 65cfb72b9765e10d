import {
  imagenet,
  nameAsTorchvision,
  readClassList,
  readWeightsFile,
  type WeightsFile,
} from "../interop/index.js";
import type { FirstWeights } from "../methods/index.js";
import type { Module } from "../nn/index.js";
import { sha256OfFile } from "../sha256.js";
import * as torch from "../torch/index.js";
import { type Experiment, methodOf } from "./experiment.js";
import { headOf } from "./head.js";
import { isSameNormalisation, type Normalisation } from "./normalisation.js";
import { loadState, normalisationIn } from "./weights.js";

type Asked = Pick<Experiment, "recipe" | "library">;

/** What came of loading the weights with which a generation begins. */
export interface LoadedFirst {
  /** How the network wants its images, where that is not how they are normalised. */
  normalisation: Normalisation | undefined;
  /** Sentences on what was left out, for people. */
  notes: string[];
}

/**
 * Tells with which weights a generation's network begins.
 *
 * @returns undefined where they are fresh; `newHead` says whether the classifier may be for other classes than the images'
 */
export function firstWeightsOf(
  experiment: Asked,
  generation: number,
): (FirstWeights & { newHead: boolean }) | undefined {
  const { method, options } = methodOf(experiment, generation);
  const asked = method.weights?.(options);
  if (asked) return { ...asked, newHead: false };
  const { fineTune } = experiment.recipe;
  if (!fineTune || generation > 0) return undefined;
  return { ...fineTune, file: fineTune.weights!, newHead: true };
}

/**
 * Loads the weights with which a generation's network begins, where its method or the recipe names any.
 *
 * @throws Error that names the file when it is missing, is not the file that the recipe means, holds the tensors of another
 *   network, or says that its network tells other classes apart
 */
export async function loadFirstWeights(
  experiment: Asked & Pick<Experiment, "images">,
  generation: number,
  model: Module,
): Promise<LoadedFirst> {
  const asked = firstWeightsOf(experiment, generation);
  if (!asked) return { normalisation: undefined, notes: [] };
  const { images } = experiment;
  checkFile(asked.file, asked.sha256);
  using file = await readWeightsFile(asked.file);
  nameAsTorchvision(file);
  const wanted = wantedNormalisation(asked, file, images);
  torch.scope(() => {
    const state = asked.newHead
      ? withFreshHead(asked, file, model, images)
      : withClassesOf(asked, file, model, images);
    loadState(model, asked.file, state);
  });
  const notes = file.notes.map((note) => `${asked.file}: ${note}`);
  return { normalisation: isSameNormalisation(wanted, images) ? undefined : wanted, notes };
}

/** @throws Error when a file is not the one that the recipe means */
function checkFile(path: string, sha256: string | undefined): void {
  const found = sha256OfFile(path);
  if (sha256 !== undefined && found !== sha256) {
    throw new Error(
      `${path}: is not the file that the recipe means: its SHA-256 is ${found}, not ${sha256}; give that file, or begin a new run`,
    );
  }
}

type Images = Experiment["images"];

/** @throws Error when the normalisation is not one for the images' channels */
function wantedNormalisation(
  { normalisation, file: path }: FirstWeights,
  file: WeightsFile,
  images: Images,
): Normalisation {
  const { mean, std } =
    normalisation === "imagenet"
      ? imagenet
      : normalisation === "images"
        ? images
        : (normalisation ?? normalisationIn(path, file.metadata) ?? images);
  if (mean.length === images.channels && std.length === images.channels) return { mean, std };
  throw new Error(
    `${path}: its images are normalised by ${mean.length} channels, but these images have ${images.channels}`,
  );
}

type State = Readonly<Record<string, torch.Tensor>>;

/** The class names that a weights file of Lyceum's has; other files name none. */
function classesIn({ metadata }: WeightsFile): string | undefined {
  return metadata.classNames;
}

/**
 * Gives a file's tensors, with the logits of the images' classes alone where a list names the file's classes.
 *
 * @throws Error that names the file or the list when the classes are not those of the images
 */
function withClassesOf(asked: FirstWeights, file: WeightsFile, model: Module, images: Images): State {
  const { classNames } = images.dataset;
  if (asked.classes === undefined) {
    const names = classesIn(file);
    if (names === undefined || names === JSON.stringify(classNames)) return file.tensors;
    throw new Error(
      `${asked.file}: its network tells other classes apart than the images have, or in another order`,
    );
  }
  checkFile(asked.classes, asked.classesSha256);
  const listed = readClassList(asked.classes);
  const rows = classNames.map((name) => {
    const row = listed.indexOf(name);
    if (row >= 0) return row;
    throw new Error(`${asked.classes}: does not name ${JSON.stringify(name)}, a class of the images`);
  });
  const chosen = headNames(asked.file, model, images).map((name) => {
    const tensor = file.tensors[name];
    if (!tensor) throw new Error(`${asked.file}: the weights do not fit the network; missing: ${name}`);
    if (tensor.shape[0] !== listed.length) {
      throw new Error(
        `${asked.classes}: names ${listed.length} classes, but ${asked.file} tells ${tensor.shape[0]} apart`,
      );
    }
    return [name, tensor.indexSelect(0, torch.tensor(BigInt64Array.from(rows, BigInt)))] as const;
  });
  return { ...file.tensors, ...Object.fromEntries(chosen) };
}

/**
 * Gives a file's tensors, with the network's own classifier where the file's is for other classes or missing; the file's
 * notes say so.
 *
 * @throws Error that names the file when the network has no classifier
 */
function withFreshHead(asked: FirstWeights, file: WeightsFile, model: Module, images: Images): State {
  const names = headNames(asked.file, model, images);
  const own = model.stateDict();
  const known = classesIn(file);
  const fits = names.every((name) => `${file.tensors[name]?.shape}` === `${own[name]!.shape}`);
  if (fits && (known === undefined || known === JSON.stringify(images.dataset.classNames)))
    return file.tensors;
  const outputs = file.tensors[names[0]!]?.shape[0];
  const why = outputs === undefined ? "missing" : `of ${outputs} classes, and left out`;
  file.notes.push(
    `its classifier (${names.join(", ")}) is ${why}: the network's begins anew, with ${images.classes}`,
  );
  return { ...file.tensors, ...Object.fromEntries(names.map((name) => [name, own[name]!])) };
}

/** The names of the classifier's tensors. */
function headNames(path: string, model: Module, { classes }: Images): string[] {
  const head = headOf(model, classes);
  if (!head)
    throw new Error(
      `${path}: the network has no nn.Linear of ${classes} outputs, whose weights could be others`,
    );
  return [`${head.path}.weight`, ...(head.layer.bias ? [`${head.path}.bias`] : [])];
}
