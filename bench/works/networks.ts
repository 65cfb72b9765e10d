/**
 * The steps that `lyceum train` takes, of one network beside the same in PyTorch: a student's (teacher's forward,
 * student's forward and backward, SGD), a patriarch's (without teacher, with the top score difference), the frozen
 * teacher's forward alone, and the judging of a whole set of images.
 */
import { type Network, networks } from "../networks.js";
import type { Peer } from "../peer.js";
import { interleave, plan, spread } from "../sampling.js";
import { imagesOf, type NetworkWork, networkWorks, Scene, type Taken } from "../scene.js";
import { type Context, type Row, row, type Work } from "../work.js";

/** Of training; the others change no weights and have one loss to compare. */
const comparedSteps = 3;
/** Relative, of the loss: other kernels round differently, and each step carries it on. */
const tolerance = { float32: 1e-3, bfloat16: 5e-2 };

async function measure(work: NetworkWork, network: Network, context: Context): Promise<Row[]> {
  const { peers, quick, onLoad } = context;
  using scene = await Scene.set(network, peers);
  const theirs = (peer: Peer, steps: number) => peer.ask<Taken>({ do: "run", work, steps });
  // Also warms up. Peers and Lyceum have taken the same steps before.
  const compared = work.endsWith("step") ? comparedSteps : 1;
  const { losses, seconds } = await scene.run(work, compared);
  let slowest = seconds.at(-1)!;
  for (const peer of peers) {
    const taken = await theirs(peer, compared);
    slowest = Math.max(slowest, taken.seconds.at(-1)!);
    compare(work, network, peer, losses, taken.losses);
  }

  const { rounds, perTurn } = plan(slowest, quick);
  const rate = ({ seconds }: Taken): number[] => seconds.map((each) => imagesOf(work, network) / each);
  const sides = [
    async () => rate(await scene.run(work, perTurn)),
    ...peers.map((peer) => async () => rate(await theirs(peer, perTurn))),
  ];
  const [oursTaken, ...peersTaken] = (await interleave(rounds, sides)).map(spread);
  const { label: model, precision } = network;
  const taken = imagesOf(work, network) / oursTaken!.median;
  onLoad({ work, model, precision, load: scene.load(work), seconds: taken });
  return peers.map((peer, index) =>
    row({ work, model, peer: peer.name, unit: "images/s" }, { ours: oursTaken!, theirs: peersTaken[index]! }),
  );
}

function compare(work: NetworkWork, network: Network, peer: Peer, ours: number[], theirs: number[]): void {
  const differences = ours.map(
    (value, step) => Math.abs(value - theirs[step]!) / (Math.abs(theirs[step]!) + 0.1),
  );
  const worst = Math.max(...differences);
  const steps = ours.length > 1 ? ` in ${ours.length} steps` : "";
  console.log(
    `${network.label}: ${work} beside ${peer.name} differs by at most ${worst.toExponential(1)}${steps}`,
  );
  if (worst <= tolerance[network.precision]) return;
  throw new Error(`${work} is not the same: ours ${ours.join(", ")}; ${peer.name}'s ${theirs.join(", ")}`);
}

/** Sets are judged in float32, whatever a network was trained in. */
const measurable = (work: NetworkWork) =>
  networks.filter(({ precision }) => work !== "evaluation" || precision === "float32");

export const networkWork: Work[] = networkWorks.map((name) => ({
  name,
  models: measurable(name).map(({ label }) => label),
  async run(context) {
    const rows: Row[] = [];
    for (const network of measurable(name)) {
      if (context.models && !context.models.includes(network.label)) continue;
      rows.push(...(await measure(name, network, context)));
    }
    return rows;
  },
}));
