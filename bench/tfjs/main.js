/**
 * The TensorFlow.js side of the benchmarks: answers one JSON request a line on stdin with one JSON line on stdout, as
 * peer/main.py does. Seconds are wall-clock. In Node TensorFlow.js computes on one thread: its wasm backend turns threads
 * off there.
 */
import { createInterface } from "node:readline";
import tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { frozen, trainable } from "./resnet.js";
import { loadSafetensors } from "./safetensors.js";

const backend = process.env.TFJS_BACKEND ?? "wasm";

class Scene {
  constructor(request) {
    this.settings = request;
    const depth = Number(request.model.replace("resnet", ""));
    const data = loadSafetensors(request.data);
    const [batches, batchSize, channels, height, width] = data.images.shape;
    this.images = tf.tidy(() =>
      tf
        .unstack(tf.tensor(data.images.values, data.images.shape))
        .map((batch) => tf.transpose(batch, [0, 2, 3, 1])),
    );
    this.labels = Array.from({ length: batches }, (_, i) => {
      const values = data.labels.values.subarray(i * batchSize, (i + 1) * batchSize);
      return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(values, "int32"), request.classes), "float32"));
    });
    if (channels !== 3 || height !== width) throw new Error(`images of ${channels}x${height}x${width}`);
    this.teacher = frozen(loadSafetensors(request.teacher), depth);
    this.student = trainable(loadSafetensors(request.student), depth);
    this.velocities = {};
    this.done = 0;
  }

  batch() {
    const index = this.done++ % this.images.length;
    return [this.images[index], this.labels[index]];
  }

  studentStep() {
    const [images, labels] = this.batch();
    const { hardWeight, softWeight, learningRate } = this.settings;
    const { parameters } = this.student;
    const [loss, updated] = tf.tidy(() => {
      const taught = tf.logSoftmax(this.teacher.forward(images));
      const { value, grads } = tf.variableGrads(() => {
        const scores = tf.logSoftmax(this.student.forward(images));
        const hard = tf.neg(tf.mean(tf.sum(tf.mul(labels, scores), 1)));
        const soft = tf.mean(tf.sum(tf.mul(tf.exp(taught), tf.sub(taught, scores)), 1));
        return tf.add(tf.mul(hard, hardWeight), tf.mul(soft, softWeight));
      }, Object.values(parameters));
      const velocities = {};
      for (const [name, parameter] of Object.entries(parameters)) {
        const gradient = tf.add(grads[parameter.name], tf.mul(parameter, 1e-4));
        const before = this.velocities[name];
        velocities[name] = before ? tf.add(tf.mul(before, 0.9), gradient) : gradient;
        parameter.assign(tf.sub(parameter, tf.mul(velocities[name], learningRate)));
      }
      return [value, velocities];
    });
    tf.dispose(this.velocities);
    this.velocities = updated;
    return readAndDispose(loss);
  }

  teacherForward() {
    const [images, labels] = this.batch();
    return readAndDispose(
      tf.tidy(() => tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(this.teacher.forward(images))), 1)))),
    );
  }

  run(work, steps) {
    const step = { "student-step": () => this.studentStep(), "teacher-forward": () => this.teacherForward() }[
      work
    ];
    if (!step) throw new Error(`no ${work}`);
    const [seconds, losses] = [[], []];
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      losses.push(step());
      seconds.push((performance.now() - start) / 1000);
    }
    return { seconds, losses };
  }
}

function readAndDispose(tensor) {
  const [value] = tensor.dataSync();
  tensor.dispose();
  return value;
}

async function hello() {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  return { version: `${tf.version_core} (${tf.getBackend()})` };
}

let scene;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    if (request.do === "hello") answer = await hello();
    else if (request.do === "prepare") {
      scene = new Scene(request);
      answer = { layoutsLost: [] };
    } else if (request.do === "run") answer = scene.run(request.work, request.steps);
    else answer = { error: `unknown request ${request.do}` };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  console.log(JSON.stringify(answer));
}
