/** `left_shoulder` as `left shoulder`. */
export function spoken(name: string): string {
  return name.replaceAll("_", " ");
}

/** A value as JSON that tells apart what JSON alone does not: NaN, both infinities, and 0 from -0. */
export function exactText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== "number") return each;
    if (!Number.isFinite(each)) return String(each);
    return Object.is(each, -0) ? "-0" : each;
  });
}
