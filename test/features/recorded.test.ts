import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createRecordedLog, type RecordedLog } from "../fixtures/log.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { startVendor } from "../fixtures/vendor.js";
import { chartService } from "../fixtures/yahoo.js";

const at = (text: string) => Date.parse(text);
const HOUR = 3_600_000;
const NOW = at("2024-07-16T12:00Z");
const HEADER = "timestamp,open,high,low,close,volume";

let folder = "";
let database: TestDatabase;
let clock: ManualClock;
let recorded: RecordedLog;
let program: TestProgram | null = null;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-recorded-"));
  database = await createTestDatabase();
  clock = createManualClock(NOW);
  recorded = createRecordedLog();
});
afterEach(async () => {
  await program?.close();
  program = null;
  await database.drop();
  rmSync(folder, { recursive: true });
});

const write = (name: string, rows: readonly string[]) =>
  writeFileSync(join(folder, name), `${HEADER}\n${rows.join("\n")}\n`);
const iso = (ms: number) => new Date(ms).toISOString();

/** The program over the folder; one that runs already is closed first, as by a restart. */
async function start(environment: Record<string, string> = {}): Promise<TestProgram> {
  await program?.close();
  program = await startTestProgram({
    database,
    clock,
    log: recorded.log,
    environment: { MARKET_DATA: "files", FILES_DIR: folder, SCAN_INTERVALS: "5m,1h,1d", ...environment },
  });
  return program;
}

async function get(path: string) {
  const answer = await (program ?? (await start())).call(path);
  return { status: answer.statusCode, body: answer.json() };
}
const closesOf = async (path: string) =>
  ((await get(path)).body.data as { close: number }[]).map(({ close }) => close);

/** Hours on the clock of five sessions in July: the first of each is under way when the session opens. */
function clockHours(): string[] {
  return ["08", "09", "10", "11", "12"].flatMap((day, n) =>
    Array.from({ length: 7 }, (_, i) => {
      const price = 100 + 10 * n + i;
      return `2024-07-${day}T${13 + i}:00:00Z,${price},${price + 2},${price - 2},${price + 1},10`;
    }),
  );
}

/** A minute each of the given sessions, 390 bars a day. */
const minutes = (...days: string[]) =>
  days.flatMap((day) =>
    Array.from(
      { length: 390 },
      (_, i) => `${iso(at(`${day}T13:30Z`) + 60_000 * i)},10,12,9,${10 + (i % 2)},1`,
    ),
  );
const days = (from: string, count: number, close = 11) =>
  Array.from({ length: count }, (_, i) => iso(at(`${from}T00:00Z`) + 24 * HOUR * i).slice(0, 10)).map(
    (day) => `${day},10,99,9,${close},100`,
  );

describe("hours on the clock", () => {
  it("make no days or weeks, and the answer says why", async () => {
    write("AAPL-1h.csv", clockHours());
    for (const interval of ["4h", "1d", "1w"]) {
      const { status, body } = await get(`/api/candles/AAPL?interval=${interval}`);
      expect({ status, code: body.code }, interval).toEqual({ status: 400, code: "interval_unavailable" });
      expect(body.detail).toContain("1h bars lie across the opens of sessions");
    }
    const { body } = await get("/api/market-data/AAPL");
    expect(body.data).toMatchObject({
      price: 147,
      timestamp: "2024-07-12T20:00:00.000Z",
      previous_close: 137,
      // The half hour after the open is in no bar, so that no figure of the session is known.
      open: null,
      high: null,
      low: null,
      volume: null,
    });
    expect(body.data.indicators).toEqual({ rsi14: null, sma20: null, sma50: null, atr14: null });
  });

  it("are served as what they are, without the one that is under way at the open, and say so", async () => {
    write("AAPL-1h.csv", clockHours());
    const { body } = await get("/api/candles/AAPL?interval=1h&limit=12");
    expect(body.data.map(({ timestamp }: { timestamp: string }) => timestamp.slice(8, 16))).toEqual(
      ["11", "12"].flatMap((day) => [14, 15, 16, 17, 18, 19].map((hour) => `${day}T${hour}:00`)),
    );
    expect(body.note).toContain("lie across the opens of sessions");
    expect(recorded.lines().join()).toContain("lie across the opens of sessions");
  });

  it("leave days to a file of days", async () => {
    write("AAPL-1h.csv", clockHours());
    write("AAPL-1d.csv", days("2024-07-08", 5));
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 11, 11]);
    expect((await get("/api/candles/AAPL?interval=1w")).body.data).toHaveLength(1);
  });
});

describe("each series", () => {
  it("ends where its own file ends: finer ones do not vanish behind longer ones", async () => {
    write("AAPL-1m.csv", minutes("2014-06-05", "2014-06-06", "2014-06-09"));
    write("AAPL-1d.csv", days("2024-07-08", 5));
    const { body } = await get("/api/candles/AAPL?interval=1m&limit=1000");
    expect(body.data).toHaveLength(1_000);
    expect(body).toMatchObject({ as_of: "2014-06-09T20:00:00.000Z", stale: true });
    for (const [interval, count] of [
      ["5m", 234],
      ["1h", 21],
    ] as const) {
      expect((await get(`/api/candles/AAPL?interval=${interval}&limit=5000`)).body.data).toHaveLength(count);
    }
    const daily = (await get("/api/candles/AAPL?interval=1d")).body;
    expect(daily).toMatchObject({ as_of: "2024-07-12T20:00:00.000Z" });
    expect((await get("/api/intraday/AAPL?interval=5m&days=2")).body.data.candles).toHaveLength(2 * 78);
    expect((await get("/api/market/AAPL")).body.data).toMatchObject({
      price: 11,
      timestamp: "2024-07-12T20:00:00.000Z",
    });
  });

  it("is scanned where it ends", async () => {
    write("AAPL-1h.csv", clockHours());
    write("AAPL-1m.csv", minutes("2014-06-05", "2014-06-06", "2014-06-09"));
    const { parts } = await start();
    await parts.scanner.start({});
    await parts.scanner.loop.run(clock.now(), new AbortController().signal);
    // 5m and 1d are made of the minutes: 3 days of 78; the hours are their own: 30 of 35.
    expect((await parts.scanner.status()).newest).toMatchObject({ bars: 200 + 30 + 3, failures: 0 });
  });

  it("has as many bars as are asked for, over holes of years", async () => {
    write("AAPL-1d.csv", [...days("2016-07-11", 5, 20), ...days("2024-07-08", 5)]);
    expect(await closesOf("/api/candles/AAPL?interval=1d&limit=8")).toEqual([20, 20, 20, 11, 11, 11, 11, 11]);
    const { body } = await get("/api/indicators/AAPL?names=sma(3)&interval=1d");
    expect(body.success).toBe(true);
  });

  it("refuses rows of the future, and says so", async () => {
    write("AAPL-1d.csv", [...days("2024-07-08", 5), "2099-01-05,1,1,1,1,1"]);
    const { body } = await get("/api/candles/AAPL?interval=1d");
    expect(body.data).toHaveLength(5);
    expect(body.as_of).toBe("2024-07-12T20:00:00.000Z");
    expect(recorded.lines().join()).toContain("time lies in the future");
    expect((await get("/api/market/AAPL")).body.data.price).toBe(11);
  });

  it("goes on with the next source where its file ends", async () => {
    const vendor = await startVendor();
    vendor.answer(chartService(clock.now, ["HOUSE"]));
    write("AAPL.csv", days("2024-06-24", 5));
    write("HOUSE.csv", days("2024-06-24", 5));
    await start({ MARKET_DATA: "files,yahoo", YAHOO_BASE_URL: vendor.url });
    const { body } = await get("/api/candles/AAPL?interval=1d&limit=12");
    expect(body).toMatchObject({ source: "yahoo", stale: false });
    const opens = body.data.map(({ timestamp }: { timestamp: string }) => timestamp.slice(5, 10));
    expect(opens.slice(0, 3)).toEqual(["06-27", "06-28", "07-01"]);
    expect(opens.at(-1)).toBe("07-15");
    expect(body.data[1].close).toBe(11);
    expect((await get("/api/market/AAPL")).body.data).toMatchObject({ source: "yahoo", from_candles: false });
    // What only the files know ends with them.
    for (let i = 0; i < 2; i++) {
      const house = (await get("/api/candles/HOUSE?interval=1d&limit=9")).body;
      expect(house.data).toHaveLength(5);
      expect(house).toMatchObject({ source: "files", as_of: "2024-06-28T20:00:00.000Z" });
    }
    expect((await get("/api/market/HOUSE")).body.data).toMatchObject({ price: 11, source: "files" });
    await vendor.close();
  });
});

describe("files that change", () => {
  it("are read again at the next start, and what was restated replaces what was stored", async () => {
    write("AAPL.csv", days("2024-07-08", 5));
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 11, 11]);
    write("AAPL.csv", [...days("2024-07-08", 2), ...days("2024-07-11", 2, 55.5)]);
    await start();
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 55.5, 55.5]);
    expect((await get("/api/candles/AAPL?interval=1w")).body.data[0]).toMatchObject({ close: 55.5 });
    const line = recorded.lines().find((text) => text.includes("their file changed"));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      symbol: "AAPL",
      interval: "1d",
      restated: 2,
      removed: 1,
    });
  });

  it("are read again while the program runs, within a minute", async () => {
    write("AAPL.csv", days("2024-07-08", 4));
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 11]);
    write("AAPL.csv", [...days("2024-07-08", 3), ...days("2024-07-11", 2, 55.5)]);
    clock.advance(61_000);
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 55.5, 55.5]);
    // A file that cannot be read for a while leaves what was known.
    writeFileSync(join(folder, "AAPL.csv"), "");
    clock.advance(61_000);
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 55.5, 55.5]);
    rmSync(join(folder, "AAPL.csv"));
    clock.advance(61_000);
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 55.5, 55.5]);
  });

  it("only in their time are not taken for restated", async () => {
    write("AAPL.csv", days("2024-07-08", 5));
    await get("/api/candles/AAPL?interval=1d");
    utimesSync(join(folder, "AAPL.csv"), 1_000, 1_000);
    await start();
    expect(await closesOf("/api/candles/AAPL?interval=1d")).toEqual([11, 11, 11, 11, 11]);
    expect(recorded.lines().join()).not.toContain("their file changed");
  });
});

describe("a replay", () => {
  const coins = Array.from({ length: 1_500 }, (_, i) => {
    const open = 100 + 10 * Math.sin(i / 7) + ((i * 37) % 11) / 5;
    const close = open + ((i * 53) % 17) / 4 - 2;
    const row = [open, Math.max(open, close) + 0.5, Math.min(open, close) - 0.5, close, 5];
    return `${iso(at("2024-07-01T00:00Z") + 300_000 * i)},${row.join()}`;
  });

  async function scan(environment: Record<string, string> = {}) {
    const { parts } = await start({ ALERT_CONFIDENCE_THRESHOLD: "0", SCAN_INTERVALS: "5m", ...environment });
    if (!parts.scanner.config().active) await parts.scanner.start({}).catch(() => undefined);
    await parts.scanner.loop.run(clock.now(), new AbortController().signal);
    const { bars = 0, detections = 0, alerts = 0 } = (await parts.scanner.status()).newest ?? {};
    return { bars, detections, alerts };
  }

  it("of files that have been scanned as history begins with its own cursors, and goes on after a restart", {
    timeout: 60_000,
  }, async () => {
    mkdirSync(folder, { recursive: true });
    write("BTC-USD-5m.csv", coins);
    expect((await scan()).bars).toBe(200);
    const replay = { FILES_REPLAY_SPEED: "120", FILES_REPLAY_FROM: "2024-07-03" };
    clock.advance(600_000);
    const first = await scan(replay);
    expect(first.bars).toBe(200);
    expect(first.detections).toBeGreaterThan(10);
    // Five minutes at 120: ten hours, 120 bars.
    clock.advance(300_000);
    const second = await scan(replay);
    expect(second.bars).toBe(120);
    expect(second.alerts).toBeGreaterThan(0);
    // Another replay is another one; the first then goes on from where its clock is.
    clock.advance(300_000);
    expect((await scan({ ...replay, FILES_REPLAY_FROM: "2024-07-02" })).bars).toBe(200);
    clock.advance(300_000);
    expect((await scan(replay)).bars).toBe(240);
    const { data } = (await get("/api/symbols")).body;
    expect(JSON.stringify(data).match(/"symbol":"BTC-USD"/g)?.length).toBe(1);
  });
});
