import { Dropout, type Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** A network's dropout layers by path, those that do drop something. */
export function dropoutsOf(model: Module): [path: string, layer: Dropout][] {
  return [...model.namedModules()].filter(
    (entry): entry is [string, Dropout] => entry[1] instanceof Dropout && entry[1].rate > 0,
  );
}

/**
 * The counts of batches from which the masks of a network's dropout follow. They are no part of its weights; a checkpoint
 * holds them beside these, so that a resumed training draws the masks of an unbroken one.
 */
export class DropoutCounts {
  readonly #layers: [path: string, layer: Dropout][];

  constructor(model: Module) {
    this.#layers = dropoutsOf(model);
  }

  /** The counts by the layers' paths: int64 scalars. */
  stateDict(): Record<string, torch.Tensor> {
    return Object.fromEntries(
      this.#layers.map(([path, { batches }]) => [path, torch.tensor(batches, { dtype: "int64" })]),
    );
  }

  /** @throws Error that names the layer whose count is missing or is none; nothing is changed then */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const counts = this.#layers.map(([path, layer]) => {
      const found = Object.hasOwn(state, path) ? state[path]! : undefined;
      const count = found?.numel === 1 ? found.item() : Number.NaN;
      if (!(Number.isSafeInteger(count) && count >= 0))
        throw new Error(`the count of batches of the dropout layer ${path} is missing or damaged`);
      return [layer, count] as const;
    });
    for (const [layer, count] of counts) layer.batches = count;
  }
}
