/** Starts ranks of one group as processes on the loopback, for tests. */
import type { ChildProcess } from "node:child_process";
import { bundle, type Ended, start } from "../../torch/testing/child.js";
import { freePort, variablesOf } from "../launch.js";

/** What a rank printed, as JSON, and how it ended. */
export interface RankEnded extends Ended {
  // biome-ignore lint/suspicious/noExplicitAny: each scene prints what it likes
  said: any;
}

export interface Ranks {
  children: ChildProcess[];
  ended: Promise<RankEnded[]>;
}

export interface RanksOptions {
  /** Variables for all ranks, or for one. */
  env?: Record<string, string> | ((rank: number) => Record<string, string>);
  /** Which ranks to start; all when left out. */
  only?: readonly number[];
  port?: number;
}

/** The scenes of `rank.ts`, bundled once. */
export async function rankProgram() {
  const made = await bundle("src/distributed/testing/rank.ts");
  async function begin(
    scene: string,
    size: number,
    { env = {}, only, port }: RanksOptions = {},
  ): Promise<Ranks> {
    const at = port ?? (await freePort());
    const started = (only ?? Array.from({ length: size }, (_, rank) => rank)).map((rank) =>
      start(made.script, [scene], {
        env: { ...variablesOf(rank, size, at), ...(typeof env === "function" ? env(rank) : env) },
      }),
    );
    return {
      children: started.map(({ child }) => child),
      ended: Promise.all(
        started.map(async ({ ended }) => {
          const end = await ended;
          const line = end.stdout.trim().split("\n").at(-1) ?? "";
          return { ...end, said: line.startsWith("{") ? JSON.parse(line) : undefined };
        }),
      ),
    };
  }
  return {
    script: made.script,
    begin,
    run: async (scene: string, size: number, options?: RanksOptions) =>
      (await begin(scene, size, options)).ended,
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}
