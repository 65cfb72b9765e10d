let exact = false;

/** Whether convolutions keep to kernels that round as the definition does; see {@link setExactConvolutions}. */
export function exactConvolutions(): boolean {
  return exact;
}

/**
 * On some processors 3x3 convolutions of 32 channels and more take Winograd's algorithm, which needs a quarter of the
 * products and rounds more coarsely. Asking for exact ones costs time and gives what the definition gives, to float32's
 * rounding. Of the whole process, as the number of threads is. Default: false.
 */
export function setExactConvolutions(on: boolean): void {
  exact = on;
}
