import { foldBatchNorm, type Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

export interface SnapshotOptions {
  /** Makes a network of the architecture of the one that is trained, on its device; its weights do not matter. */
  make(): Module;
  /** Tells whether the snapshot is renewed when so many epochs are done. */
  isDue(epochsDone: number): boolean;
}

/**
 * A frozen copy of a network in training, by which the network learns from its own earlier answers: its batch norms have
 * the statistics of the time when it was taken, and are folded as those of every teacher.
 */
export class Snapshot {
  readonly #options: SnapshotOptions;
  /** The copy's tensors before its batch norms were folded, which a checkpoint holds; empty before the first copy. */
  #weights: Record<string, torch.Tensor> = {};
  #network: Module | undefined;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** The frozen network; undefined before the first copy is taken. */
  get network(): Module | undefined {
    return this.#network;
  }

  /** Takes a copy of a network at the end of an epoch, if one is due then. */
  afterEpoch(model: Module, epochsDone: number): void {
    if (this.#options.isDue(epochsDone)) this.#take(model.stateDict());
  }

  /** The copy's tensors by name, none before the first copy is taken; they share memory with the snapshot. */
  stateDict(): Record<string, torch.Tensor> {
    return { ...this.#weights };
  }

  /**
   * Goes on with a saved copy, or with none.
   *
   * @throws Error that names the tensor that is missing or of another shape; nothing is changed then
   */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    if (Object.keys(state).length > 0) this.#take(state);
    else this.dispose();
  }

  /** Frees the copy. */
  dispose(): void {
    for (const tensor of Object.values(this.#weights)) tensor.dispose();
    this.#network?.dispose();
    this.#weights = {};
    this.#network = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #take(state: Readonly<Record<string, torch.Tensor>>): void {
    const network = this.#options.make();
    try {
      network.loadStateDict(state);
    } catch (error) {
      network.dispose();
      throw error;
    }
    this.dispose();
    this.#weights = torch.noGrad(() =>
      torch.scope(() =>
        Object.fromEntries(
          Object.entries(network.stateDict()).map(([name, tensor]) => [name, torch.keep(tensor.clone())]),
        ),
      ),
    );
    this.#network = torch.noGrad(() => foldBatchNorm(network));
  }
}
