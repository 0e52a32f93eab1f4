import { WeightsRefused } from "./define.js";

/** Fields of a plain object that has these and no others. @throws {WeightsRefused} */
export function readFields<Key extends string>(
  value: unknown,
  keys: readonly Key[],
  what: string,
): Readonly<Record<Key, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new WeightsRefused(`${what} is no object`);
  const fields = value as Record<string, unknown>;
  for (const key of keys) if (!Object.hasOwn(fields, key)) throw new WeightsRefused(`${what} has no ${key}`);
  for (const key of Object.keys(fields))
    if (!keys.some((known) => known === key)) throw new WeightsRefused(`${what} has an unknown ${key}`);
  return fields as Readonly<Record<Key, unknown>>;
}

/** A list of `length`, or of any where it is null. @throws {WeightsRefused} */
export function readList(value: unknown, length: number | null, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WeightsRefused(`${what} is no list`);
  if (length !== null && value.length !== length)
    throw new WeightsRefused(`${what} has ${value.length} values instead of ${length}`);
  return value;
}

/** A finite number, within bounds where they are given. @throws {WeightsRefused} */
export function readNumber(value: unknown, what: string, least = -Infinity, most = Infinity): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new WeightsRefused(`${what} is no finite number`);
  if (value < least || value > most) throw new WeightsRefused(`${what} is out of bounds`);
  return value;
}

/** A whole number, within bounds where they are given. @throws {WeightsRefused} */
export function readWhole(value: unknown, what: string, least = -Infinity, most = Infinity): number {
  const read = readNumber(value, what, least, most);
  if (!Number.isInteger(read)) throw new WeightsRefused(`${what} is no whole number`);
  return read;
}

/** A column of finite numbers. @throws {WeightsRefused} */
export function readColumn(
  value: unknown,
  length: number | null,
  what: string,
  least = -Infinity,
  most = Infinity,
): Float64Array {
  const list = readList(value, length, what);
  return Float64Array.from(list, (each) => readNumber(each, `a value of ${what}`, least, most));
}

/** Names, each once. @throws {WeightsRefused} */
export function readNames(value: unknown, what: string): readonly string[] {
  const names = readList(value, null, what).map((name) => {
    if (typeof name !== "string" || name === "") throw new WeightsRefused(`${what} has what is no name`);
    return name;
  });
  if (new Set(names).size < names.length) throw new WeightsRefused(`${what} has a name twice`);
  return names;
}
