/** Evaluates the ensembles of a line by the stored scores of its networks. */
import { existsSync } from "node:fs";
import { ensembleLogits, evaluateLogits, type Logits } from "../analysis/index.js";
import type { TestResult } from "../runs/index.js";
import type { EnsembleCache } from "./ensemble-cache.js";
import type { NetworkFile } from "./network-file.js";
import { loadScores, logitsOf, type Scores, scoresRemedy } from "./scores.js";
import type { StudyFolder } from "./study-folder.js";
import type { EnsembleResult, Part } from "./types.js";

/**
 * Evaluates the ensembles of generations 0 to m, as far as all members are trained and their scores are there.
 *
 * @param files the files of a line's networks, by generation; undefined where one is not trained
 * @throws Error that names the file and the remedy when scores are damaged, or do not fit together
 */
export function ensemblesOf(
  folder: StudyFolder,
  files: readonly (NetworkFile | undefined)[],
  cache: EnsembleCache,
): Record<string, EnsembleResult> {
  const results: Record<string, EnsembleResult> = {};
  const read = { heldOut: new Members(folder, "heldOut"), test: new Members(folder, "test") };
  const whole: NetworkFile[] = [];
  for (const file of files) {
    if (!file || !existsSync(folder.network(file.fingerprint).scores)) break;
    whole.push(file);
    if (whole.length < 2) continue;
    const result: EnsembleResult = {};
    const paths = whole.map(({ fingerprint }) => folder.network(fingerprint).scores);
    const { superclasses } = whole[0]!;
    for (const part of ["heldOut", "test"] as const) {
      if (!whole.every((member) => member[part])) continue;
      const about = [part, superclasses ?? null, whole.map((member) => member[part]!.top1)];
      result[part] = cache.get(paths, about, () => read[part].evaluate(whole));
    }
    results[`0-${whole.length - 1}`] = result;
  }
  return results;
}

interface Member {
  path: string;
  scores: Scores;
  logits: Logits;
}

/** The members of a line's ensembles with their scores of one part of the images, each of which is read once. */
class Members {
  readonly #folder: StudyFolder;
  readonly #part: Part;
  readonly #read: Member[] = [];

  constructor(folder: StudyFolder, part: Part) {
    this.#folder = folder;
    this.#part = part;
  }

  /** Evaluates the ensemble of the first networks of the line. */
  evaluate(files: readonly NetworkFile[]): TestResult {
    while (this.#read.length < files.length) this.#add(files[this.#read.length]!);
    const members = this.#read.slice(0, files.length);
    const memberLogits = members.map(({ logits }) => logits);
    const { superclasses } = files[0]!;
    return evaluateLogits(ensembleLogits(memberLogits), members[0]!.scores.labels, {
      memberLogits,
      superclasses,
    });
  }

  #add(file: NetworkFile): void {
    const path = this.#folder.network(file.fingerprint).scores;
    const scores = loadScores(path, this.#part);
    checkOwn(path, scores, file[this.#part]!.top1);
    const [first] = this.#read;
    if (first) checkAlike({ path, scores }, first);
    this.#read.push({ path, scores, logits: logitsOf(scores) });
  }
}

/** @throws Error when scores are not those of the network whose accuracy is given */
function checkOwn(path: string, { ranks, bestClasses, labels }: Scores, top1: number): void {
  const right = labels.reduce((sum, label, i) => sum + Number(bestClasses[i * ranks] === label), 0);
  const accuracy = right / labels.length;
  if (Math.abs(accuracy - top1) * labels.length < 0.5) return;
  throw new Error(
    `${path}: its scores have a top-1 accuracy of ${accuracy}, and its network has ${top1}: they are another network's. ${scoresRemedy}`,
  );
}

/** @throws Error when two members' scores are not of the same images */
function checkAlike(one: Omit<Member, "logits">, other: Omit<Member, "logits">): void {
  const [a, b] = [one.scores, other.scores];
  const alike =
    a.classes === b.classes &&
    a.labels.length === b.labels.length &&
    a.labels.every((label, i) => label === b.labels[i]);
  if (alike) return;
  const about = ({ classes, labels }: Scores) => `${labels.length} images of ${classes} classes`;
  const how = about(a) === about(b) ? "with other labels" : `(${about(a)} and ${about(b)})`;
  throw new Error(
    `${one.path}: holds the scores of other images than ${other.path}, ${how}. ${scoresRemedy}`,
  );
}
