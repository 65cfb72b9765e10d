/** Shows what is finished of a study, and what would be trained. */
import type { BegunStudy, PlannedNetwork } from "../study/index.js";
import { table } from "./text.js";

/** Says it as a table with a row for each arm. */
export function planText(begun: BegunStudy): string {
  const { study, plan, folder, mine, left } = begun;
  const isFinished = ({ fingerprint }: PlannedNetwork) => folder.isFinished(fingerprint);
  const due = new Set(left);
  const rows = study.arms.map(({ name, recipe }) => {
    const ours = plan.networks.filter(({ arms }) => arms.includes(name));
    const numbers = [ours, ours.filter(isFinished), ours.filter((network) => due.has(network))];
    return [
      name,
      String(recipe.generations),
      String(recipe.epochs),
      ...numbers.map(({ length }) => String(length)),
    ];
  });
  const headings = ["arm", "generations", "epochs", "networks", "finished", "would be trained now"];
  const again = left.filter(isFinished).length;
  const notes = [
    "networks that arms share are trained once, and count for each of them here",
    ...(mine.length < plan.networks.length
      ? [`this part of the study has ${mine.length} of its ${plan.networks.length} networks`]
      : []),
    ...(again > 0
      ? [`${again} that are finished would be trained again for their weights, which others learn from`]
      : []),
    ...(begun.uncalibrated ? ["the study would be calibrated first, which changes what its arms are"] : []),
  ];
  const finished = plan.networks.filter(isFinished).length;
  const state = `${finished} of ${plan.networks.length} networks are trained; ${left.length} would be trained now`;
  return [table([headings, ...rows]), ...notes, "", state].join("\n");
}

/** Gives the networks of this part of the study as JSON, in the order in which they are trained. */
export function planJson({ folder, mine, left, uncalibrated }: BegunStudy): string {
  const due = new Set(left);
  const networks = mine.map((network) => {
    const { fingerprint, arms, seed, generation, teachers } = network;
    const state = { finished: folder.isFinished(fingerprint), due: due.has(network) };
    return { fingerprint, arms, seed, generation, teachers, ...state };
  });
  return JSON.stringify({ calibrated: !uncalibrated, networks }, null, 2);
}
