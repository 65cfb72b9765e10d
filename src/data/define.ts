/** What a data set is: a value with a name, options of its own, and where its images come from. */
import type { ZodType } from "zod";
import { type Z, zod } from "../packages.js";
import type { AugmentOptions, ResizedCropOptions } from "./augment.js";
import type { RemoteFile } from "./download.js";
import type { AnyDataset, Dataset } from "./image-set.js";
import type { Found, Layout } from "./parts.js";

/** Says which data to load, and how much of it. */
export interface DataSpec {
  /** The data set's name. */
  readonly name: string;
  /** The folder, or the archive, that holds the set; the usual places when left out. */
  readonly root?: string;
  /**
   * At most so many images of each part: a stratified sample (each class has its share, within one image),
   * decided by `seed`, in the set's own order.
   */
  readonly limit?: { readonly train?: number; readonly test?: number };
  /** Decides the sample that `limit` takes and what a drawn set draws. Default 0. */
  readonly seed?: number;
  /** Options of the set's own, as its definition describes them. */
  readonly [option: string]: unknown;
}

/** The keys of a {@link DataSpec} that every data set has. */
const commonKeys = new Set(["name", "root", "limit", "seed"]);

export interface MakeOptions {
  /** Whether lists of files that were kept from earlier are made anew. Default: false. */
  fresh?: boolean | undefined;
  /** When it is aborted, the making ends and its promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Called some times a second with the number of images that are done and of all, NaN where that is not known yet, and what is
   * done to them, such as "drawing images".
   */
  onProgress?: ((progress: { done: number; total: number; doing?: string }) => void) | undefined;
}

/** A set that lies in files. */
export interface FileSource {
  readonly layout: Layout;
  /** Where the system's packages put it. */
  readonly systemFolders?: readonly string[];
  /** The Debian package that brings it. */
  readonly package?: string;
  readonly download: { readonly baseUrl: string; readonly files: readonly RemoteFile[] };
  /**
   * Reads the set. Where the test images are not wanted, their files are not opened, and the set's `test` holds
   * no images.
   */
  read(found: Found, spec: DataSpec, wanted: { test: boolean }): Promise<Dataset>;
}

/** A set that code makes, from nothing or from wherever it likes. */
export interface MadeSource {
  /** Where its images come from, in words, for lists of sets. Default: made, not stored. */
  readonly where?: string;
  /** Called with options that were checked. */
  make(spec: DataSpec, options: MakeOptions): AnyDataset | Promise<AnyDataset>;
}

export interface DatasetDefinition {
  readonly kind: "dataset";
  readonly name: string;
  /** What the set shows, how many images and of what size, in one line. */
  readonly summary: string;
  /** The set's name on Hugging Face's Hub, "OWNER/NAME", for model cards. Left out where it is not there. */
  readonly hub?: string;
  /**
   * The set's own keys beside those of every {@link DataSpec}, with their checks, defaults and descriptions. A
   * function, since zod is loaded only when options are looked at.
   */
  readonly options?: (z: Z) => Record<string, ZodType>;
  /** The number of classes of a set with these options, where that is known without its images. */
  readonly classCount?: (spec: DataSpec) => number;
  /**
   * Which random changes keep an image's label true: a crop that moves the image by some pixels, and mirroring it
   * left to right. A mirrored dress is a dress; a mirrored 2 is no digit.
   */
  readonly augment: {
    readonly crop: boolean;
    readonly flip: boolean;
    /** Whether boxes of random size and shape are cut out of the images, which must lie in files for that. */
    readonly resizedCrop?: boolean;
  };
  readonly from: FileSource | MadeSource;
}

/** Makes a data set's definition. */
export function defineDataset(definition: Omit<DatasetDefinition, "kind">): DatasetDefinition {
  return { kind: "dataset", ...definition };
}

/** The augmentation of a training that does not say: crops of 4 pixels and mirroring, where they keep the labels. */
export function defaultAugment({ augment }: Pick<DatasetDefinition, "augment">): AugmentOptions {
  const resizedCrop: ResizedCropOptions = { area: [0.08, 1], aspect: [3 / 4, 4 / 3] };
  return { crop: augment.crop ? 4 : 0, flip: augment.flip, ...(augment.resizedCrop && { resizedCrop }) };
}

/**
 * Checks a spec's own options and fills their defaults in.
 *
 * @throws RangeError that names the set and the key when the set has no such option or the value does not fit it
 */
export function checkOptions({ name, options }: DatasetDefinition, spec: DataSpec): DataSpec {
  const given = Object.entries(spec).filter(([key, value]) => !commonKeys.has(key) && value !== undefined);
  if (!options && given.length === 0) return spec;
  const { z } = zod();
  const known = options?.(z) ?? {};
  const foreign = given.find(([key]) => !Object.hasOwn(known, key));
  if (foreign) {
    const has = Object.keys(known).join(", ") || "none of its own";
    throw new RangeError(`${name} has no option ${JSON.stringify(foreign[0])}: it has ${has}`);
  }
  const checked = z.object(known).safeParse(Object.fromEntries(given));
  if (checked.success) return { ...spec, ...checked.data };
  const { path, message } = checked.error.issues[0]!;
  throw new RangeError(`${name}: ${path.join(".")}: ${message}`);
}
