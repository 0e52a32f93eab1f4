import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type AccountRules, cashRules, marginRules } from "../../src/core/execution/account.js";
import type { Commission } from "../../src/core/execution/commission.js";
import { GTC_DAYS } from "../../src/core/execution/context.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { createDesk, type Desk } from "../../src/core/execution/desk.js";
import { tradedShare } from "../../src/core/execution/instrument.js";
import { type Side, termsOf } from "../../src/core/execution/order.js";
import { type Bar, candlesFromRows } from "../../src/core/market/candles.js";
import { sharedPath } from "../fixtures/shared.js";

const DAY_MS = 86_400_000;

function lines(...parts: string[]): string[] {
  const path = sharedPath("data", ...parts);
  if (path === null) throw new Error(`${parts.join("/")} is missing`);
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").trim().split("\n");
}

/** Days of a file, at midnight UTC: here only their order counts. */
function days(...parts: string[]): Bar[] {
  return lines(...parts)
    .slice(1)
    .map((line) => {
      const [date, ...numbers] = line.split(",");
      const [open, high, low, close, volume] = numbers.map(Number);
      return { time: Date.parse(date), open, high, low, close, volume };
    });
}

interface Run {
  readonly account: AccountRules;
  readonly commission: Commission;
  readonly capital: number;
  readonly tick: number;
}

function deskFor({ account, commission, capital, tick }: Run): Desk {
  const rules = { account, costs: { ...NO_COSTS, commission }, volumeShare: null, gtcDays: GTC_DAYS };
  const share = { ...tradedShare("AAA"), tick, tickBelowOne: null, lot: 1 };
  const desk = createDesk(rules, [share], () => undefined);
  desk.transfer(capital, 0);
  return desk;
}

/** Walks days over a desk. @param before what is done before a day's bar, after the close of the day before. */
function walk(
  desk: Desk,
  bars: readonly Bar[],
  before: (day: number) => void,
  after: (day: number) => void,
): void {
  const candles = candlesFromRows("AAA", "1d", bars);
  for (const [day, bar] of bars.entries()) {
    if (day > 0) before(day);
    const facts = { until: bar.time + DAY_MS, regular: true, first: true, last: true, range: Number.NaN };
    desk.bar("AAA", candles, day, facts);
    after(day);
  }
}

interface Recorded {
  readonly trades: readonly {
    readonly Size: number;
    readonly EntryBar: number;
    readonly ExitBar: number;
    readonly EntryPrice: number;
    readonly ExitPrice: number;
  }[];
  /** Of each day's close, to eight digits. */
  readonly equity: readonly number[];
  readonly stats: { readonly "Equity Final [$]": number };
}

const RUNS: readonly [name: string, input: string, from: string, capital: number, rate: number][] = [
  ["goog-sma10x30-longshort", "reference/backtesting-py-GOOG.csv.gz", "", 10_000, 0],
  ["goog-sma10x20-longonly-c0.2pct", "reference/backtesting-py-GOOG.csv.gz", "", 10_000, 0.002],
  ["kaggle-aapl-sma20x50-longonly", "daily/kaggle-AAPL.csv.gz", "2000-01-03", 100_000, 0.001],
  ["kaggle-spy-sma50x200-longonly", "daily/kaggle-SPY.csv.gz", "", 100_000, 0],
];

const missing = sharedPath("data", "reference") === null;

describe.skipIf(missing)("trades of backtesting.py, each ordered at the close before", () => {
  it.each(RUNS)("%s: the same equity on every day", (name, input, from, capital, rate) => {
    const recorded = JSON.parse(lines("reference", `backtest-${name}.json.gz`).join("\n")) as Recorded;
    const bars = days(...input.split("/")).filter(({ time }) => from === "" || time >= Date.parse(from));
    expect(bars).toHaveLength(recorded.equity.length);
    const isLong = recorded.trades.every(({ Size }) => Size > 0);
    const account = isLong
      ? cashRules("USD")
      : { ...marginRules("USD"), maintenanceShort: 0, maintenanceLong: 0 };
    const commission = { kind: "percent", rate, minimum: 0 } as const;
    const desk = deskFor({ account, commission, capital, tick: 1e-6 });
    const order = (id: string, side: Side, quantity: number | null, notional: number | null, at: number) => {
      const terms = termsOf({ id, symbol: "AAA", side, quantity, notional });
      expect(desk.submit(terms, { at, open: false }), JSON.stringify(terms)).toEqual([]);
    };
    const trades = [...recorded.trades.entries()];
    let worst = 0;
    walk(
      desk,
      bars,
      (day) => {
        const at = bars[day - 1].time + DAY_MS;
        const ends = trades.find(([, { ExitBar }]) => ExitBar === day);
        const begins = trades.find(([, { EntryBar }]) => EntryBar === day);
        const size = (begins?.[1].Size ?? 0) - (ends?.[1].Size ?? 0);
        // Long alone is bought for all there is, in whole shares at whatever the open will be; a turn is one order.
        const all = Math.floor(desk.state.cash / (1 + rate)) / 1e6;
        if (isLong && begins !== undefined) order(`entry-${begins[0]}`, "buy", null, all, at);
        else if (size !== 0) order(`order-${day}`, size > 0 ? "buy" : "sell", Math.abs(size), null, at);
      },
      (day) => {
        const theirs = recorded.equity[day];
        const digit = 10 ** (Math.floor(Math.log10(theirs)) - 7);
        worst = Math.max(worst, Math.abs(desk.equity() / 1e6 - theirs) / digit);
      },
    );
    // Half of their last digit, and what sums of doubles lack.
    expect(worst).toBeLessThan(0.5001);
    // Each of up to 96 fees is rounded to a micro here.
    expect(desk.equity() / 1e6).toBeCloseTo(recorded.stats["Equity Final [$]"], 5);
    const fills = [...desk.state.orders.values()].map(({ state, filled }) => [state, filled]);
    expect(fills.every(([state]) => state === "filled")).toBe(true);
    if (isLong)
      expect(fills.map(([, filled]) => filled)).toEqual(trades.flatMap(([, { Size }]) => [Size, Size]));
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
