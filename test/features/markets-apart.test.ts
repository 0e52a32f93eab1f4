import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/**
 * The synthetic and the real market on one database, each with rows of every kind for the same symbol: whoever looks
 * at one never sees the other.
 */
let testDatabase: TestDatabase;
/** Prices tell the markets apart. */
const PRICE = { synthetic: 111, real: 222 } as const;
type Kind = keyof typeof PRICE;
const programs = new Map<Kind, TestProgram>();
const ids = new Map<Kind, { instrument: KnownInstrument; detection: number; alert: number }>();

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const start = (environment: Record<string, string>) =>
    startTestProgram({ database: testDatabase, environment });
  programs.set("synthetic", await start({ MARKET_DATA: "synthetic" }));
  programs.set("real", await start({ MARKET_DATA: "yahoo", YAHOO_BASE_URL: "http://127.0.0.1:9" }));
  for (const kind of ["synthetic", "real"] as const) await fill(kind);
});
afterAll(async () => {
  for (const program of programs.values()) await program.close();
  await testDatabase.drop();
});

function partsOf(kind: Kind): TestProgram {
  const program = programs.get(kind);
  if (program === undefined) throw new Error(kind);
  return program;
}

/** A candle, a detection, an alert with its decision, a refused candidate, a cursor and an outcome. */
async function fill(kind: Kind): Promise<void> {
  const { parts } = partsOf(kind);
  const { database, alerts, outcomes } = parts;
  const instrument = await saveInstrument(database, "AAPL", { synthetic: kind === "synthetic" });
  const price = PRICE[kind];
  const rows = [detectionAt(instrument, 0, { price }), detectionAt(instrument, 1, { price })];
  const candidates = await recordCandidates(database, instrument, rows);
  const { raised } = await database.transaction((sql) => alerts.consider(sql, candidates, true));
  ids.set(kind, { instrument, detection: candidates[0].id, alert: raised[0].id });
  await database.query(
    `insert into candles (instrument_id, interval, time, open, high, low, close, volume, source)
     values ($1, '1d', '2024-07-08T13:30Z', $2, $2, $2, $2, 1, $3)`,
    [instrument.id, price, kind],
  );
  await database.query(
    "insert into scan_cursors (instrument_id, interval, bar_time) values ($1, '5m', '2024-07-09T14:00Z')",
    [instrument.id],
  );
  const outcome = kind === "synthetic" ? "loss" : "profit";
  await outcomes.report("owner", { symbol: instrument.symbol, pattern: "hammer", outcome });
}

describe.each(["synthetic", "real"] as const)("the %s market", (kind) => {
  const other: Kind = kind === "synthetic" ? "real" : "synthetic";
  const known = (of: Kind) => {
    const found = ids.get(of);
    if (found === undefined) throw new Error(of);
    return found;
  };

  it.each([
    "/api/get_active_alerts",
    "/api/alerts",
    "/api/alerts/history",
    "/api/alerts?symbol=AAPL&status=active",
    "/api/detection_logs",
    "/api/detection_logs?symbol=AAPL",
    "/api/patterns/history/AAPL",
  ])("has its own rows alone at %s", async (url) => {
    const answer = await partsOf(kind).server.inject(url);
    expect(answer.statusCode).toBe(200);
    const prices = [...answer.body.matchAll(/"price":(\d+)/g)].map((match) => Number(match[1]));
    expect(prices.length).toBeGreaterThan(0);
    expect(new Set(prices)).toEqual(new Set([PRICE[kind]]));
    const flags = [...answer.body.matchAll(/"synthetic":(\w+)/g)].map((match) => match[1]);
    expect(new Set(flags)).toEqual(new Set([String(kind === "synthetic")]));
  });

  it("shows no alert of the other by its id", async () => {
    const { server } = partsOf(kind);
    expect((await server.inject(`/api/alerts/${known(kind).alert}`)).statusCode).toBe(200);
    expect((await server.inject(`/api/alerts/${known(other).alert}`)).statusCode).toBe(404);
    const body = { alert_id: known(other).alert, response: "dismiss" };
    const answer = await server.inject({ method: "POST", url: "/api/handle_alert_response", payload: body });
    expect(answer.statusCode).toBe(404);
  });

  it("counts its own", async () => {
    const { alerts, detections, catalogue, instruments, outcomes } = partsOf(kind).parts;
    const statistics = await alerts.statistics(30);
    expect(statistics).toMatchObject({ total: 1, active: 1, bySymbol: [{ symbol: "AAPL", count: 1 }] });
    expect((await outcomes.counts(0)).reported).toMatchObject(
      kind === "synthetic" ? { wins: 0, losses: 1 } : { wins: 1, losses: 0 },
    );
    expect((await alerts.list({}, 9, 0)).total).toBe(1);
    expect((await alerts.decisions({}, 9)).map(({ accepted }) => accepted)).toEqual([false, true]);
    expect((await detections.list({}, 9, 0)).total).toBe(2);
    expect(await detections.latestId()).toBe(known(kind).detection + 1);
    expect((await detections.patternStats(30)).map(({ count }) => count)).toEqual([2]);
    expect((await detections.stats()).symbols).toEqual([{ symbol: "AAPL", count: 2 }]);
    const { text, rows } = await detections.exportCsv({}, 3_650);
    expect(rows).toBe(2);
    expect(text).toContain(`,${PRICE[kind]},`);
    expect(text).not.toContain(`,${PRICE[other]},`);
    expect((await catalogue.coverage()).symbols).toBe(1);
    expect((await instruments.stored()).map(({ id, synthetic }) => ({ id, synthetic }))).toEqual([
      { id: known(kind).instrument.id, synthetic: kind === "synthetic" },
    ]);
  });

  it("has instruments of its own, and candles by them", async () => {
    const { instruments, database } = partsOf(kind).parts;
    const { id } = await instruments.resolve("AAPL");
    expect(id).toBe(known(kind).instrument.id);
    const rows = await database.query("select source, close from candles where instrument_id = $1", [id]);
    expect(rows).toEqual([{ source: kind, close: PRICE[kind] }]);
  });
});

it("a guard of one market holds back nothing in the other", async () => {
  const database = await openTestDatabase(testDatabase);
  expect(await database.query("select 1 from alert_guards")).toHaveLength(2);
  await database.close();
});
