import { afterEach, expect, test, vi } from "vitest";
import { listenForInterrupt } from "./interrupt.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the first Ctrl-C aborts, its echo does nothing, the second ends the process", () => {
  const now = vi.spyOn(performance, "now").mockReturnValue(1000);
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const onFirst = vi.fn();
  const { signal, stop } = listenForInterrupt(onFirst);
  expect(signal.aborted).toBe(false);
  process.emit("SIGINT");
  expect(signal.aborted).toBe(true);
  now.mockReturnValue(1100);
  process.emit("SIGINT");
  expect(exit).not.toHaveBeenCalled();
  now.mockReturnValue(2000);
  process.emit("SIGINT");
  expect(exit).toHaveBeenCalledWith(130);
  expect(onFirst).toHaveBeenCalledTimes(1);
  stop();
});

test("listens no longer than asked", () => {
  const before = process.listenerCount("SIGINT");
  listenForInterrupt(() => {}).stop();
  expect(process.listenerCount("SIGINT")).toBe(before);
  expect(process.listenerCount("SIGTERM")).toBe(0);
});
