import type { Bars } from "../../market/candles.js";
import { barsParameter, defineIndicator, numberParameter } from "../define.js";

/** Bars within which a gap that price has entered is filled for its fill to count as quick. */
const QUICK_BARS = 20;

/** In the state: bars seen, the bar after the last that lacks a figure, how many gaps are open, then the gaps. */
const SEEN = 0;
const WHOLE_FROM = 1;
const OPEN = 2;
const GAPS = 3;
/** Of each gap: the bar that completed it, its side, its bottom and top, and the bar that entered it, -1 for none. */
const BORN = 0;
const SIDE = 1;
const BOTTOM = 2;
const TOP = 3;
const ENTERED = 4;
const SIZE = 5;

/** Mean of the last `count` values before bar `i`. */
function meanBefore(column: Float64Array, i: number, count: number): number {
  let sum = 0;
  for (let k = i - count; k < i; k++) sum += column[k];
  return sum / count;
}

/** Whether the body of bar `i` is larger than so many times the mean body of the bars before it. */
function isImpulse({ open, close }: Bars, i: number, count: number, factor: number): boolean {
  let sum = 0;
  for (let k = i - count; k < i; k++) sum += Math.abs(close[k] - open[k]);
  return Math.abs(close[i] - open[i]) > (factor * sum) / count;
}

/** Lets go of gaps that are too old, and of those that bar `n` fills, which are written to the outputs at `i`. */
function fill(
  bars: Bars,
  outputs: readonly Float64Array[],
  state: Float64Array,
  i: number,
  n: number,
  life: number,
  bodies: number,
): void {
  const [, , , , , bullishFill, bearishFill, strength] = outputs;
  const { high, low, volume } = bars;
  bullishFill[i] = bearishFill[i] = strength[i] = 0;
  let kept = 0;
  for (let k = 0; k < state[OPEN]; k++) {
    const gap = GAPS + SIZE * k;
    const age = n - state[gap + BORN];
    if (age > life) continue;
    const isUp = state[gap + SIDE] > 0;
    const isEntered = isUp ? low[i] < state[gap + TOP] : high[i] > state[gap + BOTTOM];
    if (isEntered && state[gap + ENTERED] < 0) state[gap + ENTERED] = n;
    const isFilled = isUp ? low[i] <= state[gap + BOTTOM] : high[i] >= state[gap + TOP];
    if (!isFilled) {
      for (let field = 0; field < SIZE; field++) state[GAPS + SIZE * kept + field] = state[gap + field];
      kept++;
      continue;
    }
    const filled = isUp ? bullishFill : bearishFill;
    filled[i] = Math.max(filled[i], state[gap + TOP] - state[gap + BOTTOM]);
    const usual = meanBefore(volume, i, bodies);
    const share = usual > 0 ? Math.min(volume[i] / usual / 2, 1) : 0;
    const quickness = Math.max(0, 1 - (n - state[gap + ENTERED]) / QUICK_BARS);
    strength[i] = Math.max(strength[i], 0.4 + 0.3 * quickness + 0.2 * share + 0.1 * (1 - age / life));
  }
  state[OPEN] = kept;
}

/** What is open after bar `n`: whether any gap of a side is, how far the nearest lies from the close, and its age. */
function look(
  { close }: Bars,
  outputs: readonly Float64Array[],
  state: Float64Array,
  i: number,
  n: number,
  life: number,
): void {
  const [, bullish, bearish, distance, age] = outputs;
  bullish[i] = bearish[i] = distance[i] = 0;
  age[i] = 1;
  let nearest = Number.POSITIVE_INFINITY;
  for (let k = state[OPEN] - 1; k >= 0; k--) {
    const gap = GAPS + SIZE * k;
    const isUp = state[gap + SIDE] > 0;
    if (isUp) bullish[i] = 1;
    else bearish[i] = 1;
    const away = (isUp ? state[gap + TOP] : state[gap + BOTTOM]) - close[i];
    if (!(Math.abs(away) < nearest)) continue;
    nearest = Math.abs(away);
    distance[i] = away;
    age[i] = (n - state[gap + BORN]) / life;
  }
}

export const fairValueGap = defineIndicator({
  name: "fair_value_gap",
  title: "Fair Value Gap",
  family: "price",
  inputs: ["open", "high", "low", "close", "volume"],
  parameters: [
    barsParameter("life", 50, "bars for which a gap stays open unless it is filled", 1),
    barsParameter("bodies", 10, "bars whose mean body and mean volume are the measure", 1),
    numberParameter("factor", 1.5, [0, 20], "mean bodies that the middle bar's body must exceed"),
  ],
  outputs: [
    { name: "gap", unit: "price" },
    { name: "bullish", unit: "flag", range: [0, 1] },
    { name: "bearish", unit: "flag", range: [0, 1] },
    { name: "distance", unit: "price" },
    { name: "age", unit: "ratio", range: [0, 1] },
    { name: "bullish_fill", unit: "price" },
    { name: "bearish_fill", unit: "price" },
    { name: "strength", unit: "ratio", range: [0, 1] },
  ],
  warmup: ({ life, bodies }) => life + bodies + 1,
  nanReach: "window",
  memory: ({ life }) => GAPS + SIZE * (life + 1),
  lookback: ({ bodies }) => bodies + 1,
  source:
    "Three bars: the low of the third above the high of the first (below 0 where its high lies under that low) around a large body. Distance from the close to the edge of the nearest open gap that price meets first, 0 where none is open; age in lives, 1 where none is. Filled once price reaches the far edge: size of the largest of a side; strength 0.4 + 0.3 (1 - bars since it was entered / 20) + 0.2 min(volume over its mean / 2, 1) + 0.1 (1 - age).",
  run(bars, { life, bodies, factor }, outputs, state, from, to) {
    const { open, high, low, close, volume } = bars;
    const offset = state[SEEN] - from;
    let i = from;
    do {
      const n = offset + i;
      if (Number.isNaN(open[i] + high[i] + low[i] + close[i] + volume[i])) state[WHOLE_FROM] = n + 1;
      fill(bars, outputs, state, i, n, life, bodies);
      const up = n > bodies ? low[i] - high[i - 2] : 0;
      const down = n > bodies ? high[i] - low[i - 2] : 0;
      const isGap = (up > 0 || down < 0) && isImpulse(bars, i - 1, bodies, factor);
      outputs[0][i] = isGap ? (up > 0 ? up : down) : 0;
      if (isGap) {
        const gap = GAPS + SIZE * state[OPEN]++;
        state[gap + BORN] = n;
        state[gap + SIDE] = up > 0 ? 1 : -1;
        state[gap + BOTTOM] = up > 0 ? high[i - 2] : high[i];
        state[gap + TOP] = up > 0 ? low[i] : low[i - 2];
        state[gap + ENTERED] = -1;
      }
      look(bars, outputs, state, i, n, life);
      if (n - state[WHOLE_FROM] < life + bodies + 1) for (const column of outputs) column[i] = Number.NaN;
    } while (++i < to);
    state[SEEN] = offset + to;
  },
});
