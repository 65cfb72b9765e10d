/** How timm names the parts of a network, beside torchvision's names, which are Lyceum's. */
export interface NameTable {
  /** The family of networks in timm. */
  family: string;
  /** Pairs of paths of modules: torchvision's and timm's. Paths that stand in no pair are the same in both. */
  modules: readonly (readonly [torchvision: string, timm: string])[];
  /**
   * Linear layers of torchvision's that are convolutions in timm: the window [height, width] by torchvision's path. A
   * weight [O, I * height * width] is [O, I, height, width] there.
   */
  convolutions?: Readonly<Record<string, readonly [height: number, width: number]>>;
}
