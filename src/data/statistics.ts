import type { ImageSet } from "./image-set.js";

/**
 * Computes the mean and standard deviation of each channel over all pixels of the chosen images, as fractions of
 * 255, for normalisation. The sums are exact, of integers, in one pass.
 *
 * @param indices the training images; all of the set when left out
 * @returns one value per channel; a channel that is the same everywhere gets a standard deviation of 1, so
 *   that it can be divided by
 * @throws RangeError when there are no images
 */
export function channelStatistics(set: ImageSet, indices?: Int32Array): { mean: number[]; std: number[] } {
  const { images, channels } = set;
  const plane = set.height * set.width;
  const count = indices?.length ?? set.count;
  if (count === 0) throw new RangeError(`channelStatistics: no images of ${set.name} to take the mean of`);
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < count; i++) {
    let position = (indices ? indices[i]! : i) * channels * plane;
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      let square = 0;
      for (const end = position + plane; position < end; position++) {
        const value = images[position]!;
        sum += value;
        square += value * value;
      }
      sums[c]! += sum;
      squares[c]! += square;
    }
  }
  const pixels = count * plane;
  const mean = Array.from(sums, (sum) => sum / pixels / 255);
  const std = Array.from(squares, (square, c) => {
    const variance = Math.max(0, square / pixels - (sums[c]! / pixels) ** 2);
    return Math.sqrt(variance) / 255 || 1;
  });
  return { mean, std };
}
