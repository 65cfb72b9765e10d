import { Sequential } from "./sequential.js";

/**
 * The blocks of one stage of a residual network, one after another, named "0", "1", …: a {@link Sequential} by another
 * name. Consecutive {@link BasicBlock}s are computed together where an operator serves; blocks of other classes by their
 * own `forward`.
 */
export class ResidualStage extends Sequential {}
