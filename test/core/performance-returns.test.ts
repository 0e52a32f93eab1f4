import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { compareReturns } from "../../src/core/performance/benchmark.js";
import type { EquityDays } from "../../src/core/performance/equity.js";
import { flowsOf, moneyWeighted } from "../../src/core/performance/money-weighted.js";
import {
  type DailyReturns,
  dailyReturns,
  exposureShares,
  maxDrawdown,
  performanceOf,
  returnsOfCloses,
} from "../../src/core/performance/returns.js";

const DAYS = 120;
const FIRST = dayOf("2024-01-02");

/** Two invented series of returns, which the figures below were computed of elsewhere. */
const own = series((i) => 0.0006 + 0.011 * Math.sin(1.7 * i) + 0.007 * Math.cos(0.37 * i) - shock(i));
const benchmark = series((i) => 0.0004 + 0.009 * Math.sin(1.7 * i + 0.5) + 0.004 * Math.cos(0.9 * i));

function shock(i: number): number {
  return i === 0 || i === 57 ? 0.03 : 0;
}

function series(of: (i: number) => number, n = DAYS): DailyReturns {
  return {
    day: Float64Array.from({ length: n }, (_, i) => FIRST + i),
    value: Float64Array.from({ length: n }, (_, i) => of(i)),
    reason: null,
  };
}

/** Days of an account out of the money at their ends and what moved. */
function daysOf(
  equity: readonly number[],
  paidIn: readonly number[],
  paidOut: readonly number[],
): EquityDays {
  const column = (values: readonly number[]) => Float64Array.from(values);
  const none = equity.map(() => 0);
  return {
    day: column(equity.map((_, i) => FIRST + i)),
    equity: column(equity),
    cash: column(equity),
    paidIn: column(paidIn),
    paidOut: column(paidOut),
    long: column(none),
    short: column(none),
    carried: Int32Array.from(none),
  };
}

/** Made by empyrical-reloaded 0.7.1 with numpy 2.4.6 and pandas 3.1.1; its rate without risk is one of a day. */
const EMPYRICAL = [
  {
    year: { days: 252, riskFree: 0 },
    cagr: 0.048389928050576625,
    volatility: 0.1571225438896678,
    sharpe: 0.3787706655654233,
    sortino: 0.5378306835945675,
    calmar: 0.7017440034853976,
    beta: 0.8542488647397399,
    alpha: -0.053476742789436704,
    trackingError: 0.12570580115069435,
    informationRatio: -0.5925265285764123,
  },
  {
    year: { days: 252, riskFree: 0.03 },
    cagr: 0.048389928050576625,
    volatility: 0.1571225438896678,
    sharpe: 0.19063384474715356,
    sortino: 0.26810187620277937,
    calmar: 0.7017440034853976,
    beta: 0.8542488647397399,
    alpha: -0.057546968733917514,
    trackingError: 0.12570580115069435,
    informationRatio: -0.5925265285764123,
  },
  {
    year: { days: 365, riskFree: 0.02 },
    cagr: 0.07084235887085599,
    volatility: 0.18909701084239855,
    sharpe: 0.35112567218334917,
    sortino: 0.49636443281719206,
    calmar: 1.027346031149789,
    beta: 0.8542488647397399,
    alpha: -0.07918060207555877,
    trackingError: 0.1512869551032541,
    informationRatio: -0.7131057875265893,
  },
] as const;

describe("returns", () => {
  it.each(EMPYRICAL)("agree with empyrical at $year", ({ year, ...expected }) => {
    const figures = { ...performanceOf(own, year), ...compareReturns(own, benchmark, year) };
    for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
      expect(figures[name].value, name).toBeCloseTo(expected[name], 11);
    }
    // Of numpy, and of quantstats 0.0.86, whose mean square is over n - 1.
    expect(figures.correlation.value).toBeCloseTo(0.6088617912009965, 12);
    expect(figures.ulcer.value).toBeCloseTo(0.03209208278027346 * Math.sqrt((DAYS - 1) / DAYS), 12);
    expect(figures.total.value).toBeCloseTo(0.0227577544280968, 12);
  });

  it("have a drawdown from what was begun with, with its days", () => {
    const day = (i: number) => FIRST + i;
    const { depth, ...days } = maxDrawdown(own);
    expect(depth).toBeCloseTo(0.06895666768826703, 12);
    expect(days).toEqual({ start: day(53), trough: day(62), end: day(105), length: 52 });
    const losing = series((i) => [-0.1, 0.05, -0.2][i], 3);
    const { depth: deep, ...rest } = maxDrawdown(losing);
    // 0.9, 0.945, 0.756 below 1.
    expect(deep).toBeCloseTo(0.244, 12);
    expect(rest).toEqual({ start: null, trough: day(2), end: null, length: 3 });
    const none = { depth: 0, start: null, trough: null, end: null, length: 0 };
    expect(maxDrawdown(series(() => 0.01, 3))).toEqual(none);
    expect(maxDrawdown(series(() => 0, 0))).toEqual(none);
  });

  it("are null with a reason where there are too few, or where nothing varies", () => {
    const year = { days: 252, riskFree: 0 };
    const reasons = (returns: DailyReturns) => {
      const { n, ...figures } = performanceOf(returns, year);
      return Object.fromEntries(Object.entries(figures).map(([name, { reason }]) => [name, reason]));
    };
    const few = "fewer than 20 days with a return";
    const brief = "fewer than 63 days with a return";
    expect(reasons(series(() => 0.01, 19))).toEqual({
      total: null,
      cagr: brief,
      volatility: few,
      sharpe: few,
      sortino: few,
      calmar: brief,
      ulcer: null,
    });
    expect(reasons(series(() => 0.01, 63))).toEqual({
      total: null,
      cagr: null,
      volatility: null,
      sharpe: "returns do not vary",
      sortino: "no return below the rate without risk",
      calmar: "no drawdown",
      ulcer: null,
    });
    expect(new Set(Object.values(reasons(series(() => 0, 0))))).toEqual(new Set(["no day with a return"]));
    const same = compareReturns(own, own, year);
    expect(same.informationRatio).toEqual({ value: null, reason: "the difference does not vary" });
    expect([same.beta.value, same.alpha.value]).toEqual([expect.closeTo(1, 12), expect.closeTo(0, 12)]);
    const flat = compareReturns(
      own,
      series(() => 0),
      year,
    );
    expect(flat.beta.reason).toBe("the benchmark does not vary");
    expect(flat.alpha.reason).toBe(flat.beta.reason);
    const apart = { ...benchmark, day: benchmark.day.map((day) => day + 110) };
    expect(compareReturns(own, apart, year)).toMatchObject({
      n: 10,
      beta: { reason: "fewer than 20 days with both returns" },
    });
  });

  it("compare equal days alone", () => {
    const every = (returns: DailyReturns, keep: (i: number) => boolean): DailyReturns => ({
      day: returns.day.filter((_, i) => keep(i)),
      value: returns.value.filter((_, i) => keep(i)),
      reason: null,
    });
    const year = { days: 252, riskFree: 0.02 };
    const both = (i: number) => i % 3 !== 0 && i % 5 !== 0;
    const apart = compareReturns(
      every(own, (i) => i % 3 !== 0),
      every(benchmark, (i) => i % 5 !== 0),
      year,
    );
    expect(apart).toEqual(compareReturns(every(own, both), every(benchmark, both), year));
  });
});

describe("returns of an account", () => {
  it("do not depend on what is paid in and out", () => {
    const day = fc.record({
      value: fc.integer({ min: -2_000, max: 2_000 }).map((value) => value / 10_000),
      paidIn: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1e6 })),
      share: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 1, max: 90 }).map((percent) => percent / 100),
      ),
    });
    fc.assert(
      fc.property(fc.array(day, { minLength: 1, maxLength: 60 }), (days) => {
        let equity = 0;
        const columns = days.map(({ value, paidIn, share }, i) => {
          const base = equity + paidIn + (i === 0 ? 1_000 : 0);
          const end = base * (1 + value);
          equity = end * (1 - share);
          return { equity, paidIn: paidIn + (i === 0 ? 1_000 : 0), paidOut: end * share };
        });
        const found = dailyReturns(
          daysOf(
            columns.map((each) => each.equity),
            columns.map((each) => each.paidIn),
            columns.map((each) => each.paidOut),
          ),
        );
        const total = performanceOf(found, { days: 252, riskFree: 0 }).total.value;
        const chained = days.reduce((level, { value }) => level * (1 + value), 1) - 1;
        expect(found.value.length).toBe(days.length);
        expect(total).toBeCloseTo(chained, 9);
      }),
    );
  });

  it("leave out days without money, and are none once nothing is left to begin with", () => {
    const found = dailyReturns(daysOf([110, 0, 0, 55], [100, 0, 0, 50], [0, 121, 0, 0]));
    expect([...found.value]).toEqual([0.1, 0.1, 0.1].map((value) => expect.closeTo(value, 12)));
    expect([...found.day]).toEqual([FIRST, FIRST + 1, FIRST + 3]);
    const broke = dailyReturns(daysOf([100, -20, 10], [100, 0, 0], [0, 0, 0]));
    expect(broke).toMatchObject({ reason: "the account had nothing or less to begin a day with" });
    const figures = performanceOf(broke, { days: 252, riskFree: 0 });
    expect(figures.total).toEqual({ value: null, reason: broke.reason });
  });

  it("say how much was in the market", () => {
    const days = daysOf([100, 200, 0], [0, 0, 0], [0, 0, 0]);
    days.long.set([50, 0, 0]);
    days.short.set([-20, 0, 0]);
    expect(exposureShares(days)).toEqual({
      days: { value: 1 / 3, reason: null },
      gross: { value: 0.35, reason: null },
      net: { value: 0.15, reason: null },
    });
    expect(exposureShares(daysOf([], [], [])).gross.value).toBeNull();
  });

  it("of closes are from the second on", () => {
    const { day, value } = returnsOfCloses({
      day: Float64Array.of(1, 2, 4),
      close: Float64Array.of(100, 110, 99),
    });
    expect([...day]).toEqual([2, 4]);
    expect([...value]).toEqual([expect.closeTo(0.1, 12), expect.closeTo(-0.1, 12)]);
  });
});

describe("the money-weighted return", () => {
  const flows = (...rows: readonly (readonly [string, number])[]) =>
    rows.map(([date, amount]) => ({ day: dayOf(date), amount }));

  // By pyxirr 0.10.8.
  it.each([
    [
      [
        ["2024-01-01", -1000],
        ["2024-07-01", -500],
        ["2024-10-15", 300],
        ["2025-03-01", 1400],
      ],
      0.14336491812958446,
    ],
    [
      [
        ["2024-01-01", -1000],
        ["2024-03-01", -2000],
        ["2025-01-01", 1500],
      ],
      -0.5407107165947653,
    ],
    [
      [
        ["2024-01-01", -1000],
        ["2024-05-01", 1010],
      ],
      0.03047046576736312,
    ],
    [
      [
        ["2004-01-01", -1000],
        ["2010-05-05", -700],
        ["2015-02-03", 900],
        ["2024-01-31", 5010],
      ],
      0.08097337683017723,
    ],
  ] as const)("of %j is that of pyxirr", (rows, expected) => {
    const { yearly } = moneyWeighted(flows(...rows));
    expect(yearly.reason).toBeNull();
    expect(yearly.value).toBeCloseTo(expected, 10);
  });

  it("is none where several rates or no rate solve it", () => {
    // 10 % and 20 %: 100 x² - 230 x + 132 at years of 365 days.
    const two = flows(["2021-01-01", -100], ["2022-01-01", 230], ["2023-01-01", -132]);
    const several = { value: null, reason: "2 rates make what came back worth what was paid in" };
    expect(moneyWeighted(two)).toEqual({ yearly: several, whole: several });
    const none = flows(["2021-01-01", -100], ["2022-01-01", 150], ["2023-01-01", -100]);
    expect(moneyWeighted(none).whole.reason).toBe("no rate makes what came back worth what was paid in");
    expect(moneyWeighted(flows(["2021-01-01", -100], ["2022-01-01", -1])).whole.value).toBeNull();
    expect(moneyWeighted([]).whole.reason).toBe("no two days with money moved");
  });

  it("finds the rate that flows were made with, also where they change their sign many times", () => {
    const anyFlows = fc.array(
      fc.record({ gap: fc.integer({ min: 1, max: 400 }), amount: fc.integer({ min: -1000, max: 1000 }) }),
      { minLength: 1, maxLength: 40 },
    );
    let single = 0;
    fc.assert(
      fc.property(anyFlows, fc.integer({ min: -600, max: 2_000 }), (rows, thousandths) => {
        const rate = thousandths / 1_000;
        let day = 0;
        const made = [{ day: 0, amount: -1_000 }];
        for (const { gap, amount } of rows) {
          day += gap;
          made.push({ day, amount });
        }
        const worth = made.reduce((sum, each) => sum + each.amount * (1 + rate) ** (-each.day / 365), 0);
        made.push({ day: day + 1, amount: -worth * (1 + rate) ** ((day + 1) / 365) });
        const { whole } = moneyWeighted(made);
        // Where the last amount comes to 0 by accident, the others decide.
        if (whole.value === null) expect(whole.reason).toContain("rates");
        else {
          single++;
          expect((1 + whole.value) ** (365 / (day + 1)) - 1).toBeCloseTo(rate, 5);
        }
      }),
    );
    expect(single).toBeGreaterThan(50);
  });

  it("of an account without flows after the first is its growth", () => {
    const days = daysOf([100, 120, 132], [100, 0, 0], [0, 0, 0]);
    const found = flowsOf(days);
    expect(found).toEqual([
      { day: FIRST - 1, amount: -100 },
      { day: FIRST + 2, amount: 132 },
    ]);
    const { yearly, whole } = moneyWeighted(found);
    expect(whole.value).toBeCloseTo(0.32, 9);
    expect(yearly.reason).toBe("less than a quarter of a year");
    const lost = moneyWeighted(flowsOf(daysOf([100, 70], [100, 0], [0, 0])));
    expect(lost.whole.value).toBeCloseTo(-0.3, 9);
  });

  it("counts the days that growth counts: 100 of 365 for what is paid in on the first of 100", () => {
    const n = 100;
    const paidIn = Array.from({ length: n }, (_, i) => (i === 0 ? 1_000 : 0));
    const none = paidIn.map(() => 0);
    // A tenth is gained on the first day and kept, so a year has 1.1 ^ (365 / 100) - 1 = e ^ (3.65 * 0.0953102) - 1.
    const days = daysOf(Array(n).fill(1_100), paidIn, none);
    const { yearly, whole } = moneyWeighted(flowsOf(days));
    expect(whole.value).toBeCloseTo(0.1, 9);
    expect(yearly.value).toBeCloseTo(0.416065, 5);
    const { cagr } = performanceOf(dailyReturns(days), { days: 365, riskFree: 0 });
    expect(yearly.value).toBeCloseTo(cagr.value ?? Number.NaN, 9);
  });

  it("has a day's return where money came and went within it, and parts what moves at one end of a day", () => {
    // 100 at the end of the day before, 110 taken out at the end of the day itself.
    const { whole } = moneyWeighted(flowsOf(daysOf([0], [100], [110])));
    expect(whole.value).toBeCloseTo(0.1, 9);
    // 30 out at the end of the first day and 50 in before the second are 20 in at one instant.
    expect(flowsOf(daysOf([70, 120], [100, 50], [30, 0]))).toEqual([
      { day: FIRST - 1, amount: -100 },
      { day: FIRST, amount: -20 },
      { day: FIRST + 1, amount: 120 },
    ]);
  });
});
