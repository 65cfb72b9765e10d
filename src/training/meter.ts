import * as torch from "../torch/index.js";
import type { Losses } from "./objective.js";

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
  /** [2 + terms] float64: hits, then loss and terms, each times the images of its batch. */
  private sums: torch.Tensor | undefined;
  private images = 0;

  /** @param logits [N, C] and @param labels [N]: the batch that `losses` are means over */
  add(logits: torch.Tensor, labels: torch.Tensor, { loss, terms }: Losses): void {
    const count = labels.shape[0]!;
    torch.noGrad(() =>
      torch.scope(() => {
        this.names = Object.keys(terms);
        const hits = logits.argmax(1).eq(labels).sum().to({ dtype: "float64" });
        const means = torch.stack([loss, ...Object.values(terms)]).to({ dtype: "float64" });
        const batch = torch.cat([hits.unsqueeze(0), means.mul(count)]);
        if (this.sums) this.sums.add_(batch);
        else this.sums = torch.keep(batch);
      }),
    );
    this.images += count;
  }

  /** Waits for the device. NaN before the first batch. */
  read(): Reading {
    return reading(this.state());
  }

  state(): MeterState {
    return {
      names: this.names,
      sums: this.sums ? Array.from(this.sums.toTypedArray(), Number) : [],
      images: this.images,
    };
  }

  restore({ names, sums, images }: MeterState): void {
    this.reset();
    this.names = names;
    this.images = images;
    if (sums.length > 0) this.sums = torch.keep(torch.tensor(sums, { dtype: "float64" }));
  }

  reset(): void {
    this.sums?.dispose();
    this.sums = undefined;
    this.images = 0;
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
