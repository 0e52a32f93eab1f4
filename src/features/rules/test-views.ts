import type { z } from "zod";
import { ensure } from "../../core/base/assert.js";
import { meanOf } from "../../core/base/stats.js";
import type { Interval } from "../../core/market/interval.js";
import type { Condition } from "../../core/rules/condition.js";
import { printRule } from "../../core/rules/print.js";
import { NEXT_BARS } from "../../core/rules/test-run.js";
import { isoTime } from "../../platform/http.js";
import type { testedSchema } from "./schema.js";
import type { SymbolTest } from "./testing.js";

type Tested = z.input<typeof testedSchema>;

/** Firings of a symbol that are listed. */
const MOST_LISTED = 200;

export function testedView(when: Condition, interval: Interval, tests: readonly SymbolTest[]): Tested {
  const runs = tests.flatMap(({ tried }) => tried?.result ?? []);
  const firings = runs.flatMap((run) => run.firings);
  return {
    expression: printRule(when),
    interval,
    count: firings.length,
    next: NEXT_BARS.map((bars, k) => {
      const known = firings.flatMap(({ next }) => next[k] ?? []);
      const risen = known.filter((percent) => percent > 0).length;
      return {
        bars,
        known: known.length,
        mean_percent: known.length === 0 ? null : meanOf(known),
        risen: known.length === 0 ? null : risen / known.length,
      };
    }),
    steps: runs.reduce((sum, { steps }) => sum + steps, 0),
    symbols: tests.map(symbolView),
  };
}

function symbolView({ symbol, tried, error }: SymbolTest): Tested["symbols"][number] {
  if (tried === null) return untried(symbol, ensure(error, "a reason"));
  const { set, from, result } = tried;
  const { time, close } = set.candles;
  return {
    symbol,
    error,
    count: result.firings.length,
    bars: time.length - from,
    from: isoTime(time[from]),
    to: isoTime(time[time.length - 1]),
    holds: result.holds,
    unknown: result.unknown,
    unknown_for: result.lacks.map((each) => ({ ...each })),
    suppressed: { ...result.suppressed },
    firings: result.firings.slice(-MOST_LISTED).map(({ bar, dueAt, next }) => ({
      bar: isoTime(time[bar]),
      closed_at: isoTime(result.closes[bar]),
      price: close[bar],
      told_at: dueAt === null ? null : isoTime(dueAt),
      next: NEXT_BARS.map((bars, k) => ({ bars, percent: next[k] })),
    })),
    source: set.source,
    synthetic: set.synthetic,
    as_of: isoTime(set.asOfMs),
    stale: set.stale,
    age_ms: set.ageMs,
  };
}

function untried(symbol: string, error: string): Tested["symbols"][number] {
  return {
    symbol,
    error,
    count: 0,
    bars: 0,
    from: null,
    to: null,
    holds: 0,
    unknown: 0,
    unknown_for: [],
    suppressed: {},
    firings: [],
    source: null,
    synthetic: false,
    as_of: null,
    stale: false,
    age_ms: null,
  };
}
