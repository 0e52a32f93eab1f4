import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_ROWS } from "../../src/features/pipeline/schema.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { ODD_REASONS, oddRows } from "../fixtures/odd-ticks.js";
import { tellStory } from "../fixtures/planted-synergies.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket } from "../fixtures/socket.js";

const START = Date.UTC(2024, 2, 5, 15);
const clock = createManualClock(START + 60_000);
const folder = mkdtempSync(join(tmpdir(), "tx-pipeline-"));
let program: TestProgram;
let keys: Record<"viewer" | "trader", string>;
let address: string;

beforeAll(async () => {
  const environment = {
    ...KEYED,
    MARKET_DATA: "files",
    FILES_DIR: writeMarketFiles(folder),
  };
  program = await startTestProgram({ clock, environment });
  keys = {
    viewer: await keyFor(program, "vera", "viewer"),
    trader: await keyFor(program, "tom", "trader"),
  };
  address = await program.listen();
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (request: InjectOptions, role: "viewer" | "trader" = "trader") =>
  program.call({ ...request, headers: { "x-api-key": keys[role], ...request.headers } });
const get = (url: string) => ask({ url }, "viewer");
const post = (payload: unknown, headers: Record<string, string> = {}) =>
  ask({ method: "POST", url: "/api/ticks", payload: payload as object, headers });
const lines = (text: string) => post(text, { "content-type": "application/x-ndjson" });

const tick = (i: number, more: object = {}) => ({
  symbol: "SOL-USD",
  time: START + 1_000 * i,
  price: 100 + i / 100,
  size: 10,
  ...more,
});
const reasons = ({ rejected }: { rejected: { index: number; reason: string }[] }) =>
  rejected.map(({ index, reason }) => `${index} ${reason}`);

describe("GET /api/pipeline/status", () => {
  it("200 before anything was sent: it is idle, and what is not known is null", async () => {
    const { data } = (await get("/api/pipeline/status")).json();
    expect(data).toMatchObject({ state: "idle", symbols: 0, groups: 0, waiting: { ticks: 0, outcomes: 0 } });
    expect([data.lots.crypto, data.terms.lot]).toEqual([1e-4, undefined]);
    expect(data.latency_ms.engine).toEqual({ count: 0, p50: null, p95: null, p99: null, max: null });
  });
});

describe("POST /api/ticks", () => {
  it("200 for an array, an object of one and lines of JSON: every tick is counted", async () => {
    const array = (await post([tick(0), tick(1, { id: 7 })])).json();
    expect(array).toMatchObject({ success: true, accepted: 2, rejected: [], held: [], repeated: false });
    const object = (
      await post({ ticks: [tick(2), tick(3, { time: new Date(START + 3_000).toISOString() })] })
    ).json();
    expect(object).toMatchObject({ accepted: 2, rejected: [] });
    const text = (await lines(`${JSON.stringify(tick(4))}\n\n${JSON.stringify(tick(5))}\n`)).json();
    expect(text).toMatchObject({ accepted: 2, rejected: [] });
    expect((await get("/api/pipeline/status")).json().data).toMatchObject({ state: "running", symbols: 1 });
  });

  it("200 with the place and the reason of each row that is none, or is refused", async () => {
    const rows = oddRows(tick);
    const answer = (await post(rows)).json();
    expect(reasons(answer)).toEqual(ODD_REASONS);
    expect(answer.accepted + answer.rejected.length + answer.held.length).toBe(rows.length);
    const read = (await lines(`{\n${JSON.stringify(tick(10))}\n{"symbol":"SOL-USD","time":NaN}`)).json();
    expect(reasons(read)).toEqual(["0 row is not JSON", "2 row is not JSON"]);
    expect(read.accepted).toBe(1);
  });

  it("200 with a row that is held until the next says whether it was so", async () => {
    expect((await post([tick(11, { price: 160 })])).json()).toMatchObject({ accepted: 0, held: [0] });
    expect((await post([tick(12)])).json()).toMatchObject({ accepted: 1, held: [], rejected: [] });
    const { data } = (await get("/api/pipeline/status")).json();
    expect(data.ticks).toMatchObject({ held: 0, outlier: 2, duplicate: 1, price_not_positive: 2 });
    expect(data.refused).toEqual({ not_a_tick: 8, not_finite: 2 });
    expect((await post([tick(12.1, { price: 160, id: 900 })])).json()).toMatchObject({ held: [0] });
    expect((await post([tick(12.2, { price: 160 })])).json()).toMatchObject({ accepted: 1 });
    const { ticks } = (await get("/api/pipeline/status")).json().data;
    expect(ticks).toMatchObject({ held: 0, outlier: 2, accepted: data.ticks.accepted + 2 });
    // Whoever was told held learns by its number what came of it.
    expect(reasons((await post([tick(12.1, { price: 160, id: 900 })])).json())).toEqual(["0 duplicate"]);
    await post([tick(12.3), tick(12.4)]);
  });

  it("200 once for what is sent again under its key, by each caller for itself", async () => {
    const rows = [tick(13), tick(14)];
    const first = (await post(rows, { "idempotency-key": "a" })).json();
    expect(first).toMatchObject({ accepted: 2, repeated: false });
    expect((await post(rows, { "idempotency-key": "a" })).json()).toEqual({ ...first, repeated: true });
    const other = await ask({
      ...{ method: "POST", url: "/api/ticks", payload: [tick(15)] },
      headers: { "x-api-key": KEYED.ADMIN_API_KEY, "idempotency-key": "a" },
    });
    expect(other.json()).toMatchObject({ accepted: 1, repeated: false });
  });

  it("422 for a key that was sent with other ticks, 400 for one that is none", async () => {
    const reused = await post([tick(16)], { "idempotency-key": "a" });
    expect([reused.statusCode, reused.json().code]).toEqual([422, "idempotency_key_reused"]);
    const broken = await post([tick(16)], { "idempotency-key": "a b" });
    expect([broken.statusCode, broken.json().code]).toEqual([400, "invalid_request"]);
  });

  it("200 with why ticks of a symbol are not taken: another source sends them, or nothing knows it", async () => {
    await program.parts.pipeline.take(
      {
        symbols: ["XRP-USD"],
        ticks: {
          symbol: Uint16Array.of(0),
          time: Float64Array.of(START),
          price: Float64Array.of(1),
          size: Float64Array.of(1),
          id: Float64Array.of(Number.NaN),
        },
        row: Int32Array.of(0),
        refused: [],
      },
      "alpaca",
    );
    const answer = (await post([tick(17), tick(17, { symbol: "XRP-USD", price: 1 })])).json();
    expect(reasons(answer)).toEqual(["1 other_source: ticks of XRP-USD come from alpaca"]);
    expect(answer.accepted).toBe(1);
  });

  it("400 for what is no batch", async () => {
    expect((await post("", { "content-type": "application/json" })).statusCode).toBe(400);
    for (const payload of [{}, { ticks: 1 }, { ticks: [], more: 1 }, 5]) {
      const answer = await post(JSON.stringify(payload), { "content-type": "application/json" });
      expect(answer.statusCode, JSON.stringify(payload)).toBe(400);
    }
    expect((await lines("[1,")).statusCode).toBe(400);
    expect((await post("{", { "content-type": "application/json" })).statusCode).toBe(400);
    const many = "{}\n".repeat(MOST_ROWS + 1);
    expect((await lines(many)).statusCode).toBe(400);
    expect((await lines("x\n".repeat(8_000_000))).json().detail).toBe(`body: at most ${MOST_ROWS} rows`);
  });

  it("200 where a row has a key __proto__, which is passed over as others are", async () => {
    const text = JSON.stringify([tick(12.5), tick(12.6, { more: 1 })]).replace('"more"', '"__proto__"');
    const answer = await post(text, { "content-type": "application/json" });
    expect(answer.json()).toMatchObject({ accepted: 2, rejected: [] });
  });

  it("413 for more than 16 MB, 415 for another type", async () => {
    expect((await lines(" ".repeat(16 * 1_024 * 1_024 + 1))).statusCode).toBe(413);
    expect((await post("a,b", { "content-type": "text/csv" })).statusCode).toBe(415);
  });

  it("401 for nobody, 403 for those who only look", async () => {
    const request = { method: "POST", url: "/api/ticks", payload: [tick(18)] } as const;
    expect((await program.call(request)).statusCode).toBe(401);
    expect((await ask(request, "viewer")).statusCode).toBe(403);
  });
});

describe("GET /api/pipeline/:symbol/indicators", () => {
  it("200 with null for what is not warm, 404 for a symbol without ticks, 400 for none", async () => {
    const { data } = (await get("/api/pipeline/sol-usd/indicators")).json();
    expect(data).toMatchObject({ symbol: "SOL-USD", average_true_range: null, as_of: null });
    expect(data.mlmi).toEqual({ value: null, cross: null, bar_time: null });
    expect(data.mmd).toMatchObject({ nearest: null, why: "0 of 106 bars of 30m have come" });
    expect((await get("/api/pipeline/MSFT/indicators")).json()).toMatchObject({ code: "no_data" });
    expect((await get("/api/pipeline/a%20b/indicators")).statusCode).toBe(400);
  });
});

describe("GET /api/pipeline/:symbol/matrices", () => {
  it("200 with names and formulas before there are rows, 404 for a symbol without ticks", async () => {
    const { data } = (await get("/api/pipeline/SOL-USD/matrices")).json();
    expect(data).toHaveLength(3);
    for (const { shape, features, rows, filled } of data) {
      expect(features).toHaveLength(shape[1]);
      expect([filled, rows]).toEqual([0, []]);
    }
    expect((await get("/api/pipeline/MSFT/matrices")).statusCode).toBe(404);
  });
});

describe("GET /api/pipeline/:symbol/synergies and /decisions", () => {
  it("200 with nothing where ticks made nothing yet, 404 for a symbol without ticks, 400 for none", async () => {
    for (const list of ["synergies", "decisions"]) {
      expect((await get(`/api/pipeline/SOL-USD/${list}`)).json()).toMatchObject({ success: true, data: [] });
      expect((await get(`/api/pipeline/MSFT/${list}`)).json()).toMatchObject({
        status: 404,
        code: "no_data",
      });
      expect((await get(`/api/pipeline/a%20b/${list}`)).statusCode).toBe(400);
    }
  });
});

describe("a synergy in ticks that were sent", () => {
  const STORY = tellStory({
    ...{ seed: 2, story: "type_2", way: -1 },
    ...{ calendar: "24x7", history: 150, ticksPerBar: 4 },
  });
  const { time, price, size } = STORY.ticks;
  /** The turn of NW-RQK is the last leg. */
  const KNOWN = Date.UTC(2024, 2, 7, 17, 30);
  const BARS = (KNOWN - Date.UTC(2024, 2, 4)) / 300_000;
  const rows = (symbol: string, until: number) =>
    Array.from(time, (at, i) => ({ symbol, time: at, price: price[i], size: size[i] })).filter(
      (row) => row.time < until,
    );
  const heard: Frame[] = [];
  const isNews = ({ type }: Frame) => type !== "subscribed";
  let decision: Record<string, unknown>;

  beforeAll(async () => {
    const query = "topics=synergy,decisions,alerts,bars:BTC-USD:5m";
    const socket = await openSocket(address, { query, headers: { "x-api-key": keys.viewer } });
    await socket.heard(({ type }) => type === "subscribed");
    const now = clock.now();
    clock.set(KNOWN + 60_000);
    const answer = (await post(rows("BTC-USD", KNOWN + 60_000))).json();
    expect(answer.rejected).toEqual([]);
    await socket.heard((frame) => isNews(frame) && frame.topic === "alerts");
    await socket.heard((frame) => isNews(frame) && frame.topic === "bars:BTC-USD:5m");
    heard.push(...socket.frames);
    await socket.close();
    clock.set(Math.max(now, clock.now()));
    [decision] = (await get("/api/pipeline/BTC-USD/decisions")).json().data;
  });

  it("200 among synergies and decisions, with its legs, its numbers and the rules", async () => {
    const [synergy] = (await get("/api/pipeline/BTC-USD/synergies?limit=1")).json().data;
    expect(synergy).toMatchObject({
      ...{ symbol: "BTC-USD", synergy_type: "TYPE_2", direction: -1 },
      timestamp: new Date(KNOWN).toISOString(),
    });
    expect(synergy.signal_sequence.map(({ type }: { type: string }) => type)).toEqual([
      "mlmi",
      "fvg",
      "nwrqk",
    ]);
    expect(decision).toMatchObject({ outcome: "accepted", refused_by: null, synergy_id: synergy.id });
    const {
      entry_price: entry,
      stop_loss_price: stop,
      take_profit_price: target,
    } = decision as Record<string, number>;
    expect(stop).toBeGreaterThan(entry);
    expect(target).toBeLessThan(entry);
    const rules = decision.rules as {
      rule: string;
      passed: boolean | null;
      value: number | null;
      why: string | null;
    }[];
    expect(rules.every(({ passed }) => passed !== false)).toBe(true);
    const unapplied = rules.filter(({ passed }) => passed === null);
    expect(unapplied.map(({ rule, value }) => [rule, value])).toEqual([
      ["model_below_least", null],
      ["position_limit", null],
    ]);
    for (const { why } of unapplied) expect(why).toContain("not applied");
    expect(decision).toMatchObject({
      ...{ event: "TRADE_QUALIFIED", equity: 100_000, equity_basis: "PIPELINE_EQUITY" },
      ...{
        currency: "USD",
        point_value: 1,
        rate: 1,
        stop_basis: expect.stringMatching(/^node|_stop|no_node$/),
      },
    });
    expect(synergy).toMatchObject({
      ...{ event: "SYNERGY_DETECTED", confidence: null },
      metadata: { pattern_quality: synergy.quality, bars_to_complete: expect.any(Number) },
    });
    const { market_context: context } = synergy;
    expect(context.current_price).toBe(entry);
    for (const name of ["volatility", "volume_ratio"]) expect(context[name], name).toBeGreaterThan(0);
    for (const name of ["trend_strength_5m", "trend_strength_30m"])
      expect(context[name], name).toEqual(expect.any(Number));
  });

  it("is heard on /ws with the bars that have just closed, and raises an alert with its stop and target", async () => {
    const topics = new Set(heard.filter(isNews).map(({ topic }) => topic));
    for (const topic of ["synergy", "decisions", "alerts", "bars:BTC-USD:5m"])
      expect(topics).toContain(topic);
    const bars = heard.filter((frame) => isNews(frame) && frame.topic === "bars:BTC-USD:5m");
    // Of all those of a history only what is news.
    expect(bars.length).toBeLessThan(4);
    expect(decision.alert_id).toEqual(expect.any(Number));
    const { data } = (await get(`/api/alerts/${decision.alert_id}`)).json();
    expect(data).toMatchObject({ symbol: "BTC-USD", pattern: "synergy_type_2" });
    const text = JSON.stringify(data);
    expect(text).toContain(String(decision.stop_loss_price));
    expect(text).toContain(String(decision.take_profit_price));
  });

  it("200 wherever its detection is asked for: lists, encyclopaedia, chart and explanation", async () => {
    const { detections } = (await get("/api/patterns/history/BTC-USD")).json().data;
    expect(detections).toHaveLength(1);
    const [{ id, formation, volume }] = detections;
    const bars = (await get("/api/pipeline/BTC-USD/bars?interval=5m&limit=10")).json().data;
    const last = bars.find(
      ({ timestamp }: { timestamp: string }) => timestamp === new Date(KNOWN - 300_000).toISOString(),
    );
    expect(volume).toBe(last.volume);
    expect(volume).toBeGreaterThan(0);
    const [first] = formation.points;
    expect(first.price).not.toBe(decision.entry_price);
    expect(Date.parse(first.known_at) - Date.parse(first.time)).toBe(1_800_000);
    expect(formation).toMatchObject({
      trigger: decision.entry_price,
      stop: decision.stop_loss_price,
      target: decision.take_profit_price,
    });
    for (const url of [
      ...["/api/alerts", "/api/alerts/history", `/api/alerts/${decision.alert_id}`],
      ...[`/api/detections/${id}`, "/api/patterns/BTC-USD"],
    ]) {
      expect((await get(url)).statusCode, url).toBe(200);
    }
    // The source of candles has none of the stretch: nothing is drawn that is not there.
    const drawn = await get(`/api/detections/${id}/chart.svg`);
    expect([drawn.statusCode, drawn.json().code]).toEqual([404, "no_data"]);
    const feedback = { method: "POST", url: `/api/detections/${id}/feedback`, payload: { verdict: "wrong" } };
    expect((await ask(feedback as InjectOptions)).statusCode).toBeLessThan(300);
  });

  it("404 where patterns are explained or found anew: decisions tell why there was a synergy", async () => {
    const payload = { alert_id: decision.alert_id };
    const why = await ask({ method: "POST", url: "/api/explain/alert", payload });
    expect(why.json()).toMatchObject({ status: 404, code: "pattern_unknown" });
    expect(why.json().detail).toContain("/api/pipeline/BTC-USD/decisions");
    expect((await get("/api/explain/pattern/synergy_type_2")).json()).toMatchObject({
      code: "pattern_unknown",
    });
    const { detections } = (await get("/api/patterns/history/BTC-USD")).json().data;
    const proof = await get(`/api/detections/${detections[0].id}/proof`);
    expect(proof.json()).toMatchObject({ status: 404, code: "pattern_unknown" });
  });

  it("raises no alert where it is old, and says so", async () => {
    clock.set(KNOWN + 86_400_000);
    await post(rows("ETH-USD", KNOWN + 60_000));
    for (let k = 0; k < 100; k++) {
      if ((await get("/api/pipeline/ETH-USD/decisions")).json().data.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [late] = (await get("/api/pipeline/ETH-USD/decisions")).json().data;
    expect(late).toMatchObject({ outcome: "accepted", alert_id: null, not_alerted: "alerts: bar_is_recent" });
  });

  it("200 for what is known of the symbol by now, all of it warm", async () => {
    const { data } = (await get("/api/pipeline/BTC-USD/indicators")).json();
    expect(data.mlmi.value).toEqual(expect.any(Number));
    expect(data.nwrqk.slope).toEqual(expect.any(Number));
    expect(data.average_true_range).toBeGreaterThan(0);
    const matrices = (await get("/api/pipeline/BTC-USD/matrices")).json().data;
    expect(matrices.map(({ rows: all }: { rows: unknown[] }) => all.length)).toEqual(
      matrices.map(({ filled }: { filled: number }) => filled),
    );
    expect(matrices[0].filled).toBe(48);
  });

  it("200 for its bars, page by page, as the ticks make them", async () => {
    const seen: { timestamp: string; count: number }[] = [];
    let before = "";
    do {
      const page = (await get(`/api/pipeline/BTC-USD/bars?interval=5m&limit=400${before}`)).json();
      seen.push(...page.data);
      before = page.next === null ? "" : `&before=${page.next}`;
    } while (before !== "");
    expect(seen).toHaveLength(BARS);
    expect(new Set(seen.map(({ timestamp }) => timestamp)).size).toBe(seen.length);
    expect(seen.every(({ count }) => count === 4)).toBe(true);
    expect((await get("/api/pipeline/BTC-USD/bars?interval=30m&limit=5000")).json().data).toHaveLength(
      BARS / 6,
    );
    const other = await get("/api/pipeline/BTC-USD/bars?interval=15m");
    expect(other.json()).toMatchObject({ code: "interval_unavailable" });
  });
});
