import { stat } from "node:fs/promises";
import type { ModelFactory } from "../generations/index.js";
import { foldBatchNorm, type Kernels, type Module, kernels as processKernels } from "../nn/index.js";
import { type Imports, libraryOf, RunFolder, readWeights, type WeightsDescription } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { LoadedModel, type Member } from "./loaded-model.js";

export interface LoadModelOptions {
  /** Of a run: the one generation to load, 0 for the patriarch. Default: the last one finished. */
  generation?: number | undefined;
  /**
   * Of a run: an ensemble, whose scores are the mean of its members' softmax. "0-2" for generations 0 to 2, or a list of
   * them.
   */
  generations?: string | readonly number[] | undefined;
  /** Makes the network, as for `trainGenerations`, where it is one of your own; its weights are then replaced. */
  model?: ModelFactory | undefined;
  /** What the network's name may mean, beside Lyceum's own networks: imported files, or definitions. */
  imports?: Imports | undefined;
  /** Where the network computes. Default "cpu", wherever it was trained. */
  device?: torch.Device | undefined;
  /** What computes this network. Default: what the run's recipe says; of a weights file, what the process has chosen. */
  kernels?: Kernels | undefined;
  /** Threads that libtorch's operators use, of the whole process. Default: as it is. */
  threads?: number | undefined;
}

/**
 * Loads what was trained, ready to predict: a run's last generation, another one, an ensemble of several, or the network
 * of a weights file alone.
 *
 * @param runOrFile a run's folder, or a weights file that Lyceum wrote
 * @throws Error naming the file and what is wrong: no such path, no generation finished, weights without a description or
 *   of another network, a network of the code's own without `model`; RangeError when an option is out of range
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
  if (threads !== undefined) torch.setNumThreads(threads);
  const members: Member[] = [];
  try {
    for (const path of files) members.push(loadMember(path, { ...options, device }));
    return new LoadedModel(members, { device, kernels });
  } catch (error) {
    for (const { model } of members) model.dispose();
    throw error;
  }
}

/** The weights files that are asked for, and what shall compute their networks. */
async function findWeights(
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
  // A network predicts without the method that trained it and the images that it learnt from.
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
 * The generations that the options name, in the order given.
 *
 * @throws RangeError when they name none, one twice, or one that is not finished
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
  const listed = typeof generations === "string" ? parseRange(generations) : [...generations];
  if (!listed || listed.length === 0 || new Set(listed).size < listed.length) {
    throw new RangeError(
      `generations ${JSON.stringify(generations)}: must look like "0-${last}", or be a list of different numbers`,
    );
  }
  return listed.map(checked);

  function checked(number: number): number {
    if (Number.isInteger(number) && number >= 0 && number <= last) return number;
    throw new RangeError(`${path}: no generation ${number}; finished ones: 0 to ${last}`);
  }
}

/** "1-3" → [1, 2, 3]; undefined for what does not grow or is no range. A run has at most a few hundred generations. */
function parseRange(text: string): number[] | undefined {
  const [, from, to] = /^(\d{1,4})-(\d{1,4})$/.exec(text) ?? [];
  if (from === undefined || Number(to) < Number(from)) return undefined;
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
}

/** One network with its weights, frozen. */
function loadMember(
  path: string,
  { model: factory, imports = [], device }: LoadModelOptions & { device: torch.Device },
): Member {
  const { tensors, description } = readWeights(path);
  let model: Module | undefined;
  try {
    // In no scope, which would free tensors that a network of one's own keeps out of its sight.
    model = build(description, factory, imports).to({ device, memoryFormat: "channelsLast" });
    model.loadStateDict(tensors);
    return { model: foldBatchNorm(model), description, path };
  } catch (cause) {
    model?.dispose();
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}

function build(description: WeightsDescription, factory: ModelFactory | undefined, imports: Imports): Module {
  const { model, classNames, channels, height, width } = description;
  // Whatever it draws, the stored weights replace it.
  const generator = new torch.Generator(0);
  const options = { classes: classNames.length, channels, height, width, generator };
  const create = factory ?? libraryOf(imports).find("model", model)?.create;
  if (!create) {
    throw new Error(
      `the network ${JSON.stringify(model.slice(0, 100))} is none of Lyceum's own: give the file that defines it by ` +
        "--import, or, in code, the function that makes it as `model`",
    );
  }
  return create(options);
}
