import { schema } from "../../packages.js";
import { boundedText } from "../bounded-text.js";
import type { InputDescription } from "./config.js";

/** What a `config.json` in timm's layout says of a network's classes and images. */
export interface HuggingFaceDescription {
  /** In the order of the logits; undefined where the file names none. */
  classNames: readonly string[] | undefined;
  input: InputDescription;
}

/** As `timm/models/_hub.py` writes it; older files hold the keys of `pretrained_cfg` beside the others. */
const configSchema = schema((z) => {
  const channels = z.array(z.number()).min(1).max(4096);
  const side = z
    .int()
    .min(1)
    .max(2 ** 20);
  const network = z.object({
    input_size: z.tuple([z.int().min(1).max(4096), side, side]),
    crop_pct: z.number().positive().max(1).default(0.875),
    crop_mode: z.string().max(100).default("center"),
    mean: channels,
    std: channels.refine((all) => all.every((each) => each > 0), "must be above 0"),
  });
  return z
    .object({
      label_names: z.array(z.string().max(10_000)).min(2).max(100_000).nullish(),
      pretrained_cfg: network,
    })
    .superRefine(({ pretrained_cfg: { input_size, mean, std } }, context) => {
      for (const [key, { length }] of Object.entries({ mean, std }))
        if (length !== input_size[0])
          context.addIssue({
            code: "custom",
            path: ["pretrained_cfg", key],
            message: `must hold ${input_size[0]} numbers, one a channel`,
          });
    });
});

/**
 * Reads from a `config.json` in timm's layout how a network wants its images, and what its classes are called. Such a file may
 * come from anyone.
 *
 * @throws Error that names the file, and the key where one is wrong: it is missing, no JSON, or does not describe a network of timm's
 */
export function readHuggingFaceConfig(path: string): HuggingFaceDescription {
  let content: unknown;
  const text = boundedText(path, "a network's description");
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: is no JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof content !== "object" || content === null)
    throw new Error(`${path}: is no description of a network`);
  const result = configSchema().safeParse(
    "pretrained_cfg" in content ? content : { ...content, pretrained_cfg: content },
  );
  if (!result.success) {
    const { path: key, message } = result.error.issues[0]!;
    throw new Error(`${path}: does not describe a network of timm's: ${key.join(".")}: ${message}`);
  }
  const { label_names, pretrained_cfg } = result.data;
  const { input_size, crop_pct, crop_mode, mean, std } = pretrained_cfg;
  const [channels, height, width] = input_size;
  const stretched = crop_mode === "squash";
  return {
    classNames: label_names ?? undefined,
    input: {
      ...{ channels, height, width, mean, std },
      ...(!stretched && { shorterSide: Math.round(Math.min(height, width) / crop_pct) }),
    },
  };
}
