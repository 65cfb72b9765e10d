import { expect, it } from "vitest";
import { commandsOf } from "./shell.js";

it.each([
  ["a 'b c' \"d\" e\\ f # g", [["a", "b c", "d", "e f"]]],
  ["a && b; c | d\ne", [["a"], ["b"], ["c"], ["d"], ["e"]]],
  ["A=1 B='2 3' a \\\n  b", [["a", "b"]]],
  ["a - < in > out 2>&1", [["a", "-"]]],
  ["for i in 1 2; do X=$i a $i; done # b", [["a", "$i"]]],
  ["cd /tmp && time a", [["cd", "/tmp"], ["a"]]],
])("%j", (text, commands) => {
  expect(commandsOf(text)).toEqual(commands);
});
