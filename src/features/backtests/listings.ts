import type { Happening, Listing } from "../../core/backtest/rules.js";
import { allocateBars, BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import type { Known } from "../../core/strategies/define.js";
import type { Facts } from "../../core/strategies/facts.js";

/** What is known of the symbols of a run; all lists are in the order of the symbols. */
export interface RunSeries {
  /** Bars that are traded, and what is known beside them. */
  readonly series: readonly Candles[];
  readonly facts: readonly Facts[];
  /** Bars before those, which are only looked at; none of them, or of a symbol, where there are none. */
  readonly lead: readonly Known[];
  /** Dividends, in shares of the bars; none where nobody was asked. */
  readonly happenings: readonly (readonly Happening[])[];
}

/** What is known of a run, without what else it has. */
export function runSeriesOf({ series, facts, lead, happenings }: RunSeries): RunSeries {
  return { series, facts, lead, happenings };
}

/** The symbols with the bars that lead up to those that are traded. */
export function listingsOf({ series, facts, lead, happenings }: RunSeries): Listing[] {
  return series.map((candles, k) => {
    const before = lead[k];
    const own = { facts: facts[k] ?? {}, happenings: happenings[k] ?? [] };
    if (before === undefined || before.candles.time.length === 0) return { candles, ...own };
    return {
      candles: joinedCandles(before.candles, candles),
      facts: joinedFacts(before.facts ?? {}, own.facts),
      happenings: own.happenings,
    };
  });
}

/** Open of the first bar that is traded: what `start` of the rules is. */
export function startOf({ series }: Pick<RunSeries, "series">): number {
  return Math.min(...series.map(({ time }) => time[0]));
}

function joinedCandles(before: Candles, after: Candles): Candles {
  const bars = allocateBars(before.time.length + after.time.length);
  for (const column of BAR_COLUMNS) {
    bars[column].set(before[column]);
    bars[column].set(after[column], before.time.length);
  }
  return { symbol: after.symbol, interval: after.interval, ...bars };
}

function joinedFacts(before: Facts, after: Facts): Facts {
  return Object.fromEntries(
    Object.entries(after).map(([name, column]) => {
      const first = before[name as keyof Facts] ?? new Float64Array(0);
      const all = new Float64Array(first.length + column.length);
      all.set(first);
      all.set(column, first.length);
      return [name, all];
    }),
  );
}
