import type { Bars } from "../../market/candles.js";

/** Bars of a window. */
export const WINDOW_BARS = 50;

/**
 * Columns of a bar, in the order in which the net reads them. Prices are logarithms; a unit is the mean of the true
 * ranges within the window, the first of which is the range of the bar alone. None depends on the price level, on the
 * currency or on what volume is counted in.
 *
 * - `close_place`, `high_place`, `low_place`: where the price stands between the lowest low (-1) and the highest high (1)
 * - `close_change`: from the close before, of the first bar from its open, in units, at most 4 either way
 * - `body`: from open to close, in units, at most 4 either way
 * - `upper_wick`, `lower_wick`: from the body to the extreme, in units, at most 4
 * - `range`: from low to high in units, less 1, at most 4
 * - `way_to_close`: from the newest close, in units, as the hyperbolic tangent of an eighth
 * - `volume`: logarithm of the share of the mean volume, at most 3 either way; 0 where there is none in the window
 */
export const NET_COLUMNS = [
  "close_place",
  "high_place",
  "low_place",
  "close_change",
  "body",
  "upper_wick",
  "lower_wick",
  "range",
  "way_to_close",
  "volume",
] as const;

/** Values of a window: by bar, then by column. */
export const WINDOW_VALUES = WINDOW_BARS * NET_COLUMNS.length;

const MOST_UNITS = 4;
const MOST_VOLUME = 3;
/** Spans of prices below this share are rounding. */
const LEAST_SPAN = 1e-9;

/**
 * Writes the columns of the window that ends at bar `end` from `at` on, by bar, then by column; bars before the window
 * and after `end` are not read. Every value is finite; of a flat window all are 0.
 * @returns false, with nothing written, where there are too few bars or a price is not above 0 and finite.
 */
export function writeWindow(bars: Bars, end: number, into: Float64Array | Float32Array, at = 0): boolean {
  const from = end - WINDOW_BARS + 1;
  if (from < 0 || end >= bars.close.length || !hasPrices(bars, from, end)) return false;
  const { open, high, low, close, volume } = bars;
  let [highest, lowest, units, volumes] = [0, Number.POSITIVE_INFINITY, 0, 0];
  for (let i = from; i <= end; i++) {
    if (high[i] > highest) highest = high[i];
    if (low[i] < lowest) lowest = low[i];
    const top = i > from && close[i - 1] > high[i] ? close[i - 1] : high[i];
    const bottom = i > from && close[i - 1] < low[i] ? close[i - 1] : low[i];
    units += Math.log(top / bottom);
    volumes += volume[i] > 0 ? volume[i] : 0;
  }
  const span = Math.log(highest / lowest);
  const flat = !(span > LEAST_SPAN);
  const unit = units / WINDOW_BARS;
  const meanVolume = volumes / WINDOW_BARS;
  for (let i = from; i <= end; i++) {
    const to = at + (i - from) * NET_COLUMNS.length;
    const top = open[i] > close[i] ? open[i] : close[i];
    const bottom = open[i] > close[i] ? close[i] : open[i];
    const before = i > from ? close[i - 1] : open[i];
    into[to] = flat ? 0 : (2 * Math.log(close[i] / lowest)) / span - 1;
    into[to + 1] = flat ? 0 : (2 * Math.log(high[i] / lowest)) / span - 1;
    into[to + 2] = flat ? 0 : (2 * Math.log(low[i] / lowest)) / span - 1;
    into[to + 3] = flat ? 0 : bounded(Math.log(close[i] / before) / unit, MOST_UNITS);
    into[to + 4] = flat ? 0 : bounded(Math.log(close[i] / open[i]) / unit, MOST_UNITS);
    into[to + 5] = flat ? 0 : bounded(Math.log(high[i] / top) / unit, MOST_UNITS);
    into[to + 6] = flat ? 0 : bounded(Math.log(bottom / low[i]) / unit, MOST_UNITS);
    into[to + 7] = flat ? 0 : bounded(Math.log(high[i] / low[i]) / unit - 1, MOST_UNITS);
    into[to + 8] = flat ? 0 : Math.tanh(Math.log(close[i] / close[end]) / unit / 8);
    into[to + 9] = meanVolume > 0 ? volumeOf(volume[i] / meanVolume) : 0;
  }
  return true;
}

/** The columns of the window that ends at bar `end`, as `writeWindow` has them; null where it has none. */
export function windowAt(bars: Bars, end: number): Float64Array | null {
  const window = new Float64Array(WINDOW_VALUES);
  return writeWindow(bars, end, window) ? window : null;
}

function hasPrices({ open, high, low, close }: Bars, from: number, end: number): boolean {
  for (let i = from; i <= end; i++) {
    // Differs from 0 for NaN and the infinities alone.
    const sum = open[i] + high[i] + low[i] + close[i];
    if (sum - sum !== 0 || !(low[i] > 0 && open[i] > 0 && close[i] > 0 && high[i] > 0)) return false;
  }
  return true;
}

function bounded(value: number, most: number): number {
  return value > most ? most : value < -most ? -most : value;
}

function volumeOf(share: number): number {
  return share > 0 ? bounded(Math.log(share), MOST_VOLUME) : -MOST_VOLUME;
}
