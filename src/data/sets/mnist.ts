import { idxSet } from "./idx-set.js";

/**
 * The set of LeCun, Cortes and Burges, 1998. The original address (yann.lecun.com) no longer serves the files, so that
 * they are fetched from a mirror.
 */
export const mnist = idxSet({
  name: "mnist",
  summary: "handwritten digits, 10 classes, 60,000 + 10,000 grey images of 28 x 28",
  hub: "ylecun/mnist",
  classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  // A mirrored 2 or 7 is no digit, and others come close to the mirrored shape of another.
  augment: { crop: true, flip: false },
  trainCount: 60_000,
  testCount: 10_000,
  size: 28,
  md5: [
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
  ],
  download: {
    baseUrl: "https://ossci-datasets.s3.amazonaws.com/mnist/",
    files: [
      { name: "train-images-idx3-ubyte.gz", bytes: 9_912_422, md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873" },
      { name: "train-labels-idx1-ubyte.gz", bytes: 28_881, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
      { name: "t10k-images-idx3-ubyte.gz", bytes: 1_648_877, md5: "9fb629c4189551a2d022fa330f9573f3" },
      { name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
    ],
  },
});
