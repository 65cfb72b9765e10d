/** The process of `ends.test.ts`, which leaves work and tensors behind in the way that its first argument names. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as torch from "../index.js";

const what = (isMainThread ? process.argv[2] : workerData) as string;

/** Starts about a tenth of a second of work in the background. */
const slow = () => {
  const x = torch.ones([1600, 1600]);
  return torch.opAsync("aten::matmul", x, x);
};

function inWorker(body: string): Worker {
  return new Worker(new URL(import.meta.url), { workerData: body });
}

const scenes: Record<string, () => unknown> = {
  /** Disposes of tensors, and leaves their scope, while the background reads them. */
  async disposed() {
    const pending = torch.scope(() => {
      const x = torch.ones([512, 512]);
      const list = [x, torch.ones([512, 512])];
      const all = [torch.opAsync("aten::matmul", x, x), torch.opAsync("aten::cat", list, 0)];
      x.dispose();
      return { all };
    });
    const [product, joined] = await Promise.all(pending.all);
    console.log(product.amax().item(), joined.shape.join("x"));
  },
  /** Ends the process in the middle of background work, with tensors alive. */
  exit() {
    for (let i = 0; i < 8; i++) slow();
    setTimeout(() => process.exit(0), 20);
  },
  /** Runs to the end of the event loop with work under way, whose promises nobody awaits. */
  drain() {
    for (let i = 0; i < 2; i++) slow();
  },
  throw() {
    slow();
    setTimeout(() => {
      throw new Error("on purpose");
    }, 20);
  },
  /** Workers train on tensors of their own beside the main thread's, and end with tensors alive. */
  async worker() {
    const x = torch.ones([4], { dtype: "float64" });
    const answers = await Promise.all(
      [1, 2, 3].map(
        (i) =>
          new Promise((resolve, reject) => inWorker(`sum:${i}`).on("message", resolve).on("error", reject)),
      ),
    );
    console.log(answers.join(" "), x.sum().item());
  },
  /** Workers are stopped in the middle of background work and of a loop of operators. */
  async terminate() {
    for (const body of ["hold", "loop", "hold", "loop"]) {
      const worker = inWorker(body);
      await new Promise((resolve) => worker.once("message", resolve));
      await new Promise((resolve) => setTimeout(resolve, 30));
      await worker.terminate();
    }
    console.log(torch.ones([3]).sum().item());
  },
  hold() {
    torch.ones([100]).requiresGrad_().mul(2).sum().backward();
    torch.fromBuffer(new Float32Array(new SharedArrayBuffer(400)));
    for (let i = 0; i < 4; i++) slow();
    parentPort!.postMessage("busy");
  },
  loop() {
    parentPort!.postMessage("busy");
    for (;;) torch.ones([64, 64]).matmul(torch.ones([64, 64]));
  },
};

if (what.startsWith("sum:")) {
  const x = torch.ones([1000]).requiresGrad_();
  x.mul(Number(what.slice(4)))
    .sum()
    .backward();
  const foreign = { handle: 1 } as unknown as torch.Tensor;
  let refused = "";
  try {
    x.add(foreign);
  } catch (error) {
    refused = (error as Error).constructor.name;
  }
  parentPort!.postMessage(`${x.grad!.sum().item()},${refused}`);
} else {
  await scenes[what]!();
}
