import { describe, expect, it } from "vitest";
import {
  type BacktestRules,
  type Happening,
  PLAIN_RULES,
  SIZINGS,
  tradedUnit,
} from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { cashRules, marginRules } from "../../src/core/execution/account.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { type Bar, barAt, type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { calendarOf, isOpen } from "../../src/core/market/session.js";
import { isClosed } from "../../src/core/performance/trade.js";
import { columnOf, outputsOf } from "../../src/core/strategies/columns.js";
import { defineStrategy } from "../../src/core/strategies/define.js";
import { number } from "../../src/core/strategies/parameters.js";
import { days, lines } from "../fixtures/recorded-backtests.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

const missing = sharedPath("data", "reference") === null;

/** Interactive Brokers as LEAN has it. */
const FEES = { kind: "per_share", amount: 0.005, minimum: 1, maximumRate: null } as const;
const RULES: BacktestRules = {
  ...PLAIN_RULES,
  desk: { ...PLAIN_RULES.desk, account: cashRules("USD"), costs: { ...NO_COSTS, commission: FEES } },
  capital: 100_000,
  sizing: SIZINGS.set_holdings,
};

/** Adjusted prices have no tick; a billionth is the finest there is. */
const FINE = { ...tradedUnit("SPY", SIZINGS.set_holdings), tick: 1e-9 };

/** A share of the equity at the first close, and nothing after it. */
const HOLD = defineStrategy({
  id: "hold",
  title: "Hold",
  description: "Holds a share of the equity from the first close on.",
  parameters: { share: number(1, [0, 1, 0.1], "share of the equity") },
  warmup: () => 0,
  declare: (_, { share }) => share,
  walk(stand) {
    if (stand.i === 0) stand.weigh(stand.columns);
  },
});

const FACTORS = missing
  ? []
  : lines("corporate-actions", "lean-SPY-factor_file.csv").map((line) => {
      const [date, factor, , price] = line.split(",");
      const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
      // A row is the last day before its dividend.
      return { time: Date.parse(day), factor: Number(factor), price: Number(price) };
    });

function spy(from: string, to: string, isAdjusted: boolean) {
  const wanted = ({ time }: Bar) => time >= Date.parse(from) && time <= Date.parse(to);
  const rows = days("daily", "lean-SPY-raw.csv.gz").filter(wanted);
  const factorAt = (time: number) => FACTORS.find((row) => row.time >= time)?.factor ?? 1;
  const adjusted = rows.map((bar) => {
    const by = (price: number) => (isAdjusted ? Math.round(price * factorAt(bar.time) * 1e9) / 1e9 : price);
    return { ...bar, open: by(bar.open), high: by(bar.high), low: by(bar.low), close: by(bar.close) };
  });
  return candlesFromRows("SPY", "1d", adjusted);
}

const dollars = (micros: number) => (micros / 1e6).toFixed(2);

describe.skipIf(missing)("runs of LEAN, decided by a strategy", () => {
  it("BasicTemplateDaily ends with 104,486.22 after a fee of 3.49", () => {
    const result = runBacktest(HOLD, [{ candles: spy("2013-10-08", "2013-10-17", true) }], {}, RULES);
    expect(result.trades.map(({ quantity, fees }) => [quantity, dollars(fees)])).toEqual([[697, "3.48"]]);
    expect(result.trades[0].fees).toBe(3_485_000);
    expect(dollars(result.bounds.equity)).toBe("104486.22");
  });

  it("DividendRegression ends with 120,462.08 after dividends of 6,789.12", () => {
    const happenings = FACTORS.flatMap(({ time, factor, price }, k): Happening[] => {
      if (k < 1 || k + 1 >= FACTORS.length) return [];
      const amount = Math.round(price * (1 - factor / FACTORS[k + 1].factor) * 100) / 100;
      return amount > 0 ? [{ at: time + 1, kind: "dividend", amount }] : [];
    });
    const candles = spy("1998-01-01", "2005-12-31", false);
    const result = runBacktest(HOLD, [{ candles, happenings }], { share: 0.5 }, RULES);
    const [trade] = result.trades;
    expect([trade.quantity, trade.fees, trade.dividends]).toEqual([512, 2_560_000, 6_789_120_000]);
    expect(dollars(result.bounds.equity)).toBe("120462.08");
  });

  it("MACDTrend ends with 137,751.04 after fees of 468.54", () => {
    const trend = defineStrategy({
      id: "macd_trend",
      title: "MACD Trend",
      description:
        "Long while the MACD lies far enough above its signal, and out where it lies as far below.",
      parameters: { tolerance: number(0.0025, [0, 0.1, 0.0005], "of the fast average") },
      warmup: () => 0,
      declare(candles, { tolerance }) {
        const [line, signal] = outputsOf("macd", candles, {});
        const fast = columnOf("ema", candles, { period: 12 });
        return { delta: line.map((value, i) => (value - signal[i]) / fast[i]), tolerance };
      },
      walk(stand) {
        const { delta, tolerance } = stand.columns;
        if (stand.held <= 0 && delta[stand.i] > tolerance) stand.weigh(1);
        else if (stand.held >= 0 && delta[stand.i] < -tolerance) stand.exit();
      },
    });
    const candles = spy("2004-01-01", "2014-12-31", true);
    const rules = { ...RULES, desk: { ...RULES.desk, account: marginRules("USD") } };
    const result = runBacktest(trend, [{ candles, traded: FINE }], {}, rules);
    const fees = result.trades.reduce((sum, trade) => sum + trade.fees, 0);
    const closed = result.trades.filter(isClosed);
    // The recorded run counts 85 orders; a later one of LEAN's own 84, with all else alike.
    expect([result.orders.length, closed.length, result.turned.length]).toEqual([84, 42, 0]);
    expect(dollars(fees)).toBe("468.54");
    expect(dollars(result.bounds.equity)).toBe("137751.04");
  });

  it("BasicTemplate on minutes differs by the one fill, which LEAN has at the ask of a quote", () => {
    const candles = minutesOfSpy();
    const rules = { ...RULES, calendar: XNYS };
    const result = runBacktest(HOLD, [{ candles, traded: FINE }], {}, rules);
    const [trade] = result.trades;
    expect([trade.quantity, trade.fees]).toEqual([688, 3_440_000]);
    expect(trade.entryPrice).toBeCloseTo(167.47 * ADJUSTED, 6);
    // Bars have no ask: ours is filled at 167.47, the open of the second bar, theirs at 167.45 when the first closes.
    const theirs = 688 * (167.47 - 167.45) * ADJUSTED;
    expect((result.bounds.equity / 1e6 + theirs).toFixed(2)).toBe("101691.92");
    expect(dollars(result.bounds.equity)).toBe("101680.02");
  });
});

const ADJUSTED = 0.8646266;
const XNYS = calendarOf("XNYS");

/** Regular minutes of five days, adjusted. */
function minutesOfSpy(): Candles {
  const all = readBars(sharedPath("data", "intraday", "lean-SPY-1m.csv.gz") ?? "");
  const [from, to] = [Date.parse("2013-10-07"), Date.parse("2013-10-12")];
  const kept = [...all.time.keys()].filter((i) => {
    const time = all.time[i];
    return time >= from && time < to && isOpen(XNYS, time);
  });
  const rows = kept.map((i) => {
    const by = (price: number) => Math.round(price * ADJUSTED * 1e9) / 1e9;
    const { time, open, high, low, close, volume } = barAt(all, i);
    return { time, open: by(open), high: by(high), low: by(low), close: by(close), volume };
  });
  return candlesFromRows("SPY", "1m", rows);
}
