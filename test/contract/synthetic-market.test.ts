import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barAt, type Candles, findInvalidBar } from "../../src/core/market/candles.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import { INTERVALS, type Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf, lastOpened, sessionOn, sessionsBetween } from "../../src/core/market/session.js";
import { createSyntheticProvider } from "../../src/providers/synthetic.js";
import { createSyntheticMarket } from "../../src/providers/synthetic-market.js";
import { REGIME_NAMES } from "../../src/providers/synthetic-traits.js";
import { autocorrelation, correlation, deviation, kurtosis, logReturns } from "../fixtures/statistics.js";

const at = (text: string) => Date.parse(text);
const NOW = at("2024-12-31T21:00Z");
const DAY_MS = 86_400_000;
const never = new AbortController().signal;
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);

function fetch(
  symbol: string,
  interval: Interval,
  from: string | number,
  to: string | number,
  seed = 1,
  now = NOW,
) {
  const time = (moment: string | number) => (typeof moment === "number" ? moment : at(moment));
  return createSyntheticProvider(seed, () => now)
    .fetchCandles({ instrument: instrumentOf(symbol), interval, fromMs: time(from), toMs: time(to) }, never)
    .then(({ candles }) => candles);
}

describe("dice", () => {
  it("fall the same for the same seed and otherwise for another seed or symbol", async () => {
    const [a, again, seed, symbol] = await Promise.all([
      fetch("AAPL", "5m", "2024-06-03", "2024-06-08"),
      fetch("AAPL", "5m", "2024-06-03", "2024-06-08"),
      fetch("AAPL", "5m", "2024-06-03", "2024-06-08", 2),
      fetch("MSFT", "5m", "2024-06-03", "2024-06-08"),
    ]);
    expect(again).toEqual(a);
    expect(seed.time).toEqual(a.time);
    expect(correlation(logReturns(seed.close), logReturns(a.close))).toBeLessThan(0.2);
    expect(correlation(logReturns(symbol.close), logReturns(a.close))).toBeLessThan(0.5);
  });

  it("fall the same however a stretch is cut and in whatever order the parts are drawn", async () => {
    const from = at("2024-05-01T00:00Z");
    const to = at("2024-06-15T00:00Z");
    const moment = fc.integer({ min: from, max: to });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("AAPL", "EURUSD=X", "TCS.NS"),
        fc.constantFrom(...INTERVALS),
        fc.array(moment, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (symbol, interval, cuts, backwards) => {
          const provider = createSyntheticProvider(3, () => NOW);
          const ask = async (fromMs: number, toMs: number) =>
            (await provider.fetchCandles({ instrument: instrumentOf(symbol), interval, fromMs, toMs }, never))
              .candles;
          const edges = [from, ...cuts.sort((a, b) => a - b), to];
          const stretches = edges.slice(1).map((end, i) => [edges[i], end] as const);
          const parts = new Map<number, Candles>();
          for (const [start, end] of backwards ? [...stretches].reverse() : stretches) {
            if (start < end) parts.set(start, await ask(start, end));
          }
          const joined = [...parts].sort(([a], [b]) => a - b).flatMap(([, part]) => rowsOf(part));
          expect(joined).toEqual(rowsOf(await fetch(symbol, interval, from, to, 3)));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("fall for a session whether or not those before it have been looked at", () => {
    const instrument = instrumentOf("KO");
    const calendar = calendarOf("XNYS");
    const session = lastOpened(calendar, NOW);
    const walked = createSyntheticMarket(instrument, calendar, 5);
    for (let i = session - 50; i < session; i++) walked.minutesOf(i);
    expect(createSyntheticMarket(instrument, calendar, 5).minutesOf(session)).toEqual(
      walked.minutesOf(session),
    );
  });
});

describe("bars", () => {
  it.each(["AAPL", "BTC-USD", "EURUSD=X", "TCS.NS", "^GSPC"])(
    "of every interval of %s are made of its minutes",
    async (symbol) => {
      const calendar = calendarOf(instrumentOf(symbol).calendar);
      const minutes = await fetch(symbol, "1m", "2024-10-20", "2024-11-11");
      expect(findInvalidBar(minutes)).toBeNull();
      for (const interval of INTERVALS) {
        const asked = rowsOf(await fetch(symbol, interval, "2024-10-28", "2024-11-11"));
        expect(asked.length).toBeGreaterThan(1);
        // The last one may reach over the end of the minutes.
        const whole = asked.slice(0, -1);
        const made = rowsOf(resample(minutes, interval, calendar)).filter(
          ({ time }) => time >= whole[0].time && time <= whole[whole.length - 1].time,
        );
        expect(whole.map(roundVolume)).toEqual(made.map(roundVolume));
      }
    },
  );

  it("fill the sessions, whole and half, and nothing else", async () => {
    for (const symbol of ["AAPL", "TCS.NS", "EURUSD=X", "BTC-USD"]) {
      const calendar = calendarOf(instrumentOf(symbol).calendar);
      const from = at("2024-10-28T00:00Z");
      const to = at("2024-12-02T00:00Z");
      const { time } = await fetch(symbol, "1m", from, to);
      const expected = sessionsBetween(calendar, from - DAY_MS, to).flatMap(({ open, close }) =>
        Array.from({ length: (close - open) / 60_000 }, (_, i) => open + i * 60_000),
      );
      expect(Array.from(time)).toEqual(expected.filter((minute) => minute >= from && minute < to));
    }
    const half = ensure(sessionOn(calendarOf("XNYS"), "2024-11-29"), "session");
    const minutes = await fetch("AAPL", "1m", half.open, half.close + DAY_MS);
    expect(minutes.time.length).toBe(210);
  });

  it("are never of the future: the bar that forms has closed minutes only", async () => {
    const now = at("2024-11-06T16:07:30Z");
    const whole = await fetch("AAPL", "1m", "2024-11-06", "2024-11-07");
    const known = rowsOf(whole).filter(({ time }) => time + 60_000 <= now);
    for (const interval of INTERVALS) {
      const candles = await fetch("AAPL", interval, "2024-11-04", "2024-11-20", 1, now);
      const last = barAt(candles, candles.time.length - 1);
      expect(last.time).toBeLessThanOrEqual(now);
      expect(last.close).toBe(known.at(-1)?.close);
      if (interval === "1d") {
        expect(last.high).toBe(Math.max(...known.map(({ high }) => high)));
        expect(last.low).toBe(Math.min(...known.map(({ low }) => low)));
      }
    }
    const quote = await createSyntheticProvider(1, () => now).fetchQuote(instrumentOf("AAPL"), never);
    const minutes = await fetch("AAPL", "1m", "2024-11-06", "2024-11-07", 1, now + 60_000);
    const forming = barAt(minutes, minutes.time.length - 1);
    expect(forming.time).toBe(at("2024-11-06T16:07:00Z"));
    expect(quote?.time).toBe(now);
    expect(quote?.price).toBeGreaterThanOrEqual(forming.low);
    expect(quote?.price).toBeLessThanOrEqual(forming.high);
  });

  it("of a day that has just begun are those before it", async () => {
    const open = at("2024-11-06T14:30Z");
    expect((await fetch("AAPL", "1d", "2024-11-05", "2024-11-07", 1, open + 30_000)).time.length).toBe(1);
    const quoteAt = async (nowMs: number) =>
      createSyntheticProvider(1, () => nowMs).fetchQuote(instrumentOf("AAPL"), never);
    const before = await quoteAt(open - 1);
    expect(before?.time).toBe(at("2024-11-05T21:00Z"));
    const after = await quoteAt(open);
    expect(after).toMatchObject({ time: open, previousClose: before?.price, price: after?.open, volume: 0 });
    const minute = barAt(await fetch("AAPL", "1m", "2024-11-06", "2024-11-07", 1, open + 60_000), 0);
    const within = await Promise.all(
      Array.from({ length: 60 }, async (_, second) => (await quoteAt(open + 1_000 * second))?.price),
    );
    expect(Math.min(...within.map(Number))).toBe(minute.low);
    expect(Math.max(...within.map(Number))).toBe(minute.high);
  });
});

describe("a market", () => {
  /** Ten years of daily bars by symbol. */
  const days = new Map<string, Candles>();
  const dailyOf = (symbol: string) => ensure(days.get(symbol), symbol);
  const SYMBOLS = ["AAPL", "KO", "SPY", "^GSPC", "EURUSD=X", "BTC-USD"];
  const lines: string[] = [];

  beforeAll(async () => {
    const provider = createSyntheticProvider(1, () => NOW);
    for (const symbol of SYMBOLS) {
      const request = { instrument: instrumentOf(symbol), interval: "1d" as const, fromMs: 0, toMs: NOW };
      days.set(symbol, (await provider.fetchCandles(request, never)).candles);
    }
    for (const symbol of SYMBOLS) {
      const { close } = dailyOf(symbol);
      const returns = logReturns(close);
      const squares = returns.map((value) => value * value);
      const yearly = deviation(returns) * Math.sqrt(symbol === "BTC-USD" ? 365 : 252);
      const minutes = logReturns((await fetch(symbol, "1m", "2024-09-03", "2024-10-03")).close);
      const sizes = minutes.map(Math.abs);
      const figures = [
        `volatility ${yearly.toFixed(2)} a year`,
        `kurtosis ${kurtosis(returns).toFixed(1)}`,
        `autocorrelation ${autocorrelation(returns, 1).toFixed(2)}`,
        `of squares ${[1, 5, 20].map((lag) => autocorrelation(squares, lag).toFixed(2)).join(" ")}`,
        `of sizes of minutes ${[1, 15, 60].map((lag) => autocorrelation(sizes, lag).toFixed(2)).join(" ")}`,
        `kurtosis of minutes ${kurtosis(minutes).toFixed(0)}`,
      ];
      lines.push(`${symbol}: ${figures.join(", ")}`);
    }
    process.stdout.write(`synthetic market, 2015 to 2024\n${lines.join("\n")}\n`);
  }, 120_000);

  it("has ten years of sound bars at prices that stay plausible", () => {
    for (const symbol of SYMBOLS) {
      const candles = dailyOf(symbol);
      expect(findInvalidBar(candles)).toBeNull();
      const { calendar } = instrumentOf(symbol);
      expect(candles.time.length).toBe(sessionsBetween(calendarOf(calendar), candles.time[0], NOW).length);
      const start = candles.open[0];
      const bound = symbol === "BTC-USD" ? 40 : 12;
      expect(Math.max(...candles.high) / start).toBeLessThan(bound);
      expect(start / Math.min(...candles.low)).toBeLessThan(bound);
    }
  });

  it("is as volatile as its class", () => {
    const yearly = (symbol: string, sessions: number) =>
      deviation(logReturns(dailyOf(symbol).close)) * Math.sqrt(sessions);
    for (const symbol of ["AAPL", "KO"]) {
      expect(yearly(symbol, 252)).toBeGreaterThan(0.15);
      expect(yearly(symbol, 252)).toBeLessThan(0.6);
    }
    expect(yearly("^GSPC", 252)).toBeLessThan(0.3);
    expect(yearly("EURUSD=X", 260)).toBeLessThan(0.15);
    expect(yearly("BTC-USD", 365)).toBeGreaterThan(0.4);
  });

  it("has returns without memory, fat tails and volatility that lasts", () => {
    for (const symbol of SYMBOLS) {
      const returns = logReturns(dailyOf(symbol).close);
      const sizes = returns.map(Math.abs);
      // Two deviations of a correlation of noise are 0.04; volatility that changes makes it wider.
      expect(Math.abs(autocorrelation(returns, 1)), symbol).toBeLessThan(0.15);
      expect(kurtosis(returns), symbol).toBeGreaterThan(4.5);
      expect(autocorrelation(sizes, 1), symbol).toBeGreaterThan(0.12);
      expect(autocorrelation(sizes, 20), symbol).toBeGreaterThan(0.04);
    }
  });

  it("has minutes with fat tails whose volatility lasts within the day", async () => {
    for (const symbol of ["AAPL", "BTC-USD"]) {
      const minutes = logReturns((await fetch(symbol, "1m", "2024-09-03", "2024-10-03")).close);
      const sizes = minutes.map(Math.abs);
      expect(kurtosis(minutes)).toBeGreaterThan(6);
      expect(autocorrelation(sizes, 1)).toBeGreaterThan(0.12);
      expect(autocorrelation(sizes, 1)).toBeGreaterThan(autocorrelation(sizes, 60) + 0.05);
    }
  });

  it("moves together within a calendar, and each symbol for itself as well", () => {
    const returns = (symbol: string) => logReturns(dailyOf(symbol).close);
    expect(correlation(returns("SPY"), returns("^GSPC"))).toBeGreaterThan(0.6);
    expect(correlation(returns("AAPL"), returns("^GSPC"))).toBeGreaterThan(0.2);
    expect(correlation(returns("AAPL"), returns("KO"))).toBeLessThan(0.7);
  });

  it("goes through all five regimes, and jumps", () => {
    const calendar = calendarOf("XNYS");
    const market = createSyntheticMarket(instrumentOf("AAPL"), calendar, 1);
    const last = lastOpened(calendar, NOW);
    const seen = new Map<string, number>();
    for (let session = market.firstSession; session <= last; session++) {
      const regime = market.regimeOf(session);
      seen.set(regime, (seen.get(regime) ?? 0) + 1);
    }
    for (const regime of REGIME_NAMES) expect(seen.get(regime) ?? 0, regime).toBeGreaterThan(50);
    const returns = logReturns(dailyOf("AAPL").close);
    const typical = deviation(returns);
    expect(returns.filter((move) => Math.abs(move) > 4 * typical).length).toBeGreaterThan(5);
  });

  it("opens away from the last close after a pause, and only then", () => {
    const gaps = (symbol: string) => {
      const { open, close } = dailyOf(symbol);
      return Array.from(open.subarray(1), (price, i) => Math.log(price / close[i]));
    };
    const share = (symbol: string) =>
      (deviation(gaps(symbol)) / deviation(logReturns(dailyOf(symbol).close))) ** 2;
    expect(share("AAPL")).toBeGreaterThan(0.12);
    expect(share("AAPL")).toBeLessThan(0.5);
    expect(share("BTC-USD")).toBeLessThan(0.01);
    const { time, open, close } = dailyOf("EURUSD=X");
    const moves = Array.from(open.subarray(1), (price, i) => ({
      size: Math.abs(Math.log(price / close[i])),
      weekend: time[i + 1] - time[i] > 1.5 * DAY_MS,
    }));
    const mean = (weekend: boolean) => {
      const sizes = moves.filter((move) => move.weekend === weekend).map(({ size }) => size);
      return sizes.reduce((a, b) => a + b, 0) / sizes.length;
    };
    expect(mean(true)).toBeGreaterThan(4 * mean(false));
  });

  it("trades most at the open and the close, and an index not at all", async () => {
    const byMinute = new Float64Array(390);
    const { time, volume } = await fetch("AAPL", "1m", "2024-08-01", "2024-10-31");
    for (const [i, minute] of time.entries())
      byMinute[Math.floor((minute % DAY_MS) / 60_000) - 810] += volume[i];
    const sum = (from: number, to: number) => byMinute.subarray(from, to).reduce((a, b) => a + b, 0);
    expect(sum(0, 60)).toBeGreaterThan(1.5 * sum(165, 225));
    expect(sum(330, 390)).toBeGreaterThan(1.5 * sum(165, 225));
    const index = await fetch("^GSPC", "1m", "2024-10-01", "2024-10-02");
    expect(index.volume.every((value) => value === 0)).toBe(true);
    const { time: hours, volume: traded } = await fetch("EURUSD=X", "1h", "2024-09-01", "2024-10-31");
    const at14 = traded.filter((_, i) => hours[i] % DAY_MS === 14 * 3_600_000);
    const at22 = traded.filter((_, i) => hours[i] % DAY_MS === 22 * 3_600_000);
    expect(at14.reduce((a, b) => a + b) / at14.length).toBeGreaterThan(
      2 * (at22.reduce((a, b) => a + b) / at22.length),
    );
  });

  it("keeps prices on whole steps", async () => {
    for (const [symbol, steps] of [
      ["AAPL", 100],
      ["EURUSD=X", 100_000],
      ["USDJPY=X", 1_000],
    ] as const) {
      const { close } = await fetch(symbol, "1m", "2024-10-01", "2024-10-02");
      expect(close.length).toBeGreaterThan(0);
      expect(close.every((price) => price === Math.round(price * steps) / steps)).toBe(true);
    }
  });
});

describe("speed", () => {
  it("300 days of a market that never closes leave other work its turns", async () => {
    // Calendars are laid out once in a process.
    calendarOf("24x7");
    const started = performance.now();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { time } = await fetch("BTC-USD", "1d", NOW - 300 * DAY_MS, NOW);
    delay.disable();
    expect(time.length).toBe(300);
    const ms = (ns: number) => (ns / 1e6).toFixed(1);
    process.stdout.write(
      `300 synthetic days of BTC-USD in ${(performance.now() - started).toFixed(0)} ms; ` +
        `event loop held ${ms(delay.percentile(50))} ms at the median, ${ms(delay.max)} ms at most\n`,
    );
    expect(delay.percentile(90) / 1e6).toBeLessThan(50);
  });

  it("keeps little of each symbol that somebody asked for once", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const provider = createSyntheticProvider(1, () => NOW);
    collect();
    const before = process.memoryUsage().heapUsed;
    const letters = "ABCDEFGHIJ";
    for (const one of letters) {
      for (const other of "KLMNO") await provider.fetchQuote(instrumentOf(`X${one}${other}-USD`), never);
    }
    collect();
    const kept = (process.memoryUsage().heapUsed - before) / (5 * letters.length);
    expect(kept).toBeLessThan(150_000);
  });

  it("is given up when nobody waits any more", async () => {
    const stop = new AbortController();
    const provider = createSyntheticProvider(1, () => NOW);
    const request = { instrument: instrumentOf("BTC-USD"), interval: "1d" as const, fromMs: 0, toMs: NOW };
    const work = provider.fetchCandles(request, stop.signal);
    stop.abort();
    const started = performance.now();
    await expect(work).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(500);
  });
});

function rowsOf(candles: Candles) {
  return Array.from(candles.time, (_, i) => barAt(candles, i));
}

/** Sums of the same volumes in another order differ in the last bits. */
function roundVolume(bar: ReturnType<typeof barAt>) {
  return { ...bar, volume: Math.round(bar.volume * 10) };
}
