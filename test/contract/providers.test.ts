import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barClose } from "../../src/core/market/bar-times.js";
import { barAt, type Candles, findInvalidBar } from "../../src/core/market/candles.js";
import { classifySymbol, type Instrument } from "../../src/core/market/instrument.js";
import { INTERVAL_MS, INTERVALS, type Interval } from "../../src/core/market/interval.js";
import { firstFormingBar } from "../../src/core/market/resample.js";
import { calendarOf, isOpen } from "../../src/core/market/session.js";
import { createHttpClient, type HttpClient } from "../../src/platform/http-client.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createAlphaVantageProvider } from "../../src/providers/alphavantage.js";
import { type Provider, ProviderError } from "../../src/providers/define.js";
import { createFilesProvider } from "../../src/providers/files.js";
import { createFinnhubProvider } from "../../src/providers/finnhub.js";
import { createGateway } from "../../src/providers/gateway.js";
import { PROVIDER_NAMES } from "../../src/providers/index.js";
import { createPolygonProvider } from "../../src/providers/polygon.js";
import { createSyntheticProvider } from "../../src/providers/synthetic.js";
import { createTradierProvider } from "../../src/providers/tradier.js";
import { createUpstoxProvider } from "../../src/providers/upstox.js";
import { createYahooProvider } from "../../src/providers/yahoo.js";
import { alphaVantageService } from "../fixtures/alphavantage.js";
import { finnhubService } from "../fixtures/finnhub.js";
import { silentLog } from "../fixtures/log.js";
import { polygonService } from "../fixtures/polygon.js";
import { tradierService } from "../fixtures/tradier.js";
import { upstoxService } from "../fixtures/upstox.js";
import { startVendor, type VendorAnswer } from "../fixtures/vendor.js";
import { createTestWorkers } from "../fixtures/workers.js";
import { quoteService } from "../fixtures/yahoo.js";

/** Monday noon in New York, mid-session and mid-bar for every interval but the minute. */
const NOW = Date.parse("2024-09-09T16:07:20Z");
const DAY_MS = 86_400_000;
const never = new AbortController().signal;
const instrumentOf = (symbol: string): Instrument => ensure(classifySymbol(symbol), symbol);

interface Subject {
  readonly provider: Provider;
  /** What it carries; of different calendars where it can. */
  readonly instruments: readonly Instrument[];
  /** What it does not; null when it carries everything. */
  readonly unknown: Instrument | null;
  close(): Promise<void>;
}

/** Writes the synthetic market's bars of the last weeks as CSV. */
async function openFiles(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), "tx-contract-"));
  const workers = createTestWorkers();
  const market = createSyntheticProvider(7, () => NOW);
  const instruments = ["AAPL", "BTC-USD"].map(instrumentOf);
  for (const instrument of instruments) {
    for (const interval of ["5m", "1d"] as const) {
      const request = { instrument, interval, fromMs: NOW - 40 * DAY_MS, toMs: NOW };
      const { candles } = await market.fetchCandles(request, never);
      const { time, open, high, low, close, volume } = candles;
      const rows = Array.from(time, (ms, i) => [ms, open[i], high[i], low[i], close[i], volume[i]].join());
      const text = `timestamp,open,high,low,close,volume\n${rows.join("\n")}\n`;
      writeFileSync(join(folder, `${instrument.symbol}-${interval}.csv`), text);
    }
  }
  const provider = await createFilesProvider({
    folders: [folder],
    replay: null,
    workers,
    now: () => NOW,
    log: silentLog,
  });
  return {
    provider,
    instruments: provider.listInstruments(),
    unknown: instrumentOf("NOPE"),
    async close() {
      await workers.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const http = createHttpClient({ timeoutMs: 4_000, limitBytes: 1e8, userAgent: "test" });
const now = () => NOW;

async function openYahoo(): Promise<Subject> {
  const vendor = await startVendor();
  const { url: baseUrl } = vendor;
  vendor.answer(quoteService(now, ["NOPE"]));
  return {
    provider: createYahooProvider({ baseUrl, cookieUrl: `${baseUrl}/cookie`, feedUrl: baseUrl, http, now }),
    instruments: ["AAPL", "BTC-USD", "EURUSD=X", "TCS.NS", "^GSPC", "BRK.B"].map(instrumentOf),
    unknown: instrumentOf("NOPE"),
    close: () => vendor.close(),
  };
}

async function openTradier(): Promise<Subject> {
  const vendor = await startVendor();
  vendor.answer(tradierService(now, ["NOPE"]));
  return {
    provider: createTradierProvider({ baseUrl: vendor.url, token: "token-of-tests", http, now }),
    instruments: ["AAPL", "SPY", "BRK.B", "^GSPC"].map(instrumentOf),
    unknown: instrumentOf("NOPE"),
    close: () => vendor.close(),
  };
}

/** A vendor's stand-in, with one symbol that it does not know. */
async function openVendor(
  service: (now: () => number, unknown: readonly string[]) => (url: URL) => Promise<VendorAnswer>,
  create: (access: { baseUrl: string; key: string; http: HttpClient; now: () => number }) => Provider,
  symbols: readonly string[],
): Promise<Subject> {
  const vendor = await startVendor();
  vendor.answer(service(now, ["NOPE"]));
  return {
    provider: create({ baseUrl: vendor.url, key: "k", http, now }),
    instruments: symbols.map(instrumentOf),
    unknown: instrumentOf("NOPE"),
    close: () => vendor.close(),
  };
}

async function openUpstox(): Promise<Subject> {
  const vendor = await startVendor();
  const keys = { "TATAPOWER.NS": "NSE_EQ|INE245A01021" };
  const provider = createUpstoxProvider({ baseUrl: vendor.url, token: "token-of-tests", keys, http, now });
  vendor.answer(upstoxService(now, keys));
  return {
    provider,
    instruments: ["^NSEI", "^BSESN", "TCS.NS", "TATAPOWER.NS"].map(instrumentOf),
    unknown: instrumentOf("NOPE.NS"),
    close: () => vendor.close(),
  };
}

/** One for each row of the table. */
const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  synthetic: async () => ({
    provider: createSyntheticProvider(1, () => NOW),
    instruments: ["AAPL", "BTC-USD", "EURUSD=X", "TCS.NS", "^GSPC"].map(instrumentOf),
    unknown: null,
    close: async () => undefined,
  }),
  files: openFiles,
  yahoo: openYahoo,
  tradier: openTradier,
  upstox: openUpstox,
  polygon: () =>
    openVendor(
      (now, unknown) => polygonService(now, unknown, 1_500),
      (access) => createPolygonProvider({ ...access, callsPerMinute: 5, historyYears: 2, delayMs: 0 }),
      ["AAPL", "BTC-USD", "EURUSD=X", "^GSPC", "BRK.B"],
    ),
  finnhub: () =>
    openVendor(finnhubService, (access) => createFinnhubProvider({ ...access, callsPerMinute: 60 }), [
      "AAPL",
      "BTC-USD",
      "BTC-USDT",
      "EURUSD=X",
      "BRK.B",
    ]),
  alphavantage: () =>
    openVendor(
      alphaVantageService,
      (access) =>
        createAlphaVantageProvider({
          ...access,
          callsPerMinute: 75,
          callsPerDay: null,
          premium: true,
          delayMs: 0,
        }),
      ["AAPL", "BRK.B", "RELIANCE.BO"],
    ),
};

it("every provider has a contract", () => {
  expect(Object.keys(SUBJECTS).sort()).toEqual([...PROVIDER_NAMES].sort());
});

describe.each(Object.entries(SUBJECTS))("%s", (name, openSubject) => {
  let subject: Subject;
  let provider: Provider;
  beforeAll(async () => {
    subject = await openSubject();
    ({ provider } = subject);
  });
  afterAll(() => subject.close());

  const fetch = async (instrument: Instrument, interval: Interval, fromMs: number, toMs: number) =>
    (await provider.fetchCandles({ instrument, interval, fromMs, toMs }, never)).candles;
  const rowsOf = (candles: Candles) => Array.from(candles.time, (_, i) => barAt(candles, i));
  const feedOf = (instrument: Instrument, interval: Interval) =>
    provider.feedNowMs(instrument, interval, NOW);

  /** Closed bars of a stretch. */
  async function closed(instrument: Instrument, interval: Interval, fromMs: number, toMs: number) {
    const candles = await fetch(instrument, interval, fromMs, toMs);
    const calendar = calendarOf(instrument.calendar);
    return rowsOf(candles).slice(0, firstFormingBar(candles, calendar, await feedOf(instrument, interval)));
  }

  /** Every instrument with each of its own intervals and a stretch that ends with the data. */
  async function cases() {
    const all = subject.instruments.map(async (instrument) => {
      return Promise.all(
        provider.intervals(instrument).map(async (interval) => {
          const feed = await feedOf(instrument, interval);
          const earliest = await provider.earliestMs(instrument, interval, NOW);
          const length = Math.max(4 * DAY_MS, 30 * INTERVAL_MS[interval]);
          return { instrument, interval, feed, earliest, from: Math.max(earliest, feed - length) };
        }),
      );
    });
    return (await Promise.all(all)).flat();
  }

  it("names itself as the table does, and says whether its prices are made up", () => {
    expect(provider.name).toBe(name);
    expect(provider.title.length).toBeGreaterThan(2);
    expect(provider.synthetic).toBe(name === "synthetic");
    expect(provider.concurrency).toBeGreaterThan(0);
  });

  it("has intervals of the list, finest first, each once", () => {
    for (const instrument of [...subject.instruments, ...provider.listInstruments()]) {
      const own = provider.intervals(instrument);
      expect(own.length).toBeGreaterThan(0);
      expect(own).toEqual(INTERVALS.filter((interval) => own.includes(interval)));
    }
  });

  it("lists instruments once and carries them", () => {
    const symbols = provider.listInstruments().map(({ symbol }) => symbol);
    expect(new Set(symbols).size).toBe(symbols.length);
    expect(symbols.length).toBeGreaterThan(0);
  });

  it("has an earliest bar before the moment its data have reached, which is not of the future", async () => {
    for (const { earliest, feed } of await cases()) {
      expect(Number.isFinite(earliest)).toBe(true);
      expect(earliest).toBeLessThan(feed);
      expect(feed).toBeLessThanOrEqual(NOW);
    }
  });

  it("gives sound bars of what was asked for, within the stretch, none of which opens in the future", async () => {
    for (const { instrument, interval, from, feed } of await cases()) {
      const candles = await fetch(instrument, interval, from, feed + 5 * DAY_MS);
      expect(candles).toMatchObject({ symbol: instrument.symbol, interval });
      expect(findInvalidBar(candles)).toBeNull();
      expect(candles.time.length, `${instrument.symbol} ${interval}`).toBeGreaterThan(3);
      expect(candles.time[0]).toBeGreaterThanOrEqual(from);
      expect(candles.time[candles.time.length - 1]).toBeLessThan(feed);
    }
  });

  it("gives the newest closed bar", async () => {
    for (const { instrument, interval, from, feed } of await cases()) {
      const calendar = calendarOf(instrument.calendar);
      const last = ensure((await closed(instrument, interval, from, feed)).at(-1), "a bar");
      const end = barClose(calendar, interval, last.time);
      // At most one more bar has closed within the session; nights and weekends have none.
      expect(isOpen(calendar, feed) ? feed - end < INTERVAL_MS[interval] + DAY_MS * 3 : true).toBe(true);
      expect(end).toBeLessThanOrEqual(feed);
    }
  });

  it("gives nothing for an empty stretch and one before all time", async () => {
    const [instrument] = subject.instruments;
    const [interval] = provider.intervals(instrument);
    expect((await fetch(instrument, interval, NOW - DAY_MS, NOW - DAY_MS)).time.length).toBe(0);
  });

  it("answers the same request alike", async () => {
    for (const { instrument, interval, from, feed } of await cases()) {
      const [one, two] = [
        await closed(instrument, interval, from, feed),
        await closed(instrument, interval, from, feed),
      ];
      expect(one).toEqual(two);
    }
  });

  it("answers a stretch alike in one piece or cut at any moment, and bars at the cuts are whole", async () => {
    const all = await cases();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...all),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (one, share) => {
          const { instrument, interval, from, feed } = one;
          const cut = Math.round(from + share * (feed - from));
          const [whole, before, after] = await Promise.all([
            closed(instrument, interval, from, feed),
            closed(instrument, interval, from, cut),
            closed(instrument, interval, cut, feed),
          ]);
          expect([...before, ...after]).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("does not know an unknown symbol", async () => {
    const { unknown } = subject;
    if (unknown === null) return;
    const intervals = provider.intervals(unknown);
    if (intervals.length === 0) {
      expect(provider.listInstruments().map(({ symbol }) => symbol)).not.toContain(unknown.symbol);
    }
    const work = fetch(unknown, intervals[0] ?? "1d", NOW - 5 * DAY_MS, NOW);
    await expect(work).rejects.toBeInstanceOf(ProviderError);
    await expect(work).rejects.toMatchObject({ failure: "unknown_symbol" });
  });

  it("gives up when nobody waits any more", async () => {
    const [instrument] = subject.instruments;
    const [interval] = provider.intervals(instrument);
    const stopped = AbortSignal.abort();
    const request = { instrument, interval, fromMs: NOW - 2 * DAY_MS, toMs: NOW };
    await expect(provider.fetchCandles(request, stopped)).rejects.toThrow();
  });

  it("answers a probe", async () => {
    await expect(provider.probe(never)).resolves.toBeUndefined();
  });

  it("has quotes that fit its bars, or none", async () => {
    for (const instrument of subject.instruments) {
      const quote = await provider.fetchQuote(instrument, never);
      if (quote === null) continue;
      const { price, time, open, high, low, previousClose, volume } = quote;
      expect(quote.symbol).toBe(instrument.symbol);
      expect(time).toBeLessThanOrEqual(NOW);
      expect(NOW - time).toBeLessThan(4 * DAY_MS);
      if (isOpen(calendarOf(instrument.calendar), NOW) && provider.intervals(instrument).includes("1m")) {
        // The synthetic market alone has a price within the minute that is forming.
        const closedAt = Math.floor(time / 60_000) * 60_000;
        const [minute] = await closed(instrument, "1m", closedAt - 60_000, closedAt);
        if (provider.synthetic) expect(Math.abs(price / minute.close - 1)).toBeLessThan(0.02);
        else expect([closedAt, minute.close]).toEqual([time, price]);
      }
      if (provider.intervals(instrument).includes("1d")) {
        const days = await fetch(instrument, "1d", NOW - 10 * DAY_MS, NOW);
        if (previousClose !== null) expect(days.close).toContain(previousClose);
        if (open !== null) expect(days.open).toContain(open);
      }
      if (high !== null && low !== null) {
        expect(price).toBeLessThanOrEqual(high);
        expect(price).toBeGreaterThanOrEqual(low);
      }
      if (volume !== null) expect(volume).toBeGreaterThanOrEqual(0);
    }
  });

  it("is labelled in every answer of the gateway, which gives closed regular bars of every interval", async () => {
    // The clock stands still here, and with it a budget of calls once it is used.
    const { quota: _quota, ...unlimited } = provider;
    const gateway = createGateway({
      providers: [unlimited],
      now: () => NOW,
      log: silentLog,
      metrics: createMetrics("test"),
    });
    for (const instrument of subject.instruments) {
      const calendar = calendarOf(instrument.calendar);
      for (const interval of gateway.intervals(instrument)) {
        const earliest = await gateway.earliestMs(instrument, interval);
        const from = Math.max(earliest, NOW - Math.max(4 * DAY_MS, 5 * INTERVAL_MS[interval]));
        const { candles, source, synthetic, asOfMs } = await gateway.fetchCandles(
          instrument,
          interval,
          from,
          NOW,
        );
        expect({ source, synthetic }).toEqual({ source: name, synthetic: name === "synthetic" });
        expect(candles).toMatchObject({ symbol: instrument.symbol, interval });
        expect(findInvalidBar(candles)).toBeNull();
        expect(candles.time.length).toBeGreaterThan(0);
        for (const time of candles.time) {
          expect(barClose(calendar, interval, time)).toBeLessThanOrEqual(asOfMs);
          expect(isOpen(calendar, time)).toBe(true);
        }
      }
      const quote = await gateway.fetchQuote(instrument);
      if (quote !== null) expect(quote).toMatchObject({ source: name, synthetic: name === "synthetic" });
    }
  });
});
