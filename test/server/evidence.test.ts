import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { REGIMES } from "../../src/core/regime/define.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { computeEvidence } from "../../src/core/signals/evidence.js";
import { ROUND_TRIP_BPS } from "../../src/core/signals/levels.js";
import { POLICY } from "../../src/features/evidence/measured.js";
import { writeDailyFiles } from "../fixtures/candle-files.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

type Row = Record<string, number | string | null>;
const SYMBOLS = ["AAPL", "KO", "MSFT", "XOM"];
const DAYS = 2_500;
const FROM = Date.UTC(2009, 0, 1);
const TO = Date.UTC(2025, 0, 1);
const folder = mkdtempSync(join(tmpdir(), "tx-evidence-"));

let program: TestProgram;
beforeAll(async () => {
  const files = writeDailyFiles(folder, SYMBOLS, DAYS);
  program = await startScannedProgram({ environment: { FILES_DIR: files, SCAN_INTERVALS: "1d" } });
  const { candles, instruments } = program.parts;
  for (const symbol of SYMBOLS) {
    await candles.ensureStored(await instruments.resolve(symbol), "1d", FROM, TO);
  }
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = async (query = "") => (await program.call(`/api/patterns/evidence${query}`)).json();
const post = () => program.call({ method: "POST", url: "/api/patterns/evidence/recompute" });

/** Runs what waits, to its end. */
async function work(id: number): Promise<void> {
  await program.parts.jobFeature.taking?.run(Date.now(), new AbortController().signal);
  for (let look = 0; look < 600; look++) {
    const { data } = (await program.call(`/api/jobs/${id}`)).json();
    if (data.status === "failed") throw new Error(data.error);
    if (data.status === "succeeded") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the job does not end");
}

describe("before the first run", () => {
  it("200 with nothing, and says why and how to change it", async () => {
    expect(await get()).toMatchObject({
      data: [],
      total: 0,
      run: null,
      reason: "Nothing has been measured yet: POST /api/patterns/evidence/recompute",
    });
  });

  it("no confidence is known, and the reason is", () => {
    expect(program.parts.evidence.confidenceOf("hammer", "1d", null)).toEqual({
      ...{ value: null, reason: "No evidence has been measured yet", regime: "any", n: 0 },
      ...{
        hitRate: null,
        low: null,
        high: null,
        baseRate: null,
        edgeLow: null,
        edgeHigh: null,
        qValue: null,
        meanR: null,
        asOfMs: null,
      },
    });
  });
});

describe("POST /api/patterns/evidence/recompute", () => {
  it("202 with a job, which is the same until it has ended", async () => {
    const first = await post();
    expect(first.statusCode).toBe(202);
    const { data, href } = first.json();
    expect(data).toMatchObject({ kind: "evidence", status: "queued" });
    expect(first.headers.location).toBe(href);
    expect((await post()).json().data.id).toBe(data.id);
    await work(data.id);
    const { data: result } = (await program.call(`/api/jobs/${data.id}/result`)).json();
    expect(result).toMatchObject({ series: SYMBOLS.length, bars: SYMBOLS.length * DAYS });
    expect((await post()).json().data.id).not.toBe(data.id);
  });

  it("202 makes a run whose rows are those of the stored candles, to the last digit", async () => {
    const { candles, instruments } = program.parts;
    const series = await Promise.all(
      SYMBOLS.map(async (symbol) => {
        const instrument = await instruments.resolve(symbol);
        const set = await candles.loadRange(instrument, "1d", FROM, TO);
        const regimes = computeRegimes(set.candles).label;
        const { calendar, assetClass } = instrument;
        return { candles: set.candles, calendar, costBps: ROUND_TRIP_BPS[assetClass], regimes };
      }),
    );
    const settings = { patterns: PATTERNS, regimes: REGIMES, seed: POLICY.seed, asOfMs: Date.now() };
    const table = computeEvidence(series, settings);
    const { run, rows } = await program.parts.evidence.list({});
    expect(rows.map((row) => ({ ...row, liveN: 0, liveHits: 0 }))).toEqual(
      JSON.parse(JSON.stringify(table.rows)),
    );
    expect(run).toMatchObject({ tests: table.tests, occurrences: table.occurrences, fromMs: table.fromMs });
  });
});

describe("GET /api/patterns/evidence", () => {
  it("200 tells of every variant at every interval, of the run and of its policy", async () => {
    const { data, total, run, reason } = await get();
    const variants = PATTERNS.flatMap((pattern) => pattern.variants);
    expect(total).toBeGreaterThan(3 * variants.length);
    for (const row of data) expect(row.costs).toBe("any");
    const light = await get("?costs=light");
    expect(light.total).toBeGreaterThan(20);
    for (const row of light.data) expect(row).toMatchObject({ regime: "any", costs: "light" });
    expect(data).toHaveLength(Math.min(total, 1_000));
    expect((await get("?regime=any")).total).toBe(variants.length);
    const regimes = await get("?regime=ranging&min_n=1");
    expect(regimes.total).toBeGreaterThan(10);
    for (const row of regimes.data) expect(row.regime).toBe("ranging");
    expect(run).toMatchObject({ series: SYMBOLS.length, policy: POLICY, live_missing: 0 });
    expect(reason).toBeNull();
    const doji = data.find((row: Row) => row.pattern_type === "doji");
    expect(doji).toMatchObject({ status: "insufficient", n: 0, hit_rate: null, confidence: null });
    expect(doji.reason).toMatch(/neither rise nor fall/);
    for (const row of data) {
      if (row.status === "insufficient")
        expect([row.confidence, typeof row.reason]).toEqual([null, "string"]);
      else expect(row.n).toBeGreaterThanOrEqual(30);
    }
  });

  it("200 filters and sorts", async () => {
    const daily = await get("?interval=1d&regime=any&status=sufficient&min_n=50&sort=hit_rate");
    expect(daily.total).toBeGreaterThan(3);
    for (const row of daily.data) expect(row).toMatchObject({ interval: "1d", status: "sufficient" });
    const rates = daily.data.map((row: Row) => row.hit_rate);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    const chances = (await get("?sort=q_value&status=sufficient")).data.map((row: Row) => row.q_value);
    expect(chances).toEqual([...chances].sort((a, b) => a - b));
    const page = await get(
      "?interval=1d&regime=any&status=sufficient&min_n=50&sort=hit_rate&limit=2&offset=1",
    );
    expect(page.data).toEqual(daily.data.slice(1, 3));
    expect(page.total).toBe(daily.total);
    const engulfing = await get("?pattern=engulfing&interval=1d&regime=any");
    expect(engulfing.data.map((row: Row) => row.pattern_type)).toEqual([
      "bullish_engulfing",
      "bearish_engulfing",
    ]);
    expect((await get("?pattern=hammer&regime=any")).total).toBe(1);
  });

  it.each([
    ["interval=2d", "invalid_request"],
    ["regime=sideways_nonsense", "invalid_request"],
    ["costs=dear", "invalid_request"],
    ["status=good", "invalid_request"],
    ["min_n=-1", "invalid_request"],
    ["sort=luck", "invalid_request"],
    ["pattern=", "invalid_request"],
    [`pattern=${"x".repeat(61)}`, "invalid_request"],
    ["pattern=Nothing%20Such!", "pattern_unknown"],
    ["colour=red", "invalid_request"],
  ] as const)("4xx for %s", async (query, code) => {
    expectProblem(await program.call(`/api/patterns/evidence?${query}`), code);
  });
});

describe("a pattern that is asked for", () => {
  it("is understood in any spelling, all of its variants where it has several", async () => {
    const ids = async (name: string) =>
      new Set(
        (await get(`?pattern=${encodeURIComponent(name)}`)).data.map(
          (row: { pattern_type: string }) => row.pattern_type,
        ),
      );
    expect(await ids("Bullish Engulfing")).toEqual(new Set(["bullish_engulfing"]));
    expect(await ids("CDLENGULFING")).toEqual(new Set(["bullish_engulfing", "bearish_engulfing"]));
    expect(await ids("engulfing")).toEqual(await ids("CDLENGULFING"));
  });
});

describe("confidence for others", () => {
  it("is that of the table, of any regime where the one that is asked for has too little", async () => {
    const [row] = (await get("?status=sufficient&interval=1d&regime=any&sort=n")).data;
    const found = program.parts.evidence.confidenceOf(row.pattern_type, "1d", "no such regime");
    expect(found).toMatchObject({ value: row.confidence, regime: "any", n: row.n, reason: null });
    expect([found.low, found.high, found.baseRate]).toEqual([
      row.hit_rate_low,
      row.hit_rate_high,
      row.base_rate,
    ]);
  });

  it("is of the class of costs, and none where nothing with such costs was measured", async () => {
    const [row] = (await get("?status=sufficient&interval=1d&regime=any&sort=n")).data;
    const { confidenceOf } = program.parts.evidence;
    expect(confidenceOf(row.pattern_type, "1d", null, "light")).toMatchObject({ value: row.confidence });
    expect(confidenceOf(row.pattern_type, "1d", null, "prohibitive")).toMatchObject({
      value: null,
      reason: `No 1d trades with prohibitive costs were measured for ${row.pattern_type}`,
    });
  });

  it("is null with the reason where there is none", () => {
    const { confidenceOf } = program.parts.evidence;
    expect(confidenceOf("doji", "1d", null).reason).toMatch(/neither/);
    expect(confidenceOf("mat_hold", "1d", null).reason).toBe(
      "Fewer than 30 trades on the pattern have ended",
    );
    expect(confidenceOf("hammer", "1w", null).reason).toBe("No 1w candles were measured for hammer");
  });
});

describe("patterns that were detected while they happened", () => {
  it("are counted beside history, from the moment on since which the server runs", async () => {
    const { database, evidence } = program.parts;
    expect((await evidence.list({})).rows.every(({ liveN }) => liveN === 0)).toBe(true);
    await database.query("update settings set value = $1::jsonb where name like 'evidence.live_since%'", [
      String(Date.UTC(2015, 0, 1)),
    ]);
    // What is found long after it happened is not seen live, however new the row is.
    await work((await post()).json().data.id);
    expect((await evidence.list({})).rows.every(({ liveN }) => liveN === 0)).toBe(true);
    await database.query("update detections set detected_at = closed_at + interval '1 minute'");
    await work((await post()).json().data.id);
    const stored = await database.query<{ pattern: string; count: number }>(
      `select pattern, count(*) as count from detections
       where trend_met is distinct from false and direction <> 0 group by pattern`,
    );
    const { rows, run } = await evidence.list({});
    expect(run?.liveMissing).toBe(0);
    const live = rows.filter(({ liveN }) => liveN > 0);
    expect(live.length).toBeGreaterThan(10);
    for (const { variant, liveN, liveHits, n } of live) {
      const seen = stored.find(({ pattern }) => pattern === variant)?.count ?? 0;
      expect(liveN).toBeLessThanOrEqual(Math.min(seen, n));
      expect(liveHits).toBeLessThanOrEqual(liveN);
    }
  });
});
