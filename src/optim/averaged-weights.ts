import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { copyAs } from "./copy-as.js";

export interface AveragedWeightsOptions {
  /** How much of the average stays at each update, from 0 to below 1. Default: 0.999. */
  decay?: number;
  /**
   * Lets the n-th update after the first keep at most (1 + n) / (10 + n), so that early weights are soon forgotten (as
   * TensorFlow's ExponentialMovingAverage with `num_updates`). Default: yes.
   */
  warmup?: boolean;
  /**
   * Takes the equal mean of the weights at all updates, for which decay and warm-up do not matter. Default: no, which is the
   * exponential average.
   */
  equal?: boolean;
}

interface Pair {
  live: torch.Tensor;
  average: torch.Tensor;
}

const prefix = "average.";

/**
 * An exponential moving average of a network's weights: e ← e + (1 - decay) · (w - e) (Polyak and Juditsky 1992; Tarvainen
 * and Valpola 2017). The average often classifies better than the weights of any one step. With `equal` it is their equal
 * mean, e ← e + (w - e) / n at update n, as of weights after epochs in stochastic weight averaging (Izmailov et al. 2018).
 *
 * Parameters and floating buffers are averaged, batch norm's statistics among them, as by timm's ModelEmaV3 and PyTorch's
 * AveragedModel with `use_buffers`; the first update copies, as AveragedModel's does. Integers stay the network's own.
 *
 * An update is two operators on whole lists, which pass 6 times over the weights' bytes and hold one more copy of them
 * meanwhile: for ResNet-110's 6.8 MB a few milliseconds beside a step of hundreds. A recorded step cannot contain it,
 * because its decay is a number: call it after each step.
 */
export class AveragedWeights {
  readonly #model: Module;
  readonly #decay: number;
  readonly #warmup: boolean;
  readonly #equal: boolean;
  /** By name; names that share a tensor share its average. */
  readonly #pairs = new Map<string, Pair>();
  #updates = 0;
  #swapped = false;

  /**
   * @param model on the device and in the dtype and memory format in which it will be trained
   * @throws RangeError when decay is out of range
   */
  constructor(model: Module, { decay = 0.999, warmup = true, equal = false }: AveragedWeightsOptions = {}) {
    if (!(decay >= 0 && decay < 1)) throw new RangeError(`decay must be from 0 to below 1, got ${decay}`);
    this.#model = model;
    this.#decay = decay;
    this.#warmup = warmup;
    this.#equal = equal;
    const known = new Map<torch.Tensor, Pair>();
    for (const [name, live] of [...model.namedParameters(), ...model.namedBuffers()]) {
      if (!live.dtype.includes("float")) continue;
      const pair = known.get(live) ?? { live, average: copyAs(live, live) };
      known.set(live, pair);
      this.#pairs.set(name, pair);
    }
  }

  /** How many updates the average has seen. */
  get updates(): number {
    return this.#updates;
  }

  /**
   * Takes the network's weights of now into the average.
   *
   * @throws Error while the average stands in the network, see {@link swap}
   */
  update(): void {
    if (this.#swapped) throw new Error("the averaged weights stand in the network: swap them back first");
    const pairs = this.#unique();
    const averages = pairs.map(({ average }) => average);
    const live = pairs.map((pair) => pair.live);
    torch.noGrad(() =>
      torch.scope(() => {
        if (this.#updates === 0) for (const pair of pairs) pair.average.copy_(pair.live);
        else {
          // By the difference: decay · e + (1 - decay) · w would shrink or grow weights that stand still, because the
          // factors are rounded to float32 one by one.
          const differences = torch.foreachAdd(live, averages, { alpha: -1 });
          torch.foreachAdd_(averages, differences, { alpha: this.#share() });
        }
      }),
    );
    this.#updates++;
  }

  /** A state dict of the network with the averages in it, detached and sharing memory: to save, or to load elsewhere. */
  weights(): Record<string, torch.Tensor> {
    const averages = [...this.#pairs].map(([name, pair]) => {
      const held = this.#swapped ? pair.live : pair.average;
      return [name, held.detach()] as const;
    });
    return { ...this.#model.stateDict(), ...Object.fromEntries(averages) };
  }

  /** Copies the averages into another network of the same architecture. */
  copyTo(model: Module): void {
    torch.scope(() => model.loadStateDict(this.weights()));
  }

  /**
   * Puts the averages into the network, to evaluate it, until the returned value is disposed of
   * (`using swapped = averaged.swap()`); the weights in training wait in the averages' place.
   *
   * @throws Error when they stand there already
   */
  swap(): Disposable {
    if (this.#swapped) throw new Error("the averaged weights stand in the network already");
    this.#exchange();
    return {
      [Symbol.dispose]: () => {
        if (this.#swapped) this.#exchange();
      },
    };
  }

  /**
   * The averages (`average.conv1.weight`) and the count of updates (`updates`, int64 []), for a checkpoint; detached and
   * sharing memory: copy what must not change.
   *
   * @throws Error while the average stands in the network
   */
  stateDict(): Record<string, torch.Tensor> {
    if (this.#swapped) throw new Error("the averaged weights stand in the network: swap them back first");
    const averages = [...this.#pairs].map(([name, { average }]) => [prefix + name, average.detach()]);
    return { ...Object.fromEntries(averages), updates: torch.tensor(this.#updates, { dtype: "int64" }) };
  }

  /**
   * Goes on from a saved state.
   *
   * @throws Error that names the tensor that is missing or of another shape; nothing is changed then
   */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const get = (name: string, shape: readonly number[]) => {
      const tensor = Object.hasOwn(state, name) ? state[name] : undefined;
      if (`${tensor?.shape}` !== `${shape}`)
        throw new Error(`the averaged weights' ${name} of shape [${shape.join(", ")}] is missing`);
      return tensor!;
    };
    const updates = get("updates", []).item();
    if (!(Number.isSafeInteger(updates) && updates >= 0))
      throw new Error(`the averaged weights' count of updates is ${updates}`);
    const found = [...this.#pairs].map(
      ([name, { average }]) => [average, get(prefix + name, average.shape)] as const,
    );
    torch.noGrad(() => {
      for (const [average, saved] of found) average.copy_(saved);
    });
    this.#updates = updates;
  }

  /** Frees the averages. */
  dispose(): void {
    for (const { average } of this.#unique()) average.dispose();
    this.#pairs.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #unique(): Pair[] {
    return [...new Set(this.#pairs.values())];
  }

  /** How much of the way from the average to the weights the next update takes. */
  #share(): number {
    const n = this.#updates;
    if (this.#equal) return 1 / (n + 1);
    return 1 - (this.#warmup ? Math.min(this.#decay, (1 + n) / (10 + n)) : this.#decay);
  }

  #exchange(): void {
    torch.noGrad(() =>
      torch.scope(() => {
        for (const { live, average } of this.#unique()) {
          const waiting = average.clone();
          average.copy_(live);
          live.copy_(waiting);
        }
      }),
    );
    this.#swapped = !this.#swapped;
  }
}
