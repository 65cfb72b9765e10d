/** The folder of a study's results: its file, and the small files of each trained network. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { removeLeftovers } from "../leftovers.js";
import { schema } from "../packages.js";
import type { Library } from "../recipe/index.js";
import { MAX_YAML_BYTES, readBoundedText } from "../recipe/index.js";
import { parseJson, refuseLinks, writeAtomic } from "../runs/index.js";
import { type NetworkFile, parseNetworkFile, remedy } from "./network-file.js";
import { loadStudy, type Study, StudyError, studyToYaml } from "./study-file.js";

const MAX_NETWORK_BYTES = 4 * 1024 * 1024;
const nameForm = /^[0-9a-f]{16}\.json$/;

/** A change of a study's file after the study began. */
export interface Amendment {
  /** ISO 8601. */
  date: string;
  /** What was changed, in words. */
  changes: string[];
}

const amendmentsSchema = schema((z) => {
  const text = z.string().max(10_000);
  return z.array(z.object({ date: text, changes: z.array(text).max(1000) })).max(1000);
});

/** The paths of what belongs to one network. */
export interface NetworkPaths {
  /** Its numbers. */
  file: string;
  /** Its scores. */
  scores: string;
  /** Its weights, which are there only while a later generation needs them. */
  weights: string;
  /** The folder for its checkpoint and log, beside the results and not to be committed. */
  work: string;
}

/** The folder of a study's results. */
export class StudyFolder {
  /** The folder's absolute path. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  /** The study's name: that of its folder. */
  get name(): string {
    return basename(this.directory);
  }

  /** The path of the study's file, which is a copy of the one that it began with. */
  get studyFile(): string {
    return join(this.directory, "study.yaml");
  }

  /** The folder for everything that needs not be committed. */
  get work(): string {
    return join(this.directory, ".work");
  }

  /** Tells whether a study has begun in the folder. */
  get isBegun(): boolean {
    return existsSync(this.studyFile);
  }

  /**
   * Makes the folder and writes the study's file, where that has changed.
   *
   * @param changes what is different from the study that began here; it is noted, and the report tells of it
   * @throws StudyError when the file, written out, is longer than one that can be read; Error when the folder holds links
   */
  async begin(study: Study, changes: readonly string[] = []): Promise<void> {
    const yaml = studyToYaml(study.file);
    const bytes = Buffer.byteLength(yaml);
    if (bytes > MAX_YAML_BYTES)
      throw new StudyError(
        `${this.studyFile}: with its base recipe written out the study takes ${bytes} bytes, at most ${MAX_YAML_BYTES} can be ` +
          "read: leave arms out, or write them as a grid",
      );
    await mkdir(this.directory, { recursive: true });
    await refuseLinks(this.directory, this.directory, "a study");
    await mkdir(join(this.directory, "networks"), { recursive: true });
    await mkdir(this.work, { recursive: true });
    await writeFile(join(this.work, ".gitignore"), "*\n");
    // Other processes may be at work at the same study, so that only what is old goes.
    await removeLeftovers(this.directory, { recursive: true });
    const before = await readFile(this.studyFile, "utf8").catch(() => undefined);
    if (changes.length > 0) {
      const noted = [
        ...(await this.readAmendments()),
        { date: new Date().toISOString(), changes: [...changes] },
      ];
      await writeAtomic(this.amendments, `${JSON.stringify(noted, null, 2)}\n`);
    }
    if (before !== yaml) await writeAtomic(this.studyFile, yaml);
  }

  /** The path of the list of changes that the study's file has seen since it began. */
  get amendments(): string {
    return join(this.directory, "amendments.json");
  }

  /**
   * Reads how the study's file was changed since it began, oldest first.
   *
   * @throws Error that names the file when it is damaged
   */
  async readAmendments(): Promise<Amendment[]> {
    if (!existsSync(this.amendments)) return [];
    const text = await readBoundedText(this.amendments, { maxBytes: MAX_NETWORK_BYTES });
    try {
      return parseJson(text, amendmentsSchema(), this.amendments);
    } catch (error) {
      throw new Error(
        `${(error as Error).message}. Put the file back as it was committed; without it the report says nothing of changes`,
      );
    }
  }

  /**
   * Reads the study that began in this folder.
   *
   * @throws StudyError when there is none, or its file cannot be used
   */
  async readStudy(library?: Library): Promise<Study> {
    if (!this.isBegun)
      throw new StudyError(`${this.directory}: no study has begun here: it holds no study.yaml`);
    return loadStudy(this.studyFile, library);
  }

  /** Says where the files of a network lie, whether they exist or not. */
  network(fingerprint: string): NetworkPaths {
    const short = shortOf(fingerprint);
    const path = join(this.directory, "networks", short);
    return {
      file: `${path}.json`,
      scores: `${path}.scores.safetensors`,
      weights: `${path}.weights.safetensors`,
      work: join(this.work, short),
    };
  }

  /** Tells whether a network's training is finished. Its numbers are written last. */
  isFinished(fingerprint: string): boolean {
    return existsSync(this.network(fingerprint).file);
  }

  /** Lists which networks are finished, and have left scores or weights, by the first part of their fingerprints. */
  list(): { finished: Set<string>; scores: Set<string>; weights: Set<string> } {
    const finished = new Set<string>();
    const scores = new Set<string>();
    const weights = new Set<string>();
    for (const name of namesIn(join(this.directory, "networks"))) {
      const [short = "", ...ending] = name.split(".");
      if (ending.join(".") === "json") finished.add(short);
      else if (ending.join(".") === "scores.safetensors") scores.add(short);
      else if (ending.join(".") === "weights.safetensors") weights.add(short);
    }
    return { finished, scores, weights };
  }

  /**
   * Makes sure that the next look at the networks' files sees all that other machines have written: of a disk in the network a machine
   * remembers for up to a minute which names are in a folder, but for a folder that it has itself just changed.
   */
  async refresh(): Promise<void> {
    const path = join(
      this.directory,
      "networks",
      `.look.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
    );
    await writeFile(path, "", { flag: "wx" });
    await rm(path, { force: true });
  }

  /** Writes a network's numbers, by which it is finished. */
  async writeNetwork(file: NetworkFile): Promise<void> {
    const lines = Object.entries(file).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
    await writeAtomic(this.network(file.fingerprint).file, `{\n${lines.join(",\n")}\n}\n`);
  }

  /**
   * Reads the numbers of all networks in the folder, by fingerprint.
   *
   * @throws Error that names the first damaged file and the remedy
   */
  async readNetworks(): Promise<Map<string, NetworkFile>> {
    const folder = join(this.directory, "networks");
    const names = namesIn(folder)
      .filter((name) => nameForm.test(name))
      .sort();
    const found = new Map<string, NetworkFile>();
    for (const name of names) {
      const path = join(folder, name);
      const text = await readBoundedText(path, { maxBytes: MAX_NETWORK_BYTES }).catch((error) => {
        const what = error.code === "ENOENT" ? `${path}: is a link to nothing` : error.message;
        throw new Error(`${what}. ${remedy}`);
      });
      const file = parseNetworkFile(text, path);
      if (shortOf(file.fingerprint) !== name.slice(0, 16))
        throw new Error(
          `${path}: is the file of another network, ${shortOf(file.fingerprint)}: give it that name`,
        );
      found.set(file.fingerprint, file);
    }
    return found;
  }

  /** Removes the weights of a network that needs not teach any more. */
  async removeWeights(fingerprint: string): Promise<void> {
    await rm(this.network(fingerprint).weights, { force: true });
  }
}

/** The first part of a fingerprint, which names a network's files. */
export const shortOf = (fingerprint: string): string => fingerprint.slice(0, 16);

/** Lists the names in a folder; none where there is no such folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // A folder that may not be read is no empty one: everything in it would be trained again.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
