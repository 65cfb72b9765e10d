/**
 * Random programs for the fuzz test, as plain data: printable, and the same again from the same seed. `run.ts`
 * carries them out.
 */
import fc from "fast-check";
import { operatorNames, schemaOf } from "../dispatch.js";
import { type Family, families, familyOf } from "./families.js";

/** Says how a tensor is made. */
export interface TensorPlan {
  /** A shape, or in words the program's own shape or one size of it, so that operators often meet shapes that fit. */
  shape: number[] | "whole" | "first" | "second" | "last";
  /** The program's own where undefined. */
  dtype: string | undefined;
  layout: (typeof layouts)[number];
  fill: (typeof fills)[number];
  grad: boolean;
  disposed: boolean;
}

/** An argument; what JSON cannot hold is made when the program runs. */
export type Plan =
  | { tensor: TensorPlan }
  | { earlier: number }
  | { generator: number }
  | { list: Plan[] }
  /** An array whose element 0 is a getter that disposes of the program's tensors. */
  | { trap: Plan }
  /** An array of this many holes. */
  | { holes: 3 | 2097152 | 4294967295 }
  | { value: unknown };

export type Step =
  | { op: string; args: Plan[]; background: boolean }
  /** A method of a tensor, or a function of the module. */
  | { method: number; self: Plan; args: Plan[] }
  | { call: number; args: Plan[] }
  /** A function of the addon, past everything that TypeScript checks. */
  | { raw: number; args: Plan[] }
  | { backward: Plan; gradient: Plan; retain: boolean }
  | { gradOf: Plan; inputs: Plan; gradient: Plan; createGraph: boolean }
  | { read: Plan };

export interface Program {
  shape: number[];
  dtype: string;
  steps: Step[];
}

const layouts = [
  "contiguous",
  "transposed",
  "channelsLast",
  "strided",
  "expanded",
  "offset",
  "overlapping",
  "conjugate",
  "negative",
] as const;
const fills = ["small", "zeros", "ones", "counts", "negative", "extreme", "nan", "mixed"] as const;

const shape = fc.constantFrom(
  ...[[], [0], [1], [3], [4], [7], [2, 3], [3, 3], [3, 2], [1, 1], [2, 0], [0, 3], [4, 4], [64, 33]],
  ...[
    [1, 2, 3],
    [2, 3, 4],
    [0, 3, 3],
    [3, 3, 3],
    [2, 2, 4, 4],
    [1, 1, 1, 1],
    [2, 3, 5, 5],
    [3, 2, 3, 3],
  ],
  ...[
    [0, 2, 4, 4],
    [2, 0, 4, 4],
    [1, 2, 3, 4, 4],
    [2, 16, 8, 8],
    [0, 0, 0],
    [2, 2, 2, 2, 2, 2],
  ],
);
/** Shapes that operators of a family take often: square matrices, images and their weights, vectors of indices. */
const familyShapes: Record<Family, fc.Arbitrary<number[]>> = {
  "linear algebra": fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<number[]>(
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [2, 3, 3],
        [1, 2, 2],
        [2, 2, 4, 4],
      ),
    },
    { weight: 2, arbitrary: shape },
  ),
  "neural network": fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<number[]>(
        [2, 3],
        [4, 4, 4],
        [2, 2, 4, 4],
        [2, 2, 7, 5],
        [4, 4, 3, 3],
        [2, 2, 4, 4, 4],
      ),
    },
    { weight: 2, arbitrary: shape },
  ),
  indexing: shape,
  other: shape,
};
const dtype = fc.oneof(
  { weight: 6, arbitrary: fc.constant("float32") },
  { weight: 3, arbitrary: fc.constantFrom("int64", "float64") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...["float16", "bfloat16", "int32", "uint8", "bool", "int8", "int16", "complex64", "complex128"],
    ),
  },
);

const tensorPlan: fc.Arbitrary<TensorPlan> = fc.record({
  shape: fc.oneof(
    { weight: 6, arbitrary: fc.constant("whole" as const) },
    { weight: 2, arbitrary: fc.constantFrom("first" as const, "second" as const, "last" as const) },
    { weight: 3, arbitrary: shape },
  ),
  dtype: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant("int64") },
    { weight: 1, arbitrary: dtype },
  ),
  layout: fc.oneof(
    { weight: 3, arbitrary: fc.constant("contiguous" as const) },
    { weight: 2, arbitrary: fc.constantFrom(...layouts) },
  ),
  fill: fc.constantFrom(...fills),
  grad: fc.boolean(),
  disposed: fc.nat(60).map((n) => n === 0),
});

/** A tensor as parameters of some names want it. */
const named = (dtype: string, fill: TensorPlan["fill"][]): fc.Arbitrary<Plan> =>
  fc
    .record({
      shape: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom("whole" as const, "first" as const, "last" as const) },
        { weight: 1, arbitrary: shape },
      ),
      dtype: fc.constant(dtype),
      layout: fc.oneof(
        { weight: 3, arbitrary: fc.constant("contiguous" as const) },
        { weight: 1, arbitrary: fc.constantFrom(...layouts) },
      ),
      fill: fc.constantFrom(...fill),
      grad: fc.constant(false),
      disposed: fc.constant(false),
    })
    .map((tensor) => ({ tensor }));

const int = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: -2, max: 5 }) },
  { weight: 2, arbitrary: fc.integer({ min: -20, max: 70 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<number | bigint>(
      ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 40, -(2 ** 40), 2 ** 53 - 1, -(2 ** 53) + 1],
      ...[2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 61n + 1n],
    ),
  },
);
const float = fc.oneof(
  fc.constantFrom(0, 1, 0.5, -1, 2, 1e-5, 0.1),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300, 5e-324),
  fc.double({ min: -4, max: 4, noNaN: true }),
);
const words = fc.constantFrom(
  ...["mean", "sum", "none", "constant", "reflect", "replicate", "circular", "linear", "nearest", "bilinear"],
  ...[
    "floor",
    "trunc",
    "ij",
    "xy",
    "ij,jk->ik",
    "...ii->i",
    "tanh",
    "fro",
    "nuc",
    "L",
    "U",
    "reduced",
    "complete",
  ],
  ...["complete", "prod", "amax", "amin", "left", "right", "cpu", "inf", "", "i".repeat(300), "😀\u0000x"],
);
const raw = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    "",
    "cpu",
    Number.NaN,
    0.5,
    5,
    -1,
    2n ** 70n,
    Symbol.iterator,
  ),
  fc.constantFrom<unknown>(
    { handle: 5 },
    { handle: 1, owner: undefined },
    { generatorHandle: 1 },
    [[[]]],
    {},
  ),
  int,
  float,
  fc.string({ maxLength: 4 }),
);
const value = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Plan> => arbitrary.map((value) => ({ value }));
const anything: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 6, arbitrary: value(raw) },
  { weight: 1, arbitrary: fc.constantFrom(3, 2097152, 4294967295).map((holes) => ({ holes }) as Plan) },
);
const tensor: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 5, arbitrary: tensorPlan.map((tensor) => ({ tensor })) },
  { weight: 3, arbitrary: fc.nat(5).map((earlier) => ({ earlier })) },
);

const devices = [
  "cpu",
  "cpu",
  "cpu:0",
  "cpu:3",
  "cuda",
  "cuda:9",
  "meta",
  "mkldnn",
  "xla",
  "lazy",
  "vulkan",
  "ort",
];
const scalars: Record<string, fc.Arbitrary<Plan>> = {
  Tensor: tensor,
  int: value(int),
  SymInt: value(int),
  float: value(fc.oneof({ weight: 8, arbitrary: float }, { weight: 1, arbitrary: int })),
  bool: value(fc.boolean()),
  Scalar: value(fc.oneof(float, int, fc.boolean())),
  str: value(words),
  Device: value(fc.constantFrom(...devices)),
  Layout: value(fc.constantFrom("strided", "sparse")),
  MemoryFormat: value(fc.constantFrom("contiguous", "channelsLast", "preserve", "channelsLast3d")),
  ScalarType: value(
    fc.constantFrom("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"),
  ),
  Generator: fc.nat(3).map((generator) => ({ generator })),
};

const numbers = named("int64", ["counts", "zeros", "ones"]);
const small = (min: number, max: number): fc.Arbitrary<Plan> => value(fc.integer({ min, max }));
const lengths = (min: number, max: number): fc.Arbitrary<Plan> =>
  fc.array(small(min, max), { minLength: 1, maxLength: 3 }).map((list) => ({ list }));

/** Arguments that parameters of these types and names take, so that many calls come past the checks at their door. */
const likely: readonly (readonly [type: RegExp, name: RegExp, fc.Arbitrary<Plan>])[] = [
  [/^Tensor\??$/, /^(index|indices|ind|.*target|offsets|lengths|batch_sizes|repeats|.*_indices)$/, numbers],
  [/^Tensor\??$/, /pivots$/, named("int32", ["ones", "counts"])],
  [/^Tensor\??$/, /mask$|^condition$/, named("bool", ["counts", "ones", "zeros"])],
  [/^(Sym)?Int\??$/i, /^(stride|dilation|groups|group|step|k|num_heads?)$/, small(1, 2)],
  [/^(Sym)?Int\??$/i, /^(reduction|.*mode|num_layers)$/, small(0, 2)],
  [/^(Sym)?Int\??$/i, /^dim/, small(-2, 3)],
  [/^(Sym)?Int\[\]\??$/i, /^(kernel_size|stride|dilation|output_size|.*size)$/, lengths(1, 3)],
  [/^(Sym)?Int\[\]\??$/i, /^(padding|output_padding|pad|dims?)$/, lengths(0, 1)],
];

/** An argument for a parameter: of its type, and often one that its name suggests. */
function argumentFor(type: string, name: string): fc.Arbitrary<Plan> {
  const any = ofType(type);
  const found = likely.find(([types, names]) => types.test(type) && names.test(name));
  return found ? fc.oneof({ weight: 2, arbitrary: found[2] }, { weight: 1, arbitrary: any }) : any;
}

/** An argument mostly of the right kind, so that it reaches libtorch, and now and then of any. */
function ofType(type: string): fc.Arbitrary<Plan> {
  if (type.endsWith("?")) {
    return fc.oneof(
      { weight: 2, arbitrary: value(fc.constantFrom(undefined, undefined, null)) },
      { weight: 3, arbitrary: ofType(type.slice(0, -1)) },
    );
  }
  if (type.endsWith("[]")) {
    const item = ofType(type.slice(0, -2));
    return fc.oneof(
      { weight: 30, arbitrary: fc.array(item, { maxLength: 4 }).map((list) => ({ list })) },
      { weight: 3, arbitrary: item },
      { weight: 1, arbitrary: item.map((trap) => ({ trap })) },
      { weight: 1, arbitrary: anything },
    );
  }
  const right = scalars[type];
  return right
    ? fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: anything })
    : fc.oneof({ weight: 3, arbitrary: value(fc.constant(undefined)) }, { weight: 1, arbitrary: anything });
}

const anyArgument: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 6, arbitrary: tensor },
  { weight: 4, arbitrary: value(int) },
  { weight: 2, arbitrary: value(float) },
  {
    weight: 2,
    arbitrary: fc.array(fc.oneof(tensor, value(int)), { maxLength: 4 }).map((list) => ({ list })),
  },
  {
    weight: 1,
    arbitrary: value(fc.constantFrom(...devices, "float32", "int64", "contiguous", "channelsLast")),
  },
  { weight: 3, arbitrary: anything },
);
const anyArguments = fc.array(anyArgument, { maxLength: 5 });

function callOf(op: string): fc.Arbitrary<Step> {
  const { parameters } = schemaOf(op);
  return fc
    .tuple(
      fc.tuple(...parameters.map(({ type, name }) => argumentFor(type, name))),
      // One call in twenty has too few arguments, or one too many.
      fc.oneof(
        { weight: 19, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.tuple(fc.nat(9), anything) },
      ),
      fc.nat(80),
    )
    .map(([args, wrongCount, background]) => ({
      op,
      args: wrongCount ? [...args.slice(0, wrongCount[0]), wrongCount[1]] : args,
      background: background === 0,
    }));
}

/**
 * Draws programs over the operators for which `offered` holds. Each program is of one family, from which most of its
 * operators come, and all families have as many programs.
 */
export function programs(offered: (op: string) => boolean): fc.Arbitrary<Program> {
  const calls = new Map<string, fc.Arbitrary<Step>>();
  const call = (op: string) => {
    let known = calls.get(op);
    if (!known) {
      known = callOf(op);
      calls.set(op, known);
    }
    return known;
  };
  const all = operatorNames().filter(offered).sort();
  const choose = (from: string[]) => fc.constantFrom(...from).chain(call);
  const perFamily = families.flatMap((family) => {
    const own = all.filter((op) => familyOf(op) === family);
    if (own.length === 0) return [];
    const operator = fc.oneof({ weight: 3, arbitrary: choose(own) }, { weight: 1, arbitrary: choose(all) });
    return programOf(familyShapes[family], stepOf(operator));
  });
  return fc.oneof(...perFamily);
}

function programOf(shape: fc.Arbitrary<number[]>, step: fc.Arbitrary<Step>): fc.Arbitrary<Program> {
  return fc.record({ shape, dtype, steps: fc.array(step, { minLength: 1, maxLength: 6 }) });
}

function stepOf(operator: fc.Arbitrary<Step>): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 20, arbitrary: operator },
    { weight: 2, arbitrary: fc.record({ method: fc.nat(), self: tensor, args: anyArguments }) },
    { weight: 2, arbitrary: fc.record({ call: fc.nat(), args: anyArguments }) },
    { weight: 1, arbitrary: fc.record({ raw: fc.nat(), args: anyArguments }) },
    {
      weight: 2,
      arbitrary: fc.record({ backward: tensor, gradient: ofType("Tensor?"), retain: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        gradOf: ofType("Tensor[]"),
        inputs: ofType("Tensor[]"),
        gradient: ofType("Tensor[]"),
        createGraph: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ read: tensor }) },
  );
}
