/**
 * The file of a trained network: a safetensors file whose metadata say everything that is needed to use the
 * network, so that the file is enough by itself. `docs/predict.md` lists the metadata's keys.
 */
import type { z } from "zod";
import { schema } from "../packages.js";
import * as torch from "../torch/index.js";
import { lyceumVersion } from "./environment.js";
import { otherFormat } from "./other-format.js";
import type { Role } from "./types.js";

/** The description of a network that its weights file holds beside the tensors. */
export interface WeightsDescription {
  /** The version of Lyceum that wrote the file. */
  lyceum: string;
  /**
   * The network's name: that of a defined model, or the one that a recipe gives to a network handed over in
   * code.
   */
  model: string;
  /** How the network is built, in words, beyond what the names and shapes of its tensors say. */
  construction?: string | undefined;
  /** The generation that the network is in its line: 0 is the patriarch. */
  generation: number;
  role: Role;
  /** The names of the classes, in the order of their indices. */
  classNames: readonly string[];
  /** The channels of the images that the network was trained on; 1 is grey, 3 is red, green and blue. */
  channels: number;
  /** The height of these images, in pixels. */
  height: number;
  /** The width of these images, in pixels. */
  width: number;
  /**
   * Pixels to which an image's shorter side is resized before its middle is cut out. Left out, the image is stretched to
   * height x width.
   */
  shorterSide?: number | undefined;
  /** One mean for each channel, as a fraction of 255: a byte becomes `(byte / 255 - mean) / std`. */
  mean: readonly number[];
  /** One standard deviation for each channel, as a fraction of 255. */
  std: readonly number[];
}

const FORMAT = "lyceum-weights";
const VERSION = "1";
/**
 * The most values that an image may have. Without a bound, a forged file could have its reader allocate any
 * amount.
 */
const MAX_VALUES = 2 ** 26;
const MAX_CHANNELS = 4096;
const MAX_CLASSES = 100_000;
const MAX_LIST_CHARACTERS = 64 * 2 ** 20;

const metadataSchema = schema((z) => {
  const text = z.string().max(10_000);
  const whole = (least: number, most: number) =>
    z
      .string()
      .regex(/^\d{1,6}$/, "must be a whole number")
      .transform(Number)
      .pipe(z.int().min(least).max(most));
  const list = <T extends z.ZodType>(items: z.ZodArray<T>) =>
    z.string().max(MAX_LIST_CHARACTERS).transform(parseList).pipe(items);
  return z
    .object({
      format: z.literal(FORMAT),
      formatVersion: z.literal(VERSION),
      lyceum: text,
      model: text.min(1),
      construction: z.string().max(20_000).exactOptional(),
      generation: whole(0, 9999),
      role: z.enum(["patriarch", "student"]),
      classNames: list(z.array(text).min(2).max(MAX_CLASSES)),
      channels: whole(1, MAX_CHANNELS),
      height: whole(1, MAX_VALUES),
      width: whole(1, MAX_VALUES),
      mean: list(z.array(z.number()).max(MAX_CHANNELS)),
      std: list(z.array(z.number().positive()).max(MAX_CHANNELS)),
      resize: z.enum(["exact", "centre-crop"]),
      shorterSide: whole(1, MAX_VALUES).exactOptional(),
      colour: z.enum(["grey", "rgb", "other"]),
    })
    .superRefine(({ channels, height, width, mean, std, colour, resize, shorterSide }, context) => {
      const refuse = (key: string, message: string) =>
        context.addIssue({ code: "custom", path: [key], message });
      if (channels * height * width > MAX_VALUES)
        refuse(
          "height",
          `${channels} x ${height} x ${width} is more than the ${MAX_VALUES} values of any image`,
        );
      if ((resize === "centre-crop") !== (shorterSide !== undefined))
        refuse("resize", "must be centre-crop where there is a shorterSide, and exact where there is none");
      if (mean.length !== channels) refuse("mean", `must hold ${channels} numbers, one a channel`);
      if (std.length !== channels) refuse("std", `must hold ${channels} numbers, one a channel`);
      if (colour !== colourOf(channels))
        refuse("colour", `must be ${colourOf(channels)} for ${channels} channels, is ${colour}`);
    });
});

/** Says how an image's channels are read: one channel is grey, three are red, green and blue. */
function colourOf(channels: number): "grey" | "rgb" | "other" {
  return channels === 1 ? "grey" : channels === 3 ? "rgb" : "other";
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text that is no JSON fails the schema that follows, which reports it with the key.
    return text;
  }
}

/**
 * Writes a network's tensors with their description. The file appears whole or not at all.
 *
 * @param tensors a network's `stateDict()`, before its batch norms are folded
 * @param description everything but the version of Lyceum, which is added
 * @throws Error when the description has values that `readWeights` would refuse, or the file cannot be
 *   written
 */
export function writeWeights(
  path: string,
  tensors: Readonly<Record<string, torch.Tensor>>,
  description: Omit<WeightsDescription, "lyceum">,
): void {
  const { construction, classNames, mean, std, generation, channels, height, width, shorterSide, ...rest } =
    description;
  const metadata = {
    format: FORMAT,
    formatVersion: VERSION,
    ...rest,
    lyceum: lyceumVersion(),
    ...(construction !== undefined && { construction }),
    generation: String(generation),
    classNames: JSON.stringify(classNames),
    channels: String(channels),
    height: String(height),
    width: String(width),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    ...(shorterSide === undefined
      ? { resize: "exact" }
      : { resize: "centre-crop", shorterSide: String(shorterSide) }),
    colour: colourOf(channels),
  };
  describeWeights(path, metadata);
  torch.saveSafetensors(path, tensors, metadata);
}

/**
 * Reads a weights file, which may come from anyone: everything in it is checked.
 *
 * @returns its tensors, which belong to the current `torch.scope`, and the description
 * @throws Error that names the file, and the key where one is wrong: the file is no safetensors file, its
 *   checksum does not fit its content, or its metadata do not describe a network
 */
export function readWeights(path: string): {
  tensors: Record<string, torch.Tensor>;
  description: WeightsDescription;
} {
  return torch.scope(() => {
    const { tensors, metadata } = torch.loadSafetensors(path);
    return { tensors, description: describeWeights(path, metadata) };
  });
}

/**
 * Reads the description of a network out of a weights file's metadata.
 *
 * @param path the file, for messages
 * @throws Error that names the file and the key when they do not describe a network
 */
export function describeWeights(
  path: string,
  metadata: Readonly<Record<string, string>>,
): WeightsDescription {
  if (metadata.format !== FORMAT) {
    throw new Error(
      `${path}: its metadata do not say how to use the network (no format: ${FORMAT}); an earlier version, or ` +
        "another program, wrote it: train again, or write it anew with writeWeights",
    );
  }
  if (metadata.formatVersion !== VERSION) {
    throw otherFormat(path, {
      found: metadata.formatVersion,
      reads: VERSION,
      lyceum: metadata.lyceum,
      remedy: "train anew",
    });
  }
  const result = metadataSchema().safeParse(metadata);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new Error(`${path}: metadata ${issue.path.join(".")}: ${issue.message}`);
  }
  const { format: _format, formatVersion: _version, resize: _resize, colour: _colour, ...rest } = result.data;
  return rest;
}
