/** Processes that take steps together, or one alone: Lyceum's (`rank.ts`), or PyTorch's (`peer/ranks.py`). */
import { fileURLToPath } from "node:url";
import { distributed } from "lyceum";
import { Answering } from "../answering.js";
import { plainEnvironment } from "../environment.js";
import { tunedAllocator } from "../peer.js";

// These modules run from build/bench, where tsc puts them; the Python scripts stay in bench.
const ours = fileURLToPath(new URL("rank.js", import.meta.url));
const theirs = fileURLToPath(new URL("../../../bench/peer/ranks.py", import.meta.url));

export interface PartyOptions {
  /** The Python whose torch is used; Lyceum when left out. */
  python?: string;
  processes: number;
  /** Threads of each. */
  threads: number;
}

type Request = { do: string } & Record<string, unknown>;

export class Party {
  readonly processes: number;
  readonly version: string;
  readonly #ranks: readonly Answering[];

  private constructor(ranks: readonly Answering[], version: string) {
    this.#ranks = ranks;
    this.processes = ranks.length;
    this.version = version;
  }

  /** @throws Error with a process's own message when it cannot start */
  static async start({ python, processes, threads }: PartyOptions): Promise<Party> {
    const port = await distributed.freePort();
    const ranks = Array.from({ length: processes }, (_, rank) => {
      const env = {
        ...{ ...plainEnvironment(), ...(python && tunedAllocator), OMP_NUM_THREADS: String(threads) },
        ...(processes > 1 && {
          ...distributed.variablesOf(rank, processes, port),
          // Between the ranks of one machine; by itself PyTorch takes the address of the host's name.
          GLOO_SOCKET_IFNAME: "lo",
        }),
      };
      return python
        ? new Answering("PyTorch", python, [theirs], env)
        : new Answering("Lyceum", process.execPath, [ours], env);
    });
    try {
      const answers = await Promise.all(
        ranks.map((rank) => rank.ask<{ version: string }>({ do: "hello", threads })),
      );
      return new Party(ranks, answers[0]!.version);
    } catch (error) {
      for (const rank of ranks) rank.stop();
      throw error;
    }
  }

  /** Asks all processes at once. @returns their answers in the order of ranks */
  async ask<Answer>(request: Request): Promise<Answer[]> {
    return await Promise.all(this.#ranks.map((rank) => rank.ask<Answer>(request)));
  }

  stop(): void {
    for (const rank of this.#ranks) rank.stop();
  }
}
