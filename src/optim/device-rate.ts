import * as torch from "../torch/index.js";

/** A learning rate on the device, which a recorded step reads anew each time it is replayed. */
export class DeviceRate {
  /** float32 [1] */
  #tensor: torch.Tensor | undefined;
  #written = Number.NaN;

  /** The tensor, holding `rate`; it is written to only when the rate has changed. */
  bring(rate: number, device: torch.Device): torch.Tensor {
    this.#tensor ??= torch.keep(torch.zeros([1], { device }));
    if (this.#written !== rate) torch.noGrad(() => this.#tensor!.fill_(rate));
    this.#written = rate;
    return this.#tensor;
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
    this.#written = Number.NaN;
  }
}
