import { type Finding, ok, warning } from "./finding.js";

/** What is known of the processor and of what its instructions are used for. */
export interface Processor {
  name: string;
  /** Physical cores. */
  cores: number;
  /** As Node names it: "x64", "arm64", … */
  arch: string;
  /** The flags of /proc/cpuinfo; empty where the system does not tell them. */
  flags: string;
  /** What libtorch's own kernels use, in its words. */
  libtorch: string;
  /** What Lyceum's kernels use: "avx512", "avx2" or "none". */
  isa: string;
  /** What `LYCEUM_ISA` asks for, where it is set. */
  asked: string | undefined;
  /** Whether bfloat16 is computed by AMX. */
  amx: boolean;
}

/**
 * Says which vector units the processor has, which of them are used, and where some are not, why. What a processor lacks cannot be
 * installed, so that only units which lie idle are a warning.
 */
export function processorFindings(processor: Processor): Finding[] {
  const { name, cores, libtorch } = processor;
  const units = unitsOf(processor.flags);
  const has = units.length > 0 ? `, the CPU has ${units.join(", ")}` : "";
  return [
    ok("CPU", `${name}, ${cores} core${cores === 1 ? "" : "s"}, libtorch uses ${libtorch}${has}`),
    vectorFinding(processor),
    bfloat16Finding(processor),
  ];
}

/** The wide vector units among a processor's flags. */
function unitsOf(flags: string): string[] {
  const names = [
    [/\bavx512f\b/, "AVX-512"],
    [/\bavx2\b/, "AVX2"],
    [/\bamx_bf16\b/, "AMX"],
  ] as const;
  return names.filter(([flag]) => flag.test(flags)).map(([, unit]) => unit);
}

function vectorFinding({ flags, isa, asked, arch }: Processor): Finding {
  const units = unitsOf(flags);
  const used = { avx512: "AVX-512", avx2: "AVX2" }[isa];
  const widest = units[0];
  if (used !== undefined && (widest === used || widest === undefined)) {
    const slower = used === "AVX2" ? "; a processor with AVX-512 would be faster (docs/performance.md)" : "";
    return ok("kernels", `Lyceum's own use ${used}${slower}`);
  }
  if (widest !== undefined && asked !== undefined)
    return warning(
      "kernels",
      `LYCEUM_ISA=${asked}: ${widest} of this processor lies idle; unset it, unless to compare`,
    );
  if (widest !== undefined)
    return warning(
      "kernels",
      `${widest} of this processor lies idle: ${used ? `Lyceum's own use ${used}` : "all work is libtorch's"}; ./setup (npx lyceum setup in a ` +
        "project) builds the addon anew",
    );
  const why = arch === "x64" ? "this processor has neither AVX-512 nor AVX2" : `Lyceum has none for ${arch}`;
  return ok("kernels", `libtorch's alone, several times slower: ${why}; train on another machine if you can`);
}

function bfloat16Finding({ amx, flags }: Processor): Finding {
  if (amx) return ok("bfloat16", "by AMX: precision=bfloat16 trains faster");
  if (unitsOf(flags).includes("AMX"))
    return warning(
      "bfloat16",
      "AMX of this processor lies idle: sudo apt-get install libdnnl-dev, then ./setup; until then leave precision at float32",
    );
  return ok("bfloat16", "no AMX here: leave precision at float32, which is faster");
}
