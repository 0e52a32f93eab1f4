import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Convention } from "../../src/core/backtest/conventions.js";
import { CONVENTIONS, geometricMean } from "../../src/core/backtest/conventions.js";
import { FIGURES, type FigureName, wordsOf } from "../../src/core/backtest/figures.js";
import { monthlyTable } from "../../src/core/backtest/months.js";
import { type ReportTerms, reportOf } from "../../src/core/backtest/report.js";
import { heldShare, returnsOfTrack, type Track } from "../../src/core/backtest/track.js";
import { dayOf } from "../../src/core/market/day.js";
import { kellyShare, statisticsOf, systemQuality } from "../../src/core/performance/statistics.js";
import type { ClosedTrade } from "../../src/core/performance/trade.js";
import { closedTrade, tradesOfNets } from "../fixtures/closed-trades.js";

const DAY_MS = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const BARS = 320;
const utcDay = (timeMs: number) => Math.floor(timeMs / DAY_MS);

/** Four bars a day over eighty days. */
const column = (of: (i: number) => number) => Float64Array.from({ length: BARS }, (_, i) => of(i));
const TRACK: Track = {
  capital: 10_000e6,
  time: column((i) => START + (i * DAY_MS) / 4),
  equity: column(
    (i) =>
      10_000e6 *
      (1 + (0.002 * i) / 4 + 0.03 * Math.sin(1.7 * i) * Math.cos(0.11 * i) + 0.02 * Math.sin(0.05 * i)),
  ),
  long: new Float64Array(BARS),
  short: new Float64Array(BARS),
};
const BENCHMARK = {
  close: column((i) => 50 * (1 + (0.001 * i) / 4 + 0.02 * Math.cos(0.9 * i) + 0.05 * Math.sin(0.03 * i))),
  from: 10,
};

function termsOf(convention: Convention, given: Partial<ReportTerms> = {}): ReportTerms {
  const year = { days: 252, riskFree: 0.02 };
  return { convention, year, dayAt: utcDay, benchmark: BENCHMARK, ...given };
}

/** Of numpy 2.4 and scipy 1.17 for the track above, by the definitions of the table. */
const EXPECTED: Readonly<Record<Convention, Partial<Record<FigureName, number>>>> = {
  textbook: {
    total_return: 0.13065854800194732,
    annual_return: 0.4722926088835133,
    volatility: 0.15760349065093945,
    sharpe: 2.408340534832694,
    sortino: 3.931988524878929,
    calmar: 7.5610751732554,
    omega: 1.425288230847288,
    skewness: -0.0351368063586329,
    kurtosis: 1.930158000824174,
    beta: 0.003261514978401178,
    alpha: 0.5725211444571578,
    max_drawdown: 0.06246368380968881,
    average_drawdown: 0.04227955235268523,
    max_drawdown_bars: 76,
    average_drawdown_bars: 13.782608695652174,
    max_drawdown_days: 19,
    ulcer: 0.016936652044842675,
  },
  compound: {
    annual_return: 0.5872189326904675,
    volatility: 0.24360971307503124,
    sharpe: 2.3283921052678447,
    sortino: 6.430359889549546,
    calmar: 9.400965439047376,
    beta: -0.009132881783937518,
    alpha: 0.11108376162739997,
    omega: 1.425288230847288,
    max_drawdown: 0.06246368380968881,
  },
};

describe("a report", () => {
  it.each(CONVENTIONS)("has the figures of another program: %s", (convention) => {
    const { figures } = reportOf(TRACK, [], termsOf(convention, { least: { days: 20, years: 0.2 } }));
    for (const [name, expected] of Object.entries(EXPECTED[convention])) {
      expect(figures[name as FigureName].value, name).toBeCloseTo(expected, 9);
    }
    expect(figures.cagr.value).toBeCloseTo(0.7549097664857691, 9);
  });

  it("has exactly the figures of the table, each a number or a reason", () => {
    const names = FIGURES.map(({ name }) => name).toSorted();
    for (const convention of CONVENTIONS) {
      const empty = { capital: 1, time: column(Number).slice(0, 0) };
      const none = { ...empty, equity: empty.time, long: empty.time, short: empty.time };
      for (const track of [TRACK, none]) {
        const { figures } = reportOf(track, [], termsOf(convention, { benchmark: null }));
        expect(Object.keys(figures).toSorted()).toEqual(names);
        for (const { name } of FIGURES) {
          const { value, reason } = figures[name];
          expect(value === null ? typeof reason : Number.isFinite(value), name).toBe(
            value === null ? "string" : true,
          );
        }
      }
    }
  });

  it("has words for every figure in both conventions", () => {
    for (const row of FIGURES) {
      for (const convention of CONVENTIONS) {
        const { definition, annualised } = wordsOf(row, convention);
        expect(definition).toMatch(/^[A-Z].*\.$/);
        expect(annualised === null || annualised.length > 5).toBe(true);
      }
    }
    const sharpe = FIGURES.find(({ name }) => name === "sharpe");
    expect(sharpe && wordsOf(sharpe, "compound")).toEqual({
      definition: "Annual return less the rate without risk over the volatility.",
      annualised: "by its parts",
    });
  });

  it("tells no figure of a year of a few days, and none of an account that owes", () => {
    const cut = (to: number, equity = TRACK.equity) => ({
      ...TRACK,
      time: TRACK.time.slice(0, to),
      equity: equity.slice(0, to),
      long: TRACK.long.slice(0, to),
      short: TRACK.short.slice(0, to),
    });
    const few = reportOf(cut(40), [], termsOf("compound", { benchmark: null })).figures;
    for (const name of ["annual_return", "volatility", "sharpe", "sortino", "calmar", "cagr"] as const) {
      expect(few[name].value, name).toBeNull();
    }
    expect(few.total_return.value).not.toBeNull();
    const broke = TRACK.equity.map((each, i) => (i < 200 ? each : -1e6));
    for (const convention of CONVENTIONS) {
      const { figures } = reportOf(cut(BARS, broke), [], termsOf(convention));
      expect(figures.annual_return.reason).toContain("nothing or less");
      expect(figures.sharpe.value).toBeNull();
      expect(figures.alpha.value).toBeNull();
      expect(figures.max_drawdown.value).toBeGreaterThan(1);
    }
  });
});

describe("what was held", () => {
  const at = (bar: number) => TRACK.time[bar];
  const trade = (seq: number, from: number, to: number): ClosedTrade =>
    closedTrade(seq, { openedAt: at(from), closedAt: at(to), net: 10e6 });

  it("counts bars of entries and exits once, however many trades are open", () => {
    const trades = [trade(1, 3, 5), trade(2, 5, 8), trade(3, 100, 100), trade(4, 101, 103)];
    expect(heldShare(TRACK, trades).value).toBeCloseTo((6 + 1 + 3) / BARS, 12);
    const open = { ...trade(5, 310, 312), closedAt: null, closedSeq: null };
    expect(heldShare(TRACK, [open]).value).toBeCloseTo(10 / BARS, 12);
    // A position that no trade tells of is seen by its worth.
    const long = TRACK.long.map((_, i) => (i === 50 ? 1 : 0));
    expect(heldShare({ ...TRACK, long }, trades).value).toBeCloseTo(11 / BARS, 12);
    expect(heldShare(TRACK, []).value).toBe(0);
  });

  it("is turned over by half of what entries and exits moved", () => {
    const equity = new Float64Array(BARS).fill(4_000e6);
    const trades = [trade(1, 3, 5), trade(2, 5, 8)];
    const { figures } = reportOf({ ...TRACK, equity }, trades, termsOf("textbook"));
    const years = (BARS - 1) / 4 / 365.25;
    expect(figures.turnover.value).toBeCloseTo((1_000 + 1_010) / 4_000 / years, 9);
    const long = equity.map((each, i) => (i % 2 === 0 ? each / 2 : 0));
    const short = equity.map((each, i) => (i % 2 === 0 ? -each / 4 : 0));
    const held = reportOf({ ...TRACK, equity, long, short }, [], termsOf("textbook")).figures;
    expect(held.exposure.value).toBe(0.5);
    expect(held.gross_exposure.value).toBeCloseTo(0.375, 12);
    expect(held.net_exposure.value).toBeCloseTo(0.125, 12);
  });
});

describe("figures of trades", () => {
  it("are those of money or of returns by the convention", () => {
    const trades = [
      closedTrade(1, { net: 100e6, entryMicros: 1_000e6 }),
      closedTrade(2, { net: -100e6, entryMicros: 2_000e6 }),
      closedTrade(3, { net: 60e6, entryMicros: 1_000e6 }),
    ];
    const [textbook, compound] = CONVENTIONS.map((each) => reportOf(TRACK, trades, termsOf(each)).figures);
    expect(textbook.profit_factor.value).toBeCloseTo(1.6, 12);
    expect(compound.profit_factor.value).toBeCloseTo(0.16 / 0.05, 12);
    expect(textbook.expectancy.value).toBeCloseTo(20e6, 3);
    expect(textbook.expectancy_return.value).toBeCloseTo(0.11 / 3, 12);
    expect(textbook.average_trade.value).toBeCloseTo((1.1 * 0.95 * 1.06) ** (1 / 3) - 1, 12);
    expect(textbook.best_trade.value).toBeCloseTo(0.1, 12);
    expect(textbook.worst_trade.value).toBeCloseTo(-0.05, 12);
    expect(textbook.payoff.value).toBeCloseTo(0.8, 12);
    expect(textbook.kelly.value).toBeCloseTo(2 / 3 - 1 / 3 / 0.8, 12);
    // Root of 3 times mean over deviation, of 0.1, -0.05, 0.06 and of 100, -100, 60.
    expect(textbook.sqn.value).toBeCloseTo((Math.sqrt(3) * (0.11 / 3)) / 0.07767453465154027, 9);
    expect(compound.sqn.value).toBeCloseTo((Math.sqrt(3) * 20) / 105.83005244258362, 9);
    expect(textbook.average_trade_days.value).toBeCloseTo(1 / 24, 12);
  });

  it("have reasons where there is nothing to tell of", () => {
    expect(systemQuality([3]).reason).toBe("fewer than two trades");
    expect(systemQuality([3, 3]).reason).toBe("results of trades do not vary");
    expect(kellyShare(statisticsOf(tradesOfNets(5, 7))).reason).toBe("there are not both wins and losses");
    const { figures } = reportOf(TRACK, tradesOfNets(5, 7), termsOf("textbook"));
    expect(figures.profit_factor.reason).toBe("no trade lost");
    expect(reportOf(TRACK, [], termsOf("compound")).figures.profit_factor.reason).toBe("no trade was closed");
    expect(geometricMean(Float64Array.of(0.1, -1))).toBeNaN();
  });
});

describe("months", () => {
  it("are null where there was no day, and chain to the year", () => {
    const day = Float64Array.of(...["2023-11-30", "2023-12-01", "2023-12-29", "2024-02-01"].map(dayOf));
    const value = Float64Array.of(0.01, 0.02, -0.01, 0.03);
    const rows = monthlyTable({ day, value, reason: null });
    expect(rows.map(({ year }) => year)).toEqual([2023, 2024]);
    expect(rows[0].months.slice(0, 10)).toEqual(new Array(10).fill(null));
    expect(rows[0].months[10]).toBeCloseTo(0.01, 12);
    expect(rows[0].months[11]).toBeCloseTo(1.02 * 0.99 - 1, 12);
    expect(rows[0].total).toBeCloseTo(1.01 * 1.02 * 0.99 - 1, 12);
    expect(rows[1].months[1]).toBeCloseTo(0.03, 12);
    expect(monthlyTable({ day: day.slice(0, 0), value: value.slice(0, 0), reason: null })).toEqual([]);
  });

  it("come to the same as the days, whatever the bars of a day", () => {
    const steps = fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 7 }), (moves, barsOfDay) => {
        let level = 100;
        const equity = Float64Array.from(moves, (move) => {
          level *= 1 + move;
          return level;
        });
        const time = equity.map((_, i) => START + (i * DAY_MS * 5) / barsOfDay);
        const returns = returnsOfTrack({ capital: 100, time, equity }, utcDay);
        const growth = (values: readonly number[]) =>
          values.reduce((product, each) => product * (1 + each), 1);
        const rows = monthlyTable(returns);
        expect((100 * growth(rows.map(({ total }) => total))) / level).toBeCloseTo(1, 10);
        for (const { months, total } of rows) {
          expect(growth(months.flatMap((each) => each ?? [])) / (1 + total)).toBeCloseTo(1, 10);
        }
        expect((100 * growth([...returns.value])) / level).toBeCloseTo(1, 10);
      }),
    );
  });
});
