import { argmax, type Logits, type LogitsLike, readLogits, softmaxRow } from "./logits.js";

/**
 * What one pass over all logits computes: normalisers [N], entropies [N], and the largest scores [N, ranks].
 */
interface Columns {
  normalisers: Float64Array;
  entropies: Float64Array;
  ranked: Float64Array;
}

/**
 * The predictions of one network for N images: its logits, and what many metrics need of them. Each of these
 * is computed in float64 when it is first asked for, and then kept. Scores are softmax probabilities. Rank 1
 * is an image's class with the highest score.
 */
export class Predictions {
  /** The number of images, N. */
  readonly images: number;
  /** The number of classes, C. */
  readonly classes: number;
  /** The number of ranks whose scores are kept: at most C. */
  readonly ranks: number;
  /** The logits, row by row. */
  readonly logits: Logits;
  #columns: Columns | undefined;
  #topClasses: Int32Array | undefined;
  #confidences: Float64Array | undefined;
  #meanScores: Float64Array | undefined;

  /**
   * @param logits [N, C], a tensor or plain values
   * @param options.ranks how many of each image's best scores are kept for `score`. Default: 10, at most C
   * @param options.name the name of the logits in errors
   * @throws TypeError when they are not [N, C] with N >= 1 and C >= 2, in floats
   */
  constructor(logits: LogitsLike, { ranks = 10, name }: { ranks?: number; name?: string } = {}) {
    this.logits = readLogits(logits, name);
    this.classes = this.logits.classes;
    this.images = this.logits.values.length / this.classes;
    this.ranks = Math.min(ranks, this.classes);
  }

  /** The class that is predicted for each image, [N]: the lowest one where several share the top logit. */
  get topClasses(): Int32Array {
    this.#topClasses ??= Int32Array.from({ length: this.images }, (_, image) => argmax(this.logits, image));
    return this.#topClasses;
  }

  /**
   * The score of the best class of each image, [N].
   *
   * @throws RangeError when a row has no softmax (NaN, infinity)
   */
  get confidences(): Float64Array {
    this.#confidences ??= Float64Array.from({ length: this.images }, (_, image) => this.score(image, 1));
    return this.#confidences;
  }

  /** Computes for each image whether its best class is the label, [N]: 1 or 0. */
  correct(labels: ArrayLike<number>): Int32Array {
    return this.topClasses.map((predicted, image) => Number(predicted === labels[image]));
  }

  /**
   * The entropy of each image's scores, [N], in nats.
   *
   * @throws RangeError when a row has no softmax (NaN, infinity); so do all scores and probabilities
   */
  get entropies(): Float64Array {
    return this.#pass().entropies;
  }

  /** The mean over images of the score of each rank, [ranks]. */
  get meanScores(): Float64Array {
    if (this.#meanScores) return this.#meanScores;
    const { ranked } = this.#pass();
    const sums = new Float64Array(this.ranks);
    for (let i = 0; i < ranked.length; i += this.ranks) {
      for (let rank = 0; rank < this.ranks; rank++) sums[rank]! += ranked[i + rank]!;
    }
    this.#meanScores = sums.map((sum) => sum / this.images);
    return this.#meanScores;
  }

  /** Gives the score of an image's class of some rank, from 1 to `ranks`. */
  score(image: number, rank: number): number {
    return this.#pass().ranked[image * this.ranks + rank - 1]!;
  }

  /** Gives ln p of a class, in nats, which is finite even where p itself is 0 in float64. */
  logProbability(image: number, label: number): number {
    return this.logits.values[image * this.classes + label]! - this.#pass().normalisers[image]!;
  }

  /**
   * Gives the rank of a class for an image, from 1. Of classes with equal logits the lower one ranks first.
   */
  rankOf(image: number, label: number): number {
    const { values } = this.logits;
    const start = image * this.classes;
    const logit = values[start + label]!;
    let rank = 1;
    for (let c = 0; c < this.classes; c++) {
      if (values[start + c]! > logit || (values[start + c]! === logit && c < label)) rank++;
    }
    return rank;
  }

  /**
   * Computes the scores of all classes for one image, [C], anew at each call.
   *
   * @param into an array of length C that the scores are written into, for loops over many images
   */
  scores(image: number, into = new Float64Array(this.classes)): Float64Array {
    softmaxRow(this.logits, image, into);
    return into;
  }

  #pass(): Columns {
    if (this.#columns) return this.#columns;
    const { images, classes, ranks } = this;
    const { values } = this.logits;
    const columns = {
      normalisers: new Float64Array(images),
      entropies: new Float64Array(images),
      ranked: new Float64Array(images * ranks),
    };
    const scores = new Float64Array(classes);
    for (let image = 0; image < images; image++) {
      const normaliser = softmaxRow(this.logits, image, scores);
      const start = image * classes;
      let entropy = 0;
      for (let c = 0; c < classes; c++) {
        // A score of 0 adds nothing, though its logarithm may be infinite.
        if (scores[c]! > 0) entropy += scores[c]! * (normaliser - values[start + c]!);
      }
      columns.normalisers[image] = normaliser;
      columns.entropies[image] = entropy;
      largest(scores, columns.ranked.subarray(image * ranks, (image + 1) * ranks));
    }
    this.#columns = columns;
    return columns;
  }
}

/**
 * Fills `best` with the largest scores, highest first. It inserts one by one, since few are kept and most are
 * too low.
 */
function largest(scores: Float64Array, best: Float64Array): void {
  best.fill(Number.NEGATIVE_INFINITY);
  const last = best.length - 1;
  for (const score of scores) {
    if (score <= best[last]!) continue;
    let rank = last;
    for (; rank > 0 && best[rank - 1]! < score; rank--) best[rank] = best[rank - 1]!;
    best[rank] = score;
  }
}
