/** Shows the progress of the processes that work at a study. */
import { count, duration, percent } from "../report/numbers.js";
import type { PlannedNetwork } from "../study/index.js";
import type { Output } from "./progress.js";
import type { WorkerMessage } from "./study-worker.js";
import { printable } from "./text.js";

/** The shortest time between two drawings of the table, in milliseconds. */
const REDRAW_MS = 200;
/** The shortest time between two lines that say how far the networks in training are, where there is no terminal. */
const LINE_MS = 60_000;

export interface StudyProgressOptions {
  /** All networks of this part of the study. */
  networks: readonly PlannedNetwork[];
  /** Those that are to be trained. */
  left: readonly PlannedNetwork[];
  /** What the networks are for, before everything else that is shown, such as "calibration: ". */
  prefix?: string;
}

interface Running {
  network: PlannedNetwork;
  fraction: number;
  /** How far it was when this process first heard of it: one that goes on from its checkpoint was trained before. */
  before?: number;
  imagesPerSecond: number;
  heldOut?: number;
}

/**
 * Makes a listener that shows the work at a study: on a terminal a few lines that are redrawn, with the networks in
 * training and the time left; elsewhere a line for each finished network, and one now and then between them.
 */
export function studyProgress(output: Output, { networks, left, prefix = "" }: StudyProgressOptions) {
  const live = output.isTTY === true;
  const byFingerprint = new Map(networks.map((network) => [network.fingerprint, network]));
  const running = new Map<string, Running>();
  const clock = new Clock(left);
  const counted = new Set(networks);
  for (const network of left) counted.delete(network);
  let drawn = performance.now();
  let lines = 0;
  let waited: string | undefined;
  const clear = () => {
    if (lines > 0) output.write(`\r\x1b[${lines}A\x1b[J`);
    lines = 0;
  };
  const draw = (force: boolean) => {
    if (!force && performance.now() - drawn < (live ? REDRAW_MS : LINE_MS)) return;
    drawn = performance.now();
    const all = [head(), ...[...running.values()].map(lineOf)];
    if (!live) {
      output.write(`${all.join(";")}\n`);
      return;
    }
    clear();
    const width = (output.columns ?? 80) - 1;
    const text = all.slice(0, Math.max(1, (output.rows ?? 24) - 1)).map((line) => line.slice(0, width));
    output.write(`${text.join("\n")}\n`);
    lines = text.length;
  };
  const head = () => {
    const state = running.size > 0 || counted.size === networks.length ? "" : "; starting";
    return `${prefix}${counted.size} of ${networks.length} networks trained${timeLeft(", ") || state}`;
  };
  const timeLeft = (before: string) =>
    counted.size === networks.length ? "" : clock.left(running.values(), before);
  const say = (line: string) => {
    clear();
    output.write(`${line}\n`);
    if (live) draw(true);
    else drawn = performance.now();
  };
  const finish = (network: PlannedNetwork, how: string) => {
    const before = running.get(network.fingerprint)?.before;
    running.delete(network.fingerprint);
    if (counted.has(network)) return;
    counted.add(network);
    clock.finish(network, before);
    say(`${prefix}${counted.size}/${networks.length}  ${placeOf(network)}${how}${timeLeft("; ")}`);
  };
  if (live) draw(true);
  return {
    event(message: WorkerMessage): void {
      if (message.type === "waiting") {
        // While a network is in training, its end is what the other processes wait for.
        if (running.size === 0 && message.message !== waited) say(`waiting: ${printable(message.message)}`);
        waited = message.message;
        return;
      }
      const network = byFingerprint.get(message.fingerprint);
      if (!network) return;
      if (message.type === "found") {
        // One that was begun here tells of its end by itself.
        if (!running.has(message.fingerprint)) finish(network, ", trained by another process");
        return;
      }
      const now = running.get(message.fingerprint) ?? { network, fraction: 0, imagesPerSecond: 0 };
      if (message.type === "finished")
        finish(network, now.heldOut === undefined ? "" : `, held-out ${percent(now.heldOut)}`);
      else if (message.type === "failed") {
        running.delete(message.fingerprint);
        say(`failed: ${placeOf(network)}: ${printable(message.message)}`);
      } else {
        running.set(message.fingerprint, now);
        if (message.type === "begun") clock.begin();
        else if (message.type === "step") {
          now.before ??= message.fraction;
          Object.assign(now, message);
        } else if (message.type === "epoch") {
          now.before ??= (message.epoch - 1) / network.epochs;
          now.fraction = message.epoch / network.epochs;
          if (message.heldOut !== undefined) now.heldOut = message.heldOut;
        }
        draw(false);
      }
    },
    /** Writes a line above the table. */
    say,
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
  const { epochs } = network;
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

  /** @param before how much of it was done before the start, a fraction */
  finish(network: PlannedNetwork, before = 0): void {
    this.#done += (1 - before) * workOf(network);
    this.#left -= workOf(network);
  }

  /** Says how long the rest will take, at the pace so far; nothing while that is not known. */
  left(running: Iterable<Running>, before: string): string {
    let partly = 0;
    let done = this.#done;
    for (const { network, fraction, before = 0 } of running) {
      partly += fraction * workOf(network);
      done += (fraction - before) * workOf(network);
    }
    if (done <= 0 || this.#started === undefined) return "";
    const seconds = (performance.now() - this.#started) / 1000;
    return `${before}${duration(((this.#left - partly) * seconds) / done)} left`;
  }
}

/**
 * The work of training a network, where that of a strict one for an epoch is 1. Forward and backward together cost
 * about as much as three forward passes, and each teacher adds one more.
 */
const workOf = ({ epochs, teachers }: PlannedNetwork) => epochs * (1 + teachers.length / 3);
