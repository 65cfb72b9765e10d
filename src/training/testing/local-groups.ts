/** Process groups whose ranks are all in one process, for tests of what does not wait on the calling thread. */
import type { AveragedRound, GradientAverager, ProcessGroup, Reduction } from "../../distributed/index.js";
import * as torch from "../../torch/index.js";

/** What all ranks have given to one call, and who waits for it. */
interface Meeting {
  given: unknown[];
  came: number;
  done: Promise<unknown[]>;
  resolve(all: unknown[]): void;
}

/** Makes the groups of `size` ranks. Tests run one training a rank, which take turns in the event loop. */
export function localGroups(size: number): ProcessGroup[] {
  const meetings = new Map<string, Meeting>();
  /** Waits until all ranks have come to the call of that name and number. */
  const meet = (name: string, rank: number, given: unknown): Promise<unknown[]> => {
    let meeting = meetings.get(name);
    if (!meeting) {
      let resolve!: (all: unknown[]) => void;
      const done = new Promise<unknown[]>((settle) => {
        resolve = settle;
      });
      meeting = { given: Array(size), came: 0, done, resolve };
      meetings.set(name, meeting);
    }
    meeting.given[rank] = given;
    if (++meeting.came === size) {
      meetings.delete(name);
      meeting.resolve(meeting.given);
    }
    return meeting.done;
  };
  return Array.from({ length: size }, (_, rank) => new LocalGroup(rank, size, meet));
}

class LocalGroup implements ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly timeoutSeconds = 600;
  readonly #meet: (name: string, rank: number, given: unknown) => Promise<unknown[]>;
  #calls = 0;

  constructor(
    rank: number,
    size: number,
    meet: (name: string, rank: number, given: unknown) => Promise<unknown[]>,
  ) {
    this.rank = rank;
    this.size = size;
    this.#meet = meet;
  }

  async allReduce(tensor: torch.Tensor, reduction: Reduction = "sum"): Promise<void> {
    const all = (await this.#gather(`all-reduce ${reduction}`, tensor)) as torch.Tensor[];
    torch.noGrad(() =>
      torch.scope(() => {
        const stacked = torch.stack(all);
        if (reduction === "sum") tensor.copy_(stacked.sum([0]));
        else tensor.copy_(reduction === "max" ? stacked.amax([0]) : stacked.amin([0]));
      }),
    );
    await this.#gather("done", undefined);
    all[this.rank]!.dispose();
  }

  allReduceSync(): void {
    throw new Error("ranks of one process cannot wait on its only thread");
  }

  sum(): torch.Tensor {
    throw new Error("ranks of one process cannot wait on its only thread");
  }

  async broadcast(tensor: torch.Tensor, from = 0): Promise<void> {
    const all = (await this.#gather("broadcast", tensor)) as torch.Tensor[];
    torch.noGrad(() => tensor.copy_(all[from]!));
    await this.#gather("done", undefined);
  }

  async allGather(tensor: torch.Tensor): Promise<torch.Tensor> {
    const all = (await this.#gather("all-gather", tensor)) as torch.Tensor[];
    const stacked = torch.keep(torch.stack(all));
    await this.#gather("done", undefined);
    return stacked;
  }

  async barrier(): Promise<void> {
    await this.#gather("barrier", undefined);
  }

  async exchange(key: string, text: string): Promise<string[]> {
    return (await this.#gather(`exchange ${key}`, text)) as string[];
  }

  averager(parameters: readonly torch.Tensor[]): GradientAverager {
    const finish = async (): Promise<AveragedRound> => {
      const gradients = parameters.map((each) => torch.keep(each.grad ?? torch.zerosLike(each.detach())));
      using all = torch.scope(() => torch.keep(torch.cat(gradients.map((each) => each.flatten()))));
      await this.allReduce(all);
      let start = 0;
      parameters.forEach((parameter, i) => {
        const gradient = gradients[i]!;
        torch.noGrad(() =>
          torch.scope(() => gradient.copy_(all.narrow(0, start, gradient.numel).view(gradient.shape))),
        );
        start += gradient.numel;
        parameter.grad = gradient;
      });
      return { notes: [], waitingSeconds: 0, communicationSeconds: 0, exposedSeconds: 0 };
    };
    const finishSync = () => {
      throw new Error("ranks of one process cannot wait on its only thread");
    };
    return { begin: () => {}, finish, finishSync, [Symbol.dispose]: () => {} };
  }

  explain(error: unknown): unknown {
    return error;
  }

  async leave(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The number of the call stands in its name: ranks that call something else never meet. */
  #gather(what: string, given: unknown): Promise<unknown[]> {
    const copied = torch.isTensor(given) && what !== "done" ? torch.keep(given.detach().clone()) : given;
    return this.#meet(`${this.#calls++} ${what}`, this.rank, copied);
  }
}
