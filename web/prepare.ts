import type { About } from "../src/predict/about.js";
import { lanczos3, middle, type Pixels, resize, triangle } from "./resample.js";

/** The bytes that a graph takes: planes of red, green and blue, or one of grey. */
export function prepare(image: Pixels, about: About): Uint8Array {
  const { channels, width, height, shorterSide } = about;
  const ready = fitted(image, width, height, shorterSide);
  const area = width * height;
  const bytes = new Uint8ClampedArray(channels * area);
  for (let p = 0; p < area; p++) {
    const [red, green, blue] = [0, 1, 2].map((channel) => Math.round(ready.data[4 * p + channel]!)) as [
      number,
      number,
      number,
    ];
    // Grey by the luminance of ITU-R BT.601.
    if (channels === 1) bytes[p] = 0.299 * red + 0.587 * green + 0.114 * blue;
    else for (const [channel, value] of [red, green, blue].entries()) bytes[channel * area + p] = value;
  }
  return new Uint8Array(bytes.buffer);
}

function fitted(image: Pixels, width: number, height: number, shorterSide?: number): Pixels {
  if (shorterSide === undefined) return resize(image, width, height, lanczos3);
  const shorter = Math.min(image.width, image.height);
  // As torchvision's Resize: the longer side in proportion, rounded down.
  const scaled = (side: number) =>
    side === shorter ? shorterSide : Math.floor((shorterSide * side) / shorter);
  return middle(resize(image, scaled(image.width), scaled(image.height), triangle), width, height);
}
