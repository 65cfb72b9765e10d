import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Command } from "commander";

export const setupCommand = () =>
  new Command("setup")
    .description(
      "build the native addon for the libtorch at hand; needed once after npm has installed Lyceum",
    )
    .addHelpText(
      "after",
      `
On Debian and Ubuntu it installs libtorch and a compiler where they are missing and it may; elsewhere it says what to
install. LIBTORCH names another libtorch, CXX another compiler. Does nothing when all is up to date.

Examples:
  $ npx lyceum setup
  $ LIBTORCH=/opt/libtorch npx lyceum setup`,
    )
    .action(async () => {
      // The relative path is the same from src/cli and from dist/chunks, where the bundle puts this file
      // (bundle.mjs).
      const script = fileURLToPath(new URL("../../setup", import.meta.url));
      const [code, signal] = await once(spawn("bash", [script], { stdio: "inherit" }), "close");
      if (code !== 0)
        throw new Error(`setup failed (${signal ?? `exit code ${code}`}); what it said is above`);
    });
