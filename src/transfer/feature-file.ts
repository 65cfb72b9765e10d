import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type ImageSet, isStored, nameOf, type StoredImages } from "../data/index.js";
import { removeLeftovers } from "../leftovers.js";
import * as torch from "../torch/index.js";
import { writeError } from "../write-error.js";
import type { FeatureBatch } from "./features-of.js";
import { npyHeader } from "./npy.js";

/** What is known of features before the first of them is there. */
export interface FeatureFileOptions {
  /** The images in the order of their features, one part after the other. */
  parts: readonly (ImageSet | StoredImages)[];
  classNames: readonly string[];
  /** Free text for the file's metadata: run, generation, layer. */
  metadata: Readonly<Record<string, string>>;
}

/** Writes features as they come. The file appears whole when it is finished, or not at all. */
export interface FeatureWriter extends Disposable {
  write(batch: FeatureBatch): void;
  finish(): void;
}

/**
 * Makes a writer of features, by the file's ending.
 *
 * - `.safetensors`: `features`, float32 [N, D]; `labels`, int32 [N]; `imageNames`, the UTF-8 of a JSON array of N texts;
 *   metadata with `classNames` as JSON
 * - `.npy`: the features alone, float32 [N, D]; beside it NAME.labels.npy, int32 [N], and NAME.json with the rest
 *
 * @throws RangeError when the ending is another
 */
export function featureWriter(path: string, options: FeatureFileOptions): FeatureWriter {
  if (path.endsWith(".safetensors")) return new SafetensorsFeatures(path, options);
  if (path.endsWith(".npy")) return new NpyFeatures(path, options);
  throw new RangeError(`${path}: must end in .safetensors or .npy`);
}

const imagesIn = (parts: readonly { count: number }[]) => parts.reduce((sum, { count }) => sum + count, 0);

function* namesOf(set: ImageSet | StoredImages): Generator<string> {
  for (let i = 0; i < set.count; i++) yield isStored(set) ? imageName(set, i) : `${set.name} ${i}`;
}

/** An image's path from the root of its set, whether it is in a cache or not; its address where it is on a web server. */
function imageName({ places, checksum }: StoredImages, i: number): string {
  const name = nameOf(places, i);
  if (/^https?:/.test(name)) return name;
  return relative(places.root, checksum === undefined ? name : name.slice(name.indexOf(": ") + 2));
}

/** The names of all images, as a JSON array in UTF-8. */
function namesAsJson(parts: readonly (ImageSet | StoredImages)[]): Buffer {
  const texts = parts.flatMap((part) => [...namesOf(part)]);
  return Buffer.from(JSON.stringify(texts));
}

function bytesOf(tensor: torch.Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

const bytesOfLabels = (labels: Int32Array) =>
  new Uint8Array(labels.buffer as ArrayBuffer, labels.byteOffset, labels.byteLength);

class SafetensorsFeatures implements FeatureWriter {
  readonly #path: string;
  readonly #options: FeatureFileOptions;
  readonly #labels: Int32Array;
  #done = 0;
  #names: Uint8Array | undefined;
  /** Opened when the first features say how many an image has. */
  #writer: torch.SafetensorsWriter | undefined;

  constructor(path: string, options: FeatureFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#labels = new Int32Array(imagesIn(options.parts));
  }

  write({ features, labels }: FeatureBatch): void {
    this.#writer ??= this.#open(features.shape[1]!);
    this.#labels.set(labels, this.#done);
    this.#done += labels.length;
    this.#writer.write(bytesOf(features));
  }

  finish(): void {
    this.#writer?.write(bytesOfLabels(this.#labels));
    this.#writer?.write(this.#names!);
    this.#writer?.finish();
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
  }

  #open(width: number): torch.SafetensorsWriter {
    const { parts, classNames, metadata } = this.#options;
    const count = this.#labels.length;
    this.#names = namesAsJson(parts);
    return new torch.SafetensorsWriter(
      this.#path,
      [
        { name: "features", dtype: "float32", shape: [count, width] },
        { name: "labels", dtype: "int32", shape: [count] },
        { name: "imageNames", dtype: "uint8", shape: [this.#names.length] },
      ],
      { ...metadata, classNames: JSON.stringify(classNames) },
    );
  }
}

class NpyFeatures implements FeatureWriter {
  readonly #path: string;
  readonly #options: FeatureFileOptions;
  readonly #labels: Int32Array;
  readonly #temporary: (path: string) => string;
  #done = 0;
  #file: number | undefined;

  constructor(path: string, options: FeatureFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#labels = new Int32Array(imagesIn(options.parts));
    const stem = basename(path, ".npy");
    void removeLeftovers(dirname(path), { among: (name) => name.startsWith(`.${stem}.`) });
    const suffix = `${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
    this.#temporary = (path) => join(dirname(path), `.${basename(path)}.${suffix}`);
  }

  write({ features, labels }: FeatureBatch): void {
    this.#labels.set(labels, this.#done);
    this.#done += labels.length;
    this.#naming(() => {
      if (this.#file === undefined) {
        this.#file = openSync(this.#temporary(this.#path), "wx");
        this.#append(this.#file, npyHeader("float32", [this.#labels.length, features.shape[1]!]));
      }
      this.#append(this.#file, bytesOf(features));
    });
  }

  finish(): void {
    this.#naming(() => this.#finish());
  }

  /** Does something with the files whose error, where there is one, is to name them and say what is with the disk. */
  #naming(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw writeError(error, { path: this.#path });
    }
  }

  #finish(): void {
    if (this.#file === undefined) return;
    const { parts, classNames, metadata } = this.#options;
    const [labels, rest] = this.#besides();
    const imageNames = parts.flatMap((part) => [...namesOf(part)]);
    const header = npyHeader("int32", [this.#labels.length]);
    this.#whole(labels!, Buffer.concat([header, bytesOfLabels(this.#labels)]));
    this.#whole(rest!, Buffer.from(`${JSON.stringify({ ...metadata, classNames, imageNames }, null, 2)}\n`));
    fsyncSync(this.#file);
    closeSync(this.#file);
    this.#file = undefined;
    // Features of before go first, and those that are new come last: where there are any, the others are theirs.
    rmSync(this.#path, { force: true });
    for (const path of [labels!, rest!, this.#path]) renameSync(this.#temporary(path), path);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    for (const path of [this.#path, ...this.#besides()]) rmSync(this.#temporary(path), { force: true });
  }

  #besides(): string[] {
    const stem = this.#path.slice(0, -".npy".length);
    return [`${stem}.labels.npy`, `${stem}.json`];
  }

  #whole(path: string, bytes: Uint8Array): void {
    const file = openSync(this.#temporary(path), "wx");
    try {
      this.#append(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #append(file: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(file, bytes, done, Math.min(bytes.length - done, 2 ** 30));
  }
}
