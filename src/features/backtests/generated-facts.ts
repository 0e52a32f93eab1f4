import { createRng, hash32 } from "../../core/base/rng.js";
import type { Candles } from "../../core/market/candles.js";
import type { FactName, Facts } from "../../core/strategies/facts.js";

/** Level that a fact returns to, its deviation about it, and its least and greatest value. */
interface Wander {
  readonly level: number;
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

/** About where these figures of liquid underlyings lie; no estimate of any. */
const WANDERS: Readonly<Record<FactName, Wander>> = {
  put_call_ratio: { level: 1.1, deviation: 0.4, least: 0.2, most: 4 },
  call_change: { level: 0.02, deviation: 0.08, least: -0.9, most: 3 },
  put_change: { level: 0.02, deviation: 0.08, least: -0.9, most: 3 },
  max_pain: { level: 1, deviation: 0.015, least: 0.8, most: 1.2 },
  iv_rank: { level: 0.4, deviation: 0.3, least: 0, most: 1 },
  support: { level: 0.97, deviation: 0.02, least: 0.8, most: 1 },
  resistance: { level: 1.03, deviation: 0.02, least: 1, most: 1.2 },
  model_score: { level: 0.5, deviation: 0.2, least: 0, most: 1 },
};
/** Share of its distance from the level that a value keeps from bar to bar. */
const MEMORY = 0.9;
/** One bar in so many has no value, as days without a snapshot have none. */
const MISSING_EVERY = 25;

/**
 * Facts of a history of chains that never was, for regressions alone: first-order autoregressive walks about a level, cut at their ends,
 * the same for the same seed, symbol and fact. No backtest that is answered to anybody reads them.
 */
export function generatedFacts(names: readonly FactName[], { symbol, time }: Candles, seed: number): Facts {
  return Object.fromEntries(
    names.map((name) => {
      const { level, deviation, least, most } = WANDERS[name];
      const rng = createRng(seed, hash32(`${symbol} ${name}`));
      const step = deviation * Math.sqrt(1 - MEMORY ** 2);
      let away = deviation * rng.normal();
      const column = time.map(() => {
        away = MEMORY * away + step * rng.normal();
        const value = Math.min(most, Math.max(least, level + away));
        return rng.below(MISSING_EVERY) === 0 ? Number.NaN : value;
      });
      return [name, column];
    }),
  );
}
