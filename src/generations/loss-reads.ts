import { type Method, teachersOf } from "../methods/index.js";
import * as torch from "../torch/index.js";

/** What a loss can ask about the length of its training and of its line. */
export type LengthRead = "progress" | "epoch" | "epochs" | "generations";

/** Images of the batch with which a loss is tried. */
const images = 4;

/**
 * Tries a method's loss on a few made-up logits, with a snapshot and without, and notes what it asks about the length of the
 * training and of the line. A loss that fails on them counts as one that asks for everything, since nothing is known of it.
 */
export function lossReads(
  method: Method,
  options: Record<string, unknown>,
  { generation, classes }: { generation: number; classes: number },
): ReadonlySet<LengthRead> {
  const reads = new Set<LengthRead>();
  const note = (what: LengthRead, value: number) => {
    reads.add(what);
    return value;
  };
  const generator = new torch.Generator(0);
  torch.scope(() =>
    torch.noGrad(() => {
      const logits = () => torch.randn([images, classes], { generator });
      const labels = torch.tensor(BigInt64Array.from({ length: images }, (_, i) => BigInt(i % classes)));
      for (const snapshot of method.snapshot ? [undefined, logits()] : [undefined]) {
        try {
          const input = {
            logits: logits(),
            labels,
            teachers: teachersOf(method, generation, options).map(logits),
            snapshot,
            peers: Array.from({ length: method.peers?.(options) ?? 0 }, logits),
            generation,
            get generations() {
              return note("generations", generation + 2);
            },
            get progress() {
              return note("progress", 0.5);
            },
            get epoch() {
              return note("epoch", 1);
            },
            get epochs() {
              return note("epochs", 2);
            },
          };
          method.loss(input, options);
        } catch {
          for (const all of ["progress", "epoch", "epochs", "generations"] as const) reads.add(all);
        }
      }
    }),
  );
  return reads;
}
