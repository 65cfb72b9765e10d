/** Tests the files in deploy/: that schedulers take them, and that the commands in them are commands of this program. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { program } from "./program.js";
import { parseShard } from "./shard.js";

const folder = fileURLToPath(new URL("../../deploy/", import.meta.url));
const read = (file: string) => readFileSync(`${folder}${file}`, "utf8");

/** Lets the program's own parser read a command line, without doing what it says. */
async function parse(words: readonly string[]): Promise<Record<string, unknown>> {
  const parser = program();
  let options: Record<string, unknown> | undefined;
  const quiet = (command: Command): void => {
    command.configureOutput({ writeErr: () => {} }).action(function (this: Command) {
      options = this.opts();
    });
    for (const inner of command.commands) quiet(inner);
  };
  for (const command of parser.commands) quiet(command);
  await parser.parseAsync(words, { from: "user" });
  return options!;
}

/** Splits a line of a shell into words, as far as these files need it. */
const wordsOf = (line: string) =>
  (line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? []).map((word) => word.replace(/^["']|["']$/g, ""));

/** The command lines of this program in a script or in the shell's blocks of a page, with a value for each variable. */
function commandsIn(text: string): string[][] {
  return text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/\s#.*$/, "").replace(/^# {2,}/, ""))
    .flatMap((line) => {
      const [, command] = /(?:^|\s)(?:npx lyceum|"\$lyceum"|lyceum) ((?:train|study)\s.*)$/.exec(line) ?? [];
      return command === undefined
        ? []
        : [wordsOf(command.replace(' "$@"', "").replaceAll(/\$\{?\w+(?::-\w+)?\}?/g, "2"))];
    });
}

interface Container {
  name: string;
  image: string;
  args: string[];
  resources: { requests: { cpu: string; memory: string }; limits: { cpu: string; memory: string } };
  securityContext: object;
  volumeMounts: { name: string }[];
  ports?: object[];
}
interface Template {
  spec: {
    containers: Container[];
    volumes: { name: string }[];
    securityContext: object;
    restartPolicy?: string;
  };
}

/** Checks what is the same for each pod, and gives its container. */
function containerOf({ spec }: Template): Container {
  const [container, ...others] = spec.containers;
  expect(others).toEqual([]);
  expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
  expect(container!.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
  });
  // Kubernetes refuses a mount without its volume, and an argument that is no text.
  const volumes = spec.volumes.map(({ name }) => name);
  for (const { name } of container!.volumeMounts) expect(volumes).toContain(name);
  for (const argument of container!.args) expect(argument).toBeTypeOf("string");
  expect(container!.resources.limits).toEqual(container!.resources.requests);
  return container!;
}

function documents(file: string): Record<string, unknown>[] {
  return parseAllDocuments(read(file), { merge: false }).map((document) => {
    expect(document.errors).toEqual([]);
    expect(document.warnings).toEqual([]);
    return document.toJS();
  });
}

test.each(["slurm-train.sbatch", "slurm-study.sbatch"])(
  "%s: a script with options of sbatch, and a command that exists",
  async (file) => {
    const text = read(file);
    expect(statSync(`${folder}${file}`).mode & 0o111).not.toBe(0);
    const lines = text.split("\n");
    const last = lines.findLastIndex((line) => line.startsWith("#SBATCH"));
    // Slurm reads no option behind the first command.
    expect(lines.slice(0, last).filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
    const options = new Map(
      lines.flatMap((line) => {
        const [, name, value] = /^#SBATCH --([a-z-]+)(?:=(\S+))?$/.exec(line) ?? [];
        expect(name === undefined && line.startsWith("#SBATCH")).toBe(false);
        return name === undefined ? [] : [[name, value] as const];
      }),
    );
    expect(options.get("signal")).toBe("TERM@120");
    expect(options.has("requeue")).toBe(true);
    const called = commandsIn(
      text
        .split("\n")
        .slice(last + 1)
        .join("\n"),
    );
    expect(called).toHaveLength(1);
    const parsed = await parse(called[0]!);
    if (file === "slurm-study.sbatch") expect(parsed).toMatchObject({ shard: "auto", threads: "2" });
    else expect(parsed).toMatchObject({ autoResume: true, name: "2" });
  },
);

test("kubernetes-study.yaml: an indexed Job whose pods train as many parts as there are pods", async () => {
  const [job, ...others] = documents("kubernetes-study.yaml");
  expect(others).toEqual([]);
  expect(job).toMatchObject({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: expect.stringMatching(/^[a-z0-9-]{1,63}$/) },
    spec: { completionMode: "Indexed", completions: expect.any(Number), parallelism: expect.any(Number) },
  });
  const spec = job!.spec as { completions: number; template: Template; podFailurePolicy: object };
  // Only with this policy may a Job have one for failures.
  expect(spec.template.spec.restartPolicy).toBe("Never");
  const container = containerOf(spec.template);
  const options = await parse(container.args);
  const shards = Array.from({ length: spec.completions }, (_, index) =>
    parseShard(options.shard as string, { JOB_COMPLETION_INDEX: String(index) }),
  );
  expect(shards).toEqual(shards.map((_, index) => ({ shard: index + 1, of: spec.completions })));
  expect(options.threads).toBe(container.resources.limits.cpu);
  expect(spec.podFailurePolicy).toMatchObject({
    rules: [{ onExitCodes: { containerName: container.name } }, {}],
  });
});

test("kubernetes-train.yaml: a PyTorchJob whose pods all run one command, closed to others", async () => {
  const [job, policy, ...others] = documents("kubernetes-train.yaml");
  expect(others).toEqual([]);
  expect(job).toMatchObject({
    apiVersion: "kubeflow.org/v1",
    kind: "PyTorchJob",
    spec: {
      pytorchReplicaSpecs: {
        Master: { replicas: 1, restartPolicy: "OnFailure" },
        Worker: { restartPolicy: "OnFailure" },
      },
    },
  });
  const { Master, Worker } = (
    job!.spec as { pytorchReplicaSpecs: Record<"Master" | "Worker", { template: Template }> }
  ).pytorchReplicaSpecs;
  expect(Worker.template).toEqual(Master.template);
  const container = containerOf(Master.template);
  expect(container).toMatchObject({
    name: "pytorch",
    ports: [{ name: "pytorchjob-port", containerPort: 23456 }],
  });
  expect(await parse(container.args)).toMatchObject({ autoResume: true, out: "/work/runs" });
  const own = { matchLabels: { "training.kubeflow.org/job-name": (job!.metadata as { name: string }).name } };
  expect(policy).toMatchObject({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    spec: { podSelector: own, ingress: [{ from: [{ podSelector: own }] }] },
  });
});

describe("Dockerfile", () => {
  const stages = read("Dockerfile")
    .split(/^(?=FROM )/m)
    .slice(1);

  test("has instructions of Dockerfiles alone, and copies from a stage that it has", () => {
    const names = stages.map((stage) => /^FROM \S+(?: AS (\w+))?$/m.exec(stage)?.[1]);
    expect(names).toEqual(["build", undefined]);
    for (const stage of stages)
      for (const line of stage.replaceAll(/\\\n/g, " ").split("\n")) {
        if (line !== "" && !line.startsWith("#"))
          expect(line).toMatch(/^(?:FROM|RUN|WORKDIR|COPY|USER|ENTRYPOINT|CMD) \S/);
        const [, from] = /^COPY --from=(\w+)/.exec(line) ?? [];
        if (from !== undefined) expect(names).toContain(from);
      }
  });

  test("ends without root, and with this program as its command", async () => {
    const last = stages.at(-1)!;
    expect(last).toMatch(/^USER node$/m);
    const [, entry] = /^ENTRYPOINT (.*)$/m.exec(last)!;
    expect(JSON.parse(entry!)).toEqual(["tini", "--", "lyceum"]);
  });

  test("takes along every folder of the package, as npm would", () => {
    const { files } = JSON.parse(readFileSync(`${folder}../package.json`, "utf8"));
    // The addon is built by the stage before, and nobody builds it again; files for schedulers are of no use within the image.
    const needed = files.filter(
      (file: string) => !file.startsWith("!") && !["native", "setup", "deploy"].includes(file),
    );
    for (const file of needed) expect(stages.at(-1)).toContain(`COPY --from=build /lyceum/${file} `);
  });
});

test.each([...readdirSync(folder).filter((file) => /\.md$|\.sbatch$/.test(file)), "../docs/studies.md"])(
  "every command in %s is one of this program",
  async (file) => {
    const text = read(file);
    const shell = file.endsWith(".md")
      ? [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block)
      : [text];
    const commands = commandsIn(shell.join("\n"));
    expect(commands.length).toBeGreaterThan(0);
    for (const words of commands) await expect(parse(words), words.join(" ")).resolves.toBeDefined();
  },
);
