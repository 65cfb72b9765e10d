import { test } from "vitest";
import { drawnArms, drawnGrid, makeStudy } from "../../study/testing/make-study.js";
import { writeStudyReport } from "./index.js";

const provenance = {
  machines: ["AMD EPYC 9B45, 2 cores, 8 GiB; Linux 6.1, x64"],
  software: ["Lyceum 0.1.0, libtorch 2.6.0, Node.js v20.20.2"],
  commands: ["npx lyceum study studies/few-data.yaml --jobs 1"],
  file: "title: Tolerant and strict patriarchs\nseeds: 5\n",
};
const many = Object.fromEntries(
  Array.from({ length: 14 }, (_, i) => [
    `arm-${i}`,
    {
      methods: [["patriarch", `method ${i}`]] as [string, string][],
      top1: [0.5 + 0.002 * i, 0.52 + 0.001 * i, 0.53, 0.54, 0.55].slice(0, 1 + (i % 5)),
    },
  ]),
);
const studies = {
  main: makeStudy(),
  one: makeStudy({ seeds: [0], arms: { strict: { ...drawnArms.strict!, top1: [0.5] } } }),
  part: makeStudy({
    finished: (arm, seed, generation) => (arm === "strict" ? seed < 4 : seed < 2 && generation < 2),
  }),
  search: makeStudy({
    arms: { strict: drawnArms.strict!, ...drawnGrid([3, 5, 10, 20], [0.6, 0.7, 0.8, 0.9]) },
    part: "heldOut",
    seeds: [0, 1],
  }),
  twelve: makeStudy({ arms: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [i === 3 ? "a-very-long-name-of-an-arm-that-goes-on-and-on-until-eighty-characters-are-used-up" : `arm-number-${i}`, { methods: [["patriarch", `method ${i}`]] as [string, string][], top1: [0.5 + 0.002 * i, 0.52 + 0.001 * i, 0.53], topScore: 0.5 + 0.03 * i }])) }),
  many: makeStudy({ arms: many, seeds: [0, 1, 2] }),
};
test.each(
  Object.entries(studies).filter(([name]) => !process.env.ONLY || process.env.ONLY.split(",").includes(name)),
)("look %s", async (name, study) => {
  await writeStudyReport(study, `/tmp/look/${name}`, provenance);
});
