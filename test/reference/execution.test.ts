import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import { termsOf } from "../../src/core/execution/order.js";
import { DAY_MS, days, deskFor, lines, RUNS, replay, walk } from "../fixtures/recorded-backtests.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "reference") === null;

describe.skipIf(missing)("trades of backtesting.py, each ordered at the close before", () => {
  it.each(RUNS)("%s: the same equity on every day", (...run) => {
    let worst = 0;
    const { desk, recorded } = replay(run, (day, { equity }, { equity: theirs }) => {
      const digit = 10 ** (Math.floor(Math.log10(theirs[day])) - 7);
      worst = Math.max(worst, Math.abs(equity() / 1e6 - theirs[day]) / digit);
    });
    // Half of their last digit, and what sums of doubles lack.
    expect(worst).toBeLessThan(0.5001);
    // Each of up to 96 fees is rounded to a micro here.
    expect(desk.equity() / 1e6).toBeCloseTo(recorded.stats["Equity Final [$]"], 5);
    const fills = [...desk.state.orders.values()].map(({ state, filled }) => [state, filled]);
    expect(fills.every(([state]) => state === "filled")).toBe(true);
    const sizes = recorded.trades.map(({ Size }) => Size);
    if (sizes.every((size) => size > 0))
      expect(fills.map(([, filled]) => filled)).toEqual(sizes.flatMap((size) => [size, size]));
  });
});

describe.skipIf(missing)("runs of LEAN", () => {
  const commission = { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: null } as const;
  const run = { account: cashRules("USD"), commission, capital: 100_000 };
  const market = { id: "a", symbol: "AAA", side: "buy" } as const;

  it("BasicTemplateDaily ends with 104,486.22", () => {
    const bars = days("daily", "lean-SPY-raw.csv.gz")
      .filter(({ time }) => time >= Date.parse("2013-10-08") && time <= Date.parse("2013-10-17"))
      .map((bar) => {
        const adjusted = (price: number) => Math.round(price * 0.8646266 * 1e9) / 1e9;
        const { open, high, low, close } = bar;
        return {
          ...bar,
          open: adjusted(open),
          high: adjusted(high),
          low: adjusted(low),
          close: adjusted(close),
        };
      });
    const desk = deskFor({ ...run, tick: 1e-9 });
    const quantity = Math.floor((100_000 * 0.9975) / bars[0].close);
    expect(quantity).toBe(697);
    const order = (day: number) => {
      if (day > 1) return;
      const moment = { at: bars[0].time + DAY_MS, open: false };
      expect(desk.submit(termsOf({ ...market, quantity }), moment)).toEqual([]);
    };
    walk(desk, bars, order, () => undefined);
    expect((desk.equity() / 1e6).toFixed(2)).toBe("104486.22");
  });

  it("DividendRegression ends with 120,462.08 after dividends of 6,789.12", () => {
    const bars = days("daily", "lean-SPY-raw.csv.gz").filter(({ time }) => time < Date.parse("2006-01-01"));
    // A row is the last day before its dividend: 1 less the ratio of factors is its share of that day's close.
    const rows = lines("corporate-actions", "lean-SPY-factor_file.csv").map((line) => {
      const [date, factor, , price] = line.split(",");
      const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
      return { time: Date.parse(day), factor: Number(factor), price: Number(price) };
    });
    const desk = deskFor({ ...run, tick: 0.01 });
    let paid = 0;
    const before = (day: number) => {
      const at = bars[day - 1].time + DAY_MS;
      if (day === 1) {
        const quantity = Math.floor((50_000 * 0.9975) / bars[0].close);
        expect(desk.submit(termsOf({ ...market, quantity }), { at, open: false })).toEqual([]);
      }
      const k = rows.findIndex(({ time }) => time === bars[day - 1].time);
      if (k < 1 || k + 1 >= rows.length) return;
      const amount = Math.round(rows[k].price * (1 - rows[k].factor / rows[k + 1].factor) * 100) / 100;
      const cash = desk.state.cash;
      desk.dividend("AAA", amount, at);
      paid += desk.state.cash - cash;
    };
    walk(desk, bars, before, () => undefined);
    expect(desk.state.positions.get("AAA")?.quantity).toBe(512);
    expect(paid).toBe(6_789_120_000);
    expect((desk.equity() / 1e6).toFixed(2)).toBe("120462.08");
  });
});
