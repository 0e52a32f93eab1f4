import { describe, expect, it } from "vitest";
import { type CalendarId, calendarOf } from "../../src/core/market/session.js";
import { TickIntake } from "../../src/core/ticks/intake.js";
import { QUOTE_KINDS, QuoteMids, type QuoteTicks } from "../../src/core/ticks/quotes.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";
import { VERDICTS } from "../../src/core/ticks/verdict.js";
import { sharedPath } from "../fixtures/shared.js";
import { readClosed, type TickBar } from "../fixtures/tick-bars.js";
import { readQuotes } from "../fixtures/tick-files.js";

const EURUSD = "lean-fxcm-EURUSD-quotes-20140501-20140509.csv.gz";
const XAUUSD = "lean-oanda-XAUUSD-quotes-20140505-20140507.csv.gz";
const IBM = "lean-IBM-quotes-20131007-20131008.csv.gz";

function barsOf(quotes: QuoteTicks, id: CalendarId) {
  const intake = new TickIntake([calendarOf(id)]);
  const mids = new QuoteMids(1);
  const ticks = allocateTicks(1);
  const bars: TickBar[] = [];
  for (let i = 0; i < quotes.time.length; i++) {
    if (mids.take(quotes, i, ticks, 0) <= 1) intake.take(ticks, 0);
    readClosed(intake.builder.closed, bars);
  }
  intake.closeUntil(0, Float64Array.of(quotes.time[quotes.time.length - 1] + 1e9));
  readClosed(intake.builder.closed, bars);
  const kinds = Object.fromEntries(QUOTE_KINDS.map((name, kind) => [name, mids.count(0, kind)]));
  const verdicts = Object.fromEntries(VERDICTS.map((name, code) => [name, intake.guard.count(0, code)]));
  return { bars, kinds, verdicts };
}

/** Mids by five minutes of UTC, in one pass: both sides in each quote, and crossed ones without a mid. */
function plainMids({ time, bid, ask }: QuoteTicks): Map<number, number[]> {
  const cells = new Map<number, number[]>();
  for (let i = 0; i < time.length; i++) {
    if (bid[i] > ask[i]) continue;
    const open = Math.floor(time[i] / 300_000) * 300_000;
    cells.set(
      open,
      [...(cells.get(open) ?? []), (bid[i] + ask[i]) / 2].sort((a, b) => a - b),
    );
  }
  return cells;
}

describe.skipIf(sharedPath("data", "ticks", EURUSD) === null)("quotes", () => {
  it("of EUR/USD: those that cross or lock are those that the data's README counts", () => {
    const quotes = readQuotes(EURUSD);
    const { bars, kinds, verdicts } = barsOf(quotes, "FX");
    expect(kinds).toEqual({
      mid: 675_401 - 69_354 - 82_118,
      locked: 82_118,
      one_sided: 0,
      crossed: 69_354,
      empty: 0,
      negative: 0,
      not_finite: 0,
    });
    expect(verdicts.accepted).toBe(675_401 - 69_354);
    const five = bars.filter((bar) => bar.interval === 0);
    expect(five.reduce((sum, bar) => sum + bar.count, 0)).toBe(675_401 - 69_354);
    expect(five.every((bar) => bar.volume === 0)).toBe(true);
  });

  it("of gold: highs, lows and counts are those of one plain pass", () => {
    const quotes = readQuotes(XAUUSD);
    const { bars, kinds, verdicts } = barsOf(quotes, "FX");
    expect([kinds.crossed, kinds.one_sided, verdicts.outlier]).toEqual([0, 0, 0]);
    const plain = plainMids({ ...quotes, time: quotes.time.subarray(0, 40_000) });
    const cells = [...plain].slice(0, -1);
    expect(cells.length).toBeGreaterThan(30);
    const five = bars.filter((bar) => bar.interval === 0).slice(0, cells.length);
    expect(five.map(({ time, count }) => [time, count])).toEqual(
      cells.map(([time, all]) => [time, all.length]),
    );
    five.forEach((bar, k) => {
      const [, all] = cells[k];
      expect([bar.low, bar.high]).toEqual([
        expect.closeTo(all[0], 9),
        expect.closeTo(all[all.length - 1], 9),
      ]);
    });
  });

  it("of IBM, of one side each and of every exchange: all are counted, and no price is of a missing side", () => {
    const quotes = readQuotes(IBM);
    const { bars, kinds, verdicts } = barsOf(quotes, "XNYS");
    process.stdout.write(`IBM quotes: ${JSON.stringify(kinds)} ${JSON.stringify(verdicts)}\n`);
    expect(Object.values(kinds).reduce((sum, count) => sum + count, 0)).toBe(234_817);
    expect([kinds.empty, kinds.negative, kinds.not_finite]).toEqual([0, 0, 0]);
    // IBM was traded between 178 and 182 on those days.
    for (const bar of bars) {
      expect(bar.low).toBeGreaterThan(170);
      expect(bar.high).toBeLessThan(190);
    }
  });
});
