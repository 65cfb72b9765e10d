import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as torch from "./index.js";

const addon =
  process.env.LYCEUM_NATIVE ?? fileURLToPath(new URL("../../build/native/lyceum.node", import.meta.url));

/** From the least to the most. */
const isas = ["none", "avx2", "avx512"];

/** Loads the addon in a process of its own and returns which instruction set its kernels use, or the error. */
function load(isa: string): string {
  const script = `
    try {
      const native = require(${JSON.stringify(addon)});
      console.log(native.call(native.resolve("lyceum::isa", "")));
    } catch (error) {
      console.log(error.message);
    }`;
  const { stdout } = spawnSync(process.execPath, ["-e", script], {
    env: { ...process.env, LYCEUM_ISA: isa },
    encoding: "utf8",
  });
  return stdout.trim();
}

describe("LYCEUM_ISA", () => {
  it("chooses the kernels of this process", () => {
    const asked = process.env.LYCEUM_ISA;
    if (asked) expect(torch.op("lyceum::isa")).toBe(asked);
    else expect(isas).toContain(torch.op("lyceum::isa"));
  });

  it("is the best that there is where it is empty, and refuses more than that", () => {
    const best = load("");
    expect(isas).toContain(best);
    for (const isa of isas.slice(isas.indexOf(best) + 1)) {
      expect(load(isa)).toContain(`LYCEUM_ISA=${isa}: this processor and build have ${best} at most`);
    }
  });

  it("refuses what it does not know by a sentence that names what it knows", () => {
    expect(load("avx1024")).toContain("LYCEUM_ISA=avx1024 is unknown; set it to none, avx2 or avx512");
  });
});
