import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Decimal } from "decimal.js";
import { describe, expect, it } from "vitest";
import type { CorporateAction } from "../../src/core/market/actions.js";
import { type DailyCloses, type Steps, stepsOf, viewCandles } from "../../src/core/market/adjust.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { dateOf, dayOf } from "../../src/core/market/day.js";
import {
  calendarOf,
  dailyBarTime,
  nextSession,
  sessionOn,
  tradingDay,
} from "../../src/core/market/session.js";
import { sharedPath } from "../fixtures/shared.js";

const calendar = calendarOf("XNYS");
const FOREVER = Number.POSITIVE_INFINITY;
const TOLERANCE = 1e-4;

/** Apple's splits and dividends by ex-day, in the cents that were declared: no factor of the file is behind them. */
const APPLE_PAID = `
  2012-08-09 2.65 2012-11-07 2.65 2013-02-07 2.65 2013-05-09 3.05 2013-08-08 3.05 2013-11-06 3.05 2014-02-06 3.05
  2014-05-08 3.29 2014-08-07 0.47 2014-11-06 0.47 2015-02-05 0.47 2015-05-07 0.52 2015-08-06 0.52 2015-11-05 0.52
  2016-02-04 0.52 2016-05-05 0.57 2016-08-04 0.57 2016-11-03 0.57 2017-02-09 0.57 2017-05-11 0.63 2017-08-10 0.63
  2017-11-10 0.63 2018-02-09 0.63 2018-05-11 0.73 2018-08-10 0.73 2018-11-08 0.73 2019-02-08 0.73 2019-05-10 0.77
  2019-08-09 0.77 2019-11-07 0.77 2020-02-07 0.77 2020-05-08 0.82 2020-08-07 0.82 2020-11-06 0.205 2021-02-05 0.205
`;
const APPLE_SPLITS = [
  ["2000-06-21", 2],
  ["2005-02-28", 2],
  ["2014-06-09", 7],
  ["2020-08-31", 4],
] as const;

interface FactorRow {
  /** Last day before the change. */
  readonly date: string;
  readonly price: number;
  readonly split: number;
  /** Close of that day as it traded. */
  readonly close: number;
}

function read(...parts: string[]): string[] {
  const path = sharedPath("data", ...parts);
  if (path === null) throw new Error(`${parts.join("/")} is missing`);
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").trim().split("\n");
}

function factorRows(symbol: string): FactorRow[] {
  return read("corporate-actions", `lean-${symbol}-factor_file.csv`).map((line) => {
    const [date, price, split, close] = line.split(",");
    const text = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
    return { date: text, price: Number(price), split: Number(split), close: Number(close) };
  });
}

function rawBars(symbol: string): Candles {
  const rows = read("daily", `lean-${symbol}-raw.csv.gz`).slice(1);
  return candlesFromRows(
    symbol,
    "1d",
    rows.map((line) => {
      const [date, ...numbers] = line.split(",");
      const [open, high, low, close, volume] = numbers.map(Number);
      return { time: dailyBarTime(calendar, date) ?? Number.NaN, open, high, low, close, volume };
    }),
  );
}

/** What happened after each row of a factor file: amounts to tenths of a cent, ratios as fractions of small numbers. */
function actionsOf(rows: readonly FactorRow[]): CorporateAction[] {
  return rows.slice(0, -1).flatMap((row, i): CorporateAction[] => {
    const next = rows[i + 1];
    const day = sessionOn(calendar, row.date);
    const exDay = dayOf((day === null ? null : nextSession(calendar, day.open)?.date) ?? row.date);
    const ratio = next.split / row.split;
    const amount = Number((row.close * (1 - row.price / next.price)).toFixed(3));
    const whole = Math.abs(ratio - Math.round(ratio)) < 1e-4 ? Math.round(ratio) : ratio;
    return [
      ...(whole === 1 ? [] : [{ kind: "split", exDay, ratio: whole } as const]),
      ...(amount < 0.001 ? [] : [{ kind: "dividend", exDay, amount, currency: "USD" } as const]),
    ];
  });
}

const closesOf = (bars: Candles): DailyCloses => ({
  day: Float64Array.from(bars.time, (time) => tradingDay(calendar, time)),
  close: bars.close,
});

/** The factor file's own rule: the first row that is not before a bar's day. */
function factorAt(rows: readonly FactorRow[], date: string, what: "split" | "all"): number {
  const row = rows.find((each) => each.date >= date) ?? rows[rows.length - 1];
  return what === "all" ? row.price * row.split : row.split;
}

/** The greatest relative difference of any price from raw times the factor of the file. */
function worst(bars: Candles, rows: readonly FactorRow[], known: Steps, what: "split" | "all"): number {
  const view = viewCandles(bars, null, known, { adjustment: what, horizonMs: FOREVER });
  let most = 0;
  for (let i = 0; i < bars.time.length; i++) {
    const factor = factorAt(rows, dateOf(tradingDay(calendar, bars.time[i])), what);
    for (const column of ["open", "high", "low", "close"] as const) {
      most = Math.max(most, Math.abs(view[column][i] / (bars[column][i] * factor) - 1));
    }
    const volume = bars.volume[i] / factorAt(rows, dateOf(tradingDay(calendar, bars.time[i])), "split");
    if (volume > 0) most = Math.max(most, Math.abs(view.volume[i] / volume - 1));
  }
  return most;
}

describe.skipIf(sharedPath("data", "corporate-actions") === null)("LEAN's factor files", () => {
  it("AAPL: declared dividends and splits give the same price on every bar", () => {
    const words = APPLE_PAID.trim().split(/\s+/);
    const paid = Array.from(
      { length: words.length / 2 },
      (_, i): CorporateAction => ({
        kind: "dividend",
        exDay: dayOf(words[2 * i]),
        amount: Number(words[2 * i + 1]),
        currency: "USD",
      }),
    );
    const splits = APPLE_SPLITS.map(
      ([date, ratio]) => ({ kind: "split", exDay: dayOf(date), ratio }) as const,
    );
    const bars = rawBars("AAPL");
    const known = stepsOf([...paid, ...splits], calendar, "USD", closesOf(bars));
    expect(bars.time.length).toBe(5_849);
    expect(known.unapplied).toEqual([]);
    expect(worst(bars, factorRows("AAPL"), known, "all")).toBeLessThan(TOLERANCE);
    expect(worst(bars, factorRows("AAPL"), known, "split")).toBeLessThan(TOLERANCE);
    // And the file tells the same facts.
    const order = (a: CorporateAction, b: CorporateAction) => a.exDay - b.exDay;
    expect(actionsOf(factorRows("AAPL")).sort(order)).toEqual([...paid, ...splits].sort(order));
  });

  it.each([
    // Ticker and data of the class A share until 2014-04-02: that split is none of the class C share's, nor of the file.
    ["GOOG", 4_183],
    ["SPY", 5_849],
  ])("%s: actions and raw closes give the same price on every bar", (symbol, bars) => {
    const raw = rawBars(symbol);
    const rows = factorRows(symbol);
    const known = stepsOf(actionsOf(rows), calendar, "USD", closesOf(raw));
    expect(raw.time.length).toBe(bars);
    expect(known.unapplied).toEqual([]);
    expect(worst(raw, rows, known, "all")).toBeLessThan(TOLERANCE);
  });

  it("QQQ: the same, with the closes of the years in which it was QQQQ from the factor file", () => {
    const raw = rawBars("QQQ");
    const rows = factorRows("QQQ");
    const own = closesOf(raw);
    const hole = rows.filter(({ date }) => date > "2004-11-30" && date < "2011-03-22");
    const closes = [
      ...Array.from(own.day, (day, i) => ({ day, close: own.close[i] })),
      ...hole.map(({ date, close }) => ({ day: dayOf(date), close })),
    ].sort((a, b) => a.day - b.day);
    const known = stepsOf(actionsOf(rows), calendar, "USD", {
      day: Float64Array.from(closes, ({ day }) => day),
      close: Float64Array.from(closes, ({ close }) => close),
    });
    expect(known.unapplied).toEqual([]);
    expect(raw.time.length).toBe(3_964);
    expect(worst(raw, rows, known, "all")).toBeLessThan(TOLERANCE);

    // Without them: the dividends of those years cannot be told as a part of a price, and it is said which.
    const lacking = stepsOf(actionsOf(rows), calendar, "USD", own);
    expect(lacking.unapplied.map(({ action }) => dateOf(action.exDay).slice(0, 7))).toEqual(
      hole.map(({ date }) => date.slice(0, 7)),
    );
    const later = raw.time.findIndex((time) => time > Date.parse("2011-03-22"));
    const after = (column: Float64Array) => column.slice(later);
    const tail: Candles = {
      ...raw,
      time: after(raw.time),
      open: after(raw.open),
      high: after(raw.high),
      low: after(raw.low),
      close: after(raw.close),
      volume: after(raw.volume),
    };
    expect(worst(tail, rows, lacking, "all")).toBeLessThan(TOLERANCE);
  });

  it("a position is worth the same before and after each split of AAPL, to the cent", () => {
    const raw = rawBars("AAPL");
    const splits = APPLE_SPLITS.map(
      ([date, ratio]) => ({ kind: "split", exDay: dayOf(date), ratio }) as const,
    );
    const known = stepsOf(splits, calendar, "USD", null);
    const cash = new Decimal("1234.56");
    // Shares held since the first bar, in numbers of today and in those of each day.
    const today = new Decimal(700 * 2 * 2 * 7 * 4);
    const view = viewCandles(raw, null, known, { adjustment: "split", horizonMs: FOREVER });
    for (let i = 0; i < raw.time.length; i++) {
      const later = splits.filter(({ exDay }) => exDay > tradingDay(calendar, raw.time[i]));
      const shares = later.reduce((left, { ratio }) => left.div(ratio), today);
      const asTraded = shares.times(raw.close[i]).plus(cash);
      const asViewed = today.times(view.close[i]).plus(cash);
      expect(asViewed.toFixed(2)).toBe(asTraded.toFixed(2));
    }
  });
});

interface Chart {
  readonly timestamp: number[];
  readonly events: { readonly dividends: Record<string, { amount: number; date: number }> };
  readonly indicators: {
    readonly quote: { open: number[]; high: number[]; low: number[]; close: number[]; volume: number[] }[];
    readonly adjclose: { adjclose: number[] }[];
  };
}

describe.skipIf(sharedPath("data", "api-fixtures") === null)("a vendor's own adjusted close", () => {
  it("of a year of MSFT is the close in the view of all actions, up to what was paid since", () => {
    const recorded = JSON.parse(read("api-fixtures", "yahoo", "chart-MSFT-1y-dividends.json").join("\n")) as {
      response: { body: { chart: { result: Chart[] } } };
    };
    const [{ timestamp, events, indicators }] = recorded.response.body.chart.result;
    const [{ open, high, low, close, volume }] = indicators.quote;
    const bars = candlesFromRows(
      "MSFT",
      "1d",
      timestamp.map((seconds, i) => ({
        time: seconds * 1_000,
        open: open[i],
        high: high[i],
        low: low[i],
        close: close[i],
        volume: volume[i],
      })),
    );
    const paid = Object.values(events.dividends).map(
      ({ amount, date }): CorporateAction => ({
        kind: "dividend",
        exDay: tradingDay(calendar, date * 1_000),
        amount,
        currency: "USD",
      }),
    );
    expect([bars.time.length > 200, paid.length]).toEqual([true, 4]);
    const known = stepsOf(paid, calendar, "USD", closesOf(bars));
    const view = viewCandles(bars, null, known, { adjustment: "all", horizonMs: FOREVER });
    const [{ adjclose }] = indicators.adjclose;
    const last = close.length - 1;
    const since = adjclose[last] / close[last];
    const worst = view.close.reduce(
      (most, price, i) => Math.max(most, Math.abs((price * since) / adjclose[i] - 1)),
      0,
    );
    expect(worst).toBeLessThan(TOLERANCE);
  });
});
