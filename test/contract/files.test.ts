import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { barAt } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { AppError } from "../../src/platform/errors.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createFilesProvider, type Replay } from "../../src/providers/files.js";
import { createGateway } from "../../src/providers/gateway.js";
import { createRecordedLog, type RecordedLog } from "../fixtures/log.js";
import { createTestWorkers } from "../fixtures/workers.js";

const workers = createTestWorkers();
afterAll(() => workers.close());

let folder = "";
let recorded: RecordedLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-files-"));
  recorded = createRecordedLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text);
const open = (replay: Replay | null = null, folders = [folder]) =>
  createFilesProvider({ folders, replay, workers, now: Date.now, log: recorded.log });
const never = new AbortController().signal;

/** What was said of files that are not used, by name. */
const refusals = () =>
  Object.fromEntries(
    recorded
      .lines()
      .map((line) => JSON.parse(line) as { file?: string; reason?: string; msg: string })
      .filter(({ msg }) => msg === "file is not used")
      .map(({ file, reason }) => [file, reason]),
  );

const HEADER = "timestamp,open,high,low,close,volume";
const DAYS = "date,open,high,low,close,volume\n2024-07-01,10,12,9,11,100\n2024-07-02,11,13,10,12,200\n";

async function barsOf(symbol: string, interval: Interval, provider: Awaited<ReturnType<typeof open>>) {
  const instrument = ensure(
    provider.listInstruments().find((listed) => listed.symbol === symbol),
    symbol,
  );
  const request = { instrument, interval, fromMs: 0, toMs: at("2100-01-01") };
  const { candles, rejected } = await provider.fetchCandles(request, never);
  const rows = Array.from(candles.time, (_, i) => barAt(candles, i));
  return { rows, times: rows.map(({ time }) => iso(time)), rejected, instrument };
}

describe("files", () => {
  it("are read packed or not, whatever the case of their name", async () => {
    write("AAPL.csv", DAYS);
    write("msft.CSV.GZ".toLowerCase(), gzipSync(DAYS));
    write("KO.CSV", DAYS);
    const provider = await open();
    expect(provider.listInstruments().map(({ symbol }) => symbol)).toEqual(["AAPL", "KO", "MSFT"]);
    for (const symbol of ["AAPL", "MSFT", "KO"]) {
      expect((await barsOf(symbol, "1d", provider)).times).toEqual([
        "2024-07-01T13:30Z",
        "2024-07-02T13:30Z",
      ]);
    }
  });

  it("that are no candles are named with a reason, and the others are used", async () => {
    mkdirSync(join(folder, "folder.csv"));
    mkdirSync(join(folder, "packed.csv.gz"));
    // Nobody ever writes to it: a reader would wait for ever.
    execFileSync("mkfifo", [join(folder, "pipe.csv")]);
    symlinkSync(join(folder, "pipe.csv"), join(folder, "linked.csv"));
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling.csv"));
    write("AAPL.csv", DAYS);
    write("B.csv", "");
    write("C.csv", '{"Information":"25 requests per day"}');
    write("D.csv.gz", "this is not packed at all");
    write("E.csv", "Date,GDX,GLD\n2024-07-01,1,2\n");
    write("!!.csv", DAYS);
    write("F.csv", "time,open,high,low,close\n2024-07-01 10:00,1,1,1,1\n2024-07-01 10:01,1,1,1,1\n");
    write("VOD.L.csv", DAYS);
    write("notes.md", DAYS);
    const provider = await open();
    expect(provider.listInstruments().map(({ symbol }) => symbol)).toEqual(["AAPL"]);
    expect(refusals()).toEqual({
      "!!.csv": "has a name that cannot be a symbol",
      "B.csv": "is empty",
      "C.csv": expect.stringContaining("is not a table"),
      "D.csv.gz": expect.stringContaining("cannot be read"),
      "E.csv": expect.stringContaining("has no column open"),
      "F.csv": expect.stringContaining("time cannot be read: 2024-07-01 10:00"),
      "VOD.L.csv": expect.stringContaining("whose calendar is not kept"),
      "folder.csv": "is no regular file",
      "packed.csv.gz": "is no regular file",
      "pipe.csv": "is no regular file",
      "linked.csv": "is no regular file",
      "dangling.csv": "is no regular file",
    });
  });

  it("have their impossible rows named and left out", async () => {
    write(
      "AAPL.csv",
      `${DAYS}2024-07-03,,,,,\n2024-07-05,NaN,13,10,12,1\n2024-07-08,11,10,13,12,1\n2024-07-09,12,13,11,12,1\n`,
    );
    const { times, rejected } = await barsOf("AAPL", "1d", await open());
    expect(times).toEqual(["2024-07-01T13:30Z", "2024-07-02T13:30Z", "2024-07-09T13:30Z"]);
    expect(rejected.map(({ time, reason }) => `${iso(time)} ${reason}`)).toEqual([
      "2024-07-03T13:30Z price is not finite",
      "2024-07-05T13:30Z price is not finite",
      "2024-07-08T13:30Z low is above open, close or high",
    ]);
    expect(recorded.lines().join()).toContain(
      '"rows":3,"first":"2024-07-03T13:30:00.000Z: price is not finite"',
    );
  });

  it("with rows out of order and twice are sorted, and of two that differ much neither counts", async () => {
    write(
      "AAPL.csv",
      `${DAYS}2024-06-28,9,10,8,9,1\n2024-07-01,10,12,9,11.5,100\n2024-07-02,11,13,10,12,200\n`,
    );
    const { rows, rejected } = await barsOf("AAPL", "1d", await open());
    expect(rows.map(({ close }) => close)).toEqual([9, 12]);
    expect(rejected.map(({ reason }) => reason)).toEqual(["two rows of this time differ"]);
  });

  it("of one symbol and interval count once, the first folder before the second", async () => {
    const second = mkdtempSync(join(tmpdir(), "tx-files-"));
    write("AAPL.csv", DAYS);
    write("AAPL-1d.csv", DAYS.replaceAll("2024", "2023"));
    writeFileSync(join(second, "AAPL.csv.gz"), gzipSync(DAYS.replaceAll("2024", "2022")));
    writeFileSync(join(second, "KO.csv"), DAYS);
    const provider = await open(null, [folder, second]);
    expect(provider.listInstruments().map(({ symbol }) => symbol)).toEqual(["AAPL", "KO"]);
    // In the order of names: a dash comes before a dot.
    expect((await barsOf("AAPL", "1d", provider)).times[0]).toBe("2023-07-03T13:30Z".replace("03", "01"));
    expect(refusals()).toEqual({
      "AAPL.csv": "is a second file of AAPL 1d",
      "AAPL.csv.gz": "is a second file of AAPL 1d",
    });
    rmSync(second, { recursive: true });
  });

  it("of several intervals are one instrument, finest first", async () => {
    write("AAPL-1d.csv", DAYS);
    write("AAPL-1h.csv", `${HEADER}\n1719840600,1,1,1,1,1\n1719844200,1,1,1,1,1\n1719847800,1,1,1,1,1\n`);
    const provider = await open();
    const [instrument] = provider.listInstruments();
    expect(provider.intervals(instrument)).toEqual(["1h", "1d"]);
    expect(iso(await provider.earliestMs(instrument, "1h", 0))).toBe("2024-07-01T13:30Z");
    expect(iso(await provider.earliestMs(instrument, "1d", 0))).toBe("2024-07-01T13:30Z");
    const ends = { "1h": "2024-07-01T16:30Z", "1d": "2024-07-02T20:00Z" } as const;
    for (const interval of ["1h", "1d"] as const) {
      expect(iso(await provider.feedNowMs(instrument, interval, at("2026-01-01")))).toBe(ends[interval]);
    }
  });

  it("that end with a bar that still forms have reached now, not its close", async () => {
    write("AAPL.csv", DAYS);
    const provider = await open();
    const [instrument] = provider.listInstruments();
    const now = at("2024-07-02T15:00Z");
    expect(await provider.feedNowMs(instrument, "1d", now)).toBe(now);
    const gateway = createGateway({
      providers: [provider],
      now: () => now,
      log: recorded.log,
      metrics: createMetrics("test"),
    });
    const { candles } = await gateway.fetchCandles(instrument, "1d", 0, now);
    expect(Array.from(candles.time, iso)).toEqual(["2024-07-01T13:30Z"]);
  });

  it("tell what they are of by name, and files.json says it better", async () => {
    write(
      "binance-ETH_BTC-5m.csv",
      `${HEADER}\n1719840600,1,1,1,1,1\n1719840900,1,1,1,1,1\n1719841200,1,1,1,1,1\n`,
    );
    write("EURUSD.csv", DAYS);
    write("TCS.NS.csv", DAYS);
    write("VOD.L.csv", DAYS);
    write("SPX.csv", DAYS);
    write(
      "files.json",
      JSON.stringify({
        "VOD.L.csv": { calendar: "XNYS", currency: "GBP", exchange: "LSE", name: "Vodafone" },
        "SPX.csv": { symbol: "^GSPC", asset_class: "index" },
        "gone.csv": { symbol: "GONE" },
      }),
    );
    const provider = await open();
    const told = provider
      .listInstruments()
      .map(({ symbol, calendar, currency, assetClass }) => `${symbol} ${calendar} ${currency} ${assetClass}`);
    expect(told).toEqual([
      "EURUSD=X FX USD fx",
      "^GSPC XNYS USD index",
      "TCS.NS XNSE INR equity",
      "VOD.L XNYS GBP equity",
      "BINANCE-ETH_BTC 24x7 BTC crypto",
    ]);
    expect(recorded.lines().join()).toContain('"file":"gone.csv"');
  });

  it.each([
    ["no JSON", "{", /files\.json cannot be read/],
    [
      "no calendar",
      '{"AAPL.csv":{"calendar":"MARS"}}',
      /files\.json is not usable: AAPL\.csv\.calendar: is not a calendar/,
    ],
    ["an unknown word", '{"AAPL.csv":{"sybmol":"X"}}', /files\.json is not usable: AAPL\.csv: .*sybmol/],
  ])("with a files.json that has %s are not used at all", async (_name, text, reason) => {
    write("AAPL.csv", DAYS);
    write("files.json", text);
    await expect(open()).rejects.toThrow(reason);
  });

  it("in a folder that is not there are a mistake", async () => {
    const nowhere = join(folder, "nowhere");
    await expect(open(null, [nowhere])).rejects.toThrow(`FILES_DIR: ${nowhere} cannot be read: ENOENT`);
  });

  it("are read through links", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tx-files-"));
    writeFileSync(join(elsewhere, "days.csv"), DAYS);
    symlinkSync(join(elsewhere, "days.csv"), join(folder, "AAPL.csv"));
    const provider = await open();
    expect(provider.listInstruments().map(({ symbol }) => symbol)).toEqual(["AAPL"]);
    rmSync(elsewhere, { recursive: true });
  });
});

describe("days and weeks", () => {
  const timesOf = async (name: string, symbol: string, interval: Interval, stamps: readonly string[]) => {
    write(name, `${HEADER}\n${stamps.map((stamp) => `${stamp},10,12,9,11,100`).join("\n")}\n`);
    return (await barsOf(symbol, interval, await open())).times;
  };

  it.each([
    ["midnight UTC", ["2024-06-25T00:00:00Z", "2024-06-26T00:00:00Z", "2024-06-27T00:00:00Z"]],
    [
      "midnight of New York",
      ["2024-06-25 00:00:00-04:00", "2024-06-26 00:00:00-04:00", "2024-06-27 00:00:00-04:00"],
    ],
    ["the open", ["2024-06-25T13:30:00Z", "2024-06-26T13:30:00Z", "2024-06-27T13:30:00Z"]],
    ["the close", ["2024-06-25T20:00:00Z", "2024-06-26T20:00:00Z", "2024-06-27T20:00:00Z"]],
    ["seconds of midnight UTC", ["1719273600", "1719360000", "1719446400"]],
  ])("of New York stamped with %s are those of the sessions", async (_name, stamps) => {
    expect(await timesOf("AAPL.csv", "AAPL", "1d", stamps)).toEqual([
      "2024-06-25T13:30Z",
      "2024-06-26T13:30Z",
      "2024-06-27T13:30Z",
    ]);
  });

  it("of FX are dated by their close, whether stamped with the evening before or not", async () => {
    const sessions = ["2024-06-30T21:00Z", "2024-07-01T21:00Z", "2024-07-02T21:00Z"];
    const dates = ["2024-07-01", "2024-07-02", "2024-07-03"];
    expect(await timesOf("EURUSD.csv", "EURUSD=X", "1d", dates)).toEqual(sessions);
    const london = ["2024-07-01T00:00:00+01:00", "2024-07-02T00:00:00+01:00", "2024-07-03T00:00:00+01:00"];
    expect(await timesOf("EURUSD.csv", "EURUSD=X", "1d", london)).toEqual(sessions);
    const evenings = ["2024-06-30T21:00:00Z", "2024-07-01T21:00:00Z", "2024-07-02T21:00:00Z"];
    expect(await timesOf("EURUSD.csv", "EURUSD=X", "1d", evenings)).toEqual(sessions);
  });

  it("keep a day on which the calendar holds the exchange closed", async () => {
    expect(await timesOf("AAPL.csv", "AAPL", "1d", ["2024-07-03", "2024-07-04", "2024-07-05"])).toEqual([
      "2024-07-03T13:30Z",
      "2024-07-04T13:30Z",
      "2024-07-05T13:30Z",
    ]);
  });

  it("are weeks from their first session, whether dated Monday, Friday or the Sunday before", async () => {
    // Monday 2024-09-02 is Labor Day.
    const weeks = ["2024-08-26T13:30Z", "2024-09-03T13:30Z", "2024-09-09T13:30Z"];
    const monday = ["2024-08-26", "2024-09-02", "2024-09-09"];
    expect(await timesOf("AAPL.csv", "AAPL", "1w", monday)).toEqual(weeks);
    expect(await timesOf("AAPL.csv", "AAPL", "1w", ["2024-08-30", "2024-09-06", "2024-09-13"])).toEqual(
      weeks,
    );
    expect(await timesOf("AAPL.csv", "AAPL", "1w", ["2024-08-25", "2024-09-01", "2024-09-08"])).toEqual(
      weeks,
    );
  });
});

describe("replay", () => {
  const FROM = at("2024-07-01T14:00Z");
  const ANCHOR = at("2026-01-05T00:00Z");
  const replay: Replay = { speed: 60, fromMs: FROM, anchorMs: ANCHOR };

  async function replayed() {
    const rows = Array.from({ length: 120 }, (_, i) => `${1_719_840_600 + 60 * i},10,12,9,${10 + (i % 2)},1`);
    write("AAPL.csv", `${HEADER}\n${rows.join("\n")}\n`);
    const provider = await open(replay);
    return { provider, instrument: provider.listInstruments()[0] };
  }

  it("moves from its start at its speed and ends with the last bar", async () => {
    const { provider, instrument } = await replayed();
    const feed = async (realMs: number) => iso(await provider.feedNowMs(instrument, "1m", ANCHOR + realMs));
    expect(provider.recorded).toBe(false);
    expect(await feed(0)).toBe("2024-07-01T14:00Z");
    expect(await feed(1_000)).toBe("2024-07-01T14:01Z");
    expect(await feed(60_000)).toBe("2024-07-01T15:00Z");
    expect(await feed(86_400_000)).toBe("2024-07-01T15:30Z");
    // A clock that steps back takes the replay with it.
    expect(await feed(-60_000)).toBe("2024-07-01T13:00Z");
  });

  it("shows no bar before it has closed", async () => {
    const { provider, instrument } = await replayed();
    const seen = async (realMs: number) => {
      const gateway = createGateway({
        providers: [provider],
        now: () => ANCHOR + realMs,
        log: recorded.log,
        metrics: createMetrics("test"),
      });
      const { candles, asOfMs } = await gateway.fetchCandles(instrument, "1m", 0, at("2100-01-01"));
      return { last: iso(candles.time[candles.time.length - 1]), asOf: iso(asOfMs) };
    };
    expect(await seen(0)).toEqual({ last: "2024-07-01T13:59Z", asOf: "2024-07-01T14:00Z" });
    expect(await seen(999)).toEqual({ last: "2024-07-01T13:59Z", asOf: "2024-07-01T14:00Z" });
    expect(await seen(1_000)).toEqual({ last: "2024-07-01T14:00Z", asOf: "2024-07-01T14:01Z" });
    expect(await seen(1e9)).toEqual({ last: "2024-07-01T15:29Z", asOf: "2024-07-01T15:30Z" });
  });
});

describe("a folder that vanishes", () => {
  it("is unavailable, but how far its data reached stays known", async () => {
    write("AAPL.csv", DAYS);
    write("KO.csv", DAYS);
    const provider = await open();
    const [apple, coke] = provider.listInstruments();
    const gateway = createGateway({
      providers: [provider],
      now: Date.now,
      log: recorded.log,
      metrics: createMetrics("test"),
    });
    expect(await gateway.feedNowMs(apple, "1d")).toBe(at("2024-07-02T20:00Z"));
    rmSync(folder, { recursive: true });

    expect(await gateway.feedNowMs(apple, "1d")).toBe(at("2024-07-02T20:00Z"));
    for (const work of [
      () => gateway.feedNowMs(coke, "1d"),
      () => gateway.earliestMs(coke, "1d"),
      () => gateway.fetchCandles(coke, "1d", 0, at("2100-01-01")),
    ]) {
      const error = await work().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: "provider_unavailable" });
      expect((error as AppError).message).toBe(
        "No source gave data for KO (files: KO.csv is gone with its folder)",
      );
    }
    const [health] = await gateway.probe();
    expect(health).toMatchObject({ name: "files", ok: false, lastError: "unavailable: the folder is gone" });
  });

  it("leaves what was read in memory", async () => {
    write("AAPL.csv", DAYS);
    const provider = await open();
    await barsOf("AAPL", "1d", provider);
    rmSync(folder, { recursive: true });
    expect((await barsOf("AAPL", "1d", provider)).times.length).toBe(2);
  });

  it("is the same for a file that is cut off in the middle", async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i) => `${1_600_000_000 + 60 * i},${10 + Math.sin(i)},15,5,10,${i}`,
    );
    const packed = gzipSync(`${HEADER}\n${rows.join("\n")}\n`);
    write("BTC-USD-1m.csv.gz", packed.subarray(0, packed.length >> 1));
    const provider = await open();
    const [instrument] = provider.listInstruments();
    const reason = "BTC-USD-1m.csv.gz cannot be read: unexpected end of file";
    await expect(provider.feedNowMs(instrument, "1m", 0)).rejects.toThrow(reason);
  });
});
