import { assert } from "../../base/assert.js";
import type { FeatureSeries } from "./series.js";

/**
 * By when a value is known. `close`: from bars up to and including its own, at the close of that. `event`: from patterns
 * that were confirmed by that close. `longer`: from longer bars that had closed by then; of one that forms nothing is
 * seen. `given`: the newest value that whoever gave the column says was known by then.
 */
export type AsOf = "close" | "event" | "longer" | "given";

/** One column to learn from, as its file writes it; what is left out has the value most rows share. */
export interface FeatureDefinition {
  /** snake_case, unique over the table. */
  readonly id: string;
  readonly title: string;
  /** What is computed, as seen by a trade that expects rising prices. */
  readonly description: string;
  /**
   * What a value of 1 is: `range` an average true range of 14 bars, `deviation` a standard deviation of as many returns,
   * `ratio` and `share` of what the description names, `flag` yes, `count` one, `weekday` one day after Monday.
   */
  readonly unit: "range" | "deviation" | "ratio" | "share" | "flag" | "count" | "weekday";
  /** Bars before the first value. */
  readonly warmup: number;
  /** Longer bars that must have closed before the one that gives the first value. */
  readonly longerWarmup?: number;
  readonly asOf?: AsOf;
  /** A trade that expects falling prices sees the value with its sign changed. */
  readonly signed?: boolean;
  /** A trade that expects falling prices sees the value of that row in this one's place, and that of this in the other's. */
  readonly opposite?: string;
  /**
   * What a series whose logarithms of prices have their signs changed gives: `exact`, what the other direction sees, but
   * for rounding; `near`, about that, for the shapes of patterns are measured in prices.
   */
  readonly mirror?: "exact" | "near";
  /** Without which every value is NaN. */
  readonly needs?: "volume" | "session" | "sentiment" | "edges";
  /** Raised when the same bars give other values than before. */
  readonly revision?: number;
  /** One value a bar. Allocates what it returns and leaves what it reads as it was. */
  compute(series: FeatureSeries): Float64Array;
}

/** One row of the table of features. */
export type Feature = Readonly<
  Required<Omit<FeatureDefinition, "opposite" | "needs">> & {
    opposite: string | null;
    needs: NonNullable<FeatureDefinition["needs"]> | null;
  }
>;

/** The row, checked and frozen. @throws AssertionError for an id or warm-up that cannot be. */
export function defineFeature(definition: FeatureDefinition): Feature {
  const { id, warmup, longerWarmup = 0, signed = false, opposite = null } = definition;
  assert(/^[a-z][a-z0-9_]*$/.test(id), `feature id ${id}`);
  assert(Number.isInteger(warmup) && warmup >= 0 && longerWarmup >= 0, `warm-up of ${id}`);
  assert(!(signed && opposite !== null), `${id} has a sign or an opposite`);
  return Object.freeze({
    asOf: "close" as const,
    mirror: "exact" as const,
    needs: null,
    revision: 1,
    ...definition,
    longerWarmup,
    signed,
    opposite,
  });
}
