import type { Module } from "../nn/index.js";
import * as torch from "../torch/index.js";

/** A copy of the statistics that a network keeps beside its weights, to which it can be put back. */
export class KeptBuffers implements Disposable {
  readonly #pairs: (readonly [buffer: torch.Tensor, copy: torch.Tensor])[];

  constructor(models: readonly Module[]) {
    this.#pairs = models.flatMap((model) =>
      [...model.namedBuffers().values()].map((buffer) => [buffer, torch.keep(buffer.clone())] as const),
    );
  }

  /** Copies them anew. */
  keep(): void {
    for (const [buffer, copy] of this.#pairs) copy.copy_(buffer);
  }

  putBack(): void {
    for (const [buffer, copy] of this.#pairs) buffer.copy_(copy);
  }

  [Symbol.dispose](): void {
    for (const [, copy] of this.#pairs) copy.dispose();
  }
}
