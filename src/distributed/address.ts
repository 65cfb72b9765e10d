/** Which addresses a group's processes use: the store's, and the one on which each waits for its peers. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { RankEnvironment } from "./environment.js";
import { EnvironmentError, NoStore } from "./errors.js";

/** A name may become known late, as a pod's in Kubernetes; a mistyped one shall not be waited for too long. */
const nameSeconds = 30;

/**
 * The address of a name, asked for again while it is not known.
 *
 * @throws NoStore when it is not known after some time
 */
export async function resolveHost(
  name: string,
  {
    rank,
    timeoutSeconds,
    signal,
  }: { rank: number; timeoutSeconds: number; signal?: AbortSignal | undefined },
): Promise<string> {
  if (isIP(name)) return name;
  const start = performance.now();
  const seconds = Math.min(nameSeconds, timeoutSeconds);
  while (true) {
    try {
      // IPv4 first, as Gloo's and c10d's own look-ups on most machines.
      return (await lookup(name, { order: "ipv4first" })).address;
    } catch (cause) {
      if (performance.now() - start > seconds * 1000) {
        throw new NoStore(
          rank,
          `rank ${rank}: MASTER_ADDR=${name} is no name that this machine knows (${(cause as NodeJS.ErrnoException).code}), ` +
            `asked for ${seconds} s. Give the address in numbers, or a name that all ranks' machines resolve.`,
          { cause },
        );
      }
    }
    signal?.throwIfAborted();
    await sleep(Math.min(500, seconds * 100), undefined, signal ? { signal } : {});
  }
}

/** This machine's addresses, those of the loopback included. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}

/** Whether the address is of the loopback, whose packets never leave the machine. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./i.test(address);
}

/** The address from which this machine would speak to another. Nothing is sent. */
async function addressTowards(host: string): Promise<string> {
  const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(9, host, () => resolve(socket.address().address));
    });
  } finally {
    socket.close();
  }
}

/**
 * The address at which Gloo waits for the other ranks: the loopback's where all are on this machine; the interface that
 * GLOO_SOCKET_IFNAME names; else the one from which the store's machine is reached.
 *
 * @param store the store's address in numbers
 * @throws EnvironmentError when several would do and none can be chosen
 */
export async function ownAddress(
  { size, localSize }: RankEnvironment,
  store: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | { interface: string }> {
  const wanted = env.GLOO_SOCKET_IFNAME;
  if (wanted) {
    if (!networkInterfaces()[wanted]) {
      const known = Object.keys(networkInterfaces()).join(", ");
      throw new EnvironmentError(
        `GLOO_SOCKET_IFNAME=${wanted} is no network interface that is up on this machine (${known})`,
      );
    }
    return { interface: wanted };
  }
  if (localSize === size) return isLoopback(store) ? store : "127.0.0.1";
  const towards = await addressTowards(store);
  if (!isLoopback(towards) || localSize === undefined) return towards;
  // This is the store's machine, and its own name leads to the loopback, which the other machines cannot reach.
  const outside = ownAddresses().filter((address) => !isLoopback(address) && !/^fe80:/i.test(address));
  const four = outside.filter((address) => isIP(address) === 4);
  const [first, ...more] = four.length > 0 ? four : outside;
  if (first !== undefined && more.length === 0) return first;
  throw new EnvironmentError(
    `the name of this machine leads to ${towards}, which other machines cannot reach, and it has ` +
      `${first === undefined ? "no other address" : `the addresses ${[first, ...more].join(", ")}`}: set ` +
      "GLOO_SOCKET_IFNAME to the interface of the network between the machines",
  );
}

/**
 * The only address at which the store must be reached, where that is certain: the loopback's if all ranks are on this
 * machine, or an address that was given in numbers and is one of this machine's. A name may lead other machines elsewhere.
 */
export function storeAddress(
  { size, localSize, masterAddress }: RankEnvironment,
  resolved: string,
): string | undefined {
  const certain = localSize === size || isIP(masterAddress) !== 0;
  return certain && (isLoopback(resolved) || ownAddresses().includes(resolved)) ? resolved : undefined;
}
