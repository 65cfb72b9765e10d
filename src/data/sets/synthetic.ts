/**
 * A drawn data set for tests and trials without files: shapes in families, so that some classes are much more
 * alike than others.
 */
import { allocateImages, type Dataset, type ImageSet } from "../image-set.js";
import { RandomSequence } from "../random.js";
import type { DatasetSource } from "../source.js";

export interface SyntheticOptions {
  /** 2 .. 1000; default 10. Five classes make a family. */
  classes?: number;
  /** Height and width in pixels, 8 .. 256; default 32. */
  size?: number;
  /** 1 grey, 3 colour; default 3. */
  channels?: 1 | 3;
  /** Images of each part; default 4,000 and 1,000, or 50 and 20 a class when that is more. */
  trainCount?: number;
  testCount?: number;
  /** Standard deviation of the noise on each value, as a fraction of 255; default 0.15. */
  noise?: number;
  /** Default 0. */
  seed?: number;
  /** "coarse" labels the images by family. Default "fine". */
  labels?: "fine" | "coarse";
}

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

/**
 * A family is a shape on stripes of its own; when the shapes are used up they come again, on other stripes.
 */
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
 * How the classes of a family differ: radius, and what is painted, from the distance to the edge and the
 * place.
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

/**
 * Draws a data set. Class `c` is variation c mod 5 of family floor(c / 5); image `i` is of class i mod
 * classes. Position, angle, size, colours and noise are decided by (seed, part, i) alone, so a longer set
 * begins with a shorter one.
 *
 * @throws RangeError when an option is out of range
 */
export function makeSynthetic(options: SyntheticOptions = {}): Dataset {
  const { classes = 10, size = 32, channels = 3, noise = 0.15, seed = 0, labels = "fine" } = options;
  const { trainCount = Math.max(4000, 50 * classes), testCount = Math.max(1000, 20 * classes) } = options;
  check("classes", classes, 2, 1000);
  check("size", size, 8, 256);
  check("trainCount", trainCount, 1, 1e7);
  check("testCount", testCount, 1, 1e7);
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`synthetic: channels must be 1 or 3, got ${channels}`);
  if (!(noise >= 0 && noise <= 1))
    throw new RangeError(`synthetic: noise must be between 0 and 1, got ${noise}`);
  const families = Math.ceil(classes / variations.length);
  const classNames =
    labels === "coarse"
      ? Array.from({ length: families }, (_, family) => familyName(family))
      : Array.from({ length: classes }, (_, c) => {
          const family = Math.floor(c / variations.length);
          return `${variations[c % variations.length]!.name} ${familyName(family)}`;
        });
  const part = (name: string, key: number, count: number): ImageSet => {
    const pixels = channels * size * size;
    const images = allocateImages(count * pixels);
    const drawn = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const fine = i % classes;
      draw(images.subarray(i * pixels, (i + 1) * pixels), fine, size, channels, noise, [seed, key, i]);
      drawn[i] = labels === "coarse" ? Math.floor(fine / variations.length) : fine;
    }
    const shape = { count, channels, height: size, width: size };
    return { name: `synthetic ${name}`, images, labels: drawn, classNames, ...shape };
  };
  const [train, test] = [part("train", 0, trainCount), part("test", 1, testCount)];
  return { name: "synthetic", train, test, classNames };
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`synthetic: ${name} must be an integer in ${least}..${most}, got ${value}`);
}

function familyName(family: number): string {
  const round = Math.floor(family / shapes.length);
  return `${shapes[family % shapes.length]![0]}${round === 0 ? "" : ` ${round + 1}`}`;
}

function draw(
  into: Uint8Array,
  fine: number,
  size: number,
  channels: number,
  noise: number,
  key: [number, number, number],
): void {
  const random = new RandomSequence(...key);
  const family = Math.floor(fine / variations.length);
  const { radius, painted } = variations[fine % variations.length]!;
  const shape = shapes[family % shapes.length]![1];
  const r = radius * size * random.uniform(0.85, 1.15);
  const angle = random.uniform(-0.2, 0.2);
  const [cos, sin] = [Math.cos(angle) / r, Math.sin(angle) / r];
  const jitter = 0.1 * size;
  const cx = (size - 1) / 2 + random.uniform(-jitter, jitter);
  const cy = (size - 1) / 2 + random.uniform(-jitter, jitter);

  // Stripes: a direction and a width that belong to the family, faint.
  const direction = family * 2.4;
  const pitch = (2 * Math.PI * (2 + (family % 3))) / size;
  const [kx, ky] = [pitch * Math.cos(direction), pitch * Math.sin(direction)];
  const phase = random.uniform(0, 2 * Math.PI);

  // Any colours, but the shape stands out from the background; lighter or darker by lot.
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

/** About normal with deviation 1: the sum of a number's four bytes. */
function normal(bits: number): number {
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  return (sum - 510) / 147.8;
}

export const synthetic: DatasetSource = {
  name: "synthetic",
  description: "drawn shapes in similar families, any number of classes and size; needs no files",
  hasFamilies: true,
  from: { make: makeSynthetic },
};
