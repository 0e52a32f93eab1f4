import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator, type ParameterValues } from "../define.js";
import * as gaussianFile from "./gaussian.js";
import * as referencesFile from "./mmd-references.js";

const { wilderFade } = rolling;
const { fadeAll } = gaussianFile;
const { FEATURES, mmdReferences, REGIME_NAMES, SPAN } = referencesFile;
const COUNT = REGIME_NAMES.length;
const POINTS = referencesFile.REFERENCE_POINTS;

/**
 * The points of the regimes, a column for each feature, filled in at the first bar of all: constants, which loops read
 * without asking where they are.
 */
const AT_RETURN = new Float64Array(COUNT * POINTS);
const AT_RANGE = new Float64Array(COUNT * POINTS);
const AT_UNREST = new Float64Array(COUNT * POINTS);
const AT_WAY = new Float64Array(COUNT * POINTS);
/** Distances from a bar, which become kernels. */
const NEAR = new Float64Array(COUNT * POINTS);
const WEIGHTS = new Float64Array(FEATURES);
const OWN = new Float64Array(COUNT);

function fillReferences(): void {
  const { points, weights, own } = mmdReferences();
  for (let point = 0; point < COUNT * POINTS; point++) {
    AT_RETURN[point] = points[FEATURES * point];
    AT_RANGE[point] = points[FEATURES * point + 1];
    AT_UNREST[point] = points[FEATURES * point + 2];
    AT_WAY[point] = points[FEATURES * point + 3];
  }
  WEIGHTS.set(weights);
  OWN.set(own);
}

/** In the state: bars seen, mean absolute return and mean range so far, the sum of kernels within the window. */
const SEEN = 0;
const RETURN = 1;
const RANGE = 2;
const WITHIN = 3;
/** Sums of kernels between the window and each regime; the distances of a bar before they are clipped. */
const ACROSS = 4;
const DISTANCES = ACROSS + COUNT;
/** The last returns by turns. */
const RETURNS = DISTANCES + COUNT;
/**
 * Then the window by turns. Of each bar: its features, the kernels between it and all later bars of the window, and
 * those between it and each regime. What a bar takes with it when it leaves is all there: it is the oldest.
 */
const WINDOW = RETURNS + SPAN;
const LATER = FEATURES;
const TOWARDS = FEATURES + 1;
const SIZE = FEATURES + 1 + COUNT;

// No function that V8 might not inline gives or takes a double: it would leave each on the heap.

/** The features of a bar into the window at `at`, where its range is; its return is the newest of the last. */
function place(state: Float64Array, at: number, newest: number): void {
  let net = 0;
  let path = 0;
  for (let k = 1; k <= SPAN; k++) {
    // From the oldest to the newest.
    const value = state[RETURNS + ((newest + k) % SPAN)];
    net += value;
    path += Math.abs(value);
  }
  const usual = state[RETURN];
  const wide = state[RANGE];
  state[at] = usual === 0 ? 0 : (state[RETURNS + newest] / usual) * WEIGHTS[0];
  state[at + 1] = wide === 0 ? WEIGHTS[1] : (state[at + 1] / wide) * WEIGHTS[1];
  state[at + 2] = usual === 0 ? WEIGHTS[2] : (path / SPAN / usual) * WEIGHTS[2];
  state[at + 3] = path === 0 ? 0 : (net / path) * WEIGHTS[3];
}

/** Kernels between the bar at `at` and the bars [from, to) of the window; each of them has one more that is later. */
function joinWindow(state: Float64Array, at: number, from: number, to: number): void {
  const a = state[at];
  const b = state[at + 1];
  const c = state[at + 2];
  const d = state[at + 3];
  let sum = 0;
  for (let start = from; start < to; start += SIZE * NEAR.length) {
    const end = Math.min(to, start + SIZE * NEAR.length);
    let count = 0;
    for (let other = start; other < end; other += SIZE) {
      const w = state[other] - a;
      const x = state[other + 1] - b;
      const y = state[other + 2] - c;
      const z = state[other + 3] - d;
      NEAR[count++] = w * w + x * x + y * y + z * z;
    }
    fadeAll(NEAR, count);
    count = 0;
    for (let other = start; other < end; other += SIZE) {
      const kernel = NEAR[count++];
      state[other + LATER] += kernel;
      sum += kernel;
    }
  }
  state[WITHIN] += sum;
}

/** Kernels between the bar at `at` and the points of each regime. */
function joinRegimes(state: Float64Array, at: number): void {
  const a = state[at];
  const b = state[at + 1];
  const c = state[at + 2];
  const d = state[at + 3];
  for (let point = 0; point < COUNT * POINTS; point++) {
    const w = AT_RETURN[point] - a;
    const x = AT_RANGE[point] - b;
    const y = AT_UNREST[point] - c;
    const z = AT_WAY[point] - d;
    NEAR[point] = w * w + x * x + y * y + z * z;
  }
  fadeAll(NEAR, COUNT * POINTS);
  let point = 0;
  for (let regime = 0; regime < COUNT; regime++) {
    let sum = 0;
    for (let k = 0; k < POINTS; k++) sum += NEAR[point++];
    state[at + TOWARDS + regime] = sum;
    state[ACROSS + regime] += sum;
  }
}

/** What the oldest bar takes with it. */
function leave(state: Float64Array, at: number): void {
  state[WITHIN] -= state[at + LATER];
  for (let regime = 0; regime < COUNT; regime++) state[ACROSS + regime] -= state[at + TOWARDS + regime];
}

/** The sums again, from what each bar of the window has, so that rounding cannot pile up. */
function resum(state: Float64Array, end: number): void {
  for (let k = 0; k <= COUNT; k++) {
    let sum = 0;
    for (let at = WINDOW; at < end; at += SIZE) sum += state[at + LATER + k];
    state[WITHIN + k] = sum;
  }
}

/** Distances, which regime is nearest, and how much nearer it is than the next, at bar `i`. */
function tell(state: Float64Array, outputs: readonly Float64Array[], i: number, period: number): void {
  const within = state[WITHIN] / ((period * (period - 1)) / 2);
  let nearest = 0;
  for (let regime = 0; regime < COUNT; regime++) {
    const squared = within + OWN[regime] - (2 * state[ACROSS + regime]) / (period * POINTS);
    state[DISTANCES + regime] = squared;
    outputs[regime][i] = Math.max(0, squared);
    if (squared < state[DISTANCES + nearest]) nearest = regime;
  }
  let second = Number.POSITIVE_INFINITY;
  for (let regime = 0; regime < COUNT; regime++) {
    if (regime !== nearest) second = Math.min(second, outputs[regime][i]);
  }
  outputs[COUNT][i] = nearest;
  outputs[COUNT + 1][i] = second === 0 ? 0 : (second - outputs[nearest][i]) / second;
}

function warmupOf({ period }: ParameterValues): number {
  return SPAN + period - 1;
}

/** Bars after which a mean that gives each new value a part in `memory` has forgotten all but 1e-12 of what was. */
function fadeOf({ memory }: ParameterValues): number {
  return memory + wilderFade(memory);
}

export const mmdRegime = defineIndicator({
  name: "mmd_regime",
  title: "Maximum Mean Discrepancy Regime",
  family: "statistics",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("period", 100, "bars of the window"),
    barsParameter(
      "memory",
      1_000,
      "bars over which what is usual is forgotten; all so far until there are so many",
    ),
  ],
  outputs: [
    ...REGIME_NAMES.map((name) => ({ name, unit: "ratio" as const, range: [0, 2] as const })),
    { name: "regime", unit: "index", range: [0, COUNT - 1] },
    { name: "confidence", unit: "ratio", range: [0, 1] },
  ],
  warmup: warmupOf,
  settle: (values) => warmupOf(values) + fadeOf(values),
  nanReach: "rest",
  memory: ({ period }) => WINDOW + SIZE * period,
  lookback: () => 1,
  source: `A. Gretton et al. (2012): squared maximum mean discrepancy of the last bars and of seven markets simulated once (${REGIME_NAMES.join(", ")}; the regime is the place of the nearest in this list, from 0), unbiased in the bars, 0 where it is below. Of a bar: its return, its range, the mean absolute return of ${SPAN} bars, and their return over their path, in logarithms; the first three as parts of what is usual, by means over all bars so far, of the last \`memory\` at most. Confidence is (second - nearest) / second. All are 0 while nothing has ever moved.`,
  run(bars, values, outputs, state, from, to) {
    const { high, low, close } = bars;
    const { period, memory } = values;
    // Not of the first bar of this state alone, which may have come from another process.
    if (OWN[0] === 0) fillReferences();
    const offset = (state[SEEN] | 0) - from;
    const warmup = SPAN + period - 1;
    let i = from;
    do {
      const n = offset + i;
      const change = n === 0 ? 0 : Math.log(close[i] / close[i - 1]);
      const range = Math.log(high[i] / low[i]);
      state[RETURNS + (n % SPAN)] = change;
      if (n > 0) state[RETURN] += (Math.abs(change) - state[RETURN]) / Math.min(n, memory);
      state[RANGE] += (range - state[RANGE]) / Math.min(n + 1, memory);
      if (n >= SPAN) {
        const turn = n - SPAN;
        const held = turn < period ? turn : period;
        const slot = turn % period;
        const at = WINDOW + SIZE * slot;
        if (held === period) leave(state, at);
        state[at + 1] = range;
        place(state, at, n % SPAN);
        state[at + LATER] = 0;
        joinWindow(state, at, WINDOW, at);
        joinWindow(state, at, at + SIZE, WINDOW + SIZE * held);
        joinRegimes(state, at);
        if (slot === period - 1) resum(state, WINDOW + SIZE * period);
      }
      const usual = state[RETURN] + state[RANGE];
      if (n < warmup || Number.isNaN(usual)) {
        for (let k = 0; k < COUNT + 2; k++) outputs[k][i] = Number.NaN;
      } else if (usual === 0) {
        for (let k = 0; k < COUNT + 2; k++) outputs[k][i] = 0;
      } else tell(state, outputs, i, period);
    } while (++i < to);
    state[SEEN] = offset + to;
  },
});
