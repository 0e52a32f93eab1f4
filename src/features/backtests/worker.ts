import { permutationTest } from "../../core/backtest/permutation.js";
import { permutedBars } from "../../core/backtest/permuted-bars.js";
import { ensure } from "../../core/base/assert.js";
import type { Candles } from "../../core/market/candles.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import { findVariant } from "../../core/patterns/index.js";
import { absent, type Figure, figureOf } from "../../core/performance/figure.js";
import { REGIMES, type Regime } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { type PatternTrades, tradePattern } from "../../core/signals/pattern-trades.js";

export interface PatternTask {
  readonly candles: Candles;
  readonly variant: string;
  /** First bar whose patterns are traded. */
  readonly from: number;
  readonly costBps: number;
  readonly calendar: CalendarId;
}

export interface PatternTaskResult extends PatternTrades {
  /** Regime of the market at the bar of each trade; null where too few bars tell. */
  readonly regimes: readonly (Regime | null)[];
  /** P-value of the gains of all trades, beside those on permuted bars. */
  readonly permutation: Figure;
}

const DRAWS = 99;
/** Bars of all draws: about a second, for patterns are sought on each. */
const PERMUTED_BARS = 300_000;
const SEED = 1;

/** Trades a pattern in a thread. */
export default function trade(task: PatternTask): PatternTaskResult {
  const { candles, variant, from, costBps } = task;
  const { pattern } = ensure(findVariant(variant), "the route knows the pattern");
  const found = tradePattern(candles, pattern, variant, from, costBps);
  const { label } = computeRegimes(candles);
  const regimes = found.trades.map(({ at }) => REGIMES[label[at]] ?? null);
  return { ...found, regimes, permutation: permutationOf(task, found) };
}

function permutationOf({ candles, variant, from, costBps, calendar }: PatternTask, found: PatternTrades) {
  if (found.trades.length === 0) return absent("nothing was traded");
  if (candles.time.length * DRAWS > PERMUTED_BARS) {
    return absent(`${DRAWS} runs over permuted bars would take too long here`);
  }
  const { pattern } = ensure(findVariant(variant), "the route knows the pattern");
  const growthOf = ({ trades }: PatternTrades) =>
    trades.reduce((sum, { gain }) => sum + Math.log(Math.max(1e-12, 1 + gain)), 0);
  const fromMs = candles.time[from];
  const draw = permutedBars([candles], { calendar: calendarOf(calendar), fromMs });
  const drawn = Float64Array.from({ length: DRAWS }, (_, k) => {
    return growthOf(tradePattern(draw(SEED, k)[0], pattern, variant, from, costBps));
  });
  return figureOf(permutationTest(growthOf(found), drawn).p);
}
