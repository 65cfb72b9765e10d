/** What ranks say when others are killed or stopped, do not come, or find the port taken. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProcessGroups } from "../torch/index.js";
import { freePort } from "./launch.js";
import { type Ranks, rankProgram } from "./testing/ranks.js";

let program: Awaited<ReturnType<typeof rankProgram>>;
beforeAll(async () => {
  program = await rankProgram();
});
afterAll(() => program[Symbol.dispose]());

/** Resolves when all ranks have joined and compute. */
const computing = ({ children }: Ranks) => Promise.all(children.map(({ stdout }) => once(stdout!, "data")));
/** The children are started by `exec`, so that their numbers are those of the ranks themselves. */
const send = ({ children }: Ranks, rank: number, signal: NodeJS.Signals) => children[rank]!.kill(signal);

// Most of the time is waiting.
describe.runIf(hasProcessGroups())("faults", { concurrent: true }, () => {
  it.each([
    { scene: "endless", size: 3, killed: 2 },
    { scene: "endless", size: 2, killed: 0 },
    { scene: "endlessBackward", size: 2, killed: 1 },
  ])("a killed rank: $scene, rank $killed of $size", async ({ scene, size, killed }) => {
    const ranks = await program.begin(scene, size);
    await computing(ranks);
    const start = performance.now();
    send(ranks, killed, "SIGKILL");
    const ended = await ranks.ended;
    // Without any timeout of the group, which is 30 s.
    expect(performance.now() - start).toBeLessThan(20_000);
    for (const [rank, { code, said, signal }] of ended.entries()) {
      if (rank === killed) expect(signal).toBe("SIGKILL");
      else {
        expect({ code, name: said.name }).toEqual({ code: 9, name: "PeerLost" });
        expect(said.message).toMatch(
          new RegExp(
            `^rank ${rank} of ${size}: rank ${killed} was lost during allReduce \\(sum\\) of float32\\[\\d+\\], after `,
          ),
        );
        expect(said.message).toContain("goes on from its last checkpoint");
      }
    }
  });

  it("a stopped rank: the others give up after the timeout, and name it", async () => {
    const ranks = await program.begin("endless", 3, { env: { TIMEOUT: "5" } });
    await computing(ranks);
    send(ranks, 1, "SIGSTOP");
    const start = performance.now();
    const [first, third] = await Promise.all(
      [0, 2].map(async (rank) => {
        const [code] = await once(ranks.children[rank]!, "close");
        return { code, seconds: (performance.now() - start) / 1000 };
      }),
    );
    send(ranks, 1, "SIGKILL");
    const ended = await ranks.ended;
    expect(first!.code).toBe(9);
    expect(third!.code).toBe(9);
    expect(first!.seconds).toBeGreaterThan(4);
    const messages = [0, 2].map((rank) => ended[rank]!.said);
    expect(messages.map(({ name }) => name)).toContain("TimedOut");
    for (const { message } of messages) expect(message).toMatch(/ rank 1 (did not answer|was lost)/);
  });

  it.runIf(process.platform === "linux")(
    "the store is reached at the loopback's one address alone",
    async () => {
      const port = await freePort();
      const ranks = await program.begin("endless", 2, { port });
      await computing(ranks);
      const reached = (host: string) =>
        new Promise((resolve) => {
          const socket = connect({ host, port, timeout: 1000 });
          const end = (outcome: boolean) => {
            socket.destroy();
            resolve(outcome);
          };
          socket.once("connect", () => end(true));
          socket.once("timeout", () => end(false));
          socket.once("error", () => end(false));
        });
      // Both are addresses of this machine.
      expect([await reached("127.0.0.1"), await reached("127.0.0.2")]).toEqual([true, false]);
      for (const child of ranks.children) child.kill("SIGKILL");
      await ranks.ended;
    },
  );

  it("a rank that leaves while others compute is named", async () => {
    const [first] = await program.run("leaves", 2);
    expect(first!.said.leaves.failure).toMatchObject({
      name: "PeerLost",
      message: expect.stringMatching(/^rank 0 of 2: rank 1 left the group while this rank was at barrier/),
    });
  });

  it("too small a world: who is there says who is missing", async () => {
    const [{ code, said } = { code: 0, said: undefined }] = await program.run("collectives", 4, {
      only: [0],
      env: { TIMEOUT: "2" },
    });
    expect({ code, name: said.name }).toEqual({ code: 9, name: "WrongWorldSize" });
    expect(said.message).toMatch(
      /^rank 0 of 4: ranks 1, 2 and 3 did not come to 127\.0\.0\.1:\d+ within [2-4]\.\d s\. Start 4 processes/,
    );
  });

  it("ranks that were told of different sizes", async () => {
    const ended = await program.run("collectives", 2, {
      env: (rank) => (rank === 1 ? { WORLD_SIZE: "3", LOCAL_WORLD_SIZE: "3" } : {}),
    });
    for (const { said } of ended) {
      expect(said.name).toBe("WrongWorldSize");
      expect(said.message).toMatch(/was told of [23] ranks, rank [01] of [23] ranks/);
    }
  });

  it("two processes with one rank", async () => {
    // Rank 2 never comes, so that the others stay.
    const ranks = await program.begin("collectives", 3, { only: [0, 1, 1] });
    await Promise.race(ranks.children.map((child) => once(child, "close")));
    for (const child of ranks.children) child.kill("SIGKILL");
    const [second, ...more] = (await ranks.ended).flatMap(({ said }) => said ?? []);
    expect(more).toEqual([]);
    expect(second.name).toBe("WrongWorldSize");
    expect(second.message).toMatch(/another process has joined at 127\.0\.0\.1:\d+ as rank 1 already/);
  });

  it("rank 0 does not come: nobody listens", async () => {
    const [{ said } = { said: undefined }] = await program.run("collectives", 2, {
      only: [1],
      env: { TIMEOUT: "1" },
    });
    expect(said).toMatchObject({
      name: "NoStore",
      message: expect.stringMatching(
        /^rank 1 of 2: nobody listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED\), for 1 s\. Rank 0 holds/,
      ),
    });
  });

  it.each([
    { what: "silent", onConnection: () => {} },
    { what: "closing", onConnection: (socket: Socket) => socket.end() },
    {
      what: "talking",
      onConnection: (socket: Socket) =>
        socket.on("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(4))),
    },
  ])("a port in use by a $what server: rank 0 and rank 1 say so", async ({ onConnection }) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      onConnection(socket);
    });
    server.listen(0, "0.0.0.0");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [zero, one] = await program.run("collectives", 2, { port, env: { TIMEOUT: "2" } });
    server.close();
    expect(zero!.said).toMatchObject({
      name: "NoStore",
      message: expect.stringContaining(
        `the port of 127.0.0.1:${port}, on which this rank must listen, is in use`,
      ),
    });
    expect(one!.said).toMatchObject({
      name: "NoStore",
      message: expect.stringContaining(`what listens at 127.0.0.1:${port} is not the store of these ranks`),
    });
    expect([zero!.code, one!.code]).toEqual([9, 9]);
  });

  it("a name that is not known", async () => {
    const [{ said } = { said: undefined }] = await program.run("collectives", 2, {
      only: [1],
      env: { TIMEOUT: "1", MASTER_ADDR: "no-such-host.invalid" },
    });
    expect(said).toMatchObject({
      name: "NoStore",
      message: expect.stringMatching(
        /^rank 1: MASTER_ADDR=no-such-host\.invalid is no name that this machine knows/,
      ),
    });
  });

  it("waiting for others can be given up", async () => {
    const [{ said, code } = { said: undefined, code: 0 }] = await program.run("collectives", 2, {
      only: [0],
      env: { ABORT: "1500" },
    });
    expect({ code, name: said.name }).toEqual({ code: 9, name: "TimeoutError" });
    expect(said.seconds).toBeLessThan(15);
  });

  it("a process may end without leaving the group", async () => {
    const ended = await program.run("forgets", 2);
    expect(ended.map(({ code, signal }) => ({ code, signal }))).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  it("a process may end in the midst of an operation", async () => {
    const ended = await program.run("exits", 2);
    expect(ended.map(({ code, signal }) => ({ code, signal }))).toEqual([
      { code: 3, signal: null },
      { code: 3, signal: null },
    ]);
  });
});
