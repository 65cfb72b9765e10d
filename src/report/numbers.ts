/** Writes numbers and names as people read them. */
import type { Metric } from "../analysis/index.js";

/** Writes a fraction as a percentage: 0.9012 becomes "90.12 %". */
export function percent(fraction: number, digits = 2): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(digits)} %` : "–";
}

/** Writes a metric's value with the metric's digits: a fraction in percent, any other unit as it is. */
export function metricText({ unit, digits }: Pick<Metric, "unit" | "digits">, value: number): string {
  return unit === "fraction" ? percent(value, digits) : fixed(value, digits);
}

/** Writes a number with a fixed number of digits behind the point; NaN and infinity become "–". */
export function fixed(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

/** Writes a number rounded to a whole one, with its thousands separated: 1234.5 becomes "1,235". */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "–";
}

/**
 * Writes a duration, given in seconds, in the units that a person would use: "0.8 s", "2 min 05 s", "3 h 20
 * min".
 */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Gives the name of a generation: "patriarch", "student 1", … */
export function nameOf(generation: number, role: "patriarch" | "student"): string {
  return role === "patriarch" ? "patriarch" : `student ${generation}`;
}

/** Writes a number of things: "1 epoch", "1,200 epochs". */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
