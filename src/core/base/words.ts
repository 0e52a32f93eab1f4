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

/** Whether two plain values are the same to the last bit: NaN is NaN, and 0 is not -0. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const [ours, theirs] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(ours);
  if (keys.length !== Object.keys(theirs).length) return false;
  for (const key of keys) if (!Object.hasOwn(theirs, key) || !isSame(ours[key], theirs[key])) return false;
  return true;
}
