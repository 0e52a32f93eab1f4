import { createRng } from "../base/rng.js";
import { upperBound } from "../base/search.js";
import { type Candles, sliceCandles } from "../market/candles.js";
import type { Strategy } from "../strategies/define.js";
import type { Values } from "../strategies/parameters.js";
import type { Decision } from "./lane.js";
import { type BacktestRules, type Listing, PLAIN_RULES } from "./rules.js";
import { runBacktest } from "./run.js";

/** A decision that came out otherwise once the bars after it were cut off. */
export interface LookAhead {
  /** Open of the last bar that was left, epoch ms. */
  readonly cut: number;
  /** Where the two first differ. */
  readonly symbol: string;
  readonly bar: number;
  /** What was decided with all bars and with those up to the cut; null for nothing. */
  readonly whole: Decision | null;
  readonly prefix: Decision | null;
}

/**
 * Looks for decisions that depend on bars after them: the strategy is run again over bars that end at one time and
 * another, and must decide the same up to there, to the last bit. Half of the cuts fall on bars at which something was
 * decided, where one that peeks has most to lose. @returns the first difference that was found, or null. None that was
 * found is no proof; `cuts` of as many as there are bars is one, for these bars.
 */
export function findLookAhead(
  strategy: Strategy,
  listings: readonly Listing[],
  given: Values = {},
  rules: BacktestRules = PLAIN_RULES,
  { cuts = 40, seed = 1 }: { readonly cuts?: number; readonly seed?: number } = {},
): LookAhead | null {
  const open: BacktestRules = { ...rules, closing: "mark" };
  const whole = runBacktest(strategy, listings, given, open);
  const times = new Map(listings.map(({ candles }) => [candles.symbol, candles.time]));
  const timeOf = ({ symbol, bar }: Decision) => times.get(symbol)?.[bar] ?? Number.NaN;
  for (const cut of cutsOf(whole.time, whole.decisions.map(timeOf), cuts, seed)) {
    const prefix = runBacktest(
      strategy,
      listings.map((listing) => cutOff(listing, cut)),
      given,
      open,
    );
    const before = whole.decisions.filter((decision) => timeOf(decision) <= cut);
    const found = firstDifference(before, prefix.decisions);
    if (found !== null) return { cut, ...found };
  }
  return null;
}

/** Times at which to cut, ascending. */
function cutsOf(time: Float64Array, decided: readonly number[], count: number, seed: number): number[] {
  if (count >= time.length) return [...time];
  const rng = createRng(seed);
  const chosen = new Set<number>();
  const every = Math.max(1, Math.ceil(decided.length / (count / 2)));
  for (let k = 0; k < decided.length; k += every) chosen.add(decided[k]);
  for (let k = chosen.size; k < count; k++) chosen.add(time[rng.below(time.length)]);
  return [...chosen].sort((a, b) => a - b);
}

function cutOff(listing: Listing, cut: number): Listing {
  const { candles, seen } = listing;
  const shorten = (series: Candles) => sliceCandles(series, 0, upperBound(candles.time, cut));
  return { ...listing, candles: shorten(candles), ...(seen === undefined ? {} : { seen: shorten(seen) }) };
}

function firstDifference(
  whole: readonly Decision[],
  prefix: readonly Decision[],
): Omit<LookAhead, "cut"> | null {
  for (let k = 0; k < Math.max(whole.length, prefix.length); k++) {
    const ours = whole[k] ?? null;
    const theirs = prefix[k] ?? null;
    if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
    const { symbol, bar } = ours ?? theirs;
    return { symbol, bar, whole: ours, prefix: theirs };
  }
  return null;
}
