import type { About } from "../src/predict/about.js";

/** The number of classes that are shown. */
const SHOWN = 5;

/** A list of a network's best classes with bars. Names go in as text, whatever stands in them. */
export function bars(
  probabilities: Float32Array,
  classes: readonly string[],
  colour: number,
): HTMLOListElement {
  const best = [...probabilities.keys()]
    .sort((a, b) => probabilities[b]! - probabilities[a]! || a - b)
    .slice(0, SHOWN);
  const list = document.createElement("ol");
  for (const index of best) {
    const share = probabilities[index]!;
    const [item, name, value, track, bar] = ["li", "span", "span", "div", "i"].map((tag) =>
      document.createElement(tag),
    ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
    name.className = "name";
    name.textContent = classes[index] ?? `class ${index}`;
    value.className = "value";
    value.textContent = `${(100 * share).toFixed(1)} %`;
    track.className = "bar";
    track.setAttribute("aria-hidden", "true");
    bar.style.width = `${100 * share}%`;
    bar.className = `colour-${Math.min(colour, 1)}`;
    track.append(bar);
    item.append(name, value, track);
    list.append(item);
  }
  return list;
}

/** One column a network: its name, what it is, and a place for its answer. @returns the places */
export function columns(place: HTMLElement, { networks }: About): HTMLElement[] {
  return networks.map(({ name, about }) => {
    const section = document.createElement("section");
    const heading = document.createElement("h2");
    heading.textContent = name;
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = about;
    const answer = document.createElement("div");
    section.append(heading, note, answer);
    place.append(section);
    return answer;
  });
}
