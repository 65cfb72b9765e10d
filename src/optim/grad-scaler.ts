import * as torch from "../torch/index.js";
import { unscale, updateScale } from "./amp.js";
import { clipGradients } from "./clip-gradients.js";
import type { Optimizer } from "./optimizer.js";

export interface GradScalerOptions {
  device?: torch.Device;
  /** What losses are multiplied by at first. Default: 65536. */
  initialScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps without infinities. Default: 2. */
  growthFactor?: number;
  /** What the scale is multiplied by after a step with infinities. Default: 0.5. */
  backoffFactor?: number;
  /** Steps without infinities after which the scale grows. Default: 2000. */
  growthInterval?: number;
}

/**
 * Dynamic loss scaling, as torch.amp.GradScaler does it: gradients of float16 that would be too small for it are kept by
 * multiplying the loss; where one becomes infinite, the step is left out and the scale is lowered.
 *
 * Scale and count are tensors on the device. With an optimiser that can leave a step out by itself nothing waits for it.
 */
export class GradScaler {
  /** float32 [1] */
  readonly #scale: torch.Tensor;
  /** int32 [1]: steps without infinities since the scale last changed. */
  readonly #growthTracker: torch.Tensor;
  readonly #options: Required<Omit<GradScalerOptions, "device" | "initialScale">>;

  /** @throws RangeError when a number is out of range */
  constructor(options: GradScalerOptions = {}) {
    const { device = "cpu", initialScale = 2 ** 16, growthFactor = 2 } = options;
    const { backoffFactor = 0.5, growthInterval = 2000 } = options;
    const inRange =
      initialScale > 0 && growthFactor > 1 && backoffFactor > 0 && backoffFactor < 1 && growthInterval >= 1;
    if (!inRange || !Number.isInteger(growthInterval)) {
      throw new RangeError(
        "GradScaler: initialScale must be above 0, growthFactor above 1, backoffFactor between 0 and 1, " +
          `growthInterval a whole number from 1 on; got ${[initialScale, growthFactor, backoffFactor, growthInterval]}`,
      );
    }
    this.#options = { growthFactor, backoffFactor, growthInterval };
    this.#scale = torch.keep(torch.tensor([initialScale], { device }));
    this.#growthTracker = torch.keep(torch.tensor([0], { dtype: "int32", device }));
  }

  /** The loss to go backward from. */
  scale(loss: torch.Tensor): torch.Tensor {
    return loss.mul(this.#scale.reshape([]));
  }

  /**
   * Divides the gradients by the scale, clips them if asked to, updates the parameters unless a gradient is infinite or
   * NaN, and adapts the scale.
   *
   * @param options.clipNorm the highest norm of the gradients, see `clipGradients`; default: they are not clipped
   */
  step(optimizer: Optimizer, { clipNorm }: { clipNorm?: number | undefined } = {}): void {
    torch.noGrad(() =>
      torch.scope(() => {
        const foundInf = torch.zerosLike(this.#scale);
        // The reciprocal is taken in float64, as PyTorch does.
        const inverse = this.#scale.to({ dtype: "float64" }).reciprocal().to({ dtype: "float32" });
        const gradients = optimizer.gradients();
        unscale(gradients, foundInf, inverse);
        if (clipNorm !== undefined) clipGradients(gradients, clipNorm);
        if (optimizer.fused) optimizer.step({ foundInf });
        else if (foundInf.item() === 0) optimizer.step();
        updateScale(this.#scale, this.#growthTracker, foundInf, this.#options);
      }),
    );
  }

  /** Detached, sharing memory: copy what must not change. */
  stateDict(): Record<string, torch.Tensor> {
    return { scale: this.#scale.detach(), growth_tracker: this.#growthTracker.detach() };
  }

  /** @throws Error when a tensor is missing or of another shape; nothing is changed then */
  loadStateDict(state: Readonly<Record<string, torch.Tensor>>): void {
    const own = this.stateDict();
    const wrong = Object.keys(own).find((name) => `${state[name]?.shape}` !== "1");
    if (wrong !== undefined) throw new Error(`the gradient scaler's ${wrong} of shape [1] is missing`);
    torch.noGrad(() => {
      for (const [name, tensor] of Object.entries(own)) tensor.copy_(state[name]!);
    });
  }

  dispose(): void {
    this.#scale.dispose();
    this.#growthTracker.dispose();
  }
}
