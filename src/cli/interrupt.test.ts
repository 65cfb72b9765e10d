import { afterEach, expect, test, vi } from "vitest";
import { listenForInterrupt } from "./interrupt.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the first Ctrl-C aborts, its echo does nothing, the second ends the process", () => {
  const now = vi.spyOn(performance, "now").mockReturnValue(1000);
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const onFirst = vi.fn();
  const { signal, stop } = listenForInterrupt({ onFirst });
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

test("a closed pipe aborts, quietly and however often it is noticed", () => {
  const now = vi.spyOn(performance, "now").mockReturnValue(1000);
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const closed = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const onFirst = vi.fn();
  const before = process.stdout.listenerCount("error");
  const { signal, stop } = listenForInterrupt({ onFirst });
  process.stdout.emit("error", closed);
  expect(signal.aborted).toBe(true);
  // The terminal sends Ctrl-C to the reader too, which may have ended by it.
  now.mockReturnValue(1100);
  process.emit("SIGINT");
  now.mockReturnValue(2000);
  process.stdout.emit("error", closed);
  expect(onFirst).not.toHaveBeenCalled();
  expect(exit).not.toHaveBeenCalled();
  stop();
  expect(process.stdout.listenerCount("error")).toBe(before);
});

test("listens no longer than asked", () => {
  const before = process.listenerCount("SIGINT");
  listenForInterrupt().stop();
  expect(process.listenerCount("SIGINT")).toBe(before);
  expect(process.listenerCount("SIGTERM")).toBe(0);
});
