/**
 * Signals within this time of the first count as the same one: a shell or npm may pass on the Ctrl-C that the
 * terminal has sent to the process already.
 */
const ECHO_MS = 300;

/**
 * Turns the first Ctrl-C (SIGINT, and SIGTERM) into an abort signal; a second one ends the process at once.
 * The signal also aborts when nobody reads what the process writes any more, as after `| head -1`.
 *
 * @param onFirst called at the first Ctrl-C, to tell the person that it was received
 * @returns the signal, and a function that stops listening
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
