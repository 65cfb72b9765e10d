import { idxSet } from "./idx-set.js";

/**
 * The set of Xiao, Rasul and Vollgraf, 2017, under the MIT licence. The checksums are of the files at
 * github.com/zalandoresearch/fashion-mnist.
 */
export const fashionMnist = idxSet({
  name: "fashion-mnist",
  summary: "clothes, 10 classes, 60,000 + 10,000 grey images of 28 x 28",
  hub: "zalando-datasets/fashion_mnist",
  classNames: [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
  ],
  augment: { crop: true, flip: true },
  trainCount: 60_000,
  testCount: 10_000,
  size: 28,
  md5: [
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
  ],
  systemFolders: ["/usr/share/datasets/fashion-mnist"],
  package: "dataset-fashion-mnist",
  download: {
    baseUrl: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    files: [
      { name: "train-images-idx3-ubyte.gz", bytes: 26_421_880, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d" },
      { name: "train-labels-idx1-ubyte.gz", bytes: 29_515, md5: "25c81989df183df01b3e8a0aad5dffbe" },
      { name: "t10k-images-idx3-ubyte.gz", bytes: 4_422_102, md5: "bef4ecab320f06d8554ea6380940ec79" },
      { name: "t10k-labels-idx1-ubyte.gz", bytes: 5_148, md5: "bb300cfdad3c16e7a12a480ee83cd310" },
    ],
  },
});
