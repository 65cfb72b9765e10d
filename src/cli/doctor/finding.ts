/** One thing that `lyceum doctor` has looked at. */
export interface Finding {
  name: string;
  /** "warning" where Lyceum works, but slower or with less; the detail then says what to do. */
  state: "ok" | "warning" | "failure";
  detail: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail });
export const warning = (name: string, detail: string): Finding => ({ name, state: "warning", detail });
export const failure = (name: string, detail: string): Finding => ({ name, state: "failure", detail });

/** Writes bytes as GiB, with a digit behind the point. */
export const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
