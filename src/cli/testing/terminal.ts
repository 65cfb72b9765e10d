import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";

/** The text that commands wrote to stdout and to stderr. A test may clear it between two commands. */
export interface Terminal {
  out: string;
  err: string;
}

/** Gives each test of a file an empty folder as its working directory, and collects what commands write. */
export function useTerminal(): Terminal {
  const terminal: Terminal = { out: "", err: "" };
  const here = process.cwd();
  beforeEach(() => {
    Object.assign(terminal, { out: "", err: "" });
    process.chdir(mkdtempSync(join(tmpdir(), "lyceum-cli-")));
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      terminal.out += text;
      return true;
    });
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      terminal.err += text;
      return true;
    });
    vi.spyOn(console, "log").mockImplementation((text) => {
      terminal.out += `${text}\n`;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.chdir(here);
  });
  return terminal;
}
