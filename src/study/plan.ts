/** The networks that a study trains: those of all arms and seeds, each one once. */
import { epochsOf } from "../generations/index.js";
import type { Library, Recipe } from "../recipe/index.js";
import { type Decides, fingerprintLine } from "./fingerprint.js";
import type { Shard } from "./shards.js";
import type { Study } from "./study-file.js";

/** One network that a study needs, which several arms may share. */
export interface PlannedNetwork {
  fingerprint: string;
  decides: Decides;
  generation: number;
  seed: number;
  /** Passes over the training images: those of the recipe, unless its method trains for fewer. */
  epochs: number;
  /** The recipe of the first arm that needs it. */
  recipe: Recipe;
  /** The names of the arms that need it, in the order of the study. */
  arms: string[];
  /** The fingerprints of its teachers. */
  teachers: string[];
}

/** The networks of one arm for one seed, by generation. */
export interface PlannedLine {
  arm: string;
  seed: number;
  fingerprints: string[];
}

export interface Plan {
  library: Library;
  /** Every network once, in the order in which they are to be trained: seed by seed, teachers before students. */
  networks: PlannedNetwork[];
  lines: PlannedLine[];
}

/**
 * Plans a study: finds out which networks its arms share, and in which order they are trained. A seed is finished
 * before the next one begins, so that a study that is stopped early can compare what it has.
 *
 * @param imports the SHA-256 of the files that were imported for names in the recipes
 */
export function planStudy(study: Study, imports: readonly string[] = []): Plan {
  const { file, arms, library } = study;
  const networks = new Map<string, PlannedNetwork>();
  const lines: PlannedLine[] = [];
  for (const seed of file.seeds) {
    for (const { name, recipe: ofSeed0 } of arms) {
      const recipe = { ...ofSeed0, seed };
      const line = fingerprintLine(recipe, library, imports);
      lines.push({ arm: name, seed, fingerprints: line.map(({ fingerprint }) => fingerprint) });
      for (const [generation, { fingerprint, decides }] of line.entries()) {
        const known = networks.get(fingerprint);
        if (known) {
          if (!known.arms.includes(name)) known.arms.push(name);
          continue;
        }
        const { teachers } = decides;
        const epochs = epochsOf({ recipe, library }, generation);
        const arms = [name];
        networks.set(fingerprint, { fingerprint, decides, generation, seed, epochs, recipe, arms, teachers });
      }
    }
  }
  return { library, networks: [...networks.values()], lines };
}

/**
 * Finds two arms that are the same recipe, whose comparison would say nothing.
 *
 * @returns their names, or undefined where all differ
 */
export function sameArms({ lines }: Plan): [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const { arm, seed, fingerprints } of lines) {
    const key = `${seed} ${fingerprints.join()}`;
    const other = seen.get(key);
    if (other !== undefined) return [other, arm];
    seen.set(key, arm);
  }
  return undefined;
}

/**
 * Divides the networks into groups that share none: networks of one line are in one group, and so are lines that share a
 * network.
 *
 * @returns the number of each network's group, from 0 in the order of the plan, and how many groups there are
 */
export function independentGroups({ networks, lines }: Pick<Plan, "networks" | "lines">): {
  groupOf: ReadonlyMap<PlannedNetwork, number>;
  count: number;
} {
  // Each network points to another of its group, and the last of these, which points to itself, stands for the group.
  const group = new Map<string, string>();
  const rootOf = (one: string): string => {
    let root = one;
    for (let above = group.get(root); above !== undefined && above !== root; above = group.get(root))
      root = above;
    for (let at = one; at !== root; ) {
      const above = group.get(at)!;
      group.set(at, root);
      at = above;
    }
    return root;
  };
  for (const { fingerprints } of lines)
    for (const one of fingerprints.slice(1)) group.set(rootOf(one), rootOf(fingerprints[0]!));
  const order = new Map<string, number>();
  const groupOf = new Map<PlannedNetwork, number>();
  for (const network of networks) {
    const root = rootOf(network.fingerprint);
    if (!order.has(root)) order.set(root, order.size);
    groupOf.set(network, order.get(root)!);
  }
  return { groupOf, count: order.size };
}

/**
 * Picks the networks of one shard of several. Networks that teach or share are in one shard, so that no shard needs
 * what another trains.
 *
 * @param shard from 1 to `of`
 */
export function shardOf(plan: Plan, { shard, of }: Shard): PlannedNetwork[] {
  const { groupOf } = independentGroups(plan);
  return plan.networks.filter((network) => groupOf.get(network)! % of === shard - 1);
}
