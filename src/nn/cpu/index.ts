/** What rooms above `nn` use of Lyceum's own operators; networks reach them through their layers. */
export { type AugmentExtras, augmentInOnePass } from "./augment.js";
export { describeKernels } from "./describe-kernels.js";
export {
  type DecodeArguments,
  decodeImages,
  fitImages,
  fitPixels,
  hasJpeg,
  type ImageArguments,
  jpegMessage,
  randomBoxes,
  type ViewArguments,
  viewPixels,
} from "./images.js";
export { hasSgd, type SgdStep, sgdInPlace } from "./sgd.js";
