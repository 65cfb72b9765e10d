/** The process of a rank in tests: plays the scenes that its first argument names, and prints one line of JSON. */
import { setTimeout as sleep } from "node:timers/promises";
import * as torch from "../../torch/index.js";
import { assertAllEqual, GroupError, groupFromEnvironment, joinGroup, type ProcessGroup } from "../index.js";

const { tensor } = torch;
const bytesOf = (x: torch.Tensor) => Buffer.from(x.toTypedArray().buffer).toString("base64");
const told = (line: object) => console.log(JSON.stringify(line));

async function failureOf(body: () => unknown) {
  try {
    await body();
    return "none";
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
}

const scenes: Record<string, (group: ProcessGroup) => unknown> = {
  async collectives(group) {
    const { rank, size } = group;
    const base = tensor([
      [1, 2],
      [3, 4],
    ]).mul(rank + 1);
    const sum = base.add(0);
    await group.allReduce(sum);
    const most = base.add(0);
    await group.allReduce(most, "max");
    const least = tensor([rank, -rank], { dtype: "int64" });
    group.allReduceSync(least, "min");
    // A matrix of which columns lie side by side.
    const turned = tensor([
      [rank, 1, 2],
      [3, 4, 5],
    ]).t();
    await group.allReduce(turned);
    const sent = tensor([rank + 0.5, 7], { dtype: "float64" });
    await group.broadcast(sent, size - 1);
    const flags = await group.allGather(tensor([rank % 2, 1], { dtype: "bool" }));
    const empty = await group.allGather(torch.zeros([0, 3]));
    const scalar = await group.allGather(tensor(rank));
    await group.barrier();
    const texts = await group.exchange("names", `rank ${rank} "quoted"\n`);
    const lists = [sum, most, least, turned, sent, flags, scalar].map((x) => x.tolist());
    return { lists, empty: empty.shape, texts };
  },

  /** Arguments that must be refused at once, after which the group works as before. */
  async refused(group) {
    const wide = torch.zeros([4, 4]);
    const refused = [
      await failureOf(() => group.allReduce(tensor([1], { dtype: "bool" }))),
      await failureOf(() => group.allReduce(wide.narrow(1, 0, 2))),
      await failureOf(() => group.broadcast(wide, group.size)),
      await failureOf(() => group.broadcast(wide, 0.5)),
      await failureOf(() => group.allReduce(wide, "mean" as "sum")),
      await failureOf(() => group.allReduce(undefined as unknown as torch.Tensor)),
      await failureOf(() => group.averager([wide])),
      await failureOf(() => group.averager([])),
      await failureOf(() => group.allReduce(torch.zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]))),
    ];
    const still = tensor([1]);
    await group.allReduce(still);
    return { refused, still: still.tolist() };
  },

  /** A sum that is differentiated: rank r computes (r + 1) · sum(x over ranks)². */
  async sum(group) {
    const x = tensor([group.rank + 1], { requiresGrad: true });
    const y = group
      .sum(x)
      .square()
      .mul(group.rank + 1);
    y.sum().backward();
    return { y: y.tolist(), gradient: x.grad!.tolist() };
  },

  /** Two rounds of gradients, over several buckets. */
  async gradients(group) {
    const { rank, size } = group;
    const made = (shape: number[], seed: number) =>
      torch.randn(shape, { generator: new torch.Generator(seed), dtype: "float64" }).requiresGrad_();
    const [first, second, onOne, onNone] = [made([8, 6], 1), made([6, 4], 2), made([3], 3), made([2], 4)];
    const kernel = torch
      .randn([2, 3, 2, 2], { generator: new torch.Generator(6), dtype: "float64" })
      .contiguous("channelsLast")
      .requiresGrad_();
    const x = torch.randn([8, 8], { generator: new torch.Generator(5), dtype: "float64" });
    const loss = (images: torch.Tensor, withThird: boolean) => {
      const layers = images.matmul(first).relu().matmul(second).square().sum();
      const y = layers.add(images.sum().mul(kernel.square().sum()));
      return withThird ? y.add(onOne.sum()) : y;
    };
    const parameters = [first, second, onOne, kernel, onNone];
    const share = 8 / size;
    using averager = group.averager(parameters, { bucketBytes: 100 });
    const rounds = [];
    for (let step = 0; step < 2; step++) {
      for (const parameter of parameters) parameter.grad = undefined;
      averager.begin([rank * 10 + step, 1]);
      loss(x.narrow(0, rank * share, share), rank === 0).backward();
      rounds.push(step === 0 ? await averager.finish() : averager.finishSync());
    }
    const summed = parameters.map(({ grad }) => grad?.tolist() ?? null);
    const bits = bytesOf(first.grad!);
    for (const parameter of parameters) parameter.grad = undefined;
    loss(x, true).backward();
    return {
      summed,
      whole: parameters.map(({ grad }) => grad?.tolist() ?? null),
      bits,
      notes: rounds.map(({ notes }) => notes),
      seconds: rounds.every((round) => round.communicationSeconds > 0 && round.exposedSeconds >= 0),
    };
  },

  async differs(group) {
    const { rank } = group;
    const x = torch.zeros([rank === 0 ? 3 : 4]);
    const failure = await failureOf(() => group.allReduce(x));
    return { failure, after: await failureOf(() => group.barrier()) };
  },

  async differsInKind(group) {
    return {
      failure: await failureOf(() =>
        group.rank === 0 ? group.barrier() : group.allGather(torch.zeros([2])),
      ),
    };
  },

  async equal(group) {
    const failure = await failureOf(() =>
      assertAllEqual(group, { recipe: group.rank === 1 ? "epochs: 2" : "epochs: 1", version: "0.1.0" }),
    );
    const same = await failureOf(() => assertAllEqual(group, { shapes: [[3, 3], [3]] }, "shapes"));
    return { failure, same };
  },

  /** Sums for ever; the test takes one away. */
  async endless(group) {
    const x = torch.zeros([1000]);
    told({ ready: true });
    for (;;) {
      await group.allReduce(x);
      await sleep(5);
    }
  },

  /** As `endless`, but the waiting is on the main thread, within a backward pass. */
  async endlessBackward(group) {
    const x = torch.zeros([4]).requiresGrad_();
    told({ ready: true });
    for (;;) {
      const y = group.sum(x).sum();
      try {
        y.backward();
      } catch (error) {
        throw group.explain(error);
      }
    }
  },

  /** Rank 1 leaves while the others still compute. */
  async leaves(group) {
    if (group.rank === 1) return { left: true };
    return { failure: await failureOf(() => group.barrier()) };
  },

  /** Ends without leaving the group, with its averager alive. */
  forgets(group) {
    group.averager([torch.zeros([2]).requiresGrad_()]).begin();
    process.exit(0);
  },

  /** Ends the process in the midst of an operation. */
  async exits(group) {
    if (group.rank === 0) await sleep(2000);
    void group.barrier().catch(() => {});
    setTimeout(() => process.exit(3), 100);
    await sleep(3000);
    return {};
  },
};

const environment = groupFromEnvironment();
if (!environment) throw new Error("no group in the environment");
const started = performance.now();
try {
  const signal = process.env.ABORT ? AbortSignal.timeout(Number(process.env.ABORT)) : undefined;
  const group = await joinGroup(environment, { timeoutSeconds: Number(process.env.TIMEOUT ?? 30), signal });
  const results: Record<string, unknown> = {};
  for (const name of process.argv[2]!.split(",")) results[name] = await scenes[name]!(group);
  await group.leave();
  told(results);
} catch (error) {
  const { name, message } = error as Error;
  if (!(error instanceof GroupError) && name !== "TimeoutError") throw error;
  told({ name, message, seconds: (performance.now() - started) / 1000 });
  process.exitCode = 9;
}
