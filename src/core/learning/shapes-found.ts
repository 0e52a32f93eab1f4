import { createRng, type Rng } from "../base/rng.js";
import { allocateBars, type Candles } from "../market/candles.js";
import { WINDOW_VALUES } from "./sequence-net/columns.js";
import { historyWindows } from "./shapes-history.js";
import type { LabelledWindows } from "./shapes-windows.js";
import { joinWindows } from "./shapes-windows.js";

const SERIES_BARS = 3_000;
const MINUTES_PER_BAR = 1_440;

/**
 * Windows of drawn walks, labelled as stored bars are: by what the chart detectors confirm in them by chance. They are
 * shapes as markets draw them, small, crooked and among others, where drawn ones are as books draw them.
 * The same seed gives the same windows.
 */
export function drawFoundWindows(seed: number, count: number): LabelledWindows {
  const sets: LabelledWindows[] = [];
  let found = 0;
  for (let n = 0; found < count; n++) {
    const set = historyWindows(drawWalk(createRng(seed, 0x666f, n)), seed);
    sets.push(set);
    found += set.labels.length;
  }
  const { values, labels } = joinWindows(sets);
  return { values: values.slice(0, count * WINDOW_VALUES), labels: labels.slice(0, count) };
}

/**
 * Bars of a walk whose volatility clusters, GARCH(1, 1) (T. Bollerslev 1986) with fat tails, each drawn in several steps
 * so that its wicks are those of a walk, with gaps between bars.
 */
function drawWalk(rng: Rng): Candles {
  const bars = allocateBars(SERIES_BARS);
  const usual = Math.exp(-6.5 + 3 * rng.next());
  const [shock, memory] = [0.05 + 0.1 * rng.next(), 0.8];
  const drift = 0.05 * (rng.next() - 0.5);
  const gaps = 0.6 * rng.next();
  const steps = 4 + rng.below(12);
  const volumes = Math.exp(6 + 9 * rng.next());
  let variance = 1;
  let price = 0;
  for (let i = 0; i < SERIES_BARS; i++) {
    const size = usual * Math.sqrt(variance);
    const open = price + gaps * size * rng.normal();
    const fat = rng.next() < 0.03 ? 2.5 : 1;
    let [at, high, low] = [open, open, open];
    for (let k = 0; k < steps; k++) {
      at += (size * (drift + fat * Math.sqrt(steps) * rng.normal())) / steps;
      if (at > high) high = at;
      if (at < low) low = at;
    }
    const move = (at - price) / usual;
    variance = 1 - shock - memory + (shock * move * move) / (1 + gaps * gaps) + memory * variance;
    price = at;
    bars.time[i] = i * MINUTES_PER_BAR * 60_000;
    bars.open[i] = 100 * Math.exp(open);
    bars.high[i] = 100 * Math.exp(high);
    bars.low[i] = 100 * Math.exp(low);
    bars.close[i] = 100 * Math.exp(at);
    bars.volume[i] = Math.round(volumes * Math.exp(0.4 * rng.normal() + 0.2 * Math.min(4, Math.abs(move))));
  }
  return { symbol: "DRAWN", interval: "1d", ...bars };
}
