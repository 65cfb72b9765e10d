import * as torch from "../torch/index.js";

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
 * @returns a new tensor of the shape of x
 * @throws RangeError when the rate is out of range
 */
export function dropout(x: torch.Tensor, { rate, seed }: { rate: number; seed: number }): torch.Tensor {
  if (!(rate >= 0 && rate < 1))
    throw new RangeError(`the dropout rate must be from 0 to below 1, got ${rate}`);
  const stays = 1 - rate;
  const generator = new torch.Generator(seed, x.device);
  const mask = torch.emptyLike(x.detach()).bernoulli_(stays, { generator });
  return x.mul(mask.div_(stays));
}
