import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { run } from "./program.js";
import { useTerminal } from "./testing/terminal.js";

const terminal = useTerminal();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-cli-watch-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("refuses folders that are not there, and ports that are none", async () => {
  expect(await run(["watch", join(folder, "missing")])).toBe(2);
  expect(terminal.err).toContain("missing: there is no such folder");
  for (const port of ["x", "-1", "65536", "1.5"])
    expect(await run(["watch", folder, "--port", port])).toBe(2);
  expect(terminal.err).toContain("--port 65536: must be a whole number from 0 to 65535");
});
