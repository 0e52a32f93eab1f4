import { createRng } from "../src/core/base/rng.js";
import { allocateBars, type Candles } from "../src/core/market/candles.js";

/** A seeded random walk of 5-minute bars; `tick` > 0 rounds prices to that step, which makes many exact ties. */
export function randomWalk(length: number, seed: number, tick = 0): Candles {
  const rng = createRng(seed);
  const bars = allocateBars(length);
  const round = (price: number) => (tick > 0 ? Math.max(tick, Math.round(price / tick) * tick) : price);
  let price = 100;
  for (let i = 0; i < length; i++) {
    const open = round(price * Math.exp(0.0005 * rng.normal()));
    const close = round(open * Math.exp(0.002 * rng.normal()));
    const high = round(Math.max(open, close) * Math.exp(0.001 * Math.abs(rng.normal())));
    const low = round(Math.min(open, close) * Math.exp(-0.001 * Math.abs(rng.normal())));
    bars.time[i] = i * 300_000;
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(high, open, close);
    bars.low[i] = Math.min(low, open, close);
    bars.volume[i] = Math.floor(1_000 + 9_000 * rng.next());
    price = close < 10 || close > 1_000 ? 100 : close;
  }
  return { symbol: "WALK", interval: "5m", ...bars };
}
