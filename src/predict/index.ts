/** Prediction with trained networks: images in, classes with scores out. */
export { ImageError } from "../data/index.js";
export { type LoadModelOptions, loadModel } from "./load-model.js";
export {
  type ClassScore,
  type ImageInput,
  LoadedModel,
  type Prediction,
  type PredictionResult,
  type PredictOptions,
} from "./loaded-model.js";
export { type ToOnnxOptions, toOnnx } from "./to-onnx.js";
export { writeWebPage } from "./to-web.js";
