import type { About } from "../src/predict/about.js";

/** What is used of onnxruntime-web, which lies beside the page. */
interface Ort {
  env: { wasm: { wasmPaths: string; numThreads: number } };
  InferenceSession: { create(url: string): Promise<Session> };
  Tensor: new (type: "uint8", data: Uint8Array, dims: readonly number[]) => unknown;
}
interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
}

export interface Answers {
  /** Probabilities of all classes, one list a network. */
  probabilities: Float32Array[];
  milliseconds: number;
}

/** The networks of the page, ready to answer. */
export class Networks {
  readonly #ort: Ort;
  readonly #sessions: Session[];
  readonly #about: About;
  /** The runtime computes one thing at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(ort: Ort, sessions: Session[], about: About) {
    this.#ort = ort;
    this.#sessions = sessions;
    this.#about = about;
  }

  static async load(about: About): Promise<Networks> {
    const runtime = new URL("ort.wasm.min.mjs", document.baseURI).href;
    const ort = (await import(runtime)) as Ort;
    ort.env.wasm.wasmPaths = new URL(".", document.baseURI).href;
    // Several threads need headers that not every server sends.
    ort.env.wasm.numThreads = 1;
    const sessions = [];
    for (const { file } of about.networks) sessions.push(await ort.InferenceSession.create(file));
    return new Networks(ort, sessions, about);
  }

  /** @param bytes one image, as `prepare` makes it */
  answer(bytes: Uint8Array): Promise<Answers> {
    const { channels, height, width } = this.#about;
    const run = async () => {
      const began = performance.now();
      const pixels = new this.#ort.Tensor("uint8", bytes, [1, channels, height, width]);
      const probabilities = [];
      for (const session of this.#sessions)
        probabilities.push((await session.run({ pixels })).probabilities!.data);
      return { probabilities, milliseconds: performance.now() - began };
    };
    const next = this.#queue.then(run);
    this.#queue = next.catch(() => {});
    return next;
  }
}
