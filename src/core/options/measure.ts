/** A number, or why there is none. */
export type Measure =
  | { readonly value: number; readonly reason: null }
  | { readonly value: null; readonly reason: string };

export function measured(value: number): Measure {
  return { value, reason: null };
}

export function unmeasured(reason: string): Measure {
  return { value: null, reason };
}
