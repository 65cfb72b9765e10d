/**
 * Signals within this time of the first count as the same one: a shell or npm may pass on the Ctrl-C that the
 * terminal has sent to the process already.
 */
const ECHO_MS = 300;

export interface InterruptOptions {
  /** Tells the person, where there is something to tell, that the first Ctrl-C was received. */
  onFirst?: () => void;
  /**
   * What the person is told where operators of libtorch run for long: both the words and the end are then the matter of a
   * handler below JavaScript, which itself hears of signals only between operators.
   */
  withinOperators?: { output: NodeJS.WriteStream & { fd: number }; words: string };
}

/**
 * Turns the first Ctrl-C (SIGINT, and SIGTERM) into an abort signal; a second one ends the process at once.
 * The signal also aborts when nobody reads what the process writes any more, as after `| head -1`.
 *
 * @returns the signal, and a function that stops listening
 */
export function listenForInterrupt({ onFirst, withinOperators }: InterruptOptions = {}): {
  signal: AbortSignal;
  stop: () => void;
} {
  const controller = new AbortController();
  let first = 0;
  let heardBelow = false;
  const text = `\n${withinOperators?.words ?? ""}\n`;
  const abort = () => {
    if (controller.signal.aborted) return false;
    first = performance.now();
    controller.abort();
    return true;
  };
  const heard = () => {
    if (!abort()) {
      if (performance.now() - first > ECHO_MS) process.exit(130);
    } else if (!heardBelow) {
      onFirst?.();
      withinOperators?.output.write(text);
    }
  };
  const unread = () => void abort();
  process.on("SIGINT", heard).on("SIGTERM", heard);
  const outputs = [process.stdout, process.stderr];
  for (const each of outputs) each.on("error", unread);
  let listening = true;
  if (withinOperators)
    void listenBelow(() => listening && !controller.signal.aborted, withinOperators.output, text).then(
      (done) => {
        heardBelow = done;
      },
    );
  return {
    signal: controller.signal,
    stop: () => {
      listening = false;
      process.off("SIGINT", heard).off("SIGTERM", heard);
      for (const each of outputs) each.off("error", unread);
    },
  };
}

/** @returns whether signals are heard of while an operator runs */
async function listenBelow(
  isWanted: () => boolean,
  output: NodeJS.WriteStream & { fd: number },
  text: string,
): Promise<boolean> {
  const { exitAtSecondSignal } = await import("../torch/index.js");
  if (!isWanted()) return false;
  try {
    return exitAtSecondSignal(output.fd, text, ECHO_MS);
  } catch {
    // Where libtorch cannot be loaded, the command says so by itself.
    return false;
  }
}
