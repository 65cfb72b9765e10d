/** The operations on bytes that policies choose from. */
export const policyOperations = [
  "identity",
  "shear-x",
  "shear-y",
  "translate-x",
  "translate-y",
  "rotate",
  "brightness",
  "color",
  "contrast",
  "sharpness",
  "posterize",
  "solarize",
  "auto-contrast",
  "equalize",
] as const;

export type PolicyOperation = (typeof policyOperations)[number];

/**
 * All operations on bytes, which compute what PIL computes (`native/kernels/image_operations.h`). The place of a name in the
 * list is its code there.
 *
 * On grey images `color` and `hue` do nothing, as in PIL; all others work on one channel as on three.
 */
export const imageOperations = [...policyOperations, "hue"] as const;

export type ImageOperation = (typeof imageOperations)[number];

/** An operation and how strong it is, in the operation's own unit. */
export interface DrawnOperation {
  operation: ImageOperation;
  magnitude: number;
}
