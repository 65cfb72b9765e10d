import * as torch from "../torch/index.js";
import { Module } from "./module.js";

/** The place of a batch's images in a larger batch, of which several processes compute a part each. */
export interface RowsOfBatch {
  /** The place of the first image in the larger batch. */
  readonly start: number;
  /** The images of the larger batch. */
  readonly of: number;
}

/**
 * Makes a random share of the elements zero and divides the others by the share that stays (Srivastava et al. 2014), as
 * torch.nn.functional.dropout does in training.
 *
 * Which elements they are follows from the seed and the shape alone. A layer takes another seed in each step, from
 * something that a checkpoint holds, so that an interrupted training goes on with the numbers of an unbroken one.
 *
 * @param x of any shape and floating dtype
 * @param options.rate the probability with which an element becomes zero; 0 <= rate < 1
 * @param options.seed a whole number from 0 to 2^32 - 1
 * @param options.rows where x is a part of a larger batch: what becomes zero in it is then as if the whole were given
 * @returns a new tensor of the shape of x
 * @throws RangeError when the rate is out of range
 */
export function dropout(
  x: torch.Tensor,
  { rate, seed, rows }: { rate: number; seed: number; rows?: RowsOfBatch | undefined },
): torch.Tensor {
  if (!(rate >= 0 && rate < 1))
    throw new RangeError(`the dropout rate must be from 0 to below 1, got ${rate}`);
  const stays = 1 - rate;
  const generator = new torch.Generator(seed, x.device);
  if (!rows) return x.mul(torch.emptyLike(x.detach()).bernoulli_(stays, { generator }).div_(stays));
  const mask = emptyOf(rows.of, x).bernoulli_(stays, { generator });
  return x.mul(mask.narrow(0, rows.start, x.shape[0]!).div(stays));
}

/** Makes a tensor of other many rows than x, in x's order of memory, in which random numbers are drawn. */
function emptyOf(rows: number, x: torch.Tensor): torch.Tensor {
  const { dtype, device, shape } = x;
  const made = torch.empty([rows, ...shape.slice(1)], { dtype, device });
  return shape.length === 4 && x.isContiguous("channelsLast") ? made.contiguous("channelsLast") : made;
}

/**
 * Dropout while training; in evaluation it returns what it is given. As torch.nn.Dropout.
 *
 * Each batch has a mask of its own, which follows from a seed of the layer and the number of batches before it. That number
 * is no tensor, so that weights have the names that PyTorch's have; a checkpoint of a training holds it beside them.
 */
export class Dropout extends Module {
  /** The probability with which an element becomes zero. */
  readonly rate: number;
  /** How many batches were trained on. */
  batches = 0;
  readonly #seed: number;
  #rows: RowsOfBatch | undefined;

  /**
   * @param rate 0 <= rate < 1; without dropout nothing is drawn from the generator
   * @throws RangeError when the rate is out of range
   */
  constructor(rate: number, { generator }: { generator: torch.Generator }) {
    super();
    if (!(rate >= 0 && rate < 1))
      throw new RangeError(`the dropout rate must be from 0 to below 1, got ${rate}`);
    this.rate = rate;
    this.#seed = rate > 0 ? drawSeed(generator) : 0;
  }

  override forward(x: torch.Tensor): torch.Tensor {
    if (!this.training || this.rate === 0) return x;
    const seed = (this.#seed + Math.imul(this.batches, 0x9e3779b1)) >>> 0;
    this.batches++;
    return dropout(x, { rate: this.rate, seed, rows: this.#rows });
  }

  /** Says of which larger batch the next ones are a part; undefined where they are none. */
  setRows(rows: RowsOfBatch | undefined): void {
    this.#rows = rows;
  }
}

/** A whole number of 32 bits. */
function drawSeed(generator: torch.Generator): number {
  return torch.scope(() => torch.randint(0, 2 ** 32, [], { generator, dtype: "int64" }).item());
}
