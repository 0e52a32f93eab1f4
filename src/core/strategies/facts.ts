import { ensure } from "../base/assert.js";

/**
 * What may be known of a symbol beside its bars. Levels are in parts of the price of the underlying at the same time, so
 * that splits do not move them; changes in parts of what there was at the session before.
 */
export const FACTS = {
  put_call_ratio: "open interest in puts over that in calls, of all expiries",
  call_change: "change of open interest in calls of the next expiry, in parts of that of the session before",
  put_change: "change of open interest in puts of the next expiry, in parts of that of the session before",
  max_pain: "strike at which holders of the next expiry are paid least, in parts of the price",
  iv_rank: "volatility for thirty days between the lowest and the highest of up to 252 sessions, 0 to 1",
  support: "strike of most open interest in puts at or below the price, of the next expiry, in parts of it",
  resistance:
    "strike of most open interest in calls at or above the price, of the next expiry, in parts of it",
  model_score:
    "chance of a rise by the score of the active or a named model, 0 to 1; known at bars with a pattern",
} as const satisfies Readonly<Record<string, string>>;
export type FactName = keyof typeof FACTS;

/**
 * Columns of the length of the bars. A value at bar i was known when that bar closed, at the latest; NaN where none was,
 * or none young enough.
 */
export type Facts = Readonly<Partial<Record<FactName, Float64Array>>>;

/** Bars at which a fact must be known for a strategy that reads it to be worth running. */
export const LEAST_KNOWN = 10;

/** A column that a strategy reads. @throws AssertionError where it was not given, which `lacksOf` tells before. */
export function factOf(facts: Facts | undefined, name: FactName): Float64Array {
  return ensure(facts?.[name], `there is no column ${name}`);
}

/** How many bars have a value. */
export function countKnown(column: Float64Array | undefined): number {
  let known = 0;
  for (const value of column ?? []) if (!Number.isNaN(value)) known++;
  return known;
}

/** Bars [from, to) of all columns, without a copy. */
export function sliceFacts(facts: Facts, to: number, from = 0): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, column]) => [name, column.subarray(from, to)]));
}

/** Copies of the first bars of all columns. */
export function copiedFacts(facts: Facts, to: number): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, column]) => [name, column.slice(0, to)]));
}
