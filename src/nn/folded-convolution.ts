import * as torch from "../torch/index.js";
import { applyEpilogue, type Epilogue } from "./batch-norm2d.js";
import { isExactly, remember } from "./by-class.js";
import { Conv2d } from "./conv2d.js";
import { convolveAndAdd, convolveAndRectify } from "./cpu/convolution.js";
import { Module } from "./module.js";

/** A pair that was folded although the network does not apply the batch norm right after the convolution, and only it. */
export class FoldingError extends Error {
  override name = "FoldingError";
}

/** Where a pair stands in a network, for messages. */
interface Place {
  /** The path of the module that names the pair; empty for the network itself. */
  owner: string;
  convolution: string;
  batchNorm: string;
}

function wrong({ owner, convolution, batchNorm }: Place, what: string): FoldingError {
  const module = owner ? `module ${owner}` : "the network";
  return new FoldingError(
    `${module}: batchNormPairs names ["${convolution}", "${batchNorm}"], but ${what}: a pair can be folded only where ` +
      `forward gives the result of ${convolution} to ${batchNorm}, unchanged and to nothing else; take it out of the pairs`,
  );
}

/** What a {@link DeferredConvolution} was given, and how often that had been written to by then. */
interface Deferred {
  source: DeferredConvolution;
  input: torch.Tensor;
  version: number | undefined;
}

const deferred = new WeakMap<torch.Tensor, Deferred>();

/** @internal Whether this stands for the result of a {@link DeferredConvolution}, of which nothing may be asked. */
export function isDeferred(x: torch.Tensor): boolean {
  return deferred.has(x);
}

/** The count of writes to a tensor; undefined in inference mode, where none is kept. */
function versionOf(x: torch.Tensor): number | undefined {
  return torch.op("aten::is_inference", x) ? undefined : torch.op("aten::_version", x);
}

/**
 * Stands for a tensor that is not computed until the batch norm's place is reached. Whoever does anything else with it
 * learns that the pair may not be folded. The input is a property, so that a scope that hands this on hands it on too.
 */
function standIn(source: DeferredConvolution, input: torch.Tensor): torch.Tensor {
  const target = Object.assign(Object.create(torch.Tensor.prototype), { input });
  const harmless = () => undefined;
  const proxy: torch.Tensor = new Proxy(target, {
    get(_, key) {
      if (key === "input") return input;
      if (key === "dispose" || key === Symbol.dispose) return harmless;
      if (key === "owner" || key === "then" || key === Symbol.toStringTag) return undefined;
      throw wrong(source.place, `something else than ${source.place.batchNorm} uses the result`);
    },
  });
  deferred.set(proxy, { source, input, version: versionOf(input) });
  return proxy;
}

/**
 * Stands in the place of a convolution that was folded. It hands its input on to the {@link FoldedConvolution} in the
 * batch norm's place, which convolves, adds and rectifies in one pass over memory.
 */
export class DeferredConvolution extends Module {
  /** @internal Where the pair stood, for messages. */
  readonly place: Place;

  static {
    remember(DeferredConvolution);
  }

  constructor(place: Place) {
    super();
    this.place = place;
  }

  /** @returns a stand-in for the result, of use to the pair's other half only */
  override forward(x: torch.Tensor): torch.Tensor {
    return standIn(this, x);
  }

  /** A folded convolution has no weights of its own left. @throws FoldingError always */
  get weight(): never {
    throw wrong(this.place, `forward uses the weights of ${this.place.convolution} itself`);
  }

  /** A folded convolution has no bias of its own left. @throws FoldingError always */
  get bias(): never {
    return this.weight;
  }
}

/**
 * What a convolution and its batch norm become when a network is frozen: one convolution. It stands in the batch norm's
 * place, and what its partner in the convolution's place was given is what it convolves.
 */
export class FoldedConvolution extends Module {
  readonly convolution: Conv2d;
  readonly #source: DeferredConvolution;

  static {
    remember(FoldedConvolution);
  }

  /** @param convolution with the batch norm in its weights and bias; @param source the partner in its old place */
  constructor(convolution: Conv2d, source: DeferredConvolution) {
    super();
    this.convolution = convolution;
    this.#source = source;
  }

  /** @internal Whether the two are halves of one pair, and both as their classes were written. */
  follows(module: Module): boolean {
    const isPair = module === this.#source && isExactly(module, DeferredConvolution);
    return isPair && isExactly(this.convolution, Conv2d);
  }

  /**
   * The tensor that is convolved.
   *
   * @param handed what {@link FoldedConvolution.forward} is given
   * @throws FoldingError when that is anything but what the pair's other half returned
   */
  inputOf(handed: torch.Tensor): torch.Tensor {
    const found = deferred.get(handed);
    const { place } = this.#source;
    if (found?.source !== this.#source) {
      throw wrong(place, `${place.batchNorm} is given something else`);
    }
    if (found.version !== undefined && found.version !== versionOf(found.input)) {
      throw wrong(place, "what was convolved is written to before the batch norm");
    }
    return found.input;
  }

  /**
   * @param handed what the pair's other half returned
   * @param epilogue what follows, done in the same pass over memory
   * @throws FoldingError when it is anything else
   */
  override forward(handed: torch.Tensor, epilogue: Epilogue = {}): torch.Tensor {
    return this.convolve(this.inputOf(handed), epilogue);
  }

  /** @internal The result for the tensor itself. @param x [N, C, H, W] or in blocks of channels */
  convolve(x: torch.Tensor, epilogue: Epilogue = {}): torch.Tensor {
    const { residual, overwriteResidual: overwrite = false, relu = false } = epilogue;
    const { convolution } = this;
    const own = isExactly(convolution, Conv2d) ? convolution : undefined;
    const fused =
      own &&
      (residual ? convolveAndAdd(own, x, residual, { relu, overwrite }) : relu && convolveAndRectify(own, x));
    return fused || applyEpilogue(convolution.forward(x), epilogue);
  }

  /** The batch norm's own weights are gone. @throws FoldingError always */
  get weight(): never {
    const { place } = this.#source;
    throw wrong(place, `forward uses the weights of ${place.batchNorm} itself`);
  }

  /** As {@link FoldedConvolution.weight}. @throws FoldingError always */
  get bias(): never {
    return this.weight;
  }

  /** As {@link FoldedConvolution.weight}. @throws FoldingError always */
  get runningMean(): never {
    return this.weight;
  }

  /** As {@link FoldedConvolution.weight}. @throws FoldingError always */
  get runningVar(): never {
    return this.weight;
  }
}
