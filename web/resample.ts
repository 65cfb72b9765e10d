/** Resizing as Lyceum prepares images for its networks: filters that grow with the scale, so that nothing is skipped. */

export interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue and opacity, row by row, as a canvas gives them. */
  data: Uint8ClampedArray | Float32Array;
}

/** A filter's weight at a distance from the middle, in pixels of the smaller image. */
export interface Filter {
  /** How far it reaches. */
  radius: number;
  weight(distance: number): number;
}

/** A straight line down to the next pixel: torchvision's bilinear, with antialiasing. */
export const triangle: Filter = { radius: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) };

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Lanczos' window over three pixels, libvips' choice. */
export const lanczos3: Filter = {
  radius: 3,
  weight: (distance) => (Math.abs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0),
};

interface Taps {
  start: number;
  weights: Float32Array;
}

/** What each of `to` pixels takes from `from` pixels. */
function tapsOf(from: number, to: number, { radius, weight }: Filter): Taps[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - radius * reach));
    const end = Math.min(from, Math.ceil(centre + radius * reach));
    const weights = Float32Array.from({ length: end - start }, (_, j) =>
      weight((start + j + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((total, each) => total + each, 0);
    return { start, weights: weights.map((each) => each / sum) };
  });
}

/** Resizes along one direction. @param across steps between neighbours along it, and between its lines */
function along(
  { data }: Pixels,
  taps: readonly Taps[],
  lines: number,
  read: { step: number; line: number },
  write: { step: number; line: number },
): Float32Array {
  const result = new Float32Array(taps.length * lines * 4);
  for (let line = 0; line < lines; line++) {
    for (const [i, { start, weights }] of taps.entries()) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (let j = 0; j < weights.length; j++)
          sum += weights[j]! * data[4 * (line * read.line + (start + j) * read.step) + channel]!;
        result[4 * (line * write.line + i * write.step) + channel] = sum;
      }
    }
  }
  return result;
}

/** Brings an image to a size. One that has it already stays as it is. */
export function resize(image: Pixels, width: number, height: number, filter: Filter): Pixels {
  if (image.width === width && image.height === height) return image;
  const columns = along(
    image,
    tapsOf(image.width, width, filter),
    image.height,
    { step: 1, line: image.width },
    { step: 1, line: width },
  );
  const narrow = { width, height: image.height, data: columns };
  const rows = along(
    narrow,
    tapsOf(image.height, height, filter),
    width,
    { step: width, line: 1 },
    { step: width, line: 1 },
  );
  return { width, height, data: rows };
}

/** Cuts out the middle. What the image does not cover is black. */
export function middle(image: Pixels, width: number, height: number): Pixels {
  const data = new Float32Array(width * height * 4);
  // As torchvision's CenterCrop, which rounds half to even.
  const left = roundHalfEven((image.width - width) / 2);
  const top = roundHalfEven((image.height - height) / 2);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = [x + left, y + top];
      if (fromX < 0 || fromX >= image.width || fromY < 0 || fromY >= image.height) continue;
      const from = 4 * (fromY * image.width + fromX);
      data.set(image.data.subarray(from, from + 4), 4 * (y * width + x));
    }
  }
  return { width, height, data };
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
