import { createRng } from "../../base/rng.js";
import { allocateBars, type Bars } from "../../market/candles.js";

/** A market whose drift is one of two, which takes turns by the dice and is seen in nothing but prices. */
export interface PlantedTerms {
  readonly bars: number;
  readonly seed: number;
  /** Expected logarithm of close per close before, up in one regime and down in the other; 0 is a random walk. */
  readonly drift: number;
  /** Standard deviation of the same. */
  readonly volatility: number;
  /** Mean length of a regime in bars (a Markov chain of two states, J. Hamilton 1989). */
  readonly persistence: number;
}

export const PLANTED_TERMS = Object.freeze({ drift: 0.003, volatility: 0.01, persistence: 80 });

const BAR_MS = 3_600_000;

/** Bars of an hour; volume says nothing. */
export function plantedMarket({ bars: n, seed, drift, volatility, persistence }: PlantedTerms): Bars {
  const rng = createRng(seed, 0x91a7);
  const bars = allocateBars(n);
  const gap = 0.1 * volatility;
  const within = Math.sqrt(volatility ** 2 - gap ** 2);
  let side = rng.next() < 0.5 ? 1 : -1;
  let price = 100;
  for (let i = 0; i < n; i++) {
    if (rng.next() < 1 / persistence) side = -side;
    const open = price * Math.exp(gap * rng.normal());
    const close = open * Math.exp(side * drift + within * rng.normal());
    bars.time[i] = i * BAR_MS;
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close) * Math.exp(0.4 * volatility * Math.abs(rng.normal()));
    bars.low[i] = Math.min(open, close) * Math.exp(-0.4 * volatility * Math.abs(rng.normal()));
    bars.volume[i] = 1_000 * Math.exp(0.4 * rng.normal());
    price = close;
  }
  return bars;
}
