import { decodeImage, decodeMiddle, type ImageSize, normalisedValues } from "../data/index.js";
import * as torch from "../torch/index.js";

/**
 * An image: a file's path, the bytes of an encoded image, or a tensor [C, H, W] of the network's own size.
 */
export type ImageInput = string | Uint8Array | torch.Tensor;

/**
 * Prepares images for a network as the training's loader does: decoded, resized and normalised. Where no size
 * changes, the values are those of training to the bit.
 */
export class Preparation {
  readonly #size: ImageSize;
  /** Pixels to which the shorter side is resized before the middle is cut out; images are stretched where it is undefined. */
  readonly #shorterSide: number | undefined;
  /** The normalised value of each byte in each channel, [C * 256]. */
  readonly #values: Float32Array;

  /**
   * @param normalisation one mean and one standard deviation for each channel, fractions of 255
   * @param shorterSide pixels to which an image's shorter side is resized before its middle is cut out; left out, images are
   *   stretched to the network's size
   */
  constructor(
    size: ImageSize,
    { mean, std }: { mean: readonly number[]; std: readonly number[] },
    shorterSide?: number,
  ) {
    this.#size = size;
    this.#shorterSide = shorterSide;
    this.#values = normalisedValues(mean, std);
  }

  /**
   * Prepares one image.
   *
   * @param name the name of the image in messages, where it has no path
   * @returns its normalised values, [H, W, C]
   * @throws ImageError when it cannot be read, TypeError when it is no image or a tensor of another shape or
   *   dtype, RangeError when a tensor holds values that are not finite
   */
  async image(image: ImageInput, name: string): Promise<Float32Array> {
    if (torch.isTensor(image)) return this.tensor(image, name);
    if (typeof image === "string") return this.#normalise(await this.#decode(image, image));
    if (image instanceof Uint8Array) return this.#normalise(await this.#decode(image, name));
    throw new TypeError(`${name}: an image is a file's path, a Uint8Array of its bytes, or a tensor`);
  }

  #decode(image: string | Uint8Array, name: string): Promise<Uint8Array> {
    const resize = this.#shorterSide;
    return resize === undefined
      ? decodeImage(image, this.#size, name)
      : decodeMiddle(image, { ...this.#size, resize }, name);
  }

  /**
   * Prepares one image that is given as a tensor [C, H, W], which is copied; see {@link image} for what is
   * thrown.
   */
  tensor(tensor: torch.Tensor, name: string): Float32Array {
    const { channels, height, width } = this.#size;
    if (`${tensor.shape}` !== `${[channels, height, width]}`) {
      throw new TypeError(
        `${name}: a tensor must be [C, H, W] = [${channels}, ${height}, ${width}], got [${tensor.shape.join(", ")}]`,
      );
    }
    return this.#copy(tensor, name)[0]!;
  }

  /** Prepares the images in a tensor [N, C, H, W], which is copied; see {@link image} for what is thrown. */
  tensors(tensor: torch.Tensor, name: string): Float32Array[] {
    const { channels, height, width } = this.#size;
    const [, ...each] = tensor.shape;
    if (tensor.shape.length !== 4 || `${each}` !== `${[channels, height, width]}`) {
      throw new TypeError(
        `${name}: a tensor must be [C, H, W] or [N, C, H, W] with [C, H, W] = [${channels}, ${height}, ${width}], ` +
          `got [${tensor.shape.join(", ")}]`,
      );
    }
    return this.#copy(tensor, name);
  }

  #copy(tensor: torch.Tensor, name: string): Float32Array[] {
    const { dtype } = tensor;
    if (dtype !== "uint8" && dtype !== "float32") {
      throw new TypeError(
        `${name}: a tensor must be uint8 (0 to 255) or float32 (normalised already), got ${dtype}`,
      );
    }
    const values = torch.scope(() => tensor.detach().toTypedArray()) as Uint8Array | Float32Array;
    if (dtype === "float32" && !(values as Float32Array).every(Number.isFinite)) {
      throw new RangeError(`${name}: holds NaN or infinite values`);
    }
    const { channels, height, width } = this.#size;
    const length = channels * height * width;
    return Array.from({ length: values.length / length }, (_, i) => {
      const image = values.subarray(i * length, (i + 1) * length);
      return image instanceof Float32Array ? this.#reorder(image) : this.#normalise(image);
    });
  }

  /** Normalises bytes [C, H, W] and brings them into the order of channels-last memory, [H, W, C]. */
  #normalise(planes: Uint8Array): Float32Array {
    const { channels, height, width } = this.#size;
    const area = height * width;
    const result = new Float32Array(channels * area);
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < area; p++)
        result[p * channels + c] = this.#values[256 * c + planes[c * area + p]!]!;
    }
    return result;
  }

  /** Brings normalised values [C, H, W] into the order of channels-last memory, [H, W, C]. */
  #reorder(planes: Float32Array): Float32Array {
    const { channels, height, width } = this.#size;
    const area = height * width;
    const result = new Float32Array(channels * area);
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < area; p++) result[p * channels + c] = planes[c * area + p]!;
    }
    return result;
  }
}
