import { XMLParser, XMLValidator } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { createDetectionStore } from "../../src/features/detections/store.js";
import { detectionAt } from "../fixtures/detections.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { measuredConfidence } from "../fixtures/measured.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });

interface Row {
  readonly id: number;
  readonly symbol: string;
  readonly interval: Interval;
  readonly pattern_type: string;
  readonly bar_time: string;
  readonly closed_at: string;
  readonly quality: number;
  readonly start_time: string;
  readonly state: string;
  readonly trend_met: boolean | null;
  readonly confidence: number | null;
}

const rowsOf = async (query: string): Promise<Row[]> => (await get(`/api/detection_logs?${query}`)).data.logs;

describe("GET /api/detections/:id", () => {
  it("200 has the stored detection with outcome, evidence and feedback", async () => {
    const [row] = await rowsOf("limit=1");
    const { data } = await get(`/api/detections/${row.id}`);
    expect(data).toMatchObject({
      ...row,
      feedback: { correct: 0, wrong: 0, unsure: 0, own: null, history: [] },
      outcome: { status: expect.any(String) },
      evidence: { confidence: null, sample_size: 0 },
      chart_href: `/api/detections/${row.id}/chart.svg`,
    });
  });

  it("404 for none, 400 for what is no number", async () => {
    expectProblem(await program.call("/api/detections/99999999"), "detection_not_found");
    expectProblem(await program.call("/api/detections/one"), "invalid_request", "id");
    expectProblem(await program.call("/api/detections/0"), "invalid_request", "id");
  });
});

describe("POST /api/detections/:id/feedback", () => {
  it("200 counts one verdict a user, the newest, and keeps the history", async () => {
    const [{ id, pattern_type, symbol }] = await rowsOf("limit=1");
    const give = async (body: object) => (await post(`/api/detections/${id}/feedback`, body)).json().data;
    expect(await give({ verdict: "correct" })).toMatchObject({
      correct: 1,
      own: { verdict: "correct", note: null },
    });
    expect(await give({ verdict: "wrong", note: "No gap <b>here</b>" })).toMatchObject({
      correct: 0,
      wrong: 1,
      own: { verdict: "wrong", note: "No gap <b>here</b>" },
    });
    const again = await give({ verdict: "wrong", note: "No gap <b>here</b>" });
    expect(again.history.map(({ verdict }: { verdict: string }) => verdict)).toEqual(["wrong", "correct"]);
    const { feedback } = program.parts.explain;
    await feedback.give(id, "ann", "unsure", null);
    expect((await get(`/api/detections/${id}`)).data.feedback).toMatchObject({
      correct: 0,
      wrong: 1,
      unsure: 1,
      own: { verdict: "wrong" },
      history: [{ verdict: "wrong" }, { verdict: "correct" }],
    });
    const labels = await feedback.listLabels({ pattern: pattern_type }, 10);
    expect(labels.map(({ userId, verdict }) => [userId, verdict])).toEqual([
      ["ann", "unsure"],
      ["owner", "wrong"],
    ]);
    expect(labels[0]).toMatchObject({ detectionId: id, pattern: pattern_type, symbol });
    expect(await feedback.listLabels({ from: Date.now() + 60_000 }, 10)).toEqual([]);
  });

  it("400 for another verdict or a long note, 404 for no detection", async () => {
    const [{ id }] = await rowsOf("limit=1");
    const url = `/api/detections/${id}/feedback`;
    expectProblem(await post(url, { verdict: "maybe" }), "invalid_request", "verdict");
    expectProblem(await post(url, {}), "invalid_request", "verdict");
    expectProblem(await post(url, { verdict: "wrong", note: "x".repeat(501) }), "invalid_request", "note");
    expectProblem(
      await post("/api/detections/99999999/feedback", { verdict: "wrong" }),
      "detection_not_found",
    );
  });
});

/** All elements of a tag in a picture, by their attributes. */
function elementsOf(svg: string, tag: string): Record<string, string>[] {
  expect(XMLValidator.validate(svg)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
  });
  const [root] = parser.parse(svg).svg;
  return root[tag] ?? [];
}

describe("GET /api/detections/:id/chart.svg", () => {
  it("200 is a picture without script or style, for every kind of detection", async () => {
    for (const row of await rowsOf("limit=30")) {
      const answer = await program.call(`/api/detections/${row.id}/chart.svg`);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers["content-type"]).toBe("image/svg+xml; charset=utf-8");
      expect(answer.body).not.toMatch(/<script|<style|style=|href|on\w+=|NaN|undefined/);
      expect(elementsOf(answer.body, "rect").filter((each) => each["data-role"] === "shape")).toHaveLength(1);
    }
  });

  it("200 has each point, line and level of a formation, its text escaped", async () => {
    const [row] = await rowsOf("symbol=BTC-USD&interval=5m&limit=1");
    const { candles, instruments, database } = program.parts;
    const instrument = await instruments.resolve("BTC-USD");
    const barTime = Date.parse(row.bar_time);
    const set = await candles.loadRange(instrument, "5m", barTime - 40 * 300_000, barTime + 1);
    const { time, high, low, close } = set.candles;
    const last = time.length - 1;
    const place = (i: number, price: number) => ({ time: time[i], price });
    const roles = ["left_shoulder", "trough", "head", "trough", "right_shoulder"];
    const points = roles.map((role, k) => {
      const i = 4 + 7 * k;
      const price = role === "trough" ? low[i] : high[i];
      return { role, ...place(i, price), knownTime: time[i + 3] };
    });
    const formation = {
      formedTime: time[last],
      points,
      boundaries: [{ role: "neckline", from: place(11, low[11]), to: place(25, low[25]) }],
      trigger: close[last],
      target: 0.95 * close[last],
      stop: 1.04 * close[last],
      rewardRisk: 1.25,
      checks: [],
    };
    const [{ id }] = await database.transaction((sql) =>
      createDetectionStore(database).record(sql, [
        detectionAt(instrument, 0, {
          pattern: "<b>&'\"\u0001",
          direction: -1,
          startTime: time[4],
          barTime,
          closedAt: barTime + 300_000,
          price: close[last],
          formation,
        }),
      ]),
    );
    const { body } = await program.call(`/api/detections/${id}/chart.svg`);
    const drawn = elementsOf(body, "circle").map((each) => [
      each["data-role"],
      each["data-time"],
      Number(each["data-price"]),
    ]);
    expect(drawn).toEqual(
      points.map(({ role, time: ms, price }) => [role, new Date(ms).toISOString(), price]),
    );
    const lines = new Set(elementsOf(body, "line").map((each) => each["data-role"]));
    for (const role of ["neckline", "trigger", "target", "entry", "stop"]) expect(lines).toContain(role);
    expect(body).toContain("&lt;b&gt;&amp;&#39;&quot; on BTC-USD 5m");
    await database.query("delete from detections where id = $1", [id]);
  });

  it("404 for none", async () => {
    expectProblem(await program.call("/api/detections/99999999/chart.svg"), "detection_not_found");
  });
});

/** Restates one bar of a series as a source would that now gives another close. */
async function restate(row: Row, barTime: number, factor: number): Promise<void> {
  const { candleStore, instruments } = program.parts;
  const { id } = await instruments.resolve(row.symbol);
  const stored = await candleStore.load(id, row.symbol, row.interval, barTime, barTime + 1);
  expect(stored.candles.time).toHaveLength(1);
  const scaled: Candles = {
    ...sliceCandles(stored.candles, 0, 1),
    high: stored.candles.high.map((price) => price * Math.max(1, factor)),
    low: stored.candles.low.map((price) => price * Math.min(1, factor)),
    close: stored.candles.close.map((price) => price * factor),
  };
  await candleStore.saveBars(id, scaled, { source: "files", basis: "none", atMs: Date.now() });
}

describe("GET /api/detections/:id/proof", () => {
  it("200 finds every stored detection again, identical to the last bit", async () => {
    // Over all of them: which symbols and intervals were stored last depends on which scan ended last.
    const rows: Row[] = [];
    for (let page = await rowsOf("limit=1000"); page.length > 0; ) {
      rows.push(...page);
      page = await rowsOf(`limit=1000&offset=${rows.length}`);
    }
    expect(rows.length).toBeGreaterThan(1_000);
    const step = Math.ceil(rows.length / 60);
    const sample = rows.filter((_, i) => i % step === 0);
    expect(new Set(sample.map(({ interval }) => interval)).size).toBeGreaterThan(2);
    for (const { id } of sample) {
      const { data } = await get(`/api/detections/${id}/proof`);
      expect(data.fields.filter(({ same }: { same: boolean }) => !same)).toEqual([]);
      expect(data).toMatchObject({ verdict: "identical", restated: false, now: null, differences: 0 });
      expect(data.bars).toBeGreaterThan(0);
      expect(data.bars_hash).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it("200 stays identical when the source restates a bar, and has the answer from the new bars beside it", async () => {
    const rows = await rowsOf("symbol=ETH-USD&interval=5m&pattern=bullish_engulfing&limit=3");
    const row = ensure(rows.at(-1), "a detection");
    const before = (await get(`/api/detections/${row.id}/proof`)).data;
    await restate(row, Date.parse(row.bar_time), 0.97);
    const { data } = await get(`/api/detections/${row.id}/proof`);
    expect(data).toMatchObject({ verdict: "identical", restated: true, bars_hash: before.bars_hash });
    expect(data.now.verdict).toBe("different");
    expect(data.now.bars_hash).not.toBe(before.bars_hash);
    expect(data.now.bars).toBe(before.bars);
  });

  it("200 tells values that changed from those that did not after a harmless restatement", async () => {
    const rows = await rowsOf("symbol=SOL-USD&interval=5m&pattern=doji&limit=3");
    const row = ensure(rows.at(-1), "a detection");
    // What is stored is compared with its file when it is read first, which would take the restatement back.
    expect((await get(`/api/detections/${row.id}/proof`)).data.restated).toBe(false);
    await restate(row, Date.parse(row.bar_time) - 30 * 300_000, 1.0001);
    const { data } = await get(`/api/detections/${row.id}/proof`);
    expect(data).toMatchObject({ verdict: "identical", restated: true });
    const changed = data.now.fields.filter(({ same }: { same: boolean }) => !same);
    expect(changed.map(({ field }: { field: string }) => field)).toEqual(["metadata.average_true_range"]);
  });

  it("200 says different of a row that the bars do not bear out", async () => {
    const [row] = await rowsOf("symbol=ADA-USD&interval=5m&limit=1");
    const { database } = program.parts;
    await database.query("update detections set quality = 0.123 where id = $1", [row.id]);
    const { data } = await get(`/api/detections/${row.id}/proof`);
    expect(data).toMatchObject({ verdict: "different", restated: false, differences: 1 });
    expect(data.fields).toContainEqual({
      field: "quality",
      stored: 0.123,
      recomputed: row.quality,
      same: false,
    });
    await database.query("update detections set quality = $2 where id = $1", [row.id, row.quality]);
    const { pattern_type } = row;
    const other = pattern_type === "hammer" ? "morning_star" : "tristar_bullish";
    await database.query("update detections set pattern = $2 where id = $1", [row.id, other]);
    expect((await get(`/api/detections/${row.id}/proof`)).data).toMatchObject({
      verdict: "different",
      reason: "The pattern is not seen at the bar",
    });
    await database.query("update detections set pattern = $2 where id = $1", [row.id, pattern_type]);
  });

  it("404 for none", async () => {
    expectProblem(await program.call("/api/detections/99999999/proof"), "detection_not_found");
  });
});

describe("POST /api/patterns/validate", () => {
  it("200 is valid at the moment a stored detection closed, and says by which checks", async () => {
    const rows = await rowsOf("symbol=BTC-USD&interval=5m&pattern=doji&limit=2");
    const row = ensure(rows.at(-1), "a detection");
    const body = { symbol: "btc", pattern: "Doji", timeframe: "5m", at: row.closed_at };
    const { data } = (await post("/api/patterns/validate", body)).json();
    expect(data).toMatchObject({
      symbol: "BTC-USD",
      pattern: "doji",
      valid: true,
      confidence: null,
      bar_time: row.bar_time,
      quality: row.quality,
      state: "confirmed",
    });
    expect(data.checks).toContainEqual({
      name: "seen_within_bars",
      passed: true,
      value: 0,
      threshold: 4,
      required: true,
    });
    // A bar earlier it had not closed: whatever was seen then, it was not this one.
    const earlier = { ...body, at: String(Date.parse(row.closed_at) - 1) };
    expect((await post("/api/patterns/validate", earlier)).json().data.bar_time).not.toBe(row.bar_time);
  });

  it("200 is not valid where the trend or the shape is missing", async () => {
    const rows = (await get("/api/detection_logs?limit=1000")).data.logs;
    const against = rows.find(({ trend_met }: { trend_met: boolean | null }) => trend_met === false);
    const { symbol, interval, pattern_type, closed_at } = against;
    const body = { symbol, timeframe: interval, pattern: pattern_type, at: closed_at };
    const { data } = (await post("/api/patterns/validate", body)).json();
    expect(data.valid).toBe(false);
    expect(data.checks.find(({ name }: { name: string }) => name === "prior_trend").passed).toBe(false);
    const none = { symbol: "AAPL", pattern: "concealing_baby_swallow", at: "2023-01-10" };
    expect((await post("/api/patterns/validate", none)).json().data).toMatchObject({
      valid: false,
      state: null,
      bar_time: null,
    });
  });

  it("200 has no confidence of what is not there, and none that was measured of bars after the moment", async () => {
    const rows = await rowsOf("symbol=BTC-USD&interval=5m&pattern=bullish_engulfing&limit=200");
    const row = ensure(
      rows.find(({ trend_met }) => trend_met !== false),
      "a detection",
    );
    const measuredAt = Date.parse(row.closed_at);
    vi.spyOn(program.parts.evidence, "confidenceOf").mockReturnValue(
      measuredConfidence(0.41, 0.4, measuredAt),
    );
    const validated = async (change: object) => {
      const body = { symbol: "BTC", timeframe: "5m", pattern: row.pattern_type, ...change };
      return (await post("/api/patterns/validate", body)).json().data;
    };
    expect(await validated({ at: row.closed_at })).toMatchObject({
      ...{ valid: true, confidence: 0.41 },
      evidence: { confidence: 0.41, sample_size: 400, reason: null },
    });
    const absent = { pattern: "concealing_baby_swallow", at: row.closed_at };
    expect(await validated(absent)).toMatchObject({
      ...{ valid: false, state: null, confidence: null },
      evidence: { confidence: null, reason: expect.stringContaining("seen within bars") },
    });
    vi.spyOn(program.parts.evidence, "confidenceOf").mockReturnValue(
      measuredConfidence(0.41, 0.4, measuredAt + 1),
    );
    expect(await validated({ at: row.closed_at })).toMatchObject({
      ...{ valid: true, confidence: null },
      evidence: {
        ...{ confidence: null, hit_rate: null, base_rate: null, sample_size: 0 },
        reason: expect.stringContaining("later bars"),
      },
    });
    vi.restoreAllMocks();
  });

  it("200 takes the name of a pattern for whichever of its variants is there, and tells no confidence out of its trend", async () => {
    const rows = await rowsOf("limit=1000");
    const found = (trend: boolean, id: string) =>
      ensure(
        rows.find(
          ({ pattern_type, trend_met, state }) =>
            pattern_type === id && trend_met === trend && state === "confirmed",
        ),
        id,
      );
    const validated = async ({ symbol, interval, closed_at }: Row) => {
      const body = { symbol, timeframe: interval, pattern: "engulfing", at: closed_at };
      return (await post("/api/patterns/validate", body)).json().data;
    };
    expect(await validated(found(true, "bearish_engulfing"))).toMatchObject({
      pattern: "bearish_engulfing",
      valid: true,
    });
    expect(await validated(found(true, "bullish_engulfing"))).toMatchObject({
      pattern: "bullish_engulfing",
      valid: true,
    });
    expect(found(false, "bullish_engulfing").confidence).toBeNull();
  });

  it("400 and 404 for what is none", async () => {
    const body = { symbol: "BTC", pattern: "doji", timeframe: "5m" };
    expectProblem(await post("/api/patterns/validate", { ...body, pattern: "magic" }), "pattern_unknown");
    expectProblem(await post("/api/patterns/validate", { ...body, symbol: "ZZZZ" }), "symbol_unknown");
    expectProblem(
      await post("/api/patterns/validate", { ...body, at: "yesterday" }),
      "invalid_request",
      "at",
    );
    expectProblem(
      await post("/api/patterns/validate", { ...body, at: "2199-01-01" }),
      "invalid_request",
      "body at: lies in the future",
    );
    const daily = { symbol: "AAPL", pattern: "doji", timeframe: "5m" };
    expectProblem(await post("/api/patterns/validate", daily), "interval_unavailable");
  });
});
