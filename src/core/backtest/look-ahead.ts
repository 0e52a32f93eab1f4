import { ensure } from "../base/assert.js";
import { createRng, drawSpread } from "../base/rng.js";
import { upperBound } from "../base/search.js";
import { isSame } from "../base/words.js";
import { marginRules } from "../execution/account.js";
import type { Candles } from "../market/candles.js";
import type { Strategy } from "../strategies/define.js";
import { copiedFacts } from "../strategies/facts.js";
import type { Values } from "../strategies/parameters.js";
import { briefProblem, walkAlone } from "./brief.js";
import { Engine } from "./engine.js";
import type { Decision } from "./lane.js";
import { readyFor } from "./ready.js";
import { type BacktestRules, type Listing, PLAIN_RULES, SIZINGS } from "./rules.js";
import { NeedsDesk } from "./solo.js";

/** A decision that came out otherwise once the bars after it were cut off. */
export interface LookAhead {
  /** Open of the last bar that was left, epoch ms. */
  readonly cut: number;
  /** Where the two first differ: open of the bar that had closed, the symbol, and its newest bar. */
  readonly at: number;
  readonly symbol: string;
  readonly bar: number;
  /** What was decided with all bars and with those up to the cut; null for nothing. */
  readonly whole: Decision | null;
  readonly prefix: Decision | null;
  /** What the run up to the cut threw in place of its decisions; null where it came to its end. */
  readonly failure: string | null;
}

/**
 * An account in which what is decided hangs on prices alone: it goes both ways in fractions, pays nothing and is called only
 * once nothing is left. One symbol needs no desk in it until then.
 */
export const UNBOUND_RULES: BacktestRules = Object.freeze({
  ...PLAIN_RULES,
  desk: {
    ...PLAIN_RULES.desk,
    account: { ...marginRules("USD", 1), maintenanceLong: 0, maintenanceShort: 0, initialShort: 1 },
  },
  sizing: SIZINGS.fractional,
});

/** A strategy that was run over bars, to be run again over fewer of them. */
export interface Truncation {
  /** What was decided with all bars, in its order. */
  readonly whole: readonly Decision[];
  /** Opens after which the bars can be cut off: those at which the strategy may decide, ascending. */
  readonly time: Float64Array;
  /**
   * Times to cut at, ascending: all there are up to `count`; of more so many, half of them where something was decided,
   * since one that peeks has most to lose there, the others drawn from all the rest.
   */
  cuts(count: number, seed: number): Float64Array;
  /** Runs the strategy up to a time. @returns the first decision that differs, or null. */
  test(cut: number): LookAhead | null;
}

/**
 * Runs a strategy over all bars, in the short way where the rules allow it.
 * @throws AssertionError where `readyFor` has problems, and whatever the strategy throws.
 */
export function createTruncation(
  strategy: Strategy,
  listings: readonly Listing[],
  given: Values = {},
  rules: BacktestRules = UNBOUND_RULES,
): Truncation {
  const ready = readyFor(strategy, listings, given);
  const values = ensure(ready.values, `${strategy.id}: ${ready.problems?.join("; ") ?? ""}`);
  const open: BacktestRules = { ...rules, closing: "mark" };
  const way = briefProblem(strategy, listings, open) === null ? "short" : "desk";
  const { decisions: whole, way: taken } = decide(
    strategy,
    listings.map((listing) => copyOf(listing)),
    values,
    open,
    way,
  );
  const decidedAt = Float64Array.from(whole, ({ at }) => at);
  const time = timesAfter(strategy.warmup(values), listings);

  function test(cut: number): LookAhead | null {
    const before = upperBound(decidedAt, cut);
    const shorter = listings.map((listing) => copyOf(listing, cut));
    let prefix: readonly Decision[];
    try {
      prefix = decide(strategy, shorter, values, open, taken).decisions;
    } catch (error) {
      // What reads beyond the end may stumble there.
      const { symbol, time } = listings[0].candles;
      const decided = whole.slice(0, before).find(({ at }) => at === cut) ?? null;
      const place = decided ?? { at: cut, symbol, bar: upperBound(time, cut) - 1 };
      const failure = error instanceof Error ? error.message : String(error);
      return { cut, ...placeOf(place), whole: decided, prefix: null, failure };
    }
    const length = Math.max(before, prefix.length);
    for (let k = 0; k < length; k++) {
      if (k < before && k < prefix.length && isSame(whole[k], prefix[k])) continue;
      return differenceOf(cut, k < before ? whole[k] : null, prefix[k] ?? null);
    }
    return null;
  }

  return { whole, time, cuts: (count, seed) => cutsOf(time, decidedAt, count, seed), test };
}

/**
 * Looks for decisions that depend on bars after them: the strategy is run again over bars that end at one time and
 * another, and must decide the same up to there, to the last bit. @returns the first difference that was found, or null.
 * None that was found is no proof; `cuts` of as many as there are bars is one, for these bars.
 */
export function findLookAhead(
  strategy: Strategy,
  listings: readonly Listing[],
  given: Values = {},
  rules: BacktestRules = PLAIN_RULES,
  { cuts = 40, seed = 1 }: { readonly cuts?: number; readonly seed?: number } = {},
): LookAhead | null {
  const truncation = createTruncation(strategy, listings, given, rules);
  for (const cut of truncation.cuts(cuts, seed)) {
    const found = truncation.test(cut);
    if (found !== null) return found;
  }
  return null;
}

/** What is decided over bars, which may be fewer than the strategy needs. @param way where the short one ends, the desk's. */
function decide(
  strategy: Strategy,
  listings: readonly Listing[],
  values: Values,
  rules: BacktestRules,
  way: "short" | "desk",
): { readonly decisions: readonly Decision[]; readonly way: "short" | "desk" } {
  if (way === "short" && strategy.scope === "symbol") {
    const decisions: Decision[] = [];
    try {
      walkAlone(strategy, listings[0], values, rules, decisions);
      return { decisions, way };
    } catch (error) {
      if (!(error instanceof NeedsDesk)) throw error;
    }
  }
  return { decisions: new Engine(strategy, listings, values, rules).run().decisions, way: "desk" };
}

/** Times of the bars from a place on, of all symbols, ascending. */
function timesAfter(warmup: number, listings: readonly Listing[]): Float64Array {
  const times = new Set(listings.flatMap(({ candles }) => [...candles.time.subarray(warmup)]));
  return Float64Array.from(times).sort();
}

function cutsOf(time: Float64Array, decided: Float64Array, count: number, seed: number): Float64Array {
  if (count >= time.length) return time;
  const rng = createRng(seed);
  const places = [...new Set(decided)];
  const chosen = new Set(drawSpread(places.length, Math.ceil(count / 2), rng).map((k) => places[k]));
  const rest = time.filter((each) => !chosen.has(each));
  for (const k of drawSpread(rest.length, count - chosen.size, rng)) chosen.add(rest[k]);
  return Float64Array.from(chosen).sort();
}

/** A copy up to a time: nothing that a strategy does to its bars, or finds behind them, passes to another run. */
function copyOf({ candles, seen, facts, ...listing }: Listing, cut = Number.POSITIVE_INFINITY): Listing {
  const length = upperBound(candles.time, cut);
  const copied = (series: Candles): Candles => ({
    symbol: series.symbol,
    interval: series.interval,
    time: series.time.slice(0, length),
    open: series.open.slice(0, length),
    high: series.high.slice(0, length),
    low: series.low.slice(0, length),
    close: series.close.slice(0, length),
    volume: series.volume.slice(0, length),
  });
  return {
    ...listing,
    candles: copied(candles),
    ...(seen === undefined ? {} : { seen: copied(seen) }),
    ...(facts === undefined ? {} : { facts: copiedFacts(facts, length) }),
  };
}

/** Of two decisions at one place of their runs: both where they are of one bar and symbol, else the earlier alone. */
function differenceOf(cut: number, whole: Decision | null, prefix: Decision | null): LookAhead {
  const isOne = whole?.at === prefix?.at && whole?.symbol === prefix?.symbol;
  if (whole !== null && (isOne || prefix === null || whole.at <= prefix.at)) {
    return { cut, ...placeOf(whole), whole, prefix: isOne ? prefix : null, failure: null };
  }
  const first = ensure(prefix, "one of the two is a decision");
  return { cut, ...placeOf(first), whole: null, prefix: first, failure: null };
}

function placeOf({ at, symbol, bar }: Pick<LookAhead, "at" | "symbol" | "bar">) {
  return { at, symbol, bar };
}
