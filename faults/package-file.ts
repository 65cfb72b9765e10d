/** A file of the package, seen from the sources as well as from what tsc makes of them in build/faults. */
export function packageFile(name: string): URL {
  const here = new URL(".", import.meta.url);
  return new URL(here.pathname.endsWith("/build/faults/") ? `../../${name}` : `../${name}`, here);
}
