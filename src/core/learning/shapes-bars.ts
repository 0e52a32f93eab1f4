import type { Rng } from "../base/rng.js";
import { allocateBars, type Bars } from "../market/candles.js";
import { WINDOW_BARS } from "./sequence-net/columns.js";
import { BARS_AFTER } from "./shapes.js";
import { between, type ShapePath } from "./shapes-paths.js";

/** Bars before a window, which give the close that its first bar opens at. */
const BARS_BEFORE = 1;

/**
 * Heights of the closes of a window in which a path is seen, and of the one before it.
 * @param shown share of the way from the first point to the last after which the window ends; 1 shows the break, too.
 * @param after bars of the window after the break, where it is shown.
 */
export function heightsOf(path: ShapePath, rng: Rng, shown: number, after: number): Float64Array {
  const { from, heights, legs, end } = path;
  const breakBars = 1 + rng.below(5);
  const longest = Math.max(path.span[0], Math.min(path.span[1], WINDOW_BARS - breakBars - after - 3));
  const span = Math.round(between(rng, path.span[0], longest));
  const whole = legs.reduce((sum, leg) => sum + leg, 0);
  const last = shown >= 1 ? span + breakBars + after : Math.round(shown * span);
  const first = last - (WINDOW_BARS - 1 + BARS_BEFORE);
  const way = Math.min(Math.max(1, -first), 5 + rng.below(20));
  const turns: (readonly [number, number])[] = [];
  turns.push([-way, from]);
  let passed = 0;
  for (const [n, height] of heights.entries()) {
    turns.push([(passed / whole) * span, height]);
    passed += legs[n] ?? 0;
  }
  turns.push([span + breakBars, end]);
  const lean = end - heights[heights.length - 1];
  turns.push([span + breakBars + BARS_AFTER, end + between(rng, -0.05, 0.25) * lean]);
  if (after > BARS_AFTER) turns.push([span + breakBars + after, end + between(rng, -1, 1)]);
  const bend = rng.next();
  const column = Float64Array.from({ length: WINDOW_BARS + BARS_BEFORE }, (_, i) =>
    heightAt(turns, first + i, bend),
  );
  // Before the move into the shape price came from anywhere.
  const step = between(rng, 0.05, 0.3);
  for (let i = Math.min(-first - way, column.length) - 1; i >= 0; i--) {
    column[i] = (column[i + 1] ?? from) + step * rng.normal();
  }
  return column;
}

/** Bars of a window after the break: often none, at most as many as the shape counts for. */
export function barsAfter(rng: Rng): number {
  return Math.max(0, rng.below(2 * BARS_AFTER) - BARS_AFTER + 1);
}

/** Height between turns: straight, bent towards a half cosine by a share 0..1. */
function heightAt(turns: readonly (readonly [number, number])[], bar: number, bend: number): number {
  let next = 1;
  while (next < turns.length - 1 && turns[next][0] < bar) next++;
  const [from, low] = turns[next - 1];
  const [to, high] = turns[next];
  const share = Math.min(1, Math.max(0, (bar - from) / (to - from)));
  const bent = (1 - Math.cos(Math.PI * share)) / 2;
  return low + (high - low) * (share + bend * (bent - share));
}

/** Adds noise to heights in place: of each bar alone, or wandering from bar to bar. @param size standard deviation. */
export function addNoise(heights: Float64Array, size: number, rng: Rng): void {
  const memory = between(rng, 0, 0.7);
  const fresh = size * Math.sqrt(1 - memory * memory);
  let noise = size * rng.normal();
  for (let i = 0; i < heights.length; i++) {
    heights[i] += noise;
    noise = memory * noise + fresh * rng.normal();
  }
}

/**
 * Bars whose closes are prices of heights, with opens that may gap, wicks and volume.
 * @param heights of one bar before the first and of each bar. @param scale logarithm of the price of one height.
 * @param grain usual distance from bar to bar, in heights: what wicks and gaps are measured in.
 */
export function barsOf(heights: Float64Array, scale: number, grain: number, rng: Rng): Bars {
  const n = heights.length - BARS_BEFORE;
  const bars = allocateBars(n);
  const base = Math.exp(between(rng, 0, 7));
  const gaps = rng.next() < 0.3 ? between(rng, 0.1, 0.6) : between(rng, 0, 0.1);
  const wicks = between(rng, 0.15, 0.9);
  const price = (height: number) => base * Math.exp(scale * height);
  for (let i = 0; i < n; i++) {
    const close = heights[i + BARS_BEFORE];
    const open = heights[i + BARS_BEFORE - 1] + gaps * grain * rng.normal();
    const above = -wicks * grain * Math.log(1 - rng.next());
    const below = -wicks * grain * Math.log(1 - rng.next());
    bars.time[i] = i * 86_400_000;
    bars.open[i] = price(open);
    bars.close[i] = price(close);
    bars.high[i] = price(Math.max(open, close) + above);
    bars.low[i] = price(Math.min(open, close) - below);
  }
  setVolumes(bars, rng);
  return bars;
}

/** Volume that wanders, may trend, and may go with the size of bars; of one in ten windows there is none. */
function setVolumes({ volume, open, close }: Bars, rng: Rng): void {
  if (rng.next() < 0.1) return;
  const usual = Math.exp(between(rng, 5, 16));
  const spread = between(rng, 0.1, 0.6);
  const trend = between(rng, -1, 1);
  const withMoves = between(rng, 0, 20);
  for (let i = 0; i < volume.length; i++) {
    const move = Math.abs(Math.log(close[i] / open[i]));
    const level = trend * (i / volume.length - 0.5) + Math.min(1, withMoves * move);
    volume[i] = Math.round(usual * Math.exp(level + spread * rng.normal()));
  }
}
