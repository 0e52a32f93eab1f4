import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { barClose } from "../../src/core/market/bar-times.js";
import { barAt, findInvalidBar } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createFilesProvider } from "../../src/providers/files.js";
import { findEntries } from "../../src/providers/files-folder.js";
import { parseTable, readWhole } from "../../src/providers/files-table.js";
import { createGateway } from "../../src/providers/gateway.js";
import { createRecordedLog } from "../fixtures/log.js";
import { sharedPath } from "../fixtures/shared.js";
import { createTestWorkers } from "../fixtures/workers.js";

const daily = sharedPath("data", "daily") ?? "";
const intraday = sharedPath("data", "intraday") ?? "";
const variants = sharedPath("data", "format-variants") ?? "";
const bad = sharedPath("data", "bad-input") ?? "";

/** What becomes of each file of a folder: its symbol, interval, calendar and currency, or why it is not used. */
async function look(folder: string): Promise<Record<string, string>> {
  const recorded = createRecordedLog();
  const { entries } = await findEntries([folder], recorded.log);
  const found = [...entries.values()]
    .flat()
    .map(({ path, interval, instrument: { symbol, calendar, currency } }) => [
      basename(path),
      `${symbol} ${interval} ${calendar} ${currency}`,
    ]);
  const refused = recorded.lines().flatMap((line) => {
    const { file, reason } = JSON.parse(line) as { file: string; reason?: string };
    return reason === undefined ? [] : [[file, reason]];
  });
  return Object.fromEntries([...found, ...refused]);
}

describe.skipIf(daily === "")("daily files", () => {
  it("are told to be daily, all but those without open, high, low and close", async () => {
    const found = await look(daily);
    const files = readdirSync(daily).filter((name) => name.endsWith(".csv.gz"));
    expect(files.length).toBeGreaterThan(50);
    const noCandles = ["us-treasury-curves.csv.gz", "wide-20-sp500-closes-1990-2022.csv.gz"];
    for (const file of files) {
      if (noCandles.includes(file)) expect(found[file]).toBe("line 1: has no column open, high, low, close");
      else expect(found[file], file).toMatch(/ 1d XNYS USD$/);
    }
  });
});

describe.skipIf(intraday === "")("intraday files", () => {
  it("are told by their rows and names", async () => {
    expect(await look(intraday)).toEqual({
      "bitfinex-BTCUSD-1m-2016.csv.gz": "BITFINEX-BTCUSD-2016 1m 24x7 USD",
      "ejtrader-GBPUSD-1h.csv.gz": "EJTRADER-GBPUSD 1h FX USD",
      "ejtrader-USDJPY-1h.csv.gz": "EJTRADER-USDJPY 1h FX JPY",
      "ejtrader-XAUUSD-1h.csv.gz": "EJTRADER-XAUUSD 1h FX USD",
      "freqtrade-ETH_BTC-5m.csv.gz": "FREQTRADE-ETH_BTC 5m 24x7 BTC",
      "freqtrade-LTC_BTC-5m.csv.gz": "FREQTRADE-LTC_BTC 5m 24x7 BTC",
      "freqtrade-UNITTEST_BTC-1m.csv.gz": "FREQTRADE-UNITTEST_BTC 1m 24x7 BTC",
      "freqtrade-XRP_USDT_USDT-5m-futures.csv.gz": "FREQTRADE-XRP_USDT_USDT-FUTURES 5m 24x7 USDT",
      "freqtrade-XRP_USDT_USDT-8h-funding_rate.csv.gz":
        "has rows 480 minutes apart, which is none of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w",
      "fxcm-GBPUSD-1m-2012-02.csv.gz": "FXCM-GBPUSD-2012-02 1m FX USD",
      "lean-AAPL-1h.csv.gz": "LEAN-AAPL 1h XNYS USD",
      "lean-AAPL-1m.csv.gz": "LEAN-AAPL 1m XNYS USD",
      "lean-SPY-1h.csv.gz": "LEAN-SPY 1h XNYS USD",
      "lean-SPY-1m.csv.gz": "LEAN-SPY 1m XNYS USD",
      "lean-oanda-EURUSD-1h.csv.gz": "LEAN-OANDA-EURUSD 1h FX USD",
      "lean-oanda-XAUUSD-1h.csv.gz": "LEAN-OANDA-XAUUSD 1h FX USD",
      "nautilus-BTC-PERP-1m-2022-01.csv.gz": "NAUTILUS-BTC-PERP-2022-01 1m 24x7 USD",
      "skender-SPY-1m-2020-12.csv.gz": "SKENDER-SPY-2020-12 1m XNYS USD",
    });
  });
});

describe.skipIf(variants === "")("ways to write candles", () => {
  it("are read where the header says what is what and times are sure, and refused with a reason elsewhere", async () => {
    const unnamed =
      "line 1: has no column named timestamp, datetime, date, time, ts; the columns of a file without a header may be named in files.json";
    expect(await look(variants)).toEqual({
      "alphavantage-numbered-headers-SPY.csv": "ALPHAVANTAGE-NUMBERED-HEADERS-SPY 1d XNYS USD",
      "bitfinex-headerless-ms-OCHLV.csv": unnamed,
      "dukascopy-EURUSD-1h.csv":
        "has fewer than two rows with a time; line 2: time cannot be read: 01.01.2017 22:00:00.000, for it has no zone; files.json may say it",
      "excel-bom-us-dates-SPX.csv": "EXCEL-BOM-US-DATES-SPX 1d XNYS USD",
      "lean-SPY-minute-headerless-scaled.csv": unnamed,
      "stooq-kaggle-AAPL.us.txt": "STOOQ-KAGGLE-AAPL 1d XNYS USD",
      "yahoo-classic-GOOGL.csv": "YAHOO-CLASSIC-GOOGL 1d XNYS USD",
      "yfinance-multiheader-SPY.csv": "YFINANCE-MULTIHEADER-SPY 1d XNYS USD",
      "yfinance-tz-offset-AAPL.csv": "YFINANCE-TZ-OFFSET-AAPL 1d XNYS USD",
    });
  });

  it("that need to be told about are read once files.json tells", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tx-variants-"));
    const told = {
      "bitfinex-headerless-ms-OCHLV.csv": {
        symbol: "BTC-USD",
        columns: ["time", "open", "close", "high", "low", "volume"],
      },
      "dukascopy-EURUSD-1h.csv": { symbol: "EURUSD", zone: "UTC" },
      "lean-SPY-minute-headerless-scaled.csv": {
        symbol: "SPY",
        columns: ["time", "open", "high", "low", "close", "volume"],
        zone: "America/New_York",
        day: "2013-10-07",
        price_scale: 0.0001,
      },
    };
    for (const name of Object.keys(told)) copyFileSync(join(variants, name), join(folder, name));
    writeFileSync(join(folder, "files.json"), JSON.stringify(told));
    const found = await look(folder);
    expect(found["dukascopy-EURUSD-1h.csv"]).toBe("EURUSD=X 1h FX USD");
    expect(found["lean-SPY-minute-headerless-scaled.csv"]).toBe("SPY 1m XNYS USD");
    // Trades make these bars, not the clock: it has no interval.
    expect(found["bitfinex-headerless-ms-OCHLV.csv"]).toMatch(/^has rows \d+ minutes apart/);
    const lean = parseTable(
      readWhole(join(folder, "lean-SPY-minute-headerless-scaled.csv")),
      told["lean-SPY-minute-headerless-scaled.csv"],
    );
    // The first row of the file: 14400000,1674100,1674100,1672500,1672700,3197, four in the morning in New York.
    expect(barAt(lean.bars, 0)).toEqual({
      time: Date.parse("2013-10-07T04:00:00-04:00"),
      open: expect.closeTo(167.41, 9),
      high: expect.closeTo(167.41, 9),
      low: expect.closeTo(167.25, 9),
      close: expect.closeTo(167.27, 9),
      volume: 3_197,
    });
    const euro = parseTable(readWhole(join(folder, "dukascopy-EURUSD-1h.csv")), { zone: "UTC" });
    expect(new Date(euro.bars.time[0]).toISOString()).toBe("2017-01-01T22:00:00.000Z");
    rmSync(folder, { recursive: true });
  });

  it("in the American way have the day second, once a row tells", () => {
    const { bars } = parseTable(readWhole(join(variants, "excel-bom-us-dates-SPX.csv")));
    expect(new Date(bars.time[0]).toISOString().slice(0, 10)).toBe("1990-01-02");
    const spy = parseTable(readWhole(join(variants, "yfinance-multiheader-SPY.csv")));
    const { open, high, low, close, time } = barAt(spy.bars, 0);
    expect(new Date(time).toISOString().slice(0, 10)).toBe("1993-01-29");
    expect(low <= open && open <= high && low <= close && close <= high).toBe(true);
  });
});

describe.skipIf(bad === "")("bad input", () => {
  it("is refused with a reason or read as far as it makes sense", async () => {
    const found = await look(bad);
    const reasons = Object.entries(found).filter(([, text]) => / /.test(text) && !/ 1d XNYS USD$/.test(text));
    expect(Object.fromEntries(reasons)).toEqual({
      "alphavantage-json-instead-of-csv.csv": expect.stringContaining("is not a table"),
      "empty.csv": "is empty",
      "freqtrade-NOPAIR_XXX-4m.json": expect.stringContaining("has a name that is not read"),
      "hudson-incorrect_data.csv": "line 1: has no column open, high, low, close",
      "multi-symbol-uneven-history.csv.gz": "line 1: has no column open, high, low, close",
      "skender-zeros.csv.gz": expect.stringContaining("line 2: time cannot be read: 01/03/17"),
      // Longer than symbols are.
      "yfinance-8TRA-DE-1d-missing-div-adjust-fixed.csv.gz": "has a name that cannot be a symbol",
    });
  });
});

describe.skipIf(daily === "" || intraday === "")("whole files", () => {
  const workers = createTestWorkers();
  afterAll(() => workers.close());
  const read = async (folder: string, symbol: string) => {
    const provider = await createFilesProvider({
      folders: [folder],
      replay: null,
      workers,
      now: Date.now,
      log: createRecordedLog().log,
    });
    const [instrument] = provider.listInstruments().filter((listed) => listed.symbol === symbol);
    const [interval] = provider.intervals(instrument);
    const request = { instrument, interval, fromMs: 0, toMs: Date.UTC(2100, 0, 1) };
    const { candles, rejected } = await provider.fetchCandles(request, new AbortController().signal);
    expect(findInvalidBar(candles)).toBeNull();
    const calendar = calendarOf(instrument.calendar);
    const endMs = barClose(calendar, interval, candles.time[candles.time.length - 1]);
    expect(await provider.feedNowMs(instrument, interval, Date.UTC(2100, 0, 1))).toBe(endMs);
    return { bars: candles.time.length, rejected: rejected.length };
  };

  // Rows and flaws as the collection's own list has them.
  it.each([
    [daily, "KAGGLE-SPY", 3_201, 0],
    [daily, "INDEX-VIX-1990-2026", 9_235 - 47, 47],
    [daily, "SP500-5YR-DHR", 1_243 - 3, 3],
    [daily, "YAHOO-SPY-TO-2025", 8_222, 0],
    [intraday, "LEAN-SPY", 5_786, 0],
    [intraday, "FREQTRADE-UNITTEST_BTC", 13_681, 0],
    [intraday, "LEAN-OANDA-EURUSD", 74_439, 0],
  ])("%s %s has %i bars and %i impossible rows", async (folder, symbol, bars, rejected) => {
    expect(await read(folder, symbol)).toEqual({ bars, rejected });
  });
});

describe.skipIf(intraday === "")("hours on the clock", () => {
  const workers = createTestWorkers();
  afterAll(() => workers.close());

  it("of AAPL make no days: only its minutes do, where they are", async () => {
    const { log } = createRecordedLog();
    const now = () => Date.UTC(2026, 0, 1);
    const provider = await createFilesProvider({ folders: [intraday], replay: null, workers, now, log });
    const gateway = createGateway({ providers: [provider], now, log, metrics: createMetrics("test") });
    const [apple] = provider.listInstruments().filter(({ symbol }) => symbol === "LEAN-AAPL");
    const day = Date.parse("2021-03-31T13:30Z");
    // The day of the collection's own daily file: open 121.65, low 121.15, volume 109,019,052.
    expect((await gateway.fetchCandles(apple, "1d", day, day + 1)).candles.time.length).toBe(0);
    const hours = await gateway.fetchCandles(apple, "1h", day - 3_600_000, day + 86_400_000);
    expect(hours.candles.time.length).toBe(6);
    expect(hours.candles.open[0]).toBe(122.96);
    expect(gateway.note(apple, "1h")).toContain("lie across the opens");
    const reached = async (interval: "1m" | "5m" | "1h" | "1d") =>
      new Date(await gateway.feedNowMs(apple, interval)).toISOString();
    expect(await reached("1h")).toBe("2021-03-31T20:00:00.000Z");
    for (const interval of ["1m", "5m", "1d"] as const) expect(await reached(interval)).toMatch(/^2014-06-/);
    const daily = await gateway.fetchCandles(apple, "1d", 0, now());
    expect(daily.candles.time.length).toBe(3);
  });
});
