import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { hasProcessGroups } from "../torch/index.js";
import { NativeGroup } from "../torch/process-group.js";
import { ownAddress, resolveHost, storeAddress } from "./address.js";
import { C10dGroup } from "./c10d-group.js";
import type { RankEnvironment } from "./environment.js";
import { NoProcessGroups, NoStore } from "./errors.js";
import { explain, type Speaker } from "./failure.js";
import type { ProcessGroup } from "./process-group.js";

export interface JoinOptions {
  /** How long to wait for the other ranks, when joining and in each operation later, in seconds. Default 600. */
  timeoutSeconds?: number;
  /** Gives up waiting for the others when it aborts, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Joins the group that the environment names, and resolves when all ranks have.
 *
 * @throws NoProcessGroups when the build has none; NoStore when the store cannot be opened or reached; WrongWorldSize when
 *   not all ranks come in time; the signal's reason when it aborts
 */
export async function joinGroup(
  environment: RankEnvironment,
  { timeoutSeconds = 600, signal }: JoinOptions = {},
): Promise<ProcessGroup> {
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 1e6)) {
    throw new RangeError(`timeoutSeconds must be above 0 and at most 1e6, got ${timeoutSeconds}`);
  }
  if (!hasProcessGroups()) {
    throw new NoProcessGroups(
      `this is rank ${environment.rank} of ${environment.size}, but Lyceum was built without process groups: install ` +
        "Gloo's headers (sudo apt-get install libgloo-dev, beside Debian's libtorch-dev) and run ./setup again " +
        "(npx lyceum setup in a project)",
    );
  }
  signal?.throwIfAborted();
  const { rank, size, masterAddress, masterPort, agentStore } = environment;
  const speaker: Speaker = {
    rank,
    size,
    store: `${masterAddress}:${masterPort}`,
    agentStore,
    timeoutSeconds,
  };
  const start = performance.now();
  const left = () => Math.max(0.001, timeoutSeconds - (performance.now() - start) / 1000);
  const host = await resolveHost(masterAddress, { rank, timeoutSeconds, signal });
  const holdsStore = rank === 0 && !agentStore;
  if (!holdsStore) await listens(host, speaker, left, signal);
  const restricted = holdsStore ? storeAddress(environment, host) : undefined;
  try {
    const native = await abandonable(
      NativeGroup.join(
        {
          rank,
          size,
          host,
          port: masterPort,
          holdsStore,
          agentStore,
          prefix: `lyceum/${environment.attempt}`,
          address: await ownAddress(environment, host),
          ...(restricted === undefined ? {} : { storeAddress: restricted }),
          timeoutSeconds,
        },
        signal,
      ),
      signal,
    );
    return new C10dGroup(native, speaker);
  } catch (error) {
    throw explain(error, speaker);
  }
}

/** Rejects when the signal aborts; a group that is joined all the same is left again. */
async function abandonable(
  joining: Promise<NativeGroup>,
  signal: AbortSignal | undefined,
): Promise<NativeGroup> {
  if (!signal) return joining;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([joining, aborted]);
  } catch (error) {
    joining.then((group) => group.leave()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}

/**
 * Waits until somebody listens where the store shall be: c10d itself asks once a second only.
 *
 * @throws NoStore when nobody does in time
 */
async function listens(
  host: string,
  { rank, size, store, agentStore, timeoutSeconds }: Speaker,
  left: () => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let last = "";
  for (let pause = 10; left() > 0.001; pause = Math.min(250, pause * 1.5)) {
    signal?.throwIfAborted();
    const refused = await tryOnce(host, Number(store.slice(store.lastIndexOf(":") + 1)), left());
    if (refused === undefined) return;
    last = refused;
    await sleep(pause, undefined, signal ? { signal } : {});
  }
  throw new NoStore(
    rank,
    `rank ${rank} of ${size}: nobody listens at ${store} (${last}), for ${timeoutSeconds} s. ` +
      `${agentStore ? "torchrun's agent holds the store there" : "Rank 0 holds the store there: is it started, and do MASTER_ADDR and MASTER_PORT name it"}` +
      `${agentStore ? ": has it ended?" : "? Between machines, a firewall must let the ranks' traffic pass."}`,
  );
}

/** @returns why the connection failed; undefined when it did not */
function tryOnce(host: string, port: number, seconds: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: Math.ceil(Math.min(seconds, 10) * 1000) });
    const end = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end("no answer"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
