import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FILES_END_MS, writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { createUdfClient, type UdfBar, type UdfClient } from "../fixtures/udf-client.js";

/** A Tuesday, an hour and a half after the open of New York. */
const NOON_MS = Date.parse("2024-07-09T15:00:30Z");
const DAY_S = 86_400;

const clientOf = (program: () => TestProgram, now: () => number) =>
  createUdfClient(async (path) => (await program().call(path)).body, now);

interface ApiCandle extends Omit<UdfBar, "time"> {
  readonly timestamp: string;
}

/** Candles of /api between two moments. */
async function apiCandles(program: TestProgram, symbol: string, interval: string, from: number, to: number) {
  const stretch = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const url = `/api/historical/${symbol}?interval=${interval}&${stretch}&limit=5000`;
  const answer = (await program.call(url)).json<{ data: { candles: ApiCandle[] } }>();
  return answer.data.candles;
}

const valuesOf = ({ open, high, low, close, volume }: Omit<UdfBar, "time">) => [
  open,
  high,
  low,
  close,
  volume,
];

/** Midnight of UTC of the date that clocks of a zone show. */
function dateIn(zone: string, time: string): number {
  return Date.parse(new Date(time).toLocaleDateString("en-CA", { timeZone: zone }));
}

/** Random times of a stretch, its ends among them, ascending. */
const cuts = (from: number, to: number) =>
  fc
    .uniqueArray(fc.integer({ min: from + 1, max: to - 1 }), { minLength: 0, maxLength: 8 })
    .map((times) => [from, ...times.sort((a, b) => a - b), to]);

/** Bars of the windows between times that follow each other. Where there are none, the newest before is told. */
async function joined(client: UdfClient, symbol: string, resolution: string, times: readonly number[]) {
  const bars: UdfBar[] = [];
  for (const [i, to] of times.entries()) {
    if (i === 0) continue;
    const from = times[i - 1];
    const found = await client.history(symbol, resolution, { from, to });
    for (const { time } of found.bars) {
      expect(time).toBeGreaterThanOrEqual(from * 1_000);
      expect(time).toBeLessThan(to * 1_000);
    }
    expect(found.noData).toBe(found.bars.length === 0);
    const last = bars.at(-1);
    if (found.noData && last !== undefined) expect(found.nextTime).toBe(last.time / 1_000);
    bars.push(...found.bars);
  }
  return bars;
}

describe("history of the synthetic market", () => {
  const clock = createManualClock(NOON_MS);
  let program: TestProgram;
  const client = clientOf(() => program, clock.now);
  beforeAll(async () => {
    program = await startTestProgram({ clock });
  });
  afterAll(() => program.close());

  it.each([
    ["AAPL", "5", "5m", "2024-07-03", "2024-07-09T15:00:30Z"],
    ["AAPL", "60", "1h", "2024-06-20", "2024-07-09T15:00:30Z"],
    ["BTC-USD", "240", "4h", "2024-06-20", "2024-07-09T15:00:30Z"],
    ["EURUSD=X", "30", "30m", "2024-07-03", "2024-07-09T15:00:30Z"],
    ["TCS.NS", "15", "15m", "2024-07-01", "2024-07-09T15:00:30Z"],
  ])(
    "200 of %s by %s in random windows is that of /api joined together",
    async (symbol, resolution, interval, first, last) => {
      const [from, to] = [Date.parse(first), Date.parse(last)];
      const expected = await apiCandles(program, symbol, interval, from, to);
      expect(expected.length).toBeGreaterThan(60);
      await fc.assert(
        fc.asyncProperty(cuts(from / 1_000, Math.floor(to / 1_000)), async (times) => {
          const bars = await joined(client, symbol, resolution, times);
          expect(bars.map(({ time }) => new Date(time).toISOString())).toEqual(
            expected.map(({ timestamp }) => timestamp),
          );
          expect(bars.map(valuesOf)).toEqual(expected.map(valuesOf));
        }),
        { numRuns: 12, seed: 20_261_130 },
      );
    },
  );

  it.each([
    ["AAPL", "1D", "1d", "America/New_York", 0],
    ["AAPL", "1W", "1w", "America/New_York", 0],
    // A session is dated by the day on which it ends.
    ["EURUSD=X", "D", "1d", "America/New_York", 1],
    ["BTC-USD", "1D", "1d", "UTC", 0],
    ["TCS.NS", "W", "1w", "Asia/Kolkata", 0],
  ])(
    "200 of %s by %s is stamped with midnight of the trading day",
    async (symbol, resolution, interval, zone, later) => {
      const [from, to] = [Date.parse("2023-11-06"), Date.parse("2024-07-09")];
      const laterMs = later * DAY_S * 1_000;
      const found = await apiCandles(program, symbol, interval, from - laterMs, to - laterMs);
      const expected = found.map((candle) => ({ ...candle, time: dateIn(zone, candle.timestamp) + laterMs }));
      expect(expected.length).toBeGreaterThan(30);
      await fc.assert(
        fc.asyncProperty(cuts(from / 1_000, to / 1_000), async (times) => {
          const bars = await joined(client, symbol, resolution, times);
          expect(bars.map(({ time }) => time)).toEqual(expected.map(({ time }) => time));
          expect(bars.map(valuesOf)).toEqual(expected.map(valuesOf));
        }),
        { numRuns: 12, seed: 20_261_130 },
      );
    },
  );

  it("200 has months made of their days, from their first session to their last", async () => {
    const days = await apiCandles(program, "AAPL", "1d", Date.parse("2024-01-01"), Date.parse("2024-06-29"));
    const to = Math.floor(NOON_MS / 1_000);
    const { bars } = await client.history("AAPL", "1M", { from: Date.parse("2024-01-01") / 1_000, to });
    expect(bars.map(({ time }) => new Date(time).toISOString().slice(0, 10))).toEqual([
      "2024-01-02",
      "2024-02-01",
      "2024-03-01",
      "2024-04-01",
      "2024-05-01",
      "2024-06-03",
    ]);
    for (const bar of bars) {
      const own = days.filter(
        ({ timestamp }) => timestamp.slice(0, 7) === new Date(bar.time).toISOString().slice(0, 7),
      );
      expect([bar.open, bar.close]).toEqual([own[0]?.open, own.at(-1)?.close]);
      expect(bar.high).toBe(Math.max(...own.map(({ high }) => high)));
      expect(bar.low).toBe(Math.min(...own.map(({ low }) => low)));
      expect(bar.volume).toBeCloseTo(
        own.reduce((sum, { volume }) => sum + volume, 0),
        4,
      );
    }
    // The month that the newest bar lies in goes on.
    const back = await client.history("AAPL", "M", { from: to - 1, to, countback: 4 });
    expect(back.bars).toEqual(bars.slice(-4));
    // What begins on the first session is within, and what ends there is not.
    const june = Date.parse("2024-06-03") / 1_000;
    expect((await client.history("AAPL", "1M", { from: june, to: june + 1 })).bars).toEqual(bars.slice(-1));
    const before = await client.history("AAPL", "1M", { from: june - DAY_S, to: june });
    expect(before).toEqual({ bars: [], noData: true, nextTime: Date.parse("2024-05-01") / 1_000 });
  });

  it("200 of months in random windows is all of them joined together", async () => {
    const from = Date.parse("2022-01-03") / 1_000;
    const to = Math.floor(NOON_MS / 1_000);
    const all = await client.history("AAPL", "1M", { from, to });
    expect(all.bars.length).toBe(30);
    await fc.assert(
      fc.asyncProperty(cuts(from, to), async (times) => {
        expect(await joined(client, "AAPL", "1M", times)).toEqual(all.bars);
      }),
      { numRuns: 15, seed: 20_261_130 },
    );
  });

  it.each(["1", "5", "240", "1D", "1W", "1M"])(
    "200 by %s has as many bars as are counted back",
    async (resolution) => {
      const all = (
        await client.history("AAPL", resolution, { from: 0, to: Math.floor(NOON_MS / 1_000), countback: 300 })
      ).bars;
      expect(all.length).toBe(resolution === "1M" ? all.length : 300);
      expect(all.length).toBeGreaterThan(50);
      const first = all[30].time / 1_000;
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: first, max: Math.floor(NOON_MS / 1_000) + 5 * DAY_S }),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: -1_000 * DAY_S, max: 10 * DAY_S }),
          async (to, countback, away) => {
            // Where `from` lies makes no difference.
            const { bars } = await client.history("AAPL", resolution, { from: to + away, to, countback });
            expect(bars).toEqual(all.filter(({ time }) => time < to * 1_000).slice(-countback));
            expect(bars.length).toBe(countback);
          },
        ),
        { numRuns: 15, seed: 20_261_130 },
      );
    },
  );

  it("200 has the newest of more bars than an answer holds", async () => {
    const to = Math.floor(NOON_MS / 1_000);
    const { bars } = await client.history("BTC-USD", "1", { from: to - 10 * DAY_S, to });
    expect(bars.length).toBe(5_000);
    expect(bars.at(-1)?.time).toBe(NOON_MS - 30_000 - 60_000);
    const back = await client.history("BTC-USD", "1", { from: 0, to, countback: 900_000 });
    expect(back.bars).toEqual(bars);
  });

  it("200 has no data before there are any, and none of tomorrow but when the newest were", async () => {
    expect(await client.history("AAPL", "1D", { from: -4_000_000_000, to: -3_000_000_000 })).toEqual({
      bars: [],
      noData: true,
      nextTime: null,
    });
    const now = Math.floor(NOON_MS / 1_000);
    const { nextTime } = await client.history("AAPL", "5", { from: now + 3_600, to: now + 7_200 });
    expect(nextTime).toBe(Date.parse("2024-07-09T14:55:00Z") / 1_000);
  });

  it("200 a chart that polls through a day sees each bar once it has closed", async () => {
    const day = createManualClock(Date.parse("2024-07-10T13:36:00Z"));
    const end = Date.parse("2024-07-10T20:10:00Z");
    const seen = new Map<number, UdfBar>();
    for (let now = day.now(); now < end; now += 270_000) {
      clock.set(now);
      for (const bar of await client.poll("AAPL", "5")) {
        const known = seen.get(bar.time);
        if (known !== undefined) expect(bar).toEqual(known);
        expect(bar.time + 300_000).toBeLessThanOrEqual(now);
        seen.set(bar.time, bar);
      }
    }
    const open = Date.parse("2024-07-10T13:30:00Z");
    const expected = await apiCandles(program, "AAPL", "5m", open, end);
    expect(expected.length).toBe(78);
    const bars = [...seen.values()].filter(({ time }) => time >= open);
    expect(bars.map(({ time }) => new Date(time).toISOString())).toEqual(
      expected.map(({ timestamp }) => timestamp),
    );
    expect(bars.map(valuesOf)).toEqual(expected.map(valuesOf));
  });
});

describe("history of files by the day", () => {
  const folder = mkdtempSync(join(tmpdir(), "tx-udf-"));
  const clock = createManualClock(FILES_END_MS);
  let program: TestProgram;
  const client = clientOf(() => program, clock.now);
  let rows: UdfBar[] = [];
  beforeAll(async () => {
    const FILES_DIR = writeMarketFiles(folder);
    program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR } });
    rows = readFileSync(join(folder, "AAPL-1d.csv"), "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [date = "", ...values] = line.split(",");
        const [open, high, low, close, volume] = values.map(Number);
        return { time: Date.parse(date), open, high, low, close, volume };
      });
  });
  afterAll(async () => {
    await program.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const from = () => rows[0].time / 1_000;
  const to = () => (rows.at(-1)?.time ?? 0) / 1_000 + 1;

  it("200 in random windows is what is written there", async () => {
    await fc.assert(
      fc.asyncProperty(cuts(from(), to()), async (times) => {
        expect(await joined(client, "AAPL", "1D", times)).toEqual(rows);
      }),
      { numRuns: 10, seed: 20_261_130 },
    );
  });

  it("200 counts back over the end of the file, and further than it begins", async () => {
    const late = FILES_END_MS / 1_000 + 900 * DAY_S;
    clock.set(late * 1_000);
    expect(await client.poll("AAPL", "1D")).toEqual(rows.slice(-2));
    const all = await client.history("AAPL", "D", { from: 0, to: late, countback: 4_999 });
    expect(all.bars).toEqual(rows);
    const { nextTime } = await client.history("AAPL", "D", { from: late - 50 * DAY_S, to: late });
    expect(nextTime).toBe(to() - 1);
  });

  it("200 has whole months only", async () => {
    const monthOf = ({ time }: UdfBar) => new Date(time).toISOString().slice(0, 7);
    const months = [...new Set(rows.map(monthOf))];
    const { bars } = await client.history("AAPL", "1M", { from: 0, to: to(), countback: 4_000 });
    // The file begins within one month, and ends within another.
    expect(bars.map(monthOf)).toEqual(months.slice(1, -1));
    for (const bar of bars) {
      const own = rows.filter((row) => monthOf(row) === monthOf(bar));
      expect([bar.time, bar.open, bar.close]).toEqual([own[0].time, own[0].open, own.at(-1)?.close]);
    }
  });

  it("400 for a resolution that nothing has bars for", async () => {
    const told = client.history("AAPL", "5", { from: from(), to: to() });
    await expect(told).rejects.toThrow("AAPL has no 5m candles, only 1d, 1w");
  });

  it("200 tells that there are days alone", async () => {
    expect(await client.resolve("AAPL")).toMatchObject({
      has_intraday: false,
      has_daily: true,
      has_weekly_and_monthly: true,
      intraday_multipliers: [],
      supported_resolutions: ["1D", "1W", "1M"],
      data_status: "endofday",
      description: expect.not.stringContaining("synthetic"),
    });
    expect(await client.resolve("BTC-USD")).toMatchObject({
      intraday_multipliers: ["5", "15", "30", "60", "240"],
      data_status: "delayed_streaming",
    });
  });
});
