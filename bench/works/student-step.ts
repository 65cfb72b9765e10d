/**
 * The step that `lyceum train` takes, for a ResNet-20 student: teacher's forward (frozen, batch norm folded),
 * student's forward and backward, SGD with momentum. Both sides start from the same weights and see the same
 * batches; the losses of the first steps must agree, and PyTorch must have kept channels-last in every layer.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { models, nn, optim, torch, training } from "lyceum";
import type { Peer } from "../peer.js";
import { interleave, spread } from "../sampling.js";
import { row, type Work } from "../work.js";

const batchSize = 128;
const batches = 4;
const classes = 100;
const learningRate = 0.01;
const weights = { hardWeight: 0.5, softWeight: 0.5 };
const comparedSteps = 5;
/** Of the loss, relative: float32 and other kernels, over `comparedSteps` updates. */
const tolerance = 1e-3;

interface Taken {
  seconds: number[];
  losses: number[];
}

export const studentStep: Work = {
  name: "student-step",
  async run({ peer, quick }) {
    const generator = new torch.Generator(0);
    const options = { classes, channels: 3, generator };
    const format = { memoryFormat: "channelsLast" } as const;
    const teacher = models.resnet20(options).to(format);
    const student = models.resnet20(options).to(format);
    const data = Array.from({ length: batches }, () => ({
      images: torch.randn([batchSize, 3, 32, 32], { generator }).contiguous("channelsLast"),
      labels: torch.randint(0, classes, [batchSize], { generator, dtype: "int64" }),
    }));
    // Running statistics of a network that has seen data, so that folding them changes something.
    torch.noGrad(() => torch.scope(() => void teacher.train().forward(data[0]!.images)));

    const layouts = peer ? await preparePeer(peer, teacher, student, data) : undefined;
    // In place, so after the peer has got the weights.
    const frozen = nn.foldBatchNorm(teacher);
    const optimizer = new optim.SGD(student.train().parameters(), {
      learningRate,
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    const objective = training.studentObjective(frozen, weights);
    let done = 0;
    const step = (): number => {
      let loss = Number.NaN;
      const watched: training.Objective = (...given) => {
        const found = objective(...given);
        loss = found.loss.item();
        return found;
      };
      training.trainStep({ model: student, optimizer, objective: watched }, data[done++ % batches]!);
      return loss;
    };
    const oursTaken = (steps: number): Taken => {
      const taken: Taken = { seconds: [], losses: [] };
      for (let index = 0; index < steps; index++) {
        const start = performance.now();
        taken.losses.push(step());
        taken.seconds.push((performance.now() - start) / 1000);
      }
      return taken;
    };
    const theirsTaken = (steps: number) => peer!.ask<Taken>({ do: "student-step.run", steps });

    if (peer) compare(oursTaken(comparedSteps).losses, (await theirsTaken(comparedSteps)).losses, layouts!);

    const perTurn = quick ? 2 : 5;
    const rate = ({ seconds }: Taken): number[] => seconds.map((each) => batchSize / each);
    const ours = () => rate(oursTaken(perTurn));
    const theirs = async () => rate(await theirsTaken(perTurn));
    const [oursRates, theirRates] = await interleave(quick ? 3 : 12, peer ? [ours, theirs] : [ours]);
    return [
      row({
        work: "student-step",
        model: `resnet20, batch ${batchSize}, 32x32`,
        peer: peer ? `${peer.name}, channels-last` : "PyTorch, channels-last",
        unit: "images/s",
        ours: spread(oursRates!),
        ...(theirRates ? { theirs: spread(theirRates) } : {}),
      }),
    ];
  },
};

/** Hands weights and batches over in a safetensors file each; returns the layers that lost channels-last. */
async function preparePeer(
  peer: Peer,
  teacher: nn.Module,
  student: nn.Module,
  data: { images: torch.Tensor; labels: torch.Tensor }[],
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "lyceum-bench-"));
  try {
    const [teacherFile, studentFile, dataFile] = ["teacher", "student", "data"].map((name) =>
      join(folder, `${name}.safetensors`),
    ) as [string, string, string];
    torch.saveSafetensors(teacherFile, teacher.stateDict());
    torch.saveSafetensors(studentFile, student.stateDict());
    torch.scope(() =>
      torch.saveSafetensors(dataFile, {
        images: torch.stack(data.map((batch) => batch.images)),
        labels: torch.stack(data.map((batch) => batch.labels)),
      }),
    );
    const answer = await peer.ask<{ layoutsLost: string[] }>({
      do: "student-step.prepare",
      teacher: teacherFile,
      student: studentFile,
      data: dataFile,
      blocks: 3,
      classes,
      learningRate,
      ...weights,
    });
    return answer.layoutsLost;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function compare(ours: number[], theirs: number[], layoutsLost: string[]): void {
  const differences = ours.map((loss, step) => Math.abs(loss / theirs[step]! - 1));
  const worst = Math.max(...differences);
  console.log(
    `student-step: losses of the first ${ours.length} steps differ by at most ${worst.toExponential(1)} (relative)`,
  );
  if (!(worst <= tolerance)) {
    throw new Error(`the losses differ: ours ${ours.join(", ")}; PyTorch's ${theirs.join(", ")}`);
  }
  if (layoutsLost.length > 0) {
    throw new Error(`PyTorch left channels-last, the comparison would be unfair: ${layoutsLost.join(", ")}`);
  }
  console.log("student-step: PyTorch kept channels-last in every layer, forward and backward");
}
