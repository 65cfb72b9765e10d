/** What a transfer has found so far, in the run's folder: a transfer that was stopped, or killed, goes on with it. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { schema } from "../packages.js";
import { readBoundedText } from "../recipe/index.js";
import { refuseLinkAt, sha256Of, writeAtomic } from "../runs/index.js";
import { entrySchema, type TransferEntry } from "./transfer-file.js";

const MAX_BYTES = 4 * 2 ** 20;

const begunSchema = schema((z) =>
  z.object({
    /** The SHA-256 of all that decides the numbers. */
    decides: z.string(),
    /** The SHA-256 of the parts: a digit that the disk has turned into another is found by nothing else. */
    checksum: z.string(),
    parts: z
      .array(
        z.object({
          generation: z.int().min(0),
          features: z.int().min(0),
          shots: entrySchema().shape.shots,
          entries: z.array(entrySchema()).max(100),
        }),
      )
      .max(100_000),
  }),
);

/** What was found for one generation and one number of shots. */
export interface BegunPart {
  generation: number;
  /** How many features an image has. */
  features: number;
  shots: number | null;
  entries: TransferEntry[];
}

export class BegunTransfer {
  readonly #path: string;
  readonly #decides: string;
  readonly #parts: BegunPart[];

  private constructor(path: string, decides: string, parts: BegunPart[]) {
    this.#path = path;
    this.#decides = decides;
    this.#parts = parts;
  }

  /**
   * Finds what was begun. A file that is damaged, or of other options, images or weights, counts as none.
   *
   * @param decides all that decides the numbers, as plain data
   */
  static async find(run: string, name: string, decides: unknown): Promise<BegunTransfer> {
    const path = join(run, "transfer", `${name}.unfinished`);
    const key = sha256Of(decides);
    const text = await readBoundedText(path, { maxBytes: MAX_BYTES }).catch(() => "");
    return new BegunTransfer(path, key, partsIn(text, key));
  }

  /** How many parts there are. */
  get length(): number {
    return this.#parts.length;
  }

  part(generation: number, shots: number | null): BegunPart | undefined {
    return this.#parts.find((each) => each.generation === generation && each.shots === shots);
  }

  /** Adds a part, which is on the disk when the promise resolves. */
  async add(part: BegunPart): Promise<void> {
    this.#parts.push(part);
    await refuseLinkAt(dirname(this.#path));
    await mkdir(dirname(this.#path), { recursive: true });
    const parts = this.#parts;
    const content = { decides: this.#decides, checksum: sha256Of(parts), parts };
    await writeAtomic(this.#path, `${JSON.stringify(content)}\n`);
  }

  /** Removes what was begun, once the result is written. */
  async finish(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

function partsIn(text: string, key: string): BegunPart[] {
  try {
    const { decides, checksum, parts } = begunSchema().parse(JSON.parse(text));
    return decides === key && checksum === sha256Of(parts) ? parts : [];
  } catch {
    return [];
  }
}
