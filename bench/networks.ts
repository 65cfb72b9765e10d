/** The networks that are measured. To add one takes a line here and, for PyTorch, one in `peer/networks.py`. */
import { torch, type training } from "lyceum";

export interface Network {
  /** The name in the table and for `--model`. */
  label: string;
  /** The name for `createModel` and for the peers. */
  model: string;
  /** Height and width of the images. */
  size: number;
  /** The images of a training step. `evaluation` takes four batches that are twice as large. */
  batchSize: number;
  precision: training.Precision;
  /** Of the training steps. Default: 0.01. */
  learningRate?: number;
}

/** Whether the processor computes in bfloat16: neither side has kernels for it without AVX-512. */
export const hasBfloat16: boolean = torch.op("lyceum::has_avx512");

const small = { size: 32, batchSize: 128, precision: "float32" } as const;

export const networks: readonly Network[] = [
  { label: "resnet20", model: "resnet20", ...small },
  { label: "resnet20-bfloat16", model: "resnet20", ...small, precision: "bfloat16" },
  { label: "resnet20-float16", model: "resnet20", ...small, precision: "float16" },
  { label: "resnet110", model: "resnet110", ...small },
  { label: "resnet110-bfloat16", model: "resnet110", ...small, precision: "bfloat16" },
  { label: "densenet-bc-40-12", model: "densenet-bc-40-12", ...small },
  { label: "resnet18-224", model: "resnet18", size: 224, batchSize: 16, precision: "float32" },
  {
    ...{ label: "resnet50-224", model: "resnet50", size: 224, batchSize: 8, precision: "float32" },
    learningRate: 1e-3,
  },
];
