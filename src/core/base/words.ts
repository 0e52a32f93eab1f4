/** `left_shoulder` as `left shoulder`. */
export function spoken(name: string): string {
  return name.replaceAll("_", " ");
}
