/**
 * The residual networks for small images (He et al. 2016) in TensorFlow.js, channels-last, from weights with torchvision's
 * names: in training by the batch's statistics, or frozen with batch norm folded into the convolutions.
 */
import tf from "@tensorflow/tfjs";

const eps = 1e-5;

/**
 * A convolution with gradients out of kernels that the wasm backend has. It has none for the filter's gradient, which is
 * computed here as one product of matrices for each place of the window; and its kernel for the input's is slow, so for
 * stride 1 that gradient is a convolution with the filter rotated by 180 degrees.
 */
function conv2d(x, filter, stride) {
  const pad = (filter.shape[0] - 1) / 2;
  const apply = tf.customGrad((input, weights, save) => {
    save([input, weights]);
    const value = tf.conv2d(input, weights, stride, pad, "NHWC", 1, "floor");
    const gradFunc = (dy, [savedX, savedFilter]) => [
      () => inputGradient(savedX, savedFilter, dy, stride, pad),
      () => filterGradient(savedX, savedFilter, dy, stride, pad),
    ];
    return { value, gradFunc: (dy, saved) => gradFunc(dy, saved).map((gradient) => gradient()) };
  });
  return apply(x, filter);
}

function inputGradient(x, filter, dy, stride, pad) {
  if (stride > 1) return tf.conv2dTranspose(dy, filter, x.shape, stride, pad, "floor");
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(dy, turned, 1, pad, "NHWC", 1, "floor");
}

function filterGradient(x, filter, dy, stride, pad) {
  const [size, , from, to] = filter.shape;
  const [batch, height, width] = dy.shape;
  const padded = tf.pad(x, [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ]);
  const gradient = tf.reshape(dy, [-1, to]);
  const places = [];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const begin = [0, i, j, 0];
      const end = [batch, i + (height - 1) * stride + 1, j + (width - 1) * stride + 1, from];
      const seen = tf.stridedSlice(padded, begin, end, [1, stride, stride, 1]);
      // Transposed beforehand: the product itself would do it number by number.
      places.push(tf.matMul(tf.transpose(tf.reshape(seen, [-1, from])), gradient));
    }
  }
  return tf.reshape(tf.stack(places), [size, size, from, to]);
}

/** Batch norm by the batch's own statistics, as in training. */
function batchNorm(x, scale, shift) {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.add(tf.mul(tf.sub(x, mean), tf.mul(scale, tf.rsqrt(tf.add(variance, eps)))), shift);
}

/** Option A: every second pixel, and zeros for the new channels. By plain slices: strided ones have no gradient here. */
function shortcut(x, channels, stride) {
  if (stride === 1) return x;
  const [batch, height, width, from] = x.shape;
  const before = (channels - from) / 2;
  const pairs = tf.reshape(x, [(batch * height) / 2, 2, width / 2, 2 * from]);
  const first = tf.slice(pairs, [0, 0, 0, 0], [(batch * height) / 2, 1, width / 2, from]);
  return tf.pad(tf.reshape(first, [batch, height / 2, width / 2, from]), [
    [0, 0],
    [0, 0],
    [0, 0],
    [before, before],
  ]);
}

/** Calls `layer(x, "conv name", "norm name", stride)` for each convolution, and gives the logits. */
function forward(x, depth, layer, parameters) {
  const blocks = (depth - 2) / 6;
  let y = tf.relu(layer(x, "conv1", "bn1", 1));
  for (const [stage, channels] of [16, 32, 64].entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `layer${stage + 1}.${block}`;
      const inner = tf.relu(layer(y, `${name}.conv1`, `${name}.bn1`, stride));
      const outer = layer(inner, `${name}.conv2`, `${name}.bn2`, 1);
      y = tf.relu(tf.add(outer, shortcut(y, channels, stride)));
    }
  }
  return tf.add(tf.matMul(tf.mean(y, [1, 2]), parameters["fc.weight"]), parameters["fc.bias"]);
}

/** Weights in TensorFlow's order: filters [h, w, C, K], the classifier [C, K]. */
function tensorsOf(weights) {
  const tensors = {};
  for (const [name, { shape, values }] of Object.entries(weights)) {
    if (name.endsWith("num_batches_tracked")) continue;
    const tensor = tf.tensor(values, shape, "float32");
    if (shape.length === 4) tensors[name] = tf.transpose(tensor, [2, 3, 1, 0]);
    else tensors[name] = shape.length === 2 ? tf.transpose(tensor) : tensor;
  }
  return tensors;
}

export function trainable(weights, depth) {
  const all = tf.tidy(() => tensorsOf(weights));
  const parameters = {};
  for (const [name, tensor] of Object.entries(all)) {
    if (!name.includes("running")) parameters[name] = tf.variable(tensor);
  }
  const layer = (x, conv, norm, stride) =>
    batchNorm(
      conv2d(x, parameters[`${conv}.weight`], stride),
      parameters[`${norm}.weight`],
      parameters[`${norm}.bias`],
    );
  return { parameters, forward: (x) => forward(x, depth, layer, parameters) };
}

export function frozen(weights, depth) {
  const folded = tf.tidy(() => {
    const all = tensorsOf(weights);
    const made = { "fc.weight": all["fc.weight"], "fc.bias": all["fc.bias"] };
    for (const name of Object.keys(all).filter((key) => key.endsWith("running_mean"))) {
      const norm = name.slice(0, -".running_mean".length);
      const conv = norm.replace("bn", "conv");
      const scale = tf.mul(all[`${norm}.weight`], tf.rsqrt(tf.add(all[`${norm}.running_var`], eps)));
      made[`${conv}.weight`] = tf.mul(all[`${conv}.weight`], scale);
      made[`${conv}.bias`] = tf.sub(all[`${norm}.bias`], tf.mul(all[name], scale));
    }
    return made;
  });
  const layer = (x, conv, _norm, stride) =>
    tf.add(tf.conv2d(x, folded[`${conv}.weight`], stride, 1, "NHWC", 1, "floor"), folded[`${conv}.bias`]);
  return { forward: (x) => forward(x, depth, layer, folded) };
}
