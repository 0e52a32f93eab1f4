import type { Bars } from "../../market/candles.js";
import { barsParameter, defineIndicator, type Parameter, type ParameterValues } from "../define.js";

/** Where things are in the state: bars seen, the side of the averages, Wilder's averages of both indices. */
const SEEN = 0;
const SIDE = 1;
const SHORT = 2;
const LONG = 4;
/** The Heikin-Ashi close before; both indices now and that close; whether a point waits, and the same three of it. */
const BEFORE = 6;
const NOW = 7;
const IS_WAITING = 10;
const WAITING = 11;
/** How many points are stored, and the place of the next one. */
const STORED = 14;
const NEXT = 15;
/** The last values of both indices by turns, then the points by three, then distances and places of the nearest. */
const INDICES = 16;

// No function gives or takes a double: one that V8 does not inline would leave each on the heap.

function pointsAt({ smooth }: ParameterValues): number {
  return INDICES + 2 * smooth;
}

function nearestAt(values: ParameterValues): number {
  return pointsAt(values) + 3 * values.points;
}

/**
 * Whether a fast weighted mean lies above a slow one (1) or below (-1). They are means of distances from the last
 * close, so that they are exactly equal where nothing moves.
 */
function sideOf(bars: Bars, state: Float64Array, i: number, fast: number, slow: number): 1 | 0 | -1 {
  const { open, high, low, close } = bars;
  const now = state[NOW + 2];
  let quick = 0;
  let calm = 0;
  for (let age = slow - 1; age > 0; age--) {
    const k = i - age;
    const distance = (open[k] + high[k] + low[k] + close[k]) / 4 - now;
    calm += (slow - age) * distance;
    if (age < fast) quick += (fast - age) * distance;
  }
  quick *= slow * (slow + 1);
  calm *= fast * (fast + 1);
  if (quick > calm) return 1;
  return quick < calm ? -1 : 0;
}

/** Wilder's relative strength index at bar `n`, counted from 0, into a slot; its averages are sums until they are seeded. */
function weigh(state: Float64Array, at: number, n: number, period: number): void {
  const slot = at === SHORT ? 0 : 1;
  const change = state[NOW + 2] - state[BEFORE];
  const gain = Math.max(change, 0);
  const loss = Math.max(-change, 0);
  if (n <= period) {
    state[at] += gain;
    state[at + 1] += loss;
    if (n < period) {
      state[NOW + slot] = Number.NaN;
      return;
    }
    state[at] /= period;
    state[at + 1] /= period;
  } else {
    state[at] = (state[at] * (period - 1) + gain) / period;
    state[at + 1] = (state[at + 1] * (period - 1) + loss) / period;
  }
  const total = state[at] + state[at + 1];
  state[NOW + slot] = total === 0 ? 0 : 100 * (state[at] / total);
}

/** Both indices become weighted means of their last `smooth` values, the newest the heaviest. */
function smoothen(state: Float64Array, n: number, smooth: number): void {
  const end = INDICES + 2 * smooth;
  let at = INDICES + 2 * (n % smooth);
  state[at] = n === 0 ? Number.NaN : state[NOW];
  state[at + 1] = n === 0 ? Number.NaN : state[NOW + 1];
  let quick = n < smooth - 1 ? Number.NaN : 0;
  let calm = quick;
  for (let weight = 1; weight <= smooth; weight++) {
    at = at + 2 === end ? INDICES : at + 2;
    quick += weight * state[at];
    calm += weight * state[at + 1];
  }
  state[NOW] = quick / ((smooth * (smooth + 1)) / 2);
  state[NOW + 1] = calm / ((smooth * (smooth + 1)) / 2);
}

/** The point before is stored with what came of it, and that of this crossing waits. */
function cross(state: Float64Array, values: ParameterValues): void {
  if (state[IS_WAITING] === 1) {
    const at = pointsAt(values) + 3 * state[NEXT];
    state[at] = state[WAITING];
    state[at + 1] = state[WAITING + 1];
    state[at + 2] = Math.sign(state[NOW + 2] - state[WAITING + 2]);
    state[NEXT] = (state[NEXT] + 1) % values.points;
    state[STORED] = Math.min(values.points, state[STORED] + 1);
  }
  state[IS_WAITING] = Number.isNaN(state[NOW] + state[NOW + 1]) ? 0 : 1;
  for (let k = 0; k < 3; k++) state[WAITING + k] = state[NOW + k];
}

/**
 * 50 and 50 times the mean label of the stored points nearest to the indices now, the newer of two as near. Those that
 * were nearest a bar ago are mostly so again, and none that is farther than all of them can be: few points are left to
 * be put in order.
 */
function ask(state: Float64Array, values: ParameterValues, out: Float64Array, i: number): void {
  const { neighbours, points } = values;
  const quick = state[NOW];
  const calm = state[NOW + 1];
  const first = pointsAt(values);
  const nearest = nearestAt(values);
  let farthest = Number.POSITIVE_INFINITY;
  // So many were found a bar ago: the place of the last is not 0.
  if (state[nearest + 2 * neighbours - 1] > 0) {
    let most = 0;
    for (let k = 0; k < neighbours; k++) {
      const at = state[nearest + 2 * k + 1] | 0;
      const across = state[at] - quick;
      const along = state[at + 1] - calm;
      most = Math.max(most, across * across + along * along);
    }
    if (most < Number.POSITIVE_INFINITY) farthest = most + most * Number.EPSILON + Number.MIN_VALUE;
  }
  // From the newest back to the first place, then from the last place back to the oldest.
  const turn = first + 3 * (state[NEXT] | 0);
  let at = turn;
  let until = first;
  let found = 0;
  for (let part = 0; part < 2; part++) {
    while (at > until) {
      at -= 3;
      const across = state[at] - quick;
      const along = state[at + 1] - calm;
      const distance = across * across + along * along;
      if (!(distance < farthest)) continue;
      let place = found < neighbours ? found++ : found - 1;
      for (; place > 0 && distance < state[nearest + 2 * (place - 1)]; place--) {
        state[nearest + 2 * place] = state[nearest + 2 * (place - 1)];
        state[nearest + 2 * place + 1] = state[nearest + 2 * (place - 1) + 1];
      }
      state[nearest + 2 * place] = distance;
      state[nearest + 2 * place + 1] = at;
      if (found === neighbours) farthest = state[nearest + 2 * (found - 1)];
    }
    until = turn;
    at = (state[STORED] | 0) === points ? first + 3 * points : turn;
  }
  let sum = 0;
  for (let k = 0; k < found; k++) sum += state[(state[nearest + 2 * k + 1] | 0) + 2];
  out[i] = found === 0 ? 50 : 50 + (50 * sum) / found;
}

function countParameter(name: string, preset: number, max: number, description: string): Parameter {
  return { name, kind: "integer", min: 1, max, default: preset, description };
}

export const mlmi = defineIndicator({
  name: "mlmi",
  title: "Machine Learning Momentum Index",
  family: "momentum",
  inputs: ["open", "high", "low", "close"],
  parameters: [
    barsParameter("fast", 5, "bars of the fast average"),
    barsParameter("slow", 20, "bars of the slow average"),
    barsParameter("short", 5, "bars of the short relative strength index"),
    barsParameter("long", 20, "bars of the long one"),
    barsParameter("smooth", 20, "bars over which both are averaged", 1),
    countParameter("neighbours", 5, 500, "crossings that are most alike, which are asked"),
    countParameter("points", 200, 2_000, "newest crossings that are remembered"),
  ],
  constraint: { text: "fast must be shorter than slow", holds: ({ fast, slow }) => fast < slow },
  outputs: [
    { name: "mlmi", unit: "index", range: [0, 100] },
    { name: "cross", unit: "flag", range: [-1, 1] },
  ],
  warmup: ({ slow, short, long, smooth }) => Math.max(slow, Math.max(short, long) + smooth - 1),
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: (values) => nearestAt(values) + 2 * values.neighbours,
  lookback: ({ slow }) => slow - 1,
  source:
    "Zeiierman, Machine Learning Momentum Index, over Heikin-Ashi closes: where weighted averages cross, two smoothed relative strength indices make a point, stored once the next crossing tells whether the close rose (1) or fell (-1). 50 + 50 times the mean label of the stored points nearest to the indices now; 50 while none is stored. The cross is 1 upwards, -1 downwards.",
  run(bars, values, outputs, state, from, to) {
    const { fast, slow, short, long, smooth } = values;
    const { open, high, low, close } = bars;
    const [value, crossing] = outputs;
    const offset = (state[SEEN] | 0) - from;
    const warmup = Math.max(slow, Math.max(short, long) + smooth - 1);
    let i = from;
    do {
      const n = offset + i;
      state[BEFORE] = state[NOW + 2];
      state[NOW + 2] = (open[i] + high[i] + low[i] + close[i]) / 4;
      if (n > 0) {
        weigh(state, SHORT, n, short);
        weigh(state, LONG, n, long);
      }
      smoothen(state, n, smooth);
      const before = state[SIDE] | 0;
      const side = n < slow - 1 ? 0 : sideOf(bars, state, i, fast, slow);
      const isCrossed = side !== 0 && side === -before;
      if (isCrossed) cross(state, values);
      if (side !== 0) state[SIDE] = side;
      if (n < warmup || Number.isNaN(state[NOW] + state[NOW + 1])) {
        value[i] = crossing[i] = Number.NaN;
        continue;
      }
      ask(state, values, value, i);
      crossing[i] = isCrossed ? side : 0;
    } while (++i < to);
    state[SEEN] = offset + to;
  },
});
