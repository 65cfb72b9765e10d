/**
 * The steps that `lyceum train` takes, of one network beside the same in PyTorch: a student's (teacher's forward,
 * student's forward and backward, SGD), a patriarch's (without teacher, with the top score difference), and the frozen
 * teacher's forward alone, which is also what evaluation does.
 */
import type { Peer } from "../peer.js";
import { interleave, spread } from "../sampling.js";
import { batchSize, type Network, type NetworkWork, networkWorks, Scene, type Taken } from "../scene.js";
import { type Context, type Row, row, type Work } from "../work.js";

const networks: Network[] = [
  { name: "resnet20", blocks: 3, precision: "float32" },
  { name: "resnet20", blocks: 3, precision: "bfloat16" },
  { name: "resnet110", blocks: 18, precision: "float32" },
  { name: "resnet110", blocks: 18, precision: "bfloat16" },
];

/** As it stands in the table, and as `--model` names it. */
const label = ({ name, precision }: Network) => (precision === "float32" ? name : `${name}-${precision}`);

const comparedSteps = 3;
/** Relative, of the loss: other kernels round differently, and each step carries it on. */
const tolerance = { float32: 1e-3, bfloat16: 5e-2 };

async function measure(work: NetworkWork, network: Network, { peers, quick }: Context): Promise<Row[]> {
  using scene = await Scene.set(network, peers);
  const theirs = (peer: Peer, steps: number) => peer.ask<Taken>({ do: "run", work, steps });
  // Also warms up. Peers and Lyceum have taken the same steps before.
  const { values } = scene.run(work, comparedSteps);
  for (const peer of peers) compare(work, network, peer, values, (await theirs(peer, comparedSteps)).values);

  const perTurn = quick ? 2 : 4;
  const rate = ({ seconds }: Taken): number[] => seconds.map((each) => batchSize / each);
  const rounds = quick ? 3 : 12;
  const sides = [
    () => rate(scene.run(work, perTurn)),
    ...peers.map((peer) => async () => rate(await theirs(peer, perTurn))),
  ];
  const [oursTaken, ...peersTaken] = (await interleave(rounds, sides)).map(spread);
  return peers.map((peer, index) =>
    row(
      { work, model: label(network), peer: peer.name, unit: "images/s" },
      { ours: oursTaken!, theirs: peersTaken[index]! },
    ),
  );
}

function compare(work: NetworkWork, network: Network, peer: Peer, ours: number[], theirs: number[]): void {
  const differences = ours.map(
    (value, step) => Math.abs(value - theirs[step]!) / (Math.abs(theirs[step]!) + 0.1),
  );
  const worst = Math.max(...differences);
  console.log(
    `${label(network)}: ${work} beside ${peer.name} differs by at most ${worst.toExponential(1)} in ${ours.length} steps`,
  );
  if (worst <= tolerance[network.precision]) return;
  throw new Error(`${work} is not the same: ours ${ours.join(", ")}; ${peer.name}'s ${theirs.join(", ")}`);
}

export const networkWork: Work[] = networkWorks.map((name) => ({
  name,
  models: networks.map(label),
  async run(context) {
    const rows: Row[] = [];
    for (const network of networks) {
      if (context.models && !context.models.includes(label(network))) continue;
      rows.push(...(await measure(name, network, context)));
    }
    return rows;
  },
}));
