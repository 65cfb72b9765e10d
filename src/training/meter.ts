import type { Losses } from "../methods/index.js";
import * as torch from "../torch/index.js";

/** Means over the images seen so far. */
export interface Reading {
  loss: number;
  terms: Record<string, number>;
  /** Fraction of images whose highest logit was the label's. */
  top1: number;
  images: number;
}

/** Plain data, to be saved and restored. */
export interface MeterState {
  names: string[];
  sums: number[];
  images: number;
}

/**
 * Adds up losses and hits of an epoch where the tensors are. Nothing is read back until somebody asks, so that a
 * step never waits for the device.
 */
export class Meter {
  private names: string[] = [];
  /**
   * [2 + terms] float64: hits, then loss and terms, each times the images of its batch. Never another tensor until
   * `reset`: a captured step goes on writing to this one.
   */
  private sums: torch.Tensor | undefined;
  /** What `sums` is to begin with, until the first batch says where that shall be. */
  private restored: number[] = [];
  private images = 0;

  /** @param logits [N, C] and @param labels [N]: the batch that `losses` are means over */
  add(logits: torch.Tensor, labels: torch.Tensor, losses: Losses): void {
    this.addSums(logits, labels, losses);
    this.addImages(labels.shape[0]!);
  }

  /** The part of `add` that tensors do, and that a captured step repeats. */
  addSums(logits: torch.Tensor, labels: torch.Tensor, { loss, terms }: Losses): void {
    torch.noGrad(() =>
      torch.scope(() => {
        const names = Object.keys(terms);
        if ((this.sums || this.restored.length > 0) && `${names}` !== `${this.names}`)
          throw new TypeError(
            `the terms of a loss must be the same in every step, got ${names.join(", ")} after ${this.names.join(", ")}`,
          );
        this.names = names;
        const hits = logits.argmax(1).eq(labels).sum().to({ dtype: "float64" });
        const means = torch.stack([loss, ...Object.values(terms)]).to({ dtype: "float64" });
        const batch = torch.cat([hits.unsqueeze(0), means.mul(labels.shape[0]!)]);
        this.sums ??= this.firstSums(batch);
        this.sums.add_(batch);
      }),
    );
  }

  /** The part of `add` that is left to do for a step that was captured. */
  addImages(count: number): void {
    this.images += count;
  }

  /** Waits for the device. NaN before the first batch. */
  read(): Reading {
    return reading(this.state());
  }

  state(): MeterState {
    const { names, images, sums, restored } = this;
    if (images === 0) return { names, sums: [], images };
    return { names, sums: sums ? Array.from(sums.toTypedArray(), Number) : restored, images };
  }

  /** Goes on from a state, such as the empty one of a new epoch. */
  restore({ names, sums, images }: MeterState): void {
    this.images = images;
    if (sums.length === 0) {
      this.sums?.zero_();
      this.restored = [];
      return;
    }
    this.names = names;
    if (this.sums) torch.scope(() => this.sums!.copy_(torch.tensor(sums, { dtype: "float64" })));
    else this.restored = sums;
  }

  reset(): void {
    this.sums?.dispose();
    this.sums = undefined;
    this.restored = [];
    this.images = 0;
  }

  [Symbol.dispose](): void {
    this.reset();
  }

  private firstSums(like: torch.Tensor): torch.Tensor {
    const { device } = like;
    const { restored } = this;
    if (restored.length === 0) return torch.keep(torch.zerosLike(like));
    return torch.keep(torch.tensor(restored, { dtype: "float64", device }));
  }
}

function reading({ names, sums, images }: MeterState): Reading {
  const mean = (i: number) => (sums[i] ?? Number.NaN) / images;
  return {
    loss: mean(1),
    terms: Object.fromEntries(names.map((name, i) => [name, mean(i + 2)])),
    top1: mean(0),
    images,
  };
}

/** The means over what was added between two states of one epoch. */
export function between(earlier: MeterState | undefined, later: MeterState): Reading {
  if (!earlier || earlier.sums.length === 0) return reading(later);
  return reading({
    names: later.names,
    sums: later.sums.map((sum, i) => sum - earlier.sums[i]!),
    images: later.images - earlier.images,
  });
}
