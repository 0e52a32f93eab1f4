import type { Bars } from "../market/candles.js";

/** How far from exactly 100 a slip may lie: prices move meanwhile. */
const SLIP_LEAST = 80;
const SLIP_MOST = 125;

/** A stretch of bars, from <= i < to, whose prices must be multiplied to stand on the scale of the others. */
export interface Slip {
  readonly from: number;
  readonly to: number;
  /** 100 or 0.01. */
  readonly factor: number;
}

/** Powers of 100 between two prices: 1 when the later is about 100 times the earlier, 0 for none. */
function power(earlier: number, later: number): number {
  const ratio = later / earlier;
  if (ratio >= SLIP_LEAST && ratio <= SLIP_MOST) return 1;
  return ratio <= 1 / SLIP_LEAST && ratio >= 1 / SLIP_MOST ? -1 : 0;
}

/**
 * Stretches of closes that are 100 times too large or too small: pounds among pence. The scale that trades took
 * place on is taken for the right one: that with the most volume, of equal ones that with the most bars, then the
 * newest. Bars must be sound and ascending.
 * @param explained whether a jump at bar i is known to be real, as that of a split of one to 100.
 */
export function findSlips(bars: Bars, explained: (i: number) => boolean = () => false): Slip[] {
  const { close, volume } = bars;
  const { length } = close;
  const stretches: { from: number; level: number }[] = [];
  let level = 0;
  for (let i = 0; i < length; i++) {
    const step = i === 0 || explained(i) ? 0 : power(close[i - 1], close[i]);
    level += step;
    if (i === 0 || step !== 0) stretches.push({ from: i, level });
  }
  if (stretches.length < 2) return [];
  const ends = stretches.map((_, k) => stretches[k + 1]?.from ?? length);
  const right = trustedLevel(stretches, ends, volume);
  return stretches.flatMap((stretch, k) =>
    stretch.level === right
      ? []
      : [{ from: stretch.from, to: ends[k], factor: 100 ** (right - stretch.level) }],
  );
}

function trustedLevel(
  stretches: readonly { readonly from: number; readonly level: number }[],
  ends: readonly number[],
  volume: Float64Array,
): number {
  const weights = new Map<number, { traded: number; bars: number; newest: number }>();
  for (const [k, { from, level }] of stretches.entries()) {
    const weight = weights.get(level) ?? { traded: 0, bars: 0, newest: 0 };
    for (let i = from; i < ends[k]; i++) weight.traded += volume[i];
    weight.bars += ends[k] - from;
    weight.newest = ends[k];
    weights.set(level, weight);
  }
  const ranked = [...weights].sort(
    ([, a], [, b]) => b.traded - a.traded || b.bars - a.bars || b.newest - a.newest,
  );
  return ranked[0][0];
}

/** Which of a bar's four prices alone is 100 times off the other three, and by what it must be multiplied. */
export function findSlippedPrice(prices: readonly number[]): { index: number; factor: number } | null {
  const sorted = prices.toSorted((a, b) => a - b);
  const middle = sorted[1];
  const odd = prices.flatMap((price, index) => {
    const off = power(price > middle ? middle : sorted[2], price);
    return off === 0 ? [] : [{ index, factor: 100 ** -off }];
  });
  return odd.length === 1 ? odd[0] : null;
}
