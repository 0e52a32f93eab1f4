import { assert } from "../base/assert.js";
import { createRng, type Rng, shuffle } from "../base/rng.js";
import { lowerBound } from "../base/search.js";
import { allocateBars, BAR_COLUMNS, type Candles } from "../market/candles.js";
import { isIntraday } from "../market/interval.js";
import { type Calendar, lastOpened } from "../market/session.js";
import type { Happening, Listing } from "./rules.js";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Symbols whose bars are permuted together at most. */
const MOST_SYMBOLS = 32;

export interface PermutedTerms {
  /** Of all symbols; null where they differ, and times of day are those of UTC. */
  readonly calendar: Calendar | null;
  /** Bars that open before it stay as they are. */
  readonly fromMs?: number;
}

/** Bars of a symbol, and what happens to it before some of them. */
export type PermutedListing = Pick<Listing, "candles" | "happenings">;

/**
 * Markets that could have been had bars not depended on each other: the same bars in another order, each with its gap to
 * the close before it, its shape and its volume, chained to new prices (T. Masters 2018). The times are those given, and
 * so are the first bar and the last close. Bars within the day change places with those of the same time of day, and
 * symbols that have a bar of one time change them together, so that what moves together stays together. A dividend goes
 * with the bar whose gap has it, as the same part of the price.
 * @returns draws one such market of all symbols; the same number draws the same one.
 */
export function permutedListings(
  listings: readonly PermutedListing[],
  { calendar, fromMs = Number.NEGATIVE_INFINITY }: PermutedTerms,
): (seed: number, draw: number) => PermutedListing[] {
  assert(listings.length <= MOST_SYMBOLS, `no more than ${MOST_SYMBOLS} symbols`);
  const series = listings.map(({ candles }) => candles);
  const happenings = listings.map(happeningsByBar);
  const { rows, groups } = groupsOf(series, calendar, fromMs);
  return (seed, draw) => {
    const rng = createRng(seed, 0x7e2, draw);
    const sources = sourcesOf(rows, groups, rng);
    return series.map((before, k) => {
      const candles = chained(before, rows, sources, k);
      return { candles, happenings: carried(happenings[k], before, candles, rows, sources, k) };
    });
  };
}

/** The same of bars to which nothing happens. */
export function permutedBars(
  series: readonly Candles[],
  terms: PermutedTerms,
): (seed: number, draw: number) => Candles[] {
  const draws = permutedListings(
    series.map((candles) => ({ candles })),
    terms,
  );
  return (seed, draw) => draws(seed, draw).map(({ candles }) => candles);
}

/** Bars of one time: the place of each symbol's bar, -1 where it has none. */
type Row = Int32Array;

interface Groups {
  readonly rows: readonly Row[];
  /** Numbers of the rows that may change places with each other. */
  readonly groups: readonly Float64Array[];
}

function groupsOf(series: readonly Candles[], calendar: Calendar | null, fromMs: number): Groups {
  const rows: Row[] = [];
  const groups = new Map<string, number[]>();
  const next = Int32Array.from(series, ({ time }) => lowerBound(time, fromMs));
  for (;;) {
    let at = Number.POSITIVE_INFINITY;
    for (const [k, { time }] of series.entries())
      at = next[k] < time.length ? Math.min(at, time[next[k]]) : at;
    if (at === Number.POSITIVE_INFINITY) break;
    const row = new Int32Array(series.length).fill(-1);
    let [mask, isFirst] = ["", false];
    for (const [k, { time }] of series.entries()) {
      if (time[next[k]] !== at) continue;
      row[k] = next[k]++;
      mask += ` ${k}`;
      isFirst ||= row[k] === 0;
    }
    // A first bar has no close before it.
    const key = isFirst ? "" : `${slotOf(series[0], calendar, at)}${mask}`;
    const group = groups.get(key);
    if (group !== undefined) group.push(rows.length);
    else if (!isFirst) groups.set(key, [rows.length]);
    rows.push(row);
  }
  return { rows, groups: Array.from(groups.values(), (group) => Float64Array.from(group)) };
}

/** Minutes since the open of the session, or since midnight; 0 of days and weeks. */
function slotOf({ interval }: Candles, calendar: Calendar | null, timeMs: number): number {
  if (!isIntraday(interval)) return 0;
  const session = calendar === null ? -1 : lastOpened(calendar, timeMs);
  if (calendar === null || session < 0) return Math.floor(timeMs / MINUTE_MS) % DAY_MINUTES;
  return Math.floor((timeMs - calendar.open[session]) / MINUTE_MS);
}

/** Of each row the one whose bars it gets. */
function sourcesOf(rows: readonly Row[], groups: readonly Float64Array[], rng: Rng): Int32Array {
  const sources = Int32Array.from(rows, (_, row) => row);
  for (const group of groups) {
    const order = group.slice();
    shuffle(order, rng);
    for (let i = 0; i < group.length; i++) sources[group[i]] = order[i];
  }
  return sources;
}

function chained(candles: Candles, rows: readonly Row[], sources: Int32Array, k: number): Candles {
  const { open, high, low, close, volume } = candles;
  const bars = allocateBars(open.length);
  for (const column of BAR_COLUMNS) bars[column].set(candles[column]);
  for (let row = 0; row < rows.length; row++) {
    const to = rows[row][k];
    if (to <= 0) continue;
    const from = rows[sources[row]][k];
    // Divided and multiplied alike, prices stay in their order.
    const [before, level] = [close[from - 1], bars.close[to - 1]];
    bars.open[to] = (open[from] / before) * level;
    bars.high[to] = (high[from] / before) * level;
    bars.low[to] = (low[from] / before) * level;
    bars.close[to] = (close[from] / before) * level;
    bars.volume[to] = volume[from];
  }
  return { symbol: candles.symbol, interval: candles.interval, ...bars };
}

/** Happenings by the place of the bar that they come before; those after the last bar come before none. */
function happeningsByBar({ candles, happenings = [] }: PermutedListing): ReadonlyMap<number, Happening[]> {
  const byBar = new Map<number, Happening[]>();
  for (const happening of happenings) {
    const bar = lowerBound(candles.time, happening.at);
    byBar.set(bar, [...(byBar.get(bar) ?? []), happening]);
  }
  return byBar;
}

/** Happenings of a symbol, each before the place that its bar has got; bars that are in no row stay. */
function carried(
  byBar: ReadonlyMap<number, readonly Happening[]>,
  before: Candles,
  after: Candles,
  rows: readonly Row[],
  sources: Int32Array,
  k: number,
): Happening[] {
  if (byBar.size === 0) return [];
  const first = rows.find((row) => row[k] >= 0)?.[k] ?? before.time.length;
  const all = Array.from(byBar).flatMap(([bar, happenings]) => (bar < first ? happenings : []));
  for (let row = 0; row < rows.length; row++) {
    const [to, from] = [rows[row][k], rows[sources[row]][k]];
    if (to < 0) continue;
    const at = after.time[to];
    for (const happening of byBar.get(from) ?? []) {
      if (from === 0 || happening.kind === "split") all.push({ ...happening, at });
      else {
        const share = happening.amount / before.close[from - 1];
        all.push({ ...happening, at, amount: share * after.close[to - 1] });
      }
    }
  }
  return all;
}
