/** Draws one image of the synthetic set: a class is a variation of a shape, five classes of one shape a family. */
import { RandomSequence } from "../random.js";

/** Signed distance, negative inside, of a shape of radius 1; y points down. */
type Shape = (x: number, y: number) => number;

const bar: Shape = (x, y) => Math.max(Math.abs(x) - 1, Math.abs(y) - 0.4);
const plus: Shape = (x, y) => Math.min(bar(x, y), bar(y, x));
/** Turns a shape by 45 degrees. */
const turned =
  (shape: Shape): Shape =>
  (x, y) =>
    shape((x + y) * Math.SQRT1_2, (y - x) * Math.SQRT1_2);
const square: Shape = (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.8;

/** Each family has a shape, on stripes of its own; from the ninth family on shapes come again, on other stripes. */
const shapes: readonly [string, Shape][] = [
  ["disc", (x, y) => Math.hypot(x, y) - 0.9],
  ["triangle", (x, y) => Math.max(y - 0.6, Math.abs(x) * 0.87 - y * 0.5 - 0.5)],
  ["square", square],
  ["plus", plus],
  ["diamond", turned(square)],
  ["bar", bar],
  ["cross", turned(plus)],
  ["pillar", (x, y) => bar(y, x)],
];

/**
 * The classes of a family differ in the shape's radius, as a fraction of the image's size, and in which part of it is
 * painted: where `painted`, of the distance to the edge and the place, is negative.
 */
const variations: readonly {
  name: string;
  radius: number;
  painted: (d: number, x: number, y: number) => number;
}[] = [
  { name: "large", radius: 0.36, painted: (d) => d },
  { name: "small", radius: 0.24, painted: (d) => d },
  { name: "hollow", radius: 0.36, painted: (d) => Math.abs(d + 0.12) - 0.12 },
  { name: "halved", radius: 0.36, painted: (d, x) => Math.max(d, x) },
  { name: "pierced", radius: 0.36, painted: (d, x, y) => Math.max(d, 0.3 - Math.hypot(x, y)) },
];

/** How many classes make a family. */
export const familySize = variations.length;

/** What a family is called: its shape, and from the second round of the shapes on which round. */
export function familyName(family: number): string {
  const round = Math.floor(family / shapes.length);
  return `${shapes[family % shapes.length]![0]}${round === 0 ? "" : ` ${round + 1}`}`;
}

/** What a class is called. */
export function className(fine: number): string {
  return `${variations[fine % familySize]!.name} ${familyName(Math.floor(fine / familySize))}`;
}

/**
 * Draws an image of class `fine`.
 *
 * @param into [channels, size, size], the image's bytes
 * @param options.noise standard deviation on each value, as a fraction of 255
 * @param key decides all that is random
 */
export function drawImage(
  into: Uint8Array,
  fine: number,
  { size, channels, noise }: { size: number; channels: number; noise: number },
  key: readonly [number, number, number],
): void {
  const random = new RandomSequence(...key);
  const family = Math.floor(fine / familySize);
  const { radius, painted } = variations[fine % familySize]!;
  const shape = shapes[family % shapes.length]![1];
  const r = radius * size * random.uniform(0.85, 1.15);
  const angle = random.uniform(-0.2, 0.2);
  const [cos, sin] = [Math.cos(angle) / r, Math.sin(angle) / r];
  const jitter = 0.1 * size;
  const cx = (size - 1) / 2 + random.uniform(-jitter, jitter);
  const cy = (size - 1) / 2 + random.uniform(-jitter, jitter);

  // Faint stripes, in a direction and of a width that belong to the family.
  const direction = family * 2.4;
  const pitch = (2 * Math.PI * (2 + (family % 3))) / size;
  const [kx, ky] = [pitch * Math.cos(direction), pitch * Math.sin(direction)];
  const phase = random.uniform(0, 2 * Math.PI);

  // Any colours, as long as the shape stands out from the background, lighter or darker at random.
  const background: number[] = [];
  const foreground: number[] = [];
  const contrast = random.uniform(50, 110) * (random.below(2) === 0 ? -1 : 1);
  for (let c = 0; c < channels; c++) {
    background.push(128 - contrast / 2 + random.uniform(-30, 30));
    foreground.push(128 + contrast / 2 + random.uniform(-30, 30));
  }

  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at++) {
      const [u, v] = [(x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin];
      const cover = Math.min(1, Math.max(0, 0.5 - painted(shape(u, v), u, v) * r));
      const stripe = 25 * Math.sin(kx * x + ky * y + phase);
      for (let c = 0; c < channels; c++) {
        const behind = background[c]! + stripe;
        const value = behind + cover * (foreground[c]! - behind) + noise * 255 * normal(random.uint32());
        into[c * size * size + at] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
}

/** A number of about normal distribution with deviation 1: the scaled sum of the four bytes of `bits`. */
function normal(bits: number): number {
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  return (sum - 510) / 147.8;
}
