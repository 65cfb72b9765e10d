/** A process that takes and answers requests as lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export class Answering {
  readonly #name: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #errors = "";

  /** @param name what it is called in errors */
  constructor(name: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#process = spawn(program, args, { env });
    this.#process.stderr.on("data", (text: Buffer) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    this.#process.on("error", (error) => {
      this.#errors = error.message;
    });
    this.#closed = once(this.#process, "close").catch(() => {});
    // Writing to a process that has ended fails; `ask` reports it when no answer comes.
    this.#process.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error with the process's own message when it cannot start or answer */
  async ask<Answer>(request: { do: string } & Record<string, unknown>): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) {
      await this.#closed;
      const lastWords = this.#errors.trim().split("\n").at(-1);
      throw new Error(lastWords || `${this.#name} ended without a word`);
    }
    const answer = JSON.parse(value) as Answer & { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  stop(): void {
    this.#process.stdin.end();
  }
}
