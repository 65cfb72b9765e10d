/** A shell or npm may pass on the very Ctrl-C that the terminal has sent already: not a second one. */
const ECHO_MS = 300;

/**
 * Turns Ctrl-C (and a polite kill) into an abort signal, once: the second one ends the process at once.
 *
 * @param onFirst says that the first one was heard
 * @returns the signal, and what stops listening
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  let first = 0;
  const heard = () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort();
      onFirst();
    } else if (performance.now() - first > ECHO_MS) process.exit(130);
  };
  process.on("SIGINT", heard).on("SIGTERM", heard);
  return {
    signal: controller.signal,
    stop: () => {
      process.off("SIGINT", heard).off("SIGTERM", heard);
    },
  };
}
