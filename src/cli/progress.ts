import { count, duration, fixed, nameOf, percent, plural } from "../report/numbers.js";
import type { ProgressEvent } from "../runs/types.js";
import { printable } from "./text.js";

/** The output that progress is written to: a terminal, a pipe or a file. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** The shortest time between two drawings of the line on a terminal. */
const REDRAW_MS = 100;
/** The longest time without a line elsewhere, while there is something to tell. */
const QUIET_MS = 30_000;

/**
 * Makes a listener that shows a training's progress: on a terminal as one line that is redrawn, elsewhere as
 * a line for each epoch and at least every half minute, and in both cases as a line for each finished generation.
 */
export function progressTo(output: Output): (event: ProgressEvent) => void {
  const live = output.isTTY === true;
  let generations = 0;
  let role: "patriarch" | "student" = "patriarch";
  let drawn = 0;
  let told = performance.now();
  const clear = () => {
    if (live && drawn > 0) output.write("\r\x1b[K");
    drawn = 0;
  };
  const line = (text: string) => {
    clear();
    output.write(`${text}\n`);
    told = performance.now();
  };
  const redraw = (text: string) => {
    if (!live) {
      if (performance.now() - told >= QUIET_MS) line(text);
      return;
    }
    if (performance.now() - drawn < REDRAW_MS) return;
    output.write(`\r\x1b[K${text.slice(0, (output.columns ?? 80) - 1)}`);
    drawn = performance.now();
  };
  const place = (generation: number) => `generation ${generation + 1}/${generations} ${role}`;

  return (event) => {
    switch (event.type) {
      case "images":
        redraw(
          `${event.doing ?? "drawing images"}  ${count(event.done)}${Number.isNaN(event.total) ? "" : ` of ${count(event.total)}`}`,
        );
        break;
      case "start":
        generations = event.generations;
        for (const warning of event.warnings) line(`warning: ${warning}`);
        for (const note of event.notes ?? []) line(`images: ${note}`);
        line(
          `${plural(event.generations, "generation")} of ${plural(event.epochs, "epoch")}, ` +
            `${plural(event.stepsPerEpoch, "step")} each`,
        );
        for (const [role, words] of event.methods) line(`${role}: ${words}`);
        break;
      case "generation-start":
        role = event.role;
        break;
      case "note":
        line(printable(event.message));
        break;
      case "step": {
        const text = [
          `${place(event.generation)}  epoch ${event.epoch}`,
          `step ${event.step}/${event.stepsPerEpoch}`,
          `${count(event.imagesPerSecond)} images/s`,
          `${duration(event.secondsLeft)} left`,
          losses(event.loss, event.terms),
        ].join("  ");
        redraw(text);
        break;
      }
      case "epoch": {
        if (live) break;
        const { record } = event;
        line(
          [
            `${place(record.generation)}  epoch ${record.epoch}/${record.epochs}`,
            losses(record.trainLoss, record.terms),
            `top-1 in training ${percent(record.trainTop1)}`,
            ...(record.validation ? [`validation ${percent(record.validation.top1)}`] : []),
            `${count(record.imagesPerSecond)} images/s`,
            duration(record.seconds),
          ].join("  "),
        );
        break;
      }
      case "generation-end": {
        const { test, trainSeconds } = event.result;
        line(
          `${nameOf(event.generation, event.result.role)}: ${percent(test.top1)} top-1 on the test images, ` +
            `trained in ${duration(trainSeconds)}`,
        );
        break;
      }
      default:
        clear();
    }
  };
}

function losses(loss: number, terms: Record<string, number>): string {
  const parts = Object.entries(terms).map(([name, value]) => `${words(name)} ${fixed(value)}`);
  return `loss ${fixed(loss)}${parts.length > 1 ? ` (${parts.join(", ")})` : ""}`;
}

/** Writes a camelCase name as words: "topScoreDifference" becomes "top score difference". */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
