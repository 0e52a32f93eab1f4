import type { Boundary, Check, FormationPoint, PatternVariant } from "../define.js";

/** A straight line through a bar: a level where its slope is 0. */
export interface Line {
  readonly at: number;
  readonly price: number;
  /** Price per bar. */
  readonly slope: number;
}

/** Value of a line at a bar. */
export function valueAt({ at, price, slope }: Line, bar: number): number {
  return price + slope * (bar - at);
}

export function level(at: number, price: number): Line {
  return { at, price, slope: 0 };
}

export function through(at: number, price: number, laterAt: number, laterPrice: number): Line {
  return { at, price, slope: slopeOf(at, price, laterAt, laterPrice) };
}

/** Price per bar from one bar to a later one. */
export function slopeOf(at: number, price: number, laterAt: number, laterPrice: number): number {
  return (laterPrice - price) / (laterAt - at);
}

/** A line of a shape as it is shown: up to the bar of a hit, or to where it ends by itself. */
export interface Edge {
  readonly role: Boundary["role"];
  /** Where it begins, as its boundaries have it. */
  readonly begin: { readonly at: number; readonly price: number };
  readonly line: Line;
  readonly until: number | null;
}

/** A line as an edge that begins at the line's own bar. */
export function edge(role: Edge["role"], line: Line, until: number | null = null): Edge {
  return { role, begin: { at: line.at, price: line.price }, line, until };
}

/** What a close beyond a line means: which variant, how far price should then go, and what would refute it. */
export interface Exit {
  readonly variant: PatternVariant;
  readonly trigger: Line;
  readonly stop: Line;
  /** Distance from the trigger to the target; positive. */
  readonly reach: number;
}

/** A shape whose points are known, before it is asked what became of it. */
export interface ChartShape {
  /** What it is expected to do; the other thing it may do, where the shape itself does not refute that. */
  readonly expected: Exit;
  readonly other: Exit | null;
  readonly start: number;
  /** Bar of the last point, and the bar at which it was known. */
  readonly lastAt: number;
  readonly formedAt: number;
  /** Bars after `formedAt` in which price must leave the shape. */
  readonly patience: number;
  readonly quality: number;
  /** How many points it has. */
  readonly size: number;
  /** What there is to show of it; most shapes are never told of, so it is put together for the first hit. */
  describe(): Description;
  /** What `describe` gave for the first hit, which the later ones show too; null before. */
  description: Description | null;
}

export interface Description {
  readonly points: readonly FormationPoint[];
  readonly edges: readonly Edge[];
  readonly checks: readonly Check[];
}

/** Both lists in one. A spread would leave room for it to grow, which every hit would keep. */
export function joined<Item>(first: readonly Item[], second: readonly Item[]): readonly Item[] {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const all = new Array<Item>(first.length + second.length);
  for (let n = 0; n < first.length; n++) all[n] = first[n];
  for (let n = 0; n < second.length; n++) all[first.length + n] = second[n];
  return all;
}

/** 1 at `ideal`, 0 at `limit` and beyond, straight between. */
export function grade(value: number, ideal: number, limit: number): number {
  const share = (value - limit) / (ideal - limit);
  return share > 1 ? 1 : share > 0 ? share : 0;
}

export function mean(grades: readonly number[]): number {
  let sum = 0;
  for (const value of grades) sum += value;
  return sum / grades.length;
}

/** A comparison that holds where the value is at least, or at most, the threshold. */
export function atLeast(name: string, value: number, threshold: number): Check {
  return Number.isFinite(value)
    ? { name, passed: value >= threshold, value, threshold }
    : { name, passed: null, value: null, threshold };
}

export function atMost(name: string, value: number, threshold: number): Check {
  return Number.isFinite(value)
    ? { name, passed: value <= threshold, value, threshold }
    : { name, passed: null, value: null, threshold };
}

/** Bars that a shape is waited for at most. */
export const LONGEST_WAIT = 50;

/** Bars that a shape is waited for: as many as it spans, at least eight. */
export function patienceOf(span: number): number {
  return Math.min(LONGEST_WAIT, Math.max(8, span));
}
