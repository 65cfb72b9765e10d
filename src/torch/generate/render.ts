/** Writes TypeScript wrappers from operator schemas. */
import { native, type OperatorInfo, type ParameterInfo } from "../native.js";
import type { Entry } from "./operators.js";

interface Overload {
  id: string;
  key: string;
  info: OperatorInfo;
}

interface Slot {
  name: string;
  types: Set<string>;
  required: boolean;
}

/** Parameters that are of no use from JavaScript and are left out of signatures. */
const hidden = new Set(["layout", "pin_memory"]);
const reserved = new Set(["self", "default", "in", "function"]);

function camel(name: string): string {
  return name.replace(/^_+/, "").replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function nameOf(parameter: ParameterInfo): string {
  const name = camel(parameter.name);
  return reserved.has(name) ? `${name}Tensor` : name;
}

function typeOf(type: string): string {
  const optional = type.endsWith("?");
  const bare = optional ? type.slice(0, -1) : type;
  const list = bare.endsWith("[]");
  const element = list ? bare.slice(0, -2) : bare;
  const single: Record<string, string> = {
    Tensor: "Tensor",
    "Tensor?": "Tensor | undefined",
    int: "number",
    SymInt: "number",
    float: "number",
    bool: "boolean",
    Scalar: "Scalar",
    str: "string",
    Device: "Device",
    MemoryFormat: "MemoryFormat",
    ScalarType: "DType",
    Generator: "Generator",
  };
  const found = single[element];
  if (!found) throw new Error(`no TypeScript type for ${type}`);
  if (!list) return found;
  return found.includes(" ") ? `readonly (${found})[]` : `readonly ${found}[]`;
}

function lowered(parameter: ParameterInfo, value: string): string {
  if (parameter.type.startsWith("Tensor[]") || parameter.type.startsWith("Tensor?[]")) {
    return `hs(${value} as readonly Tensor[])`;
  }
  if (parameter.type.startsWith("Tensor")) return `h(${value} as Tensor)`;
  if (parameter.type.startsWith("Generator")) return `g(${value})`;
  return value;
}

function resultType(info: OperatorInfo): string {
  const one = (type: string) =>
    ({ Tensor: "Tensor", "Tensor[]": "Tensor[]", Scalar: "Scalar", bool: "boolean", int: "number" })[type] ??
    "unknown";
  if (info.results.length === 0) return "void";
  return info.results.length === 1 ? one(info.results[0]!) : `[${info.results.map(one).join(", ")}]`;
}

function resultOf(info: OperatorInfo, call: string): string {
  if (info.results.length === 0) return call;
  if (info.results.length > 1) return `wrapAll(${call}) as ${resultType(info)}`;
  if (info.results[0] === "Tensor[]") return `wrapAll(${call})`;
  return info.results[0] === "Tensor" ? `wrap(${call})` : call;
}

/** A condition, as source, that holds for arguments of `mine` and not for those of `other`. */
function testFor(
  value: string,
  mine: ParameterInfo | undefined,
  other: ParameterInfo | undefined,
): string | undefined {
  if (!mine) return `${value} === undefined`;
  if (!other) return `${value} !== undefined`;
  if (mine.type === other.type) return undefined;
  const isList = (type: string) => type.includes("[]");
  if (isList(mine.type) !== isList(other.type))
    return isList(mine.type) ? `Array.isArray(${value})` : `!Array.isArray(${value})`;
  const probe = isList(mine.type) ? `(${value} as readonly unknown[])[0]` : value;
  return mine.type.startsWith("Tensor") ? `typeof ${probe} === "object"` : `typeof ${probe} !== "object"`;
}

export class Wrapper {
  private readonly overloads: Overload[];
  private readonly entry: Entry;
  private readonly method: boolean;
  readonly name: string;

  constructor(entry: Entry, { method }: { method: boolean }) {
    this.entry = entry;
    this.method = method;
    this.name = entry.as ?? camel(entry.name);
    this.overloads = entry.overloads.map((written) => {
      const key = written === "-" ? "" : written;
      const id = native.resolve(`aten::${entry.name}`, key);
      if (id < 0) throw new Error(`libtorch ${native.version()} has no aten::${entry.name}.${key}`);
      const suffix = entry.overloads.length > 1 && key ? `_${key}` : "";
      return { id: `op_${entry.name}${suffix}`, key, info: native.schema(id) };
    });
  }

  /** The variables that hold the operators' ids from their first call on: looking one up loads the addon. */
  variables(): string {
    return this.overloads.map(({ id }) => `let ${id}: number | undefined;`).join("\n");
  }

  private visible({ info }: Overload): { positional: ParameterInfo[]; named: ParameterInfo[] } {
    const shown = info.parameters
      .slice(this.method ? 1 : 0)
      .filter((parameter) => !hidden.has(parameter.name));
    // A parameter that one overload takes by keyword only (`alpha` of add.Tensor) is an option in all of them.
    const byPosition = ({ name }: ParameterInfo) =>
      this.entry.positional ||
      !this.overloads.some((other) =>
        other.info.parameters.some((each) => each.name === name && each.keywordOnly),
      );
    return {
      positional: shown.filter(byPosition),
      named: shown.filter((parameter) => !byPosition(parameter)),
    };
  }

  /** The positional parameters, those that the overloads have at one place joined into one. */
  private slots(): Slot[] {
    const lists = this.overloads.map((overload) => this.visible(overload).positional);
    const longest = lists.reduce((a, b) => (b.length > a.length ? b : a));
    const slots = longest.map((parameter, i): Slot => {
      const there = lists.map((list) => list[i]);
      const types = new Set<string>();
      for (const each of there) {
        if (!each) continue;
        types.add(typeOf(each.type));
        // `int[2]` takes a single number too; the schema's text keeps the count.
        if (/^(Sym)?[iI]nt\[\]/.test(each.type) && this.expands(each.name)) types.add("number");
      }
      const required = there.every((each) => each && each.default === undefined && !each.type.endsWith("?"));
      return { name: nameOf(parameter), types, required };
    });
    // An optional parameter may not stand before a required one.
    const lastRequired = slots.map((slot) => slot.required).lastIndexOf(true);
    slots.forEach((slot, i) => {
      if (i < lastRequired && !slot.required) {
        slot.required = true;
        slot.types.add("undefined");
      }
    });
    return slots;
  }

  private expands(parameter: string): boolean {
    return this.overloads.some(({ info }) =>
      new RegExp(`int\\[\\d+\\]\\??\\s+${parameter}\\b`, "i").test(info.text),
    );
  }

  private options(): ParameterInfo[] {
    const all = new Map<string, ParameterInfo>();
    for (const overload of this.overloads) {
      for (const parameter of this.visible(overload).named) all.set(parameter.name, parameter);
    }
    return [...all.values()];
  }

  private call(overload: Overload, slots: Slot[]): string {
    const { positional } = this.visible(overload);
    const args = overload.info.parameters.map((parameter, i) => {
      if (this.method && i === 0) return "this.handle";
      if (hidden.has(parameter.name)) return "undefined";
      const place = positional.indexOf(parameter);
      const value = place >= 0 ? slots[place]!.name : `options.${nameOf(parameter)}`;
      const fallback = this.entry.defaults?.[parameter.name];
      return lowered(parameter, fallback ? `${value} ?? ${fallback}` : value);
    });
    while (args.at(-1) === "undefined") args.pop();
    const { id, key } = overload;
    const lookUp = `${id} ??= operator("aten::${this.entry.name}", "${key}");\n`;
    const call = `native.call(${[id, ...args].join(", ")})`;
    if (!overload.info.returnsArguments && overload.info.results.length > 0)
      return `${lookUp}return ${resultOf(overload.info, call)};`;
    return this.method ? `${lookUp}${call};\n return this;` : `${lookUp}${call};`;
  }

  private body(slots: Slot[]): string {
    const lists = this.overloads.map((overload) => this.visible(overload).positional);
    const statements = this.overloads.map((overload, i) => {
      const tests = new Set<string>();
      for (const later of lists.slice(i + 1)) {
        const differing = slots
          .map((slot, at) => testFor(slot.name, lists[i]![at], later[at]))
          .find((test) => test);
        if (differing) tests.add(differing);
      }
      // The overloads of `where` differ in two places at once, so that the test has to look at every place.
      if (this.entry.name === "where") {
        tests.clear();
        slots.forEach((slot, at) => {
          const type = lists[i]![at]!.type;
          if (at > 0 && i < lists.length - 1)
            tests.add(`typeof ${slot.name} ${type === "Tensor" ? "===" : "!=="} "object"`);
        });
      }
      const run = this.call(overload, slots);
      if (tests.size === 0) return run;
      const leave = run.includes("return") ? "" : " return;";
      return `if (${[...tests].join(" && ")}) { ${run}${leave} }`;
    });
    return statements.join("\n");
  }

  /** The wrapper's source with its doc comment. */
  source(): string {
    const slots = this.slots();
    const options = this.options();
    const parameters = slots.map(
      ({ name, types, required }) => `${name}${required ? "" : "?"}: ${[...types].join(" | ")}`,
    );
    if (options.length > 0) {
      const fields = options.map((option) => `${nameOf(option)}?: ${typeOf(option.type)} | undefined`);
      parameters.push(`options: { ${fields.join("; ")} } = {}`);
    }
    const { info } = this.overloads[0]!;
    const inPlace = info.returnsArguments || info.results.length === 0;
    const result = inPlace ? (this.method ? "this" : "void") : resultType(info);
    const schemas = this.overloads.map((overload) => ` * \`${overload.info.text}\``).join("\n");
    const head = this.method ? this.name : `export function ${this.name}`;
    return `/**\n * ${this.entry.summary}\n *\n${schemas}\n */\n${head}(${parameters.join(", ")}): ${result} {\n${this.body(slots)}\n}\n`;
  }
}
