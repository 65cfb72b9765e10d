import { defaultK } from "../analysis/index.js";
import type { Module } from "../nn/index.js";
import { foldBatchNorm } from "../nn/index.js";
import type { EnsembleResult, GenerationResult } from "../runs/index.js";
import type * as torch from "../torch/index.js";
import { type Experiment, freshModel, teachersOf } from "./experiment.js";
import { handOver } from "./hand-over.js";
import { evaluateEnsemble, loadTestLogits } from "./results.js";
import { checkSameImages } from "./same-images.js";
import { loadWeights } from "./weights.js";

/** A generation that has just been trained. */
export interface Trained {
  /** Frozen, fit to teach. */
  network: Module;
  /** Its answers to the test images, [N, C]. */
  logits: torch.Tensor;
  result: GenerationResult;
  /** Of training, evaluation and files, over all sittings. */
  seconds: number;
}

/**
 * The generations that are finished: their results, their answers to the test images, and the frozen networks that
 * still have somebody to teach. Disposing of it frees networks and answers.
 */
export class Line implements Disposable {
  readonly results: GenerationResult[] = [];
  /** The ensembles of generations 0 to m, for each m from 1 on, by "0-m". */
  readonly ensembles: Record<string, EnsembleResult> = {};
  /** How many of an image's best classes the metrics take for primary and secondary. */
  readonly k: number;
  /** Of all generations together, over all sittings. */
  seconds = 0;
  readonly #experiment: Experiment;
  readonly #answers: torch.Tensor[] = [];
  readonly #networks = new Map<number, Module>();

  private constructor(experiment: Experiment, k: number) {
    this.#experiment = experiment;
    this.k = k;
  }

  /**
   * The generations that the run's folder holds already; none without a folder.
   *
   * @throws Error that names the file which tells of other images than these
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
        // A kill between a generation's summary and this leaves a checkpoint that nothing needs any more.
        await folder.removeCheckpoint(generation);
        const path = folder.generation(generation).testLogits;
        const answers = loadTestLogits(path);
        line.#answers.push(answers);
        const expected = [images.dataset.test.count, images.classes];
        if (`${answers.shape}` !== `${expected}`) {
          throw new Error(
            `${path}: answers of shape [${answers.shape}], but the test images call for [${expected}]`,
          );
        }
      }
      const { length } = line;
      if (length > 0 && length < experiment.recipe.generations)
        checkSameImages(folder.generation(length - 1).weights, images);
    } catch (error) {
      line[Symbol.dispose]();
      throw error;
    }
    return line;
  }

  /** How many generations are finished. */
  get length(): number {
    return this.results.length;
  }

  /** The frozen teachers of a generation, in the order in which its method asks for them. They stay the line's. */
  teachersOf(generation: number): Module[] {
    return teachersOf(this.#experiment, generation).map((teacher) => this.#network(teacher));
  }

  /** The answers of a generation to the test images, [N, C]; they stay the line's. */
  answersOf(generation: number): torch.Tensor | undefined {
    return this.#answers[generation];
  }

  /** Takes a trained generation over, and frees the networks that have nobody left to teach. */
  add({ network, logits, result, seconds }: Trained): void {
    this.#networks.set(this.length, network);
    this.#answers.push(logits);
    this.results.push(result);
    this.seconds += seconds;
    const { recipe, images } = this.#experiment;
    if (this.length > 1) {
      const members = `0-${this.length - 1}`;
      this.ensembles[members] = evaluateEnsemble(this.#answers, images.dataset.test.labels, this.k);
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
    for (const answers of this.#answers) answers.dispose();
    this.#networks.clear();
    this.#answers.length = 0;
  }

  /** A finished generation's frozen network: the one at hand, or made again from its weights. */
  #network(generation: number): Module {
    const known = this.#networks.get(generation);
    if (known) return known;
    const network = freshModel(this.#experiment, generation);
    using made = handOver(network);
    loadWeights(network, this.#experiment.folder!.generation(generation).weights);
    foldBatchNorm(network);
    this.#networks.set(generation, made.keep());
    return network;
  }
}
