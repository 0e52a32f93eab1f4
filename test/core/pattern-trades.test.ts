import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import type { Candles } from "../../src/core/market/candles.js";
import type { Hit, Pattern } from "../../src/core/patterns/define.js";
import { findPattern, findVariant } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { hasPriorTrend } from "../../src/core/patterns/trend.js";
import { summariseTrades, tradePattern } from "../../src/core/signals/pattern-trades.js";
import { gridWalk } from "../fixtures/grid-walk.js";

const candles: Candles = { ...gridWalk(4_000, 3), symbol: "WALK", interval: "1d" };
const engulfing = ensure(findPattern("engulfing"), "the table has engulfing");
const line = ensure(findVariant("bullish_long_line"), "the table has long lines").pattern;
const VARIANT = "bullish_engulfing";

function qualified(pattern: Pattern, from = 0): Hit[] {
  const hits: Hit[] = [];
  pattern.find(createPatternSeries(candles), from, candles.time.length, hits);
  return hits.filter((hit) => hit.variant.id === VARIANT && hasPriorTrend(hit, candles) !== false);
}

/** The trade on a pattern, read bar by bar as a trader would. */
function byHand(at: number, stop: number, target: number) {
  const { open, high, low, close } = candles;
  const entry = open[at + 1];
  for (let i = at + 1; i <= at + 20; i++) {
    if (i > at + 1 && open[i] <= stop) return { exitAt: i, exit: open[i], entry };
    if (i > at + 1 && open[i] >= target) return { exitAt: i, exit: open[i], entry };
    if (low[i] <= stop) return { exitAt: i, exit: stop, entry };
    if (high[i] >= target) return { exitAt: i, exit: target, entry };
  }
  return { exitAt: at + 20, exit: close[at + 20], entry };
}

describe("trades on a pattern", () => {
  const found = tradePattern(candles, engulfing, VARIANT, 0, 10);

  it("are taken one at a time, in at the next open, out as a trader would read it", () => {
    expect(found.trades.length).toBeGreaterThan(20);
    let free = 0;
    for (const { at, exitAt, entry, exit, stop, target, gain, r } of found.trades) {
      expect(at).toBeGreaterThanOrEqual(free);
      free = exitAt;
      expect({ exitAt, exit, entry }).toEqual(byHand(at, stop, target));
      expect(gain).toBeCloseTo(exit / entry - 1 - 0.001, 12);
      expect(r).toBeCloseTo((exit - entry - 0.001 * entry) / (candles.close[at] - stop), 9);
    }
  });

  it("and what was not traded are all the patterns there were", () => {
    const { trades, occurrences, overlapped, voided, unsettled, unpriced } = found;
    expect(occurrences).toBe(qualified(engulfing).length);
    expect(trades.length + overlapped + voided + unsettled + unpriced).toBe(occurrences);
    const often = tradePattern(candles, line, "bullish_long_line", 0, 10);
    expect(often.overlapped).toBeGreaterThan(50);
    expect(often.trades.length + often.overlapped + often.voided + often.unsettled).toBe(often.occurrences);
  });

  it("before a bar are not taken, and those after it are the same trades", () => {
    const later = tradePattern(candles, engulfing, VARIANT, 2_000, 10);
    expect(later.occurrences).toBe(qualified(engulfing, 2_000).length);
    expect(later.trades[0].at).toBeGreaterThanOrEqual(2_000);
    expect(found.trades).toEqual(expect.arrayContaining([...later.trades.slice(2)]));
  });
});

describe("a summary of trades", () => {
  const [sample] = tradePattern(candles, engulfing, VARIANT, 0, 0).trades;
  const gaining = (...gains: number[]) =>
    gains.map((gain, i) => ({ ...sample, gain, at: 10 * i, exitAt: 10 * i + 4 }));
  const YEAR = 365.25 * 86_400_000;

  it("compounds gains, and measures falls from the peak", () => {
    const summary = summariseTrades(gaining(0.1, -0.2, 0.05, 0.1), 2 * YEAR);
    expect(summary.totalReturn).toBeCloseTo(1.1 * 0.8 * 1.05 * 1.1 - 1, 12);
    expect(summary.annualReturn).toBeCloseTo(Math.sqrt(1.1 * 0.8 * 1.05 * 1.1) - 1, 12);
    expect(summary.maxDrawdown).toBeCloseTo(0.2, 12);
    expect(summary).toMatchObject({ winRate: 0.75, best: 0.1, worst: -0.2, meanBars: 4 });
    expect(summary.profitFactor).toBeCloseTo(0.25 / 0.2, 12);
    const mean = 0.05 / 4;
    const deviation = Math.sqrt(
      [0.1, -0.2, 0.05, 0.1].reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / 3,
    );
    expect(summary.sharpe).toBeCloseTo((mean / deviation) * Math.sqrt(2), 12);
  });

  it("says nothing of what there is too little of", () => {
    expect(summariseTrades([], YEAR)).toMatchObject({
      totalReturn: 0,
      maxDrawdown: 0,
      winRate: null,
      sharpe: null,
      best: null,
      profitFactor: null,
    });
    expect(summariseTrades(gaining(0.1), 3_600_000)).toMatchObject({
      annualReturn: null,
      deviation: null,
      profitFactor: null,
    });
  });
});
