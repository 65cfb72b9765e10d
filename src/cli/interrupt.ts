/**
 * Turns Ctrl-C (and a polite kill) into an abort signal, once: the second one ends the process at once.
 *
 * @param onFirst says that the first one was heard
 * @returns the signal, and what stops listening
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const heard = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    onFirst();
  };
  process.on("SIGINT", heard).on("SIGTERM", heard);
  return {
    signal: controller.signal,
    stop: () => {
      process.off("SIGINT", heard).off("SIGTERM", heard);
    },
  };
}
