/** A shell or npm may pass on the very Ctrl-C that the terminal has sent already: not a second one. */
const ECHO_MS = 300;

/**
 * Turns Ctrl-C (and a polite kill) into an abort signal, once: the second one ends the process at once. When nobody
 * reads what the process writes any more, that aborts too, however often it is noticed.
 *
 * @param onFirst says that the first one was heard
 * @returns the signal, and what stops listening
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  let first = 0;
  const abort = () => {
    if (controller.signal.aborted) return false;
    first = performance.now();
    controller.abort();
    return true;
  };
  const heard = () => {
    if (abort()) onFirst();
    else if (performance.now() - first > ECHO_MS) process.exit(130);
  };
  const unread = () => void abort();
  process.on("SIGINT", heard).on("SIGTERM", heard);
  const outputs = [process.stdout, process.stderr];
  for (const output of outputs) output.on("error", unread);
  return {
    signal: controller.signal,
    stop: () => {
      process.off("SIGINT", heard).off("SIGTERM", heard);
      for (const output of outputs) output.off("error", unread);
    },
  };
}
