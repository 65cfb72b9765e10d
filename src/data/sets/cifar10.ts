import { cifarSet } from "./cifar-set.js";

const count = 10_000;

/** The set of Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images". */
export const cifar10 = cifarSet({
  name: "cifar10",
  summary: "photos, 10 classes, 50,000 + 10,000 colour images of 32 x 32",
  hub: "uoft-cs/cifar10",
  levels: [
    {
      file: "batches.meta.txt",
      names: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    },
  ],
  trainFiles: [
    { name: "data_batch_1.bin", count, md5: "5dd7e06a14cb22eb9f671a540d1b7c25" },
    { name: "data_batch_2.bin", count, md5: "5ea93a67294ea407fff1d09f752e9692" },
    { name: "data_batch_3.bin", count, md5: "942cd6a4bcdd0dd3c604fbe906cb4421" },
    { name: "data_batch_4.bin", count, md5: "ae636b3ba5c66a11e91e8cb52e771fcb" },
    { name: "data_batch_5.bin", count, md5: "53f37980c15c3d472c316c40844f3f0d" },
  ],
  testFile: { name: "test_batch.bin", count, md5: "803d5f7f4d78ea53de84dbe85f74fb6d" },
  folder: "cifar-10-batches-bin",
  baseUrl: "https://www.cs.toronto.edu/~kriz/",
  archive: {
    name: "cifar-10-binary.tar.gz",
    bytes: 170_052_171,
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
  },
});
