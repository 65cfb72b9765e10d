/**
 * Measures what `lyceum train` does with a network, beside the same in PyTorch: a student's step (teacher's forward, student's
 * forward and backward, SGD), a patriarch's step (no teacher, but the top score difference), the frozen teacher's forward
 * alone, and the evaluation of a set of images.
 */
import type { torch } from "lyceum";
import { hasBfloat16, type Network, networks } from "../networks.js";
import type { Peer } from "../peer.js";
import { interleave, plan, spread } from "../sampling.js";
import { imagesOf, type NetworkWork, networkWorks, Scene, type Taken } from "../scene.js";
import { type Context, type Row, row, type Work } from "../work.js";

/** The training steps whose losses are compared. The other works change no weights: their one loss is enough. */
const comparedSteps = 3;
/** The largest relative difference of losses: kernels round differently, and each step carries the difference on. */
const tolerance = { float32: 1e-3, bfloat16: 5e-2, float16: 1e-2 };
/** The same for float32 on a card, where both sides multiply in TF32 by whichever convolution was the fastest. */
const tolerance32OnCards = 1e-2;
/** The steps of a turn on a card, which is timed as a whole: reading each step's loss would make each step wait. */
const perTurnOnCards = 100;
const warmUpOnCards = 5;

async function measure(work: NetworkWork, network: Network, context: Context): Promise<Row[]> {
  const { quick, onLoad, device, recorded } = context;
  const each = device === "cpu";
  let { peers } = context;
  using scene = await Scene.set(network, peers, { device, recorded });
  const theirs = (peer: Peer, steps: number, each: boolean) =>
    peer.ask<Taken>({ do: "run", work, steps, each });
  // This warms up, too. Losses can be compared, since Lyceum and the peers have taken the same steps before.
  const compared = work.endsWith("step") ? comparedSteps : 1;
  const { losses, seconds } = await scene.run(work, compared, true);
  let slowest = seconds.at(-1)!;
  for (const peer of peers) {
    try {
      const taken = await theirs(peer, compared, true);
      slowest = Math.max(slowest, taken.seconds.at(-1)!);
      compare(work, network, { peer, device }, losses, taken.losses);
    } catch (error) {
      // Time on a card is dear: what one peer cannot do must not cost the results of the others.
      if (device === "cpu") throw error;
      console.log(`${network.label}: ${work} without ${peer.name}: ${(error as Error).message}`);
      peers = peers.filter((other) => other !== peer);
    }
  }
  // Graphs are recorded after some ordinary steps, and torch.compile compiles once more at its second call.
  if (!each) {
    await scene.run(work, warmUpOnCards, true);
    for (const peer of peers) await theirs(peer, warmUpOnCards, true);
  }

  const { rounds, perTurn } = plan(slowest, quick, each ? undefined : perTurnOnCards);
  const rate = ({ seconds }: Taken): number[] => seconds.map((each) => imagesOf(work, network) / each);
  const sides = [
    async () => rate(await scene.run(work, perTurn, each)),
    ...peers.map((peer) => async () => rate(await theirs(peer, perTurn, each))),
  ];
  const [oursTaken, ...peersTaken] = (await interleave(rounds, sides)).map(spread);
  const { label: model, precision } = network;
  const taken = imagesOf(work, network) / oursTaken!.median;
  onLoad({ work, model, precision, load: scene.load(work), seconds: taken });
  return peers.map((peer, index) =>
    row({ work, model, peer: peer.name, unit: "images/s" }, { ours: oursTaken!, theirs: peersTaken[index]! }),
  );
}

function compare(
  work: NetworkWork,
  network: Network,
  { peer, device }: { peer: Peer; device: torch.Device },
  ours: number[],
  theirs: number[],
): void {
  const differences = ours.map(
    (value, step) => Math.abs(value - theirs[step]!) / (Math.abs(theirs[step]!) + 0.1),
  );
  const worst = Math.max(...differences);
  const steps = ours.length > 1 ? ` in ${ours.length} steps` : "";
  console.log(
    `${network.label}: ${work} beside ${peer.name} differs by at most ${worst.toExponential(1)}${steps}`,
  );
  const { precision } = network;
  const coarse = precision === "float32" && device !== "cpu";
  if (worst <= (coarse ? tolerance32OnCards : tolerance[precision])) return;
  throw new Error(`${work} is not the same: ours ${ours.join(", ")}; ${peer.name}'s ${theirs.join(", ")}`);
}

/** The networks that a work can be measured for: sets are evaluated in float32 only, and float16 needs a card. */
const measurable = (work: NetworkWork, device?: torch.Device) =>
  networks.filter(
    ({ precision }) =>
      (work !== "evaluation" || precision === "float32") && !(precision === "float16" && device === "cpu"),
  );

/** Whether `tfjs/` has this work for this network. */
const hasTensorFlow = (work: NetworkWork, { label }: Network) =>
  (work === "student-step" || work === "teacher-forward") && label === "resnet20";

export const networkWork: Work[] = networkWorks.map((name) => ({
  name,
  onCards: true,
  models: measurable(name).map(({ label }) => label),
  async run(context) {
    const rows: Row[] = [];
    for (const network of measurable(name, context.device)) {
      if (context.models && !context.models.includes(network.label)) continue;
      if (context.device === "cpu" && network.precision === "bfloat16" && !hasBfloat16) {
        console.log(`${network.label}: no ${name}: this processor does not compute in bfloat16`);
        continue;
      }
      try {
        const { peers, tfjs } = context;
        if (peers.length > 0 || !tfjs) rows.push(...(await measure(name, network, context)));
        // TensorFlow.js is measured apart: in turns with it the others would be measured too seldom.
        if (tfjs && hasTensorFlow(name, network)) {
          rows.push(...(await measure(name, network, { ...context, peers: [tfjs], onLoad: () => {} })));
        }
      } catch (error) {
        if (context.device === "cpu") throw error;
        console.log(`${network.label}: no ${name}: ${(error as Error).message}`);
      }
    }
    return rows;
  },
}));
