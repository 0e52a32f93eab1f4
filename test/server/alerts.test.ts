import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = (url: string, payload?: object) =>
  program.call({ method: "POST", url, ...(payload === undefined ? {} : { payload }) });

interface Alert {
  readonly id: number;
  readonly symbol: string;
  readonly status: string;
  readonly is_active: boolean;
  readonly quality_badge: string;
  readonly timestamp: string;
}

const ALERT = {
  id: expect.any(Number),
  symbol: expect.any(String),
  alert_type: expect.any(String),
  message: expect.any(String),
  confidence: null,
  confidence_pct: null,
  price: expect.any(Number),
  timestamp: expect.stringMatching(/Z$/),
  is_active: true,
  status: "active",
  model_version: null,
  model_hash: null,
  ml_score: null,
  score_id: null,
  ml_reason: expect.any(String),
  metadata: {
    timeframe: expect.any(String),
    explanation: expect.any(String),
    suggested_action: expect.toBeOneOf(["BUY", "SELL", "WATCH"]),
    confidence_pct: null,
    ml_enhanced: false,
    quality_badge: expect.any(String),
    timestamp_eat: expect.stringMatching(/\+03:00$/),
  },
};

describe("GET /api/get_active_alerts", () => {
  it("200 has the alerts at the top level, under each of its names", async () => {
    const body = await get("/api/get_active_alerts");
    expect(body.success).toBe(true);
    expect(body.alerts.length).toBeGreaterThanOrEqual(4);
    for (const alert of body.alerts) expect(alert).toMatchObject(ALERT);
    expect(await get("/api/get_active_alert")).toEqual(body);
    expect(await get("/api/alerts/active")).toEqual(body);
  });

  it("200 has entry, stop and target on the right sides for alerts with a direction", async () => {
    const { alerts } = await get("/api/get_active_alerts");
    const directed = alerts.filter(({ direction }: { direction: string }) => direction !== "neutral");
    expect(directed.length).toBeGreaterThan(0);
    for (const { direction, metadata } of directed) {
      const { entry, stop_loss, take_profit, rr } = metadata.risk_suggestions;
      const sign = direction === "bullish" ? 1 : -1;
      expect(sign * (take_profit - entry)).toBeGreaterThan(0);
      expect(sign * (entry - stop_loss)).toBeGreaterThan(0);
      expect(rr).toBeCloseTo(Math.abs((take_profit - entry) / (entry - stop_loss)), 9);
    }
  });

  it("400 names a parameter that it does not know", async () => {
    expectProblem(await program.call("/api/get_active_alerts?user_id=1"), "invalid_request", "query user_id");
  });
});

describe("GET /api/alerts", () => {
  it("200 has the same list as alerts and as data, newest first", async () => {
    const body = await get("/api/alerts?limit=3");
    expect(body.data).toEqual(body.alerts);
    expect(body.alerts).toHaveLength(3);
    const ids = body.alerts.map(({ id }: Alert) => id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(body.pagination).toEqual({ limit: 3, offset: 0, total: expect.any(Number) });
  });

  it("200 filters by symbol, badge and status", async () => {
    const { alerts, pagination } = await get("/api/alerts");
    const [{ symbol, quality_badge }] = alerts;
    const bySymbol = await get(`/api/alerts?symbol=${symbol}`);
    expect(bySymbol.alerts).toEqual(alerts.filter((alert: Alert) => alert.symbol === symbol));
    const byBadge = await get(`/api/alerts?quality=${quality_badge}`);
    expect(byBadge.alerts).toEqual(alerts.filter((alert: Alert) => alert.quality_badge === quality_badge));
    expect((await get("/api/alerts?status=active")).pagination.total).toBe(pagination.total);
    expect((await get("/api/alerts?status=accepted")).alerts).toEqual([]);
  });

  it.each([
    ["limit=501", "limit"],
    ["limit=99999999", "limit"],
    ["limit=1e3", "limit"],
    ["limit=1&limit=1000", "limit"],
    ["offset=-1", "offset"],
    ["quality=BEST", "quality"],
    ["status=open", "status"],
    ["sort=price;drop table alerts", "sort"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/alerts?${encodeURI(query)}`), "invalid_request", `query ${name}`);
  });

  it("400 and 404 for symbols", async () => {
    expectProblem(await program.call("/api/alerts?symbol=%24"), "symbol_invalid");
    expectProblem(await program.call("/api/alerts?symbol=ZZZZ"), "symbol_unknown");
  });
});

describe("GET /api/alerts/history", () => {
  it("200 keeps to a stretch of time", async () => {
    const all = (await get("/api/alerts/history")).pagination.total;
    expect(all).toBeGreaterThanOrEqual(4);
    expect((await get("/api/alerts/history?from=2000-01-01&to=2001-01-01")).pagination.total).toBe(0);
    expect((await get("/api/alerts/history?from=2000-01-01&to=9999-12-31")).pagination.total).toBe(all);
  });

  it.each([
    ["from=0000-01-01", "from"],
    ["to=soon", "to"],
    ["from=10000-01-01", "from"],
    ["status=all", "status"],
    ["quality=HIGH", "quality"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/alerts/history?${query}`), "invalid_request", `query ${name}`);
  });
});

describe("GET /api/alerts/stats", () => {
  it("200 has counts that add up", async () => {
    const { data } = await get("/api/alerts/stats?window=365");
    expect(data.active + data.dismissed + data.accepted + data.snoozed).toBe(data.total);
    const sum = (rows: { count: number }[]) => rows.reduce((all, { count }) => all + count, 0);
    // The most frequent types.
    expect(data.by_type.length).toBeLessThanOrEqual(25);
    if (data.by_type.length < 25) expect(sum(data.by_type)).toBe(data.total);
    else expect(sum(data.by_type)).toBeLessThanOrEqual(data.total);
    expect(sum(data.by_symbol)).toBe(data.total);
    expect(data).toMatchObject({ window_days: 365, avg_confidence: null, outcomes: { wins: 0, losses: 0 } });
  });

  it.each(["window=0", "window=366", "window=x"])("400 for %s", async (query) => {
    expectProblem(await program.call(`/api/alerts/stats?${query}`), "invalid_request", "query window");
  });
});

describe("GET /api/alerts/:id", () => {
  it("200 has evidence, verdicts and accuracy beside the alert", async () => {
    const { alerts } = await get("/api/alerts?limit=1");
    const { data } = await get(`/api/alerts/${alerts[0].id}`);
    expect(data).toMatchObject(alerts[0]);
    expect(Object.keys(data.layers)).toEqual(["rule_based", "deep_learning", "multi_timeframe", "sentiment"]);
    expect(data.layers.deep_learning).toMatchObject({ score: null, status: "unavailable" });
    expect(data.verdicts.length).toBeGreaterThan(3);
    expect(data.verdicts.every(({ passed }: { passed: boolean }) => passed)).toBe(true);
    expect(data.historical_accuracy).toMatchObject({ accuracy: null, sample_size: null });
  });

  it("404 for one that is not there", async () => {
    expectProblem(await program.call("/api/alerts/999999"), "alert_not_found", "999999");
    expectProblem(await program.call("/api/alerts/999999999999999"), "alert_not_found");
  });

  it.each(["0", "-1", "1.5", "1e2", "abc", "%201", "9007199254740993"])("400 for %s", async (id) => {
    expectProblem(await program.call(`/api/alerts/${id}`), "invalid_request", "params id");
  });
});

describe("GET /api/decisions", () => {
  it("200 pages backwards by id, each once", async () => {
    const seen: number[] = [];
    let next: number | null = null;
    for (let page = 0; page < 3; page++) {
      const query: string = next === null ? "" : `&before=${next}`;
      const body = await get(`/api/decisions?limit=30${query}`);
      seen.push(...body.data.map(({ id }: { id: number }) => id));
      next = body.next;
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
    expect(seen).toHaveLength(90);
  });

  it("200 tells accepted from refused, and by which rule", async () => {
    const accepted = (await get("/api/decisions?accepted=true&limit=500")).data;
    expect(accepted).toHaveLength((await get("/api/alerts")).pagination.total);
    expect(accepted.every(({ rule }: { rule: unknown }) => rule === null)).toBe(true);
    const stale = (await get("/api/decisions?rule=bar_is_new&limit=5")).data;
    for (const decision of stale) expect(decision).toMatchObject({ accepted: false, rule: "bar_is_new" });
  });

  it.each([
    ["rule=luck", "rule"],
    ["rule=cooldown_over", "rule"],
    ["of=patterns&rule=not_quiet", "rule"],
    ["accepted=yes", "accepted"],
    ["before=0", "before"],
    ["interval=9m", "interval"],
    ["pattern=%00", "pattern"],
    ["from=2024-02-01&to=2024-01-01", "to"],
    [`pattern=${"a".repeat(61)}`, "pattern"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/decisions?${query}`), "invalid_request", `query ${name}`);
  });
});

describe.each([
  ["/api/alerts/:id/dismiss", (id: number | string) => `/api/alerts/${id}/dismiss`],
  ["/api/alerts/dismiss/:id", (id: number | string) => `/api/alerts/dismiss/${id}`],
])("POST %s", (_name, urlOf) => {
  const someAlert = async (): Promise<Alert> => (await get("/api/get_active_alerts")).alerts[0];

  it("200 dismisses, without a body, with an empty one, with a reason, and again", async () => {
    const { id } = await someAlert();
    expect((await post(urlOf(id))).json()).toEqual({ success: true, message: `Alert ${id} is dismissed` });
    expect((await get(`/api/alerts/${id}`)).data).toMatchObject({ status: "dismissed", is_active: false });
    expect((await post(urlOf(id), {})).statusCode).toBe(200);
    expect((await post(urlOf(id), { reason: "noise" })).statusCode).toBe(200);
    const headers = { "content-type": "application/json" };
    const empty = await program.call({ method: "POST", url: urlOf(id), headers, payload: "" });
    expect(empty.statusCode).toBe(200);
    expect((await get("/api/alerts/active")).alerts.map((alert: Alert) => alert.id)).not.toContain(id);
  });

  it.each<[object, string]>([
    [{ reason: 1 }, "body reason"],
    [{ reason: "x".repeat(501) }, "body reason"],
    [{ reason: "a\0b" }, "body reason"],
    [{ status: "active" }, "body status"],
    [[], "body"],
  ])("400 for %j", async (payload, detail) => {
    const { id } = await someAlert();
    expectProblem(await post(urlOf(id), payload), "invalid_request", detail);
  });

  it("404 and 400 for ids", async () => {
    expectProblem(await post(urlOf(999_999)), "alert_not_found");
    expectProblem(await post(urlOf("x")), "invalid_request", "params id");
  });
});

describe("POST /api/handle_alert_response", () => {
  const answer = (payload: object) => post("/api/handle_alert_response", payload);
  const someId = async (): Promise<number> => (await get("/api/get_active_alerts")).alerts[0].id;

  it("200 understands both spellings, and ids as text", async () => {
    const first = await someId();
    const accepted = await answer({ alert_id: first, response: "accept", action: "buy" });
    expect(accepted.json()).toMatchObject({
      success: true,
      message: `Alert ${first} is accepted`,
      data: { id: first, status: "accepted", metadata: { response_action: "buy" } },
    });
    const second = await someId();
    const spelled = await answer({ alert_id: String(second), action: "accept" });
    expect(spelled.json().data).toMatchObject({
      id: second,
      status: "accepted",
      metadata: { response_action: null },
    });
  });

  it("200 snoozes for an hour", async () => {
    const id = await someId();
    const { data } = (await answer({ alert_id: id, response: "snooze" })).json();
    expect(data.status).toBe("snoozed");
    const leftMs = Date.parse(data.snoozed_until) - Date.now();
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
  });

  it.each<[object, string]>([
    [{}, "body alert_id"],
    [{ alert_id: 1 }, "body response"],
    [{ alert_id: 1, action: "buy" }, "body response"],
    [{ alert_id: 1, response: "ignore" }, "body response"],
    [{ alert_id: 1, response: "accept", action: "hold" }, "body action"],
    [{ alert_id: 0, response: "accept" }, "body alert_id"],
    [{ alert_id: 1.5, response: "accept" }, "body alert_id"],
    [{ alert_id: "1e3", response: "accept" }, "body alert_id"],
    [{ alert_id: true, response: "accept" }, "body alert_id"],
    [{ alert_id: [1], response: "accept" }, "body alert_id"],
    [{ alert_id: { not: 0 }, response: "accept" }, "body alert_id"],
    [{ alert_id: 1, response: "accept", user_id: "x" }, "body user_id"],
  ])("400 for %j names the field", async (payload, detail) => {
    expectProblem(await answer(payload), "invalid_request", detail);
  });

  it("404 for one that is not there", async () => {
    expectProblem(await answer({ alert_id: 999_999, response: "accept" }), "alert_not_found");
  });
});

describe("POST /api/log_outcome", () => {
  const log = (payload: object) => post("/api/log_outcome", payload);
  const good = { symbol: "BTC", pattern: "doji", outcome: "profit" };

  it("200 records it, with what the catalogue lets be given", async () => {
    const first = (await log(good)).json();
    const full = { ...good, outcome: "loss", pnl: -12.5, confidence: 85, trade_duration: 90 };
    const second = (await log(full)).json();
    expect(second.data.id).toBeGreaterThan(first.data.id);
    const [row] = await program.parts.database.query<{ confidence: number; pnl: string }>(
      "select confidence::float8, pnl::text from outcomes where id = $1",
      [second.data.id],
    );
    expect(row?.confidence).toBe(0.85);
    expect(Number(row?.pnl)).toBe(-12.5);
  });

  it.each<[object, string]>([
    [{ ...good, symbol: undefined }, "body symbol"],
    [{ ...good, outcome: "win" }, "body outcome"],
    [{ ...good, pattern: "" }, "body pattern"],
    [{ ...good, pattern: "\0" }, "body pattern"],
    [{ ...good, pnl: "5" }, "body pnl"],
    [{ ...good, pnl: "Infinity" }, "body pnl"],
    [{ ...good, pnl: null }, "body pnl"],
    [{ ...good, confidence: 101 }, "body confidence"],
    [{ ...good, confidence: -0.1 }, "body confidence"],
    [{ ...good, trade_duration: -1 }, "body trade_duration"],
    [{ ...good, balance: 1e9 }, "body balance"],
  ])("400 for %j names the field", async (payload, detail) => {
    expectProblem(await log(payload), "invalid_request", detail);
  });

  it("400 and 404 for symbols", async () => {
    expectProblem(await log({ ...good, symbol: "$" }), "symbol_invalid");
    expectProblem(await log({ ...good, symbol: "ZZZZ" }), "symbol_unknown");
  });
});
