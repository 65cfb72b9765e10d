/** Measures what a call of an operator costs, by `relu` of a 4x4 tensor, which has next to nothing to compute. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { torch } from "lyceum";
import { interleave, spread } from "../sampling.js";
import { type Row, row, type Work } from "../work.js";

const perTurn = 1000;

export const dispatch: Work = {
  name: "dispatch",
  async run({ peers, quick }) {
    // One peer is enough: tuning changes nothing in the cost of a call.
    const peer = peers[0];
    if (!peer) return [];
    const calls = quick ? 20_000 : 100_000;
    const x = torch.randn([4, 4]);

    /** Nanoseconds a call, the turns of the event loop included. */
    const timed = async (someCalls: () => void): Promise<number[]> => {
      const start = performance.now();
      for (let done = 0; done < calls; done += perTurn) {
        someCalls();
        await nextTurn();
      }
      return [((performance.now() - start) * 1e6) / calls];
    };
    const callAll = (): void => {
      for (let call = 0; call < perTurn; call++) x.relu();
    };
    const inScope = () => timed(() => torch.scope(callAll));
    const outside = () => timed(callAll);
    const theirs = async (): Promise<number[]> => {
      const { seconds } = await peer.ask<{ seconds: number }>({ do: "dispatch", count: calls });
      return [(seconds * 1e9) / calls];
    };

    const measure = async (model: string, ours: () => Promise<number[]>): Promise<Row> => {
      const [oursTaken, theirsTaken] = await interleave(quick ? 5 : 21, [ours, theirs]);
      const spreads = { ours: spread(oursTaken!), theirs: spread(theirsTaken!) };
      return row({ work: "dispatch", model, peer: peer.name, unit: "ns" }, spreads);
    };
    // Not interleaved: V8 collects tensors that were made outside a scope long after the last one, which would count for
    // the other measurement.
    const rows = [
      await measure("relu 4x4, in a scope", inScope),
      await measure("relu 4x4, no scope", outside),
    ];
    x.dispose();
    return rows;
  },
};
