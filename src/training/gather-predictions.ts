import type { Loader } from "../data/index.js";
import * as torch from "../torch/index.js";
import type { Predictions } from "./predict.js";
import type { Ranks } from "./ranks.js";

/**
 * Puts predictions together of which each process has made every `size`-th batch, from the one of its rank on.
 *
 * @param logits those of this process's batches, [B, C] float32 each
 * @param labels [B] int64 each
 */
export async function gatherPredictions(
  { group, size }: Ranks,
  loader: Loader,
  logits: readonly torch.Tensor[],
  labels: readonly torch.Tensor[],
): Promise<Predictions> {
  const lengths = Array.from({ length: loader.stepsPerEpoch }, (_, step) => loader.batchLength(step));
  /** Where each batch begins among those of its process. */
  const starts: number[] = [];
  const rows = Array<number>(size).fill(0);
  lengths.forEach((length, step) => {
    starts.push(rows[step % size]!);
    rows[step % size]! += length;
  });
  const most = Math.max(...rows);
  // A process without a batch does not know the number of classes.
  using classes = torch.keep(torch.tensor([logits[0]?.shape[1] ?? 0], { dtype: "int64" }));
  await group.allReduce(classes, "max");
  const width = Number(classes.item());
  /** Gathers rows of all processes, [size, most, ...], and puts them in the order of the set. */
  const gather = async (own: readonly torch.Tensor[], shape: readonly number[], dtype: torch.DType) => {
    using padded = torch.scope(() => {
      const all = torch.zeros([most, ...shape], { dtype });
      if (own.length === 0) return torch.keep(all);
      const given = torch.cat(own).to({ device: "cpu" });
      all.narrow(0, 0, given.shape[0]!).copy_(given);
      return torch.keep(all);
    });
    using gathered = await group.allGather(padded);
    return torch.scope(() => {
      const batch = (length: number, step: number) =>
        gathered.select(0, step % size).narrow(0, starts[step]!, length);
      return torch.keep(torch.cat(lengths.map(batch)));
    });
  };
  const all = await gather(logits, [width], "float32");
  using labelsOfAll = await gather(labels, [], "int64");
  return { logits: all, labels: Int32Array.from(labelsOfAll.toTypedArray(), Number) };
}
