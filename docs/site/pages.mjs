/**
 * The pages of the site beside its landing page, which is README.md: files of the repository by their titles in the
 * sidebar, in the order in which a reader needs them.
 */
export const sections = {
  "First steps": {
    "Where it runs": "docs/install.md",
    Tutorial: "docs/tutorial.md",
    "Watch a training": "docs/watch.md",
    "From PyTorch": "docs/from-pytorch.md",
    "From TensorFlow.js": "docs/from-tfjs.md",
  },
  "Your own": {
    "Images, ImageNet, shards": "docs/data.md",
    Networks: "docs/networks.md",
    Methods: "docs/methods.md",
    Metrics: "docs/metrics.md",
  },
  Compare: {
    Studies: "docs/studies.md",
    "Features on other images": "docs/transfer.md",
  },
  Cluster: {
    "Many processes": "docs/distributed.md",
    "Slurm, Kubernetes, containers": "deploy/README.md",
    "Large studies": "docs/scale.md",
  },
  "Use what was trained": {
    "Predict, in a program too": "docs/predict.md",
    "Browser, ONNX, TensorBoard": "docs/export.md",
    "Weights in and out": "docs/weights.md",
  },
  "Look up": {
    "Keys of a recipe": "docs/recipe.md",
    "The run folder": "docs/run-folder.md",
    "The same bits": "docs/determinism.md",
    Performance: "docs/performance.md",
  },
  "Results and project": {
    Status: "docs/status.md",
    "Quickstart, three seeds": "results/quickstart.md",
    "Ten classes of photographs": "results/photos/README.md",
    "Tolerance, chosen": "results/few-data-search/report.md",
    "Kernels and results": "results/kernels.md",
    "Teachers of less precision": "results/teacher-precision.md",
    Benchmarks: "bench/README.md",
    Architecture: "docs/architecture.md",
    Contributing: "CONTRIBUTING.md",
    Changelog: "CHANGELOG.md",
  },
};

/** All pages in their order. */
export const pages = Object.entries(sections).flatMap(([section, files]) =>
  Object.entries(files).map(([title, file]) => ({ section, title, file })),
);
