/** Recalls the teachers of a planned network from the weights that they have left in the study's folder. */
import { type Experiment, recallNetwork, teachersOf } from "../generations/index.js";
import type { Module } from "../nn/index.js";
import type { PlannedNetwork } from "./plan.js";
import type { StudyFolder } from "./study-folder.js";

/**
 * Makes the frozen networks that teach a planned one. The caller disposes of them.
 *
 * @returns the teachers, in the order in which the network's method asks for them
 * @throws Error that names the file of weights and the remedy when one is missing or damaged
 */
export function recallTeachers(
  experiment: Experiment,
  network: PlannedNetwork,
  folder: StudyFolder,
): { networks: Module[] } & Disposable {
  const networks: Module[] = [];
  const dispose = () => {
    for (const teacher of networks) teacher.dispose();
  };
  try {
    for (const [i, generation] of teachersOf(experiment, network.generation).entries()) {
      const { weights } = folder.network(network.teachers[i]!);
      try {
        networks.push(recallNetwork(experiment, generation, weights));
      } catch (error) {
        throw new Error(
          `${(error as Error).message}. Remove ${weights}: \`lyceum study\` then makes this teacher's weights anew`,
        );
      }
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { networks, [Symbol.dispose]: dispose };
}
