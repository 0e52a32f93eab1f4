import { assert } from "../base/assert.js";
import type { Rng } from "../base/rng.js";

/** One parameter and the values it may have. */
export type Dimension =
  | {
      readonly name: string;
      readonly kind: "integer" | "number";
      readonly min: number;
      readonly max: number;
      /** Distance of the values from the least on; 1 for integers, and any value between for numbers, by default. */
      readonly step?: number;
      /** Sought evenly by factors instead of by differences; the least is then above 0. */
      readonly log?: boolean;
    }
  | { readonly name: string; readonly kind: "choice"; readonly options: readonly Choice[] };

export type Choice = string | number | boolean;

/** Values of all parameters by name. */
export type Point = Readonly<Record<string, Choice>>;

/** What may be tried: the parameters, and what their values must fulfil together. */
export interface Space {
  readonly dimensions: readonly Dimension[];
  /** Why values that are each within range may not be tried together, or null. */
  problem?(point: Point): string | null;
}

/** Throws an AssertionError for ranges without a value and names that are there twice. */
export function checkSpace({ dimensions }: Space): void {
  const names = new Set(dimensions.map(({ name }) => name));
  assert(names.size === dimensions.length && names.size > 0, "parameters have names of their own");
  for (const dimension of dimensions) {
    const { name } = dimension;
    if (dimension.kind === "choice") assert(dimension.options.length > 0, `${name} has no option`);
    else {
      const { kind, min, max, step, log } = dimension;
      assert(Number.isFinite(min) && Number.isFinite(max) && min <= max, `range of ${name}`);
      assert(step === undefined || step > 0, `step of ${name}`);
      assert(log !== true || min > 0, `${name} is sought by factors of something above 0`);
      const whole = [min, max, step ?? 1].every(Number.isInteger);
      assert(kind === "number" || whole, `${name} has whole bounds and steps`);
    }
  }
}

/** How many values a parameter has; infinite for any number between two. */
export function valueCount(dimension: Dimension): number {
  if (dimension.kind === "choice") return dimension.options.length;
  const { min, max } = dimension;
  const step = stepOf(dimension);
  if (min === max) return 1;
  // A range that is a whole number of steps has its end, whatever doubles lack.
  return step === null ? Number.POSITIVE_INFINITY : Math.floor((max - min) / step + 1e-9) + 1;
}

function stepOf(dimension: Exclude<Dimension, { kind: "choice" }>): number | null {
  return dimension.step ?? (dimension.kind === "integer" ? 1 : null);
}

/** One of the values of a parameter that has so many, from the least on. */
export function valueAt(dimension: Dimension, index: number): Choice {
  if (dimension.kind === "choice") return dimension.options[index];
  // Rounded, so that 0.1 three times is 0.3.
  return Number((dimension.min + index * (stepOf(dimension) ?? 0)).toPrecision(12));
}

/** Place of a value within its range, 0..1; of one of a number of values the middle of its part. */
export function placeOf(dimension: Dimension, value: Choice): number {
  const count = valueCount(dimension);
  if (dimension.kind === "choice") return (dimension.options.indexOf(value) + 0.5) / count;
  const { min, max, log = false } = dimension;
  const of = Number(value);
  if (min === max) return 0.5;
  if (log) return Math.log(of / min) / Math.log(max / min);
  if (!Number.isFinite(count)) return (of - min) / (max - min);
  return (Math.round((of - min) / (stepOf(dimension) ?? 1)) + 0.5) / count;
}

/** The value at a place. */
export function valueNear(dimension: Dimension, place: number): Choice {
  const count = valueCount(dimension);
  if (dimension.kind === "choice" || dimension.log !== true) {
    if (Number.isFinite(count)) return valueAt(dimension, Math.min(count - 1, Math.floor(place * count)));
  }
  if (dimension.kind === "choice") return dimension.options[0];
  const { min, max, log = false } = dimension;
  if (!log) return min + place * (max - min);
  const of = Math.min(max, Math.max(min, min * (max / min) ** place));
  const step = stepOf(dimension);
  return step === null ? of : valueAt(dimension, Math.min(count - 1, Math.round((of - min) / step)));
}

/** How many points a space has before what they must fulfil; infinite with any number between two. */
export function gridSize({ dimensions }: Space): number {
  return dimensions.reduce((size, dimension) => size * valueCount(dimension), 1);
}

/** All points of a space that may be tried, the last parameter changing first. The space is finite. */
export function gridOf(space: Space): Point[] {
  checkSpace(space);
  assert(Number.isFinite(gridSize(space)), "a grid needs steps");
  let points: Point[] = [{}];
  for (const dimension of space.dimensions) {
    const values = Array.from({ length: valueCount(dimension) }, (_, k) => valueAt(dimension, k));
    points = points.flatMap((point) => values.map((value) => ({ ...point, [dimension.name]: value })));
  }
  return points.filter((point) => isAllowed(space, point));
}

export function isAllowed(space: Space, point: Point): boolean {
  return space.problem === undefined || space.problem(point) === null;
}

/** A name for a point: equal ones have the same. */
export function keyOf({ dimensions }: Space, point: Point): string {
  return JSON.stringify(dimensions.map(({ name }) => point[name]));
}

/** A point anywhere in a space with the same chance, whether it may be tried or not. */
export function anyPoint({ dimensions }: Space, rng: Rng): Point {
  return Object.fromEntries(
    dimensions.map((dimension) => [dimension.name, valueNear(dimension, rng.next())]),
  );
}
