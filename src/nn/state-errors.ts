import type { Tensor } from "../torch/index.js";

/** How many names of a kind a message lists. */
const shown = 10;

function list(title: string, names: string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > shown ? `, and ${names.length - shown} more` : "";
  return [`${title}: ${names.slice(0, shown).join(", ")}${more}`];
}

/**
 * Checks that a state has tensors of the names and shapes of a module's own.
 *
 * @param strict whether each side must have all names of the other
 * @throws Error that names, in one message, everything that does not fit
 */
export function checkNames(
  own: ReadonlyMap<string, Tensor>,
  state: Readonly<Record<string, Tensor>>,
  strict: boolean,
): void {
  const missing = strict ? [...own.keys()].filter((name) => !Object.hasOwn(state, name)) : [];
  const unexpected = strict ? Object.keys(state).filter((name) => !own.has(name)) : [];
  const misshaped = [...own].flatMap(([name, tensor]) => {
    const given = Object.hasOwn(state, name) ? state[name]! : tensor;
    return `${given.shape}` === `${tensor.shape}`
      ? []
      : [`${name} is [${given.shape.join(", ")}], expected [${tensor.shape.join(", ")}]`];
  });
  const complaints = [
    ...list("missing", missing),
    ...list("unexpected", unexpected),
    ...list("of another shape", misshaped),
  ];
  if (complaints.length > 0) throw new Error(`the weights do not fit the network; ${complaints.join("; ")}`);
}
