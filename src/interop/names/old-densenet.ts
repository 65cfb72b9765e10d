import type { State } from "./rename.js";

/** A tensor of a dense layer as torchvision's files of 2017 name it, such as "denselayer1.norm.1.weight". */
const old = /^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$/;

/**
 * Gives the tensors of a DenseNet the names that its layers have now: "denselayer1.norm1.weight". The files that torchvision
 * offers for download have the old ones, which torchvision renames as it loads them (`_load_state_dict` of its `densenet.py`).
 *
 * @returns the tensors that were given
 */
export function withPresentNames(state: Readonly<State>): State {
  const renamed: State = Object.create(null);
  for (const [name, tensor] of Object.entries(state)) renamed[name.replace(old, "$1$2")] = tensor;
  return renamed;
}
