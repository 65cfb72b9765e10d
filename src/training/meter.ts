import type { BatchPart, Mix } from "../data/index.js";
import type { Losses } from "../methods/index.js";
import * as torch from "../torch/index.js";

/** Means over the images that a meter has seen. */
export interface Reading {
  loss: number;
  terms: Record<string, number>;
  /**
   * The fraction of images whose highest logit was that of the label. A mixed image counts by the weight of the
   * label, of its two, that had the highest logit.
   */
  top1: number;
  /** The number of images. */
  images: number;
}

/** The state of a meter as plain data, to be saved and restored. */
export interface MeterState {
  names: string[];
  sums: number[];
  images: number;
}

/**
 * Adds up the losses and the correct predictions of an epoch, on the device where the tensors are. Nothing is
 * read back before `read` or `state` is called, so that no step waits for the device.
 */
export class Meter {
  private names: string[] = [];
  /**
   * The sums over all images, [2 + terms] float64: the number of correct predictions, the loss, then the
   * terms. It stays the same tensor until `reset`, because a recorded step goes on writing to the tensor that
   * it was recorded with.
   */
  private sums: torch.Tensor | undefined;
  /** The values that `sums` is to begin with; it is made at the first batch, which says on which device. */
  private restored: number[] = [];
  private images = 0;

  /**
   * Adds a batch.
   *
   * @param logits [N, C]
   * @param labels [N]
   * @param losses means over the batch
   * @param mix the other labels of mixed images
   */
  add(logits: torch.Tensor, labels: torch.Tensor, losses: Losses, mix?: Mix): void {
    this.addSums(logits, labels, losses, mix);
    this.addImages(labels.shape[0]!);
  }

  /**
   * Does the part of `add` that is computed by tensors, which a recorded step repeats.
   *
   * @param part where several processes train together: the batch counts for its share of that of all
   */
  addSums(
    logits: torch.Tensor,
    labels: torch.Tensor,
    { loss, terms }: Losses,
    mix?: Mix,
    part?: BatchPart,
  ): void {
    const count = labels.shape[0]!;
    const counted = part ? part.share * part.of : count;
    torch.noGrad(() =>
      torch.scope(() => {
        const names = Object.keys(terms);
        if ((this.sums || this.restored.length > 0) && `${names}` !== `${this.names}`)
          throw new TypeError(
            `the terms of a loss must be the same in every step, got ${names.join(", ")} after ${this.names.join(", ")}`,
          );
        this.names = names;
        const best = logits.argmax(1);
        const hitsOf = (expected: torch.Tensor) => best.eq(expected).sum().to({ dtype: "float64" });
        const own = hitsOf(labels);
        const hits = mix
          ? own.mul(mix.weight).add(hitsOf(mix.otherLabels).mul(mix.weight.neg().add(1)))
          : own;
        const means = torch.stack([loss, ...Object.values(terms)]).to({ dtype: "float64" });
        const share = part ? hits.mul(counted / count) : hits;
        const batch = torch.cat([share.unsqueeze(0), means.mul(counted)]);
        this.sums ??= this.firstSums(batch);
        this.sums.add_(batch);
      }),
    );
  }

  /** Does the part of `add` that is computed in JavaScript, which a recorded step does not repeat. */
  addImages(count: number): void {
    this.images += count;
  }

  /** Adds what another meter has counted. */
  include({ names, sums, images }: MeterState): void {
    const own = this.state();
    const total = own.sums.length === 0 ? sums : sums.map((sum, i) => sum + own.sums[i]!);
    this.restore({ names, sums: total, images: own.images + images });
  }

  /** Reads the means, which waits for the device. They are NaN before the first batch. */
  read(): Reading {
    return reading(this.state());
  }

  /** Reads the state, which waits for the device. */
  state(): MeterState {
    const { names, images, sums, restored } = this;
    if (images === 0) return { names, sums: [], images };
    return { names, sums: sums ? Array.from(sums.toTypedArray(), Number) : restored, images };
  }

  /** Sets the meter to a state, such as the empty one of a new epoch. */
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

  /** Sets the meter to the empty state and frees its tensor. */
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

/** Computes the means over the images that were added between two states of one epoch. */
export function between(earlier: MeterState | undefined, later: MeterState): Reading {
  if (!earlier || earlier.sums.length === 0) return reading(later);
  return reading({
    names: later.names,
    sums: later.sums.map((sum, i) => sum - earlier.sums[i]!),
    images: later.images - earlier.images,
  });
}
