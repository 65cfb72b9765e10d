import { existsSync } from "node:fs";
import { defaultK } from "../analysis/index.js";
import type { Module } from "../nn/index.js";
import type { EnsembleResult, GenerationResult } from "../runs/index.js";
import * as torch from "../torch/index.js";
import { type Experiment, teachersOf } from "./experiment.js";
import { firstWeightsOf } from "./first-weights.js";
import { evaluateEnsemble, loadTestLogits } from "./results.js";
import { checkSameImages } from "./same-images.js";
import { recallNetwork } from "./weights.js";

/** A generation that has just been finished. */
export interface FinishedGeneration {
  /** The network, frozen and ready to teach. */
  network: Module;
  /** Its logits for the test images, [N, C]. */
  logits: torch.Tensor;
  result: GenerationResult;
  /** Seconds of training, evaluation and files, summed over all processes that worked at it. */
  seconds: number;
}

/**
 * The finished generations of a line: their results, their logits for the test images, and the frozen
 * networks that still have a generation to teach. Disposing of it frees the networks and the logits.
 */
export class Line implements Disposable {
  readonly results: GenerationResult[] = [];
  /** The results of the ensembles of generations 0 to m, for each m from 1, under the key "0-m". */
  readonly ensembles: Record<string, EnsembleResult> = {};
  /** How many of an image's best classes the metrics count as primary and secondary. */
  readonly k: number;
  /** Seconds of all generations together, summed over all processes that worked on the run. */
  seconds = 0;
  readonly #experiment: Experiment;
  readonly #logits: torch.Tensor[] = [];
  readonly #networks = new Map<number, Module>();

  private constructor(experiment: Experiment, k: number) {
    this.#experiment = experiment;
    this.k = k;
  }

  /**
   * Loads the finished generations of a run's folder. Without a folder there are none.
   *
   * @throws Error that names the file when stored logits or weights are of other images than these
   */
  static async recall(experiment: Experiment): Promise<Line> {
    const { folder, images } = experiment;
    const summary = await folder?.readSummary();
    const line = new Line(experiment, summary?.k ?? defaultK(images.classes));
    if (!folder || !summary) return line;
    line.results.push(...summary.generations);
    Object.assign(line.ensembles, summary.ensembles);
    line.seconds = summary.seconds;
    try {
      for (const generation of line.results.keys()) {
        // A process that is killed between writing the summary and removing the checkpoint leaves one that is
        // not needed.
        await folder.removeCheckpoint(generation);
        const { testLogits: path, weights } = folder.generation(generation);
        // Weights that teach nobody any more are otherwise not read, and a damaged file would be found when it is too late.
        if (existsSync(weights)) torch.verifySafetensors(weights);
        const logits = loadTestLogits(path);
        line.#logits.push(logits);
        const expected = [images.dataset.test.count, images.classes];
        if (`${logits.shape}` !== `${expected}`) {
          throw new Error(
            `${path}: logits of shape [${logits.shape}], but the test images call for [${expected}]`,
          );
        }
      }
      const { length } = line;
      if (length > 0 && length < experiment.recipe.generations)
        checkSameImages(folder.generation(length - 1).weights, images, {
          // Weights that came from elsewhere may want images by a normalisation of their own.
          normalisation: firstWeightsOf(experiment, length - 1) === undefined,
        });
    } catch (error) {
      line[Symbol.dispose]();
      throw error;
    }
    return line;
  }

  /** The number of generations that are finished. */
  get length(): number {
    return this.results.length;
  }

  /**
   * Gives the frozen teachers of a generation, in the order in which its method asks for them. The line keeps
   * them, and frees them when they have no generation left to teach.
   */
  teachersOf(generation: number): Module[] {
    return teachersOf(this.#experiment, generation).map((teacher) => this.#network(teacher));
  }

  /** Gives the logits of a finished generation for the test images, [N, C]; the line keeps them. */
  testLogitsOf(generation: number): torch.Tensor | undefined {
    return this.#logits[generation];
  }

  /**
   * Adds a finished generation, which the line owns from then on, and frees the networks that need not teach
   * any more.
   */
  add({ network, logits, result, seconds }: FinishedGeneration): void {
    this.#networks.set(this.length, network);
    this.#logits.push(logits);
    this.results.push(result);
    this.seconds += seconds;
    const { recipe, images } = this.#experiment;
    if (this.length > 1) {
      const members = `0-${this.length - 1}`;
      this.ensembles[members] = evaluateEnsemble(this.#logits, images.dataset, { k: this.k });
    }
    this.#freeIdle(recipe.generations);
  }

  /** Frees the networks that teach none of the generations still to come. */
  #freeIdle(generations: number): void {
    const needed = new Set<number>();
    for (let later = this.length; later < generations; later++) {
      for (const teacher of teachersOf(this.#experiment, later)) needed.add(teacher);
    }
    for (const [generation, frozen] of this.#networks) {
      if (needed.has(generation)) continue;
      frozen.dispose();
      this.#networks.delete(generation);
    }
  }

  [Symbol.dispose](): void {
    for (const network of this.#networks.values()) network.dispose();
    for (const logits of this.#logits) logits.dispose();
    this.#networks.clear();
    this.#logits.length = 0;
  }

  /**
   * Gives the frozen network of a finished generation: the one in memory, or one that is made from its stored
   * weights.
   */
  #network(generation: number): Module {
    const known = this.#networks.get(generation);
    if (known) return known;
    const { weights } = this.#experiment.folder!.generation(generation);
    const network = recallNetwork(this.#experiment, generation, weights);
    this.#networks.set(generation, network);
    return network;
  }
}
