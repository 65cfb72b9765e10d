import type { TimmNetwork } from "./networks.js";

/** How images are brought to a network's input. */
export interface InputDescription {
  channels: number;
  /** Pixels. */
  height: number;
  /** Pixels. */
  width: number;
  /** One a channel, as a fraction of 255. */
  mean: readonly number[];
  /** One a channel, as a fraction of 255. */
  std: readonly number[];
  /** Pixels to which the shorter side is resized before the middle is cut out. Left out, the image is stretched. */
  shorterSide?: number | undefined;
}

/** The content of `config.json` in timm's layout on the Hugging Face Hub (`timm/models/_hub.py`). */
export interface HuggingFaceConfig {
  architecture: string;
  num_classes: number;
  num_features: number;
  global_pool: "avg";
  label_names?: readonly string[];
  model_args?: { in_chans: number };
  pretrained_cfg: Record<string, unknown>;
}

/**
 * Describes a network as timm reads it, by `timm.create_model("hf-hub:…")` or `("local-dir:…")`.
 *
 * @param classNames in the order of the logits; undefined where they are not known
 */
export function huggingFaceConfig(
  { architecture, features, firstConv, classifier }: TimmNetwork,
  { channels, height, width, mean, std, shorterSide }: InputDescription,
  classes: number,
  classNames?: readonly string[],
): HuggingFaceConfig {
  return {
    architecture,
    num_classes: classes,
    num_features: features,
    global_pool: "avg",
    ...(classNames && { label_names: classNames }),
    ...(channels !== 3 && { model_args: { in_chans: channels } }),
    pretrained_cfg: {
      custom_load: false,
      input_size: [channels, height, width],
      fixed_input_size: false,
      interpolation: shorterSide === undefined ? "bicubic" : "bilinear",
      crop_pct: shorterSide === undefined ? 1 : Math.min(height, width) / shorterSide,
      crop_mode: shorterSide === undefined ? "squash" : "center",
      mean,
      std,
      num_classes: classes,
      // Of no use but for networks that pool by a window of their own: left to timm for other sizes than its own.
      pool_size: height === 224 && width === 224 ? [7, 7] : null,
      first_conv: firstConv,
      classifier,
    },
  };
}
