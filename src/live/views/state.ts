import { type Html, html } from "../../report/html.js";
import { count, duration } from "../../report/numbers.js";
import type { WatchedRun } from "../watched-run.js";

/** Shows a run's state as a word with a mark of its own, so that no colour is needed to tell it. */
export const stateBadge = (state: string): Html =>
  html`<span class="badge ${state}"><i aria-hidden="true"></i>${state}</span>`;

/** How much of a run's line is done, a fraction: generations, and of the one under way its epochs and steps. */
export function fractionDone({ listing, progress }: WatchedRun): number {
  const { generations, epochs } = listing;
  if (!generations) return 0;
  const within = progress
    ? (progress.epoch - 1 + progress.step / Math.max(1, progress.stepsPerEpoch)) /
      Math.max(1, progress.epochs)
    : epochs
      ? epochs.done / epochs.of
      : 0;
  return Math.min(1, (generations.finished + within) / Math.max(1, generations.of));
}

/** Shows a fraction as a bar, with the number for those who do not see it. */
export function bar(fraction: number, label: string): Html {
  const shown = Math.floor(100 * fraction);
  return html`<div class="meter" role="progressbar" aria-label="${label}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${shown}"><i style="width:${(100 * fraction).toFixed(1)}%"></i></div>`;
}

/** Says where a run in training stands: "student 1 of 3, epoch 4 of 60, step 120 of 390". */
export function whereItStands({ listing, progress }: WatchedRun): string {
  const { generations, epochs } = listing;
  if (!generations) return "";
  const last = generations.of - 1;
  const name = (generation: number) =>
    generation === 0
      ? `patriarch${last > 0 ? ` (of ${count(generations.of)} generations)` : ""}`
      : `student ${generation} of ${last}`;
  if (progress)
    return `${name(progress.generation)}, epoch ${count(progress.epoch)} of ${count(progress.epochs)}, step ${count(progress.step)} of ${count(progress.stepsPerEpoch)}`;
  if (generations.finished >= generations.of)
    return `${count(generations.of)} of ${count(generations.of)} generations`;
  return `${name(generations.finished)}${epochs ? `, ${count(epochs.done)} of ${count(epochs.of)} epochs` : ""}`;
}

/** Says how much longer a run trains; nothing where nobody knows. */
export const timeLeft = ({ progress }: WatchedRun): string =>
  progress && Number.isFinite(progress.secondsLeft) ? `${duration(progress.secondsLeft)} left` : "";
