/** Tests that no two texts of a figure lie on each other, by their places and their widths. */
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { paired } from "../../study/index.js";
import {
  type DrawnArm,
  type DrawnStudy,
  drawnArms,
  drawnGrid,
  makeStudy,
} from "../../study/testing/make-study.js";
import { figuresOf } from "./figures/index.js";
import { standalone } from "./standalone.js";
import { textWidth } from "./text-width.js";
import { viewOf } from "./view.js";

/** What is read of an element of a document. */
interface Node {
  parentElement: Node | null;
  textContent: string | null;
  getAttribute(name: string): string | null;
}

interface Box {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Gives an attribute of an element or of the nearest one around it that has it. */
function inherited(element: Node, name: string): string | null {
  for (let at: Node | null = element; at; at = at.parentElement)
    if (at.getAttribute(name) !== null) return at.getAttribute(name);
  return null;
}

/** Finds the boxes of all texts of an SVG file, whose groups are moved but never turned. */
function boxesOf(svg: string): Box[] {
  const { document } = parseHTML(`<!doctype html><body>${svg.replace(/^<\?xml.*\n/, "")}`);
  return ([...document.querySelectorAll("text")] as unknown as Node[]).map((element) => {
    let [x, y] = [0, 0];
    for (let at: Node | null = element; at; at = at.parentElement) {
      const moved = /^translate\(([-\d.]+),([-\d.]+)\)$/.exec(
        at.getAttribute("transform") ?? "translate(0,0)",
      )!;
      x += Number(moved[1]);
      y += Number(moved[2]);
    }
    const size = Number.parseFloat(
      inherited(element, "font-size") === "10" ? "12" : inherited(element, "font-size")!,
    );
    const offset = element.getAttribute("y") ?? "0";
    y += offset.endsWith("em") ? size * Number.parseFloat(offset) : Number(offset);
    x += Number(element.getAttribute("x") ?? 0);
    const text = element.textContent!;
    // The estimate is rather too wide: what is drawn is narrower.
    const width = 0.88 * textWidth(text, size);
    const anchor = inherited(element, "text-anchor") ?? "start";
    const left = x - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
    return { text, left, right: left + width, top: y - 0.72 * size, bottom: y };
  });
}

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const numbered = (count: number, generations: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i): [string, DrawnArm] => [
      i === 1 ? `a-name-of-${"very-".repeat(13)}many-words` : `arm-${i}`,
      {
        methods: [["patriarch", `method ${i}`]],
        top1: Array.from({ length: generations }, (_, generation) => 0.5 + 0.003 * i + 0.01 * generation),
      },
    ]),
  );

const studies: Record<string, DrawnStudy> = {
  "five arms": { arms: drawnArms },
  "twelve arms, one of a long name": { arms: numbered(12, 3), seeds: [0, 1] },
  "ten generations": { arms: numbered(3, 10), seeds: [0, 1, 2] },
  "one network": { arms: numbered(1, 1), seeds: [0] },
  "a search": {
    arms: drawnGrid([2, 3, 5, 7, 10, 20], [0.6, 0.65, 0.7, 0.75, 0.8]),
    seeds: [0],
    part: "heldOut",
  },
};

test.each(Object.keys(studies))("no text lies on another: %s", (name) => {
  const study = makeStudy({ title: "A title that ".repeat(20), ...studies[name] });
  const { first, others } = figuresOf(viewOf(study, paired(study, { bootstrapSeed: false })));
  expect(first.length).toBeGreaterThan(0);
  for (const figure of [...first, ...others]) {
    const svg = standalone(figure, study.title);
    const width = Number(/width="([\d.]+)"/.exec(svg)![1]);
    const boxes = boxesOf(svg);
    expect(boxes.length).toBeGreaterThan(5);
    for (const [i, box] of boxes.entries()) {
      expect(box.left, `${figure.name}: ${box.text}`).toBeGreaterThanOrEqual(0);
      expect(box.right, `${figure.name}: ${box.text}`).toBeLessThanOrEqual(width);
      const other = boxes.slice(0, i).find((before) => overlap(before, box));
      expect(other && `${figure.name}: ${other.text} / ${box.text}`).toBeUndefined();
    }
  }
});

test("texts that do lie on each other are found", () => {
  const svg = `<svg font-size="12"><g transform="translate(10,20)"><text>strict</text><text x="20">tolerant</text></g></svg>`;
  const [one, other] = boxesOf(svg);
  expect(overlap(one!, other!)).toBe(true);
});
