import { stat } from "node:fs/promises";
import { checkEnsembleOptions, type EnsembleOptions } from "../analysis/index.js";
import { type ModelFactory, parseGenerations, seeing } from "../generations/index.js";
import { foldBatchNorm, type Kernels, type Module, kernels as processKernels } from "../nn/index.js";
import { buildNetwork, type Imports, libraryOf, RunFolder, readWeights } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { LoadedModel, type Member } from "./loaded-model.js";

export interface LoadModelOptions {
  /** The generation of a run to load; 0 is the patriarch. Default: the last finished one. */
  generation?: number | undefined;
  /**
   * The generations of a run to load as an ensemble: "0-2" for generations 0 to 2, "0,2" for two of them, or a
   * list of numbers.
   */
  generations?: string | readonly number[] | undefined;
  /**
   * What the ensemble averages: its members' softmax, or their logits (`analysis.ensembleLogits`). Default:
   * "softmax".
   */
  mean?: EnsembleOptions["mean"];
  /** How much each member counts, in the order of `generations`. Default: all count the same. */
  weights?: EnsembleOptions["weights"];
  /**
   * Makes the network, as for `trainGenerations`, where it is one of your own. Its weights are then replaced.
   */
  model?: ModelFactory | undefined;
  /** What the network's name can stand for beside Lyceum's own networks: imported files, or definitions. */
  imports?: Imports | undefined;
  /** The device on which the network computes, wherever it was trained. Default: "cpu". */
  device?: torch.Device | undefined;
  /**
   * The kernels that compute this network. Default: those of the run's recipe, or for a weights file those
   * that the process has chosen (`nn.setKernels`).
   */
  kernels?: Kernels | undefined;
  /** The number of threads of libtorch's operators, in the whole process. Default: it is left as it is. */
  threads?: number | undefined;
}

/**
 * Loads trained networks, ready to predict: the last generation of a run or another one, an ensemble of
 * several, or the network in a weights file.
 *
 * @param runOrFile a run's folder, or a weights file that Lyceum wrote
 * @throws Error that names the file and what is wrong: there is no such path, no generation is finished, the
 *   weights are damaged, have no description or are those of another network, or nothing defines the network;
 *   RangeError when an option is out of range, TypeError when there is not one weight for each member
 */
export async function loadModel(runOrFile: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { device = "cpu", threads } = options;
  if (!/^(cpu|cuda(:\d{1,2})?)$/.test(device)) {
    throw new RangeError(`device must be cpu, cuda or cuda:N, got ${JSON.stringify(device)}`);
  }
  if (device !== "cpu" && !torch.cudaAvailable()) {
    throw new Error(`device is ${device}, but this libtorch (${torch.version()}) has no CUDA: leave it out`);
  }
  const { files, kernels } = await findWeights(runOrFile, options);
  const ensemble = { mean: options.mean, weights: options.weights };
  checkEnsembleOptions(ensemble, files.length);
  if (threads !== undefined) torch.setNumThreads(threads);
  const members: Member[] = [];
  try {
    for (const path of files) members.push(loadMember(path, { ...options, device, like: members[0] }));
    return new LoadedModel(members, { device, kernels, ensemble });
  } catch (error) {
    for (const { model } of members) model.dispose();
    throw error;
  }
}

/**
 * Finds the weights files that the options ask for, and the kernels that shall compute their networks.
 *
 * @param path a run's folder, or a weights file
 * @throws as {@link loadModel}
 */
export async function findWeights(
  path: string,
  options: LoadModelOptions,
): Promise<{ files: string[]; kernels: Kernels }> {
  const found = await stat(path).catch((cause) => {
    throw new Error(`${path}: there is no such run or weights file`, { cause });
  });
  if (!found.isDirectory()) {
    if (options.generation !== undefined || options.generations !== undefined) {
      throw new RangeError(
        `${path}: is one network's weights file; generations are chosen from a run's folder`,
      );
    }
    return { files: [path], kernels: options.kernels ?? processKernels() };
  }
  const { imports = [] } = options;
  // Predicting needs neither the method that trained the network nor the images: their definitions may be
  // missing.
  const run = await RunFolder.look(path);
  const isKnown = options.model !== undefined || libraryOf(imports).find("model", run.recipe.model);
  if (!isKnown) await run.askForImports(imports);
  const finished = (await run.readSummary())?.generations.length ?? 0;
  if (finished === 0) throw new Error(`${path}: no generation is finished yet`);
  return {
    files: chosenGenerations(options, finished, path).map((generation) => run.generation(generation).weights),
    kernels: options.kernels ?? run.recipe.kernels,
  };
}

/**
 * Gives the generations that the options name, in the order in which they name them.
 *
 * @param finished the number of finished generations
 * @param path the run's folder, for messages
 * @throws RangeError when the options name no generation, one of them twice, or one that is not finished
 */
export function chosenGenerations(
  { generation, generations }: LoadModelOptions,
  finished: number,
  path: string,
): number[] {
  const last = finished - 1;
  if (generation !== undefined && generations !== undefined) {
    throw new RangeError("generation or generations, not both");
  }
  if (generations === undefined) return [checked(generation ?? last)];
  const listed = typeof generations === "string" ? parseGenerations(generations) : [...generations];
  if (!listed || listed.length === 0 || new Set(listed).size < listed.length) {
    throw new RangeError(
      `generations ${JSON.stringify(generations)}: must look like "0-${last}" or "0,${last}", or be a list of different numbers`,
    );
  }
  return listed.map(checked);

  function checked(number: number): number {
    if (Number.isInteger(number) && number >= 0 && number <= last) return number;
    throw new RangeError(`${path}: no generation ${number}; finished ones: 0 to ${last}`);
  }
}

/**
 * Loads one network with its weights, and freezes it.
 *
 * @param options.like the first member of an ensemble, by whose normalisation all of them are given images
 */
function loadMember(
  path: string,
  {
    model: factory,
    imports = [],
    device,
    like,
  }: LoadModelOptions & { device: torch.Device; like: Member | undefined },
): Member {
  const { tensors, description } = readWeights(path);
  let model: Module | undefined;
  try {
    // This runs outside of any `torch.scope`: a scope would free tensors that a network keeps anywhere else
    // than in its parameters and buffers.
    model = buildNetwork(description, { model: factory, imports }).to({
      device,
      memoryFormat: "channelsLast",
    });
    model.loadStateDict(tensors);
    const sameChannels = like?.description.channels === description.channels;
    const network = sameChannels ? seeing(model, like.description, description) : model;
    return { model: foldBatchNorm(network), description, path };
  } catch (cause) {
    model?.dispose();
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
