import { expect, it } from "vitest";
import { GroupError, NoStore, PeerLost, TimedOut } from "./errors.js";
import { explain, ranksInWords } from "./failure.js";

const speaker = { rank: 2, size: 4, store: "node1:29500", agentStore: false, timeoutSeconds: 60 };
const failure = {
  ...{ kind: "lost", operation: "barrier", seconds: 0.04, ranks: [0, 3], table: [] },
  detail: "[../gloo/transport/tcp/pair.cc:598] Connection closed by peer [10.0.0.1]:2",
};
const said = (changes: object) => new Error(`process group: ${JSON.stringify({ ...failure, ...changes })}`);

it("the library's words lose the place in its source", () => {
  const error = explain(said({}), speaker) as PeerLost;
  expect(error).toBeInstanceOf(PeerLost);
  expect(error).toMatchObject({ rank: 2, lost: [0, 3], name: "PeerLost" });
  expect(error.message).toContain(
    "rank 2 of 4: ranks 0 and 3 were lost during barrier, after 0.0 s (Connection closed by peer [10.0.0.1]:2). They were killed",
  );
});

it("a failure is found within what libtorch says around it", () => {
  const wrapped = new Error(
    `aten::mm: ${said({ kind: "timeout", ranks: [] }).message}\nException raised from f at g.cpp:3`,
  );
  expect(explain(wrapped, speaker)).toBeInstanceOf(TimedOut);
  expect((explain(wrapped, speaker) as Error).message).toContain("another rank did not answer");
});

it("other errors stay as they are", () => {
  for (const other of [new Error("boom"), new Error("process group: {broken"), undefined, "text"]) {
    expect(explain(other, speaker)).toBe(other);
  }
});

it.each([
  [{ operation: "open", detail: "Address already in use" }, "Set MASTER_PORT to a free port"],
  [{ operation: "open", detail: "bind: Permission denied" }, "a port above 1023"],
  [{ operation: "open", detail: "x" }, "could not be opened"],
  [{ operation: "greet", detail: "reset" }, "is not the store of these ranks"],
  [{ operation: "meet", detail: "reset" }, "rank 0, which holds it, has ended"],
])("stores: %o", (changes, words) => {
  const error = explain(said({ kind: "store", ...changes }), speaker);
  expect(error).toBeInstanceOf(NoStore);
  expect((error as Error).message).toContain(words);
});

it("a kind that is not known is still an error of the group", () => {
  expect(explain(said({ kind: "other", operation: "connect" }), speaker)).toBeInstanceOf(GroupError);
});

it("ranks in words", () => {
  expect(ranksInWords([3])).toBe("rank 3");
  expect(ranksInWords([0, 2, 5])).toBe("ranks 0, 2 and 5");
  expect(ranksInWords([...Array(20).keys()])).toBe("20 ranks (0, 1, 2, 3, 4, 5, 6, 7, …)");
});
