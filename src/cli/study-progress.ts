import { count, duration, percent } from "../report/numbers.js";
import type { PlannedNetwork } from "../study/index.js";
import type { Output } from "./progress.js";
import type { WorkerMessage } from "./study-worker.js";

/** The shortest time between two drawings of the table, in milliseconds. */
const REDRAW_MS = 200;

export interface StudyProgressOptions {
  /** All networks of this part of the study. */
  networks: readonly PlannedNetwork[];
  /** Those that are to be trained. */
  left: readonly PlannedNetwork[];
}

interface Running {
  network: PlannedNetwork;
  fraction: number;
  imagesPerSecond: number;
  heldOut?: number;
}

/**
 * Makes a listener that shows the work at a study: on a terminal a few lines that are redrawn, with the networks in
 * training and the time left; elsewhere a line for each finished network.
 */
export function studyProgress(output: Output, { networks, left }: StudyProgressOptions) {
  const live = output.isTTY === true;
  const byFingerprint = new Map(networks.map((network) => [network.fingerprint, network]));
  const running = new Map<string, Running>();
  const clock = new Clock(left);
  let finished = networks.length - left.length;
  let drawn = 0;
  let lines = 0;
  const clear = () => {
    if (lines > 0) output.write(`\x1b[${lines}A\x1b[J`);
    lines = 0;
  };
  const draw = (force: boolean) => {
    if (!live || (!force && performance.now() - drawn < REDRAW_MS)) return;
    drawn = performance.now();
    clear();
    const width = (output.columns ?? 80) - 1;
    const text = [head(), ...[...running.values()].map(lineOf)].map((line) => line.slice(0, width));
    output.write(`${text.join("\n")}\n`);
    lines = text.length;
  };
  const head = () =>
    `${finished} of ${networks.length} networks trained, ${clock.left(running.values())} left`;
  const say = (line: string) => {
    clear();
    output.write(`${line}\n`);
    draw(true);
  };
  return {
    event(message: WorkerMessage): void {
      const network = byFingerprint.get(message.fingerprint);
      if (!network) return;
      const now = running.get(message.fingerprint) ?? { network, fraction: 0, imagesPerSecond: 0 };
      running.set(message.fingerprint, now);
      if (message.type === "begun") clock.begin();
      else if (message.type === "step") Object.assign(now, message);
      else if (message.type === "epoch") {
        now.fraction = message.epoch / network.recipe.epochs;
        if (message.heldOut !== undefined) now.heldOut = message.heldOut;
      } else {
        running.delete(message.fingerprint);
        const place = placeOf(network);
        if (message.type === "failed") say(`failed: ${place}: ${message.message}`);
        else {
          finished++;
          clock.finish(network);
          const heldOut = now.heldOut === undefined ? "" : `, held-out ${percent(now.heldOut)}`;
          say(`${finished}/${networks.length}  ${place}${heldOut}; ${clock.left(running.values())} left`);
        }
      }
      draw(false);
    },
    /** Removes the table from a terminal; what was said stays. */
    end(): void {
      clear();
    },
  };
}

/** Says which network it is: "tolerant, seed 1, generation 2". A shared one is named by its first arms. */
function placeOf({ arms, seed, generation }: PlannedNetwork): string {
  const [first, second, ...others] = arms;
  const names = second === undefined ? first : `${first} = ${second}${others.length > 0 ? " = …" : ""}`;
  return `${names}, seed ${seed}, generation ${generation}`;
}

function lineOf({ network, fraction, imagesPerSecond, heldOut }: Running): string {
  const { epochs } = network.recipe;
  const parts = [
    `  ${placeOf(network)}`,
    `epoch ${Math.min(epochs, Math.floor(fraction * epochs) + 1)}/${epochs}`,
    ...(heldOut === undefined ? [] : [`held-out ${percent(heldOut)}`]),
    ...(imagesPerSecond > 0 ? [`${count(imagesPerSecond)} images/s`] : []),
  ];
  return parts.join("  ");
}

/** Estimates the time left from the work that was done since the start. */
class Clock {
  #left: number;
  #done = 0;
  #started: number | undefined;

  constructor(left: readonly PlannedNetwork[]) {
    this.#left = left.reduce((sum, network) => sum + workOf(network), 0);
  }

  begin(): void {
    this.#started ??= performance.now();
  }

  finish(network: PlannedNetwork): void {
    this.#done += workOf(network);
    this.#left -= workOf(network);
  }

  /** Says how long the rest will take, at the pace so far. */
  left(running: Iterable<Running>): string {
    let partly = 0;
    for (const { network, fraction } of running) partly += fraction * workOf(network);
    const done = this.#done + partly;
    if (done === 0 || this.#started === undefined) return "time not known yet";
    const seconds = (performance.now() - this.#started) / 1000;
    return duration(((this.#left - partly) * seconds) / done);
  }
}

/**
 * The work of training a network, where that of a strict one for an epoch is 1. Forward and backward together cost
 * about as much as three forward passes, and each teacher adds one more.
 */
const workOf = ({ recipe, teachers }: PlannedNetwork) => recipe.epochs * (1 + teachers.length / 3);
