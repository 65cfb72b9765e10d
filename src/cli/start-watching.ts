import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";

/** How long the page may take to begin, in milliseconds; a training does not wait for longer. */
const PATIENCE_MS = 20_000;

/** A live page that a training has begun. */
export interface Watching extends Disposable {
  url: string;
}

/**
 * Begins a live page in a process of its own, which ends with this one.
 *
 * @param folder the folder of runs to show
 * @returns the page, or a sentence that says why there is none
 */
export async function startWatching(
  folder: string,
  imports: readonly string[] = [],
): Promise<Watching | string> {
  const args = ["watch", folder, ...imports.flatMap((file) => ["--import", file])];
  const child = fork(process.argv[1]!, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const url = await firstWord(child);
  child.unref();
  child.channel?.unref();
  (child.stderr as Socket | null)?.unref();
  // It has nothing to save.
  const end = () => void child.kill("SIGKILL");
  if (typeof url !== "string") {
    end();
    return `there is no live page: ${url.problem}`;
  }
  return { url, [Symbol.dispose]: end };
}

function firstWord(child: ChildProcess): Promise<string | { problem: string }> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-2000);
  });
  return new Promise((done) => {
    const timer = setTimeout(() => done({ problem: "it did not begin in time" }), PATIENCE_MS);
    const end = (answer: string | { problem: string }) => {
      clearTimeout(timer);
      done(answer);
    };
    child.once("message", (message) => end((message as { url: string }).url));
    child.once("error", ({ message }) => end({ problem: message }));
    child.once("exit", () => end({ problem: said.trim() || "its process has ended" }));
  });
}
