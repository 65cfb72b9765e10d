/**
 * Checks arguments of operators that are offered, but trust some argument where a bad one would end the process
 * (`fuzz/` found them). Operators that trust too much are not offered at all (refused.ts).
 */
import type { ParameterInfo } from "./native.js";

/** Says what is wrong with the arguments; undefined where nothing is. */
export type ArgumentCheck = (
  args: readonly unknown[],
  parameters: readonly ParameterInfo[],
) => string | undefined;

const checks: readonly (readonly [RegExp, ArgumentCheck])[] = [
  [/^aten::_?upsample_/, scalesAreUsual],
  [/^aten::set_?$/, sourceIsOfOneDtype],
];

/** The check of an operator's arguments, by its name without overload; undefined where it needs none. */
export function argumentCheckOf(base: string): ArgumentCheck | undefined {
  return checks.find(([pattern]) => pattern.test(base))?.[1];
}

/** The place of a pixel is the quotient of its number and the scale, which is made an index unchecked. */
function scalesAreUsual(args: readonly unknown[], parameters: readonly ParameterInfo[]): string | undefined {
  const [least, most] = [1e-3, 1e6];
  for (const [i, { name }] of parameters.entries()) {
    if (!name.startsWith("scale")) continue;
    for (const scale of [args[i]].flat(1)) {
      if (typeof scale !== "number" && typeof scale !== "bigint") continue;
      if (!(scale >= least && scale <= most)) return `${name} must be ${least} to ${most}, got ${scale}`;
    }
  }
  return undefined;
}

/** Memory of one dtype would be read as another's. */
function sourceIsOfOneDtype(
  args: readonly unknown[],
  parameters: readonly ParameterInfo[],
): string | undefined {
  const dtypeOf = (name: string) => {
    const value = args[parameters.findIndex((parameter) => parameter.name === name)];
    // tensor.ts cannot be imported here, since it imports what imports this.
    return typeof value === "object" && value && "dtype" in value ? value.dtype : undefined;
  };
  const [self, source] = [dtypeOf("self"), dtypeOf("source")];
  if (self === undefined || source === undefined || self === source) return undefined;
  return `source must be ${self} as self is, got ${source}`;
}
