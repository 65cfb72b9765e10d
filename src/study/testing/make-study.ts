/** Makes the results of a study out of drawn numbers, without training: for tests, and to look at its report. */
import type { TestResult } from "../../runs/index.js";
import type { ArmResult, LineResult, NetworkResult, Part, StudyResult } from "../types.js";

/** What an arm's line is made to come to. */
export interface DrawnArm {
  methods: ArmResult["methods"];
  /** The accuracy of each generation, as a fraction. */
  top1: number[];
  /** What the ensemble of all generations has over the best of them. Default: 0.02. */
  gain?: number;
  /** The mean score of the best class. Default: 0.7. */
  topScore?: number;
  /** How steeply the scores of the other classes fall: each is the one before times this. Default: 0.55. */
  fall?: number;
  /** The passes over the images, per network. Default: 60. */
  epochs?: number;
  /** Whether its students compare themselves with a teacher. Default: true. */
  taught?: boolean;
  at?: ArmResult["at"];
}

const taught = "0.5 · CE + 0.5 · KL(teacher ‖ student)";
const student: [string, string] = ["students", taught];

/** Five arms with the shape that a pilot with one seed had; the spread between seeds is made up. */
export const drawnArms: Record<string, DrawnArm> = {
  strict: { methods: [["patriarch", "cross-entropy"], student], top1: [0.502, 0.519, 0.523], topScore: 0.78 },
  tolerant: {
    methods: [["patriarch", "cross-entropy and top score difference (k 5, primary score 0.8)"], student],
    top1: [0.483, 0.52, 0.531],
    topScore: 0.62,
    fall: 0.45,
    gain: 0.016,
  },
  "label-smoothing": {
    methods: [["patriarch", "label smoothing (epsilon 0.2)"], student],
    top1: [0.505, 0.521, 0.5245],
    topScore: 0.61,
    fall: 0.68,
  },
  "confidence-penalty": {
    methods: [["patriarch", "confidence penalty (weight 0.3)"], student],
    top1: [0.503, 0.5195, 0.522],
    topScore: 0.63,
    fall: 0.62,
  },
  plain: {
    methods: [["network", "cross-entropy, for as long as a whole line takes"]],
    top1: [0.511],
    epochs: 180,
    topScore: 0.86,
    taught: false,
  },
};

export interface DrawnStudy {
  name?: string;
  title?: string;
  description?: string;
  arms?: Record<string, DrawnArm>;
  reference?: string;
  seeds?: number[];
  part?: Part;
  notes?: string[];
  /** Says which networks are trained. Default: all. */
  finished?: (arm: string, seed: number, generation: number) => boolean;
}

/** Makes the arms of a search over two options, of which (5, 0.8) is the best. */
export function drawnGrid(ks: number[], scores: number[]): Record<string, DrawnArm> {
  const arms = ks.flatMap((k) =>
    scores.map((score): [string, DrawnArm] => {
      const loss = 0.004 * Math.abs(Math.log(k / 5)) + 0.25 * (score - 0.8) ** 2;
      return [
        `k=${k},primaryScore=${score}`,
        {
          methods: [["patriarch", `top score difference (k ${k}, primary score ${score})`], student],
          top1: [0.49 - 2 * loss, 0.52 - loss, 0.53 - loss],
          topScore: score - 0.15,
          at: { "patriarch.k": k, "patriarch.primaryScore": score },
        },
      ];
    }),
  );
  return Object.fromEntries(arms);
}

/** Makes a study's results; the same options give the same numbers. */
export function makeStudy({
  name = "few-data",
  title = "Tolerant and strict patriarchs on 10,000 images",
  description = "Drawn numbers: nothing was trained.",
  arms = drawnArms,
  reference = Object.keys(arms)[0]!,
  seeds = [0, 1, 2, 3, 4],
  part = "test",
  notes = [],
  finished = () => true,
}: DrawnStudy = {}): StudyResult {
  const made = Object.entries(arms).map(([arm, drawn]) => ({
    name: arm,
    methods: drawn.methods,
    ...(drawn.at ? { at: drawn.at } : {}),
    generations: drawn.top1.length,
    epochs: drawn.epochs ?? 60,
    lines: seeds.map((seed) => line(arm, drawn, { seed, part, finished })),
  }));
  const networks = made.flatMap(({ lines }) => lines.flatMap((line) => line.networks));
  const trained = { done: networks.filter(Boolean).length, of: networks.length };
  return { name, title, description, reference, seeds, part, arms: made, trained, notes };
}

function line(
  arm: string,
  drawn: DrawnArm,
  { seed, part, finished }: { seed: number; part: Part; finished: NonNullable<DrawnStudy["finished"]> },
): LineResult {
  const draw = randomNumbers(`${arm} ${seed}`);
  const shared = randomNumbers(`seed ${seed}`);
  const common = 0.003 * normal(shared);
  const networks = drawn.top1.map((mean, generation): NetworkResult | undefined => {
    const top1 = mean + common + 0.003 * normal(draw);
    const heldOut = top1 + 0.004 * normal(draw);
    const fingerprint = Math.floor(draw() * 2 ** 48)
      .toString(16)
      .padStart(12, "0");
    const minutes = 0.11 * (drawn.epochs ?? 60) * (generation === 0 ? 0.85 : 1) * (1 + 0.02 * normal(draw));
    const date = new Date(Date.UTC(2026, 10, 28, 8 + 3 * seed, 20 * generation)).toISOString();
    const options = { generation, draw, drawn };
    const network: NetworkResult = {
      fingerprint,
      generation,
      ...(part === "test" ? { test: results(top1, options) } : {}),
      heldOut: results(heldOut, options),
      trainSeconds: 60 * minutes,
      kernels: "AVX-512, libtorch 2.6.0, 2 threads",
      date,
    };
    // The network is drawn in any case, so that its absence changes no other number.
    return finished(arm, seed, generation) ? network : undefined;
  });
  const ensembles: LineResult["ensembles"] = {};
  for (let last = 1; last < networks.length; last++) {
    const members = networks.slice(0, last + 1);
    if (members.includes(undefined)) break;
    const of = (name: Part) => {
      const each = members.map((network) => network?.[name]?.top1 ?? 0);
      const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
      const gain = (drawn.gain ?? 0.022) * Math.sqrt(last / 2) + 0.001 * normal(draw);
      const top1 = Math.max(...each) + gain;
      return {
        ...results(top1, { generation: 0, draw, drawn }),
        disagreement: 0.2 + 6 * gain + 0.006 * normal(draw),
        gainOverMean: top1 - mean,
        gainOverBest: gain,
      };
    };
    ensembles[`0-${last}`] = { ...(part === "test" ? { test: of("test") } : {}), heldOut: of("heldOut") };
  }
  return { seed, networks, ensembles };
}

/** Draws all metrics of one network around its accuracy. */
function results(
  top1: number,
  { generation, draw, drawn }: { generation: number; draw: () => number; drawn: DrawnArm },
): TestResult {
  const top = (drawn.topScore ?? 0.7) + 0.01 * generation + 0.004 * normal(draw);
  const rest = 1 - top;
  const fall = (drawn.fall ?? 0.55) + 0.01 * generation;
  const shares = Array.from({ length: 9 }, (_, i) => (1 - fall) * fall ** i);
  const overconfidence = top - top1;
  const bins = 15;
  const weights = Array.from({ length: bins }, (_, bin) => (bin < 1 ? 0 : 0.4 + 3 * (bin / bins) ** 4));
  const weight = weights.reduce((sum, each) => sum + each, 0);
  const reliability = weights.flatMap((each, bin) => {
    const confidence = (bin + 0.5 + 0.1 * normal(draw)) / bins;
    const accuracy = Math.min(
      1,
      Math.max(0, confidence - overconfidence * 4 * confidence * (1 - confidence)),
    );
    return [each / weight, (each / weight) * accuracy, (each / weight) * confidence];
  });
  const values = {
    top1,
    top5: top1 + 0.29 + 0.003 * normal(draw),
    nll: 2.9 - 2 * top1 + 2 * overconfidence ** 2 + 0.01 * normal(draw),
    ece: Math.abs(overconfidence) + 0.003 * Math.abs(normal(draw)),
    adaptiveEce: Math.abs(overconfidence) + 0.004 * Math.abs(normal(draw)),
    brier: 0.95 - 0.7 * top1 + 0.004 * normal(draw),
    meanTopScore: top,
    meanSecondaryScore: (rest * 0.8) / 4,
    secondaryMass: rest * 0.8,
    scoreByRank: [top, ...shares.map((share) => share * rest)],
    entropy: 4 * rest + 0.02 * normal(draw),
    superclassShare: 0.36 + 0.25 * rest + 0.012 * generation + 0.004 * normal(draw),
    superclassChance: 4 / 99,
    reliability,
    ...(generation > 0 && (drawn.taught ?? true)
      ? {
          teacherAgreement: 0.66 + 0.03 * generation - 0.1 * (top - 0.6) + 0.004 * normal(draw),
          teacherKl: 0.5 + 0.6 * (top - 0.6) - 0.05 * generation + 0.01 * normal(draw),
          rankStability: 0.55 + 0.2 * rest + 0.03 * generation + 0.006 * normal(draw),
        }
      : {}),
  };
  return values as unknown as TestResult;
}

/** Gives numbers in [0, 1) that depend on a text alone (mulberry32 over a hash of it). */
function randomNumbers(text: string): () => number {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.codePointAt(0)!, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws from the standard normal distribution (Box and Muller). */
function normal(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}
