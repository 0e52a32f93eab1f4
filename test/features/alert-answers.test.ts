import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { calibrate } from "../../src/core/learning/calibrate.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import { alertView } from "../../src/features/alerts/views.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createLayerStore } from "../../src/features/retraining/layer-store.js";
import { createLayerLoop } from "../../src/features/retraining/layers.js";
import type { Reading } from "../../src/features/signals/reading.js";
import { createLeases } from "../../src/platform/lease.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { silentLog } from "../fixtures/log.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const HOUR = 3_600_000;
const DAY = 86_400_000;

let testDatabase: TestDatabase;
let clock: ManualClock;
let program: TestProgram;
let apple: KnownInstrument;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  // The database keeps its own time: the clock starts with it.
  clock = createManualClock(Date.now());
  const environment = { MARKET_DATA: "yahoo", YAHOO_BASE_URL: "http://127.0.0.1:9" };
  program = await startTestProgram({ database: testDatabase, clock, environment });
});
afterAll(async () => {
  await program.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await program.parts.database.query("truncate instruments, events restart identity cascade");
  apple = await saveInstrument(program.parts.database, "AAPL");
});

/** Raises an alert on a bar and gives its id. */
async function raise(place = 0, instrument = apple, pattern = "hammer"): Promise<number> {
  const { database, alerts } = program.parts;
  const row = detectionAt(instrument, 10 * place, { pattern });
  const [candidate] = await recordCandidates(database, instrument, [row]);
  const { raised } = await database.transaction((sql) => alerts.consider(sql, [candidate], true));
  return raised[0].id;
}

const post = async (url: string, payload: object = {}) => {
  const answer = await program.server.inject({ method: "POST", url, payload });
  return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
};
const get = async (url: string) => {
  const answer = await program.server.inject(url);
  return { status: answer.statusCode, body: answer.json() as Record<string, never> };
};
const activeIds = async () => (await program.parts.alerts.listActive(50)).map(({ id }) => id);
const eventsOf = async () =>
  (
    await program.parts.database.query<{ payload: { kind: string; alert: { status: string } } }>(
      "select payload from events order by seq",
    )
  ).map(({ payload }) => `${payload.kind} ${payload.alert.status}`);

describe("an answer", () => {
  it.each([
    [{ response: "accept", action: "buy" }, "accepted", "buy"],
    [{ response: "accept" }, "accepted", null],
    [{ response: "dismiss", action: "watch", reason: "no volume" }, "dismissed", "watch"],
    [{ response: "snooze", action: "watch" }, "snoozed", "watch"],
    // The other spelling: the kind in place of the action.
    [{ action: "accept" }, "accepted", null],
    [{ action: "dismiss" }, "dismissed", null],
    [{ action: "snooze" }, "snoozed", null],
  ])("of %j makes the alert %s", async (body, status, action) => {
    const id = await raise();
    const answer = await post("/api/handle_alert_response", { alert_id: id, ...body });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      success: true,
      message: `Alert ${id} is ${status}`,
      data: { id, status },
    });
    const { alert } = await program.parts.alerts.get(id);
    expect(alert).toMatchObject({ status, responseAction: action, respondedAt: clock.now() });
    expect(await activeIds()).toEqual([]);
    expect(await eventsOf()).toEqual(["created active", `updated ${status}`]);
  });

  it.each(["/api/alerts/ID/dismiss", "/api/alerts/dismiss/ID"])("at %s dismisses it", async (url) => {
    const id = await raise();
    const answer = await post(url.replace("ID", String(id)), { reason: "seen" });
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
    const [row] = await program.parts.database.query("select status::text, response_reason from alerts");
    expect(row).toEqual({ status: "dismissed", response_reason: "seen" });
  });

  it("to an alert that there is not, or of another market, changes nothing", async () => {
    const { database } = program.parts;
    const twin = await saveInstrument(database, "AAPL", { synthetic: true });
    await raise();
    await database.query("update alerts set instrument_id = $1", [twin.id]);
    const [{ id }] = await database.query<{ id: number }>("select id from alerts");
    for (const wanted of [id, id + 1]) {
      const body = { alert_id: wanted, response: "accept" };
      expect(await post("/api/handle_alert_response", body)).toMatchObject({
        status: 404,
        body: { success: false, code: "alert_not_found" },
      });
    }
    expect(await database.query("select 1 from alerts where status <> 'active'")).toEqual([]);
    expect(await eventsOf()).toEqual(["created active"]);
  });

  it("may be given again and be changed: the last one counts", async () => {
    const id = await raise();
    const { alerts } = program.parts;
    await alerts.respond(id, "accept", "buy", null);
    await alerts.respond(id, "accept", "buy", null);
    await alerts.respond(id, "snooze", null, null);
    const last = await alerts.respond(id, "dismiss", null, "after all");
    expect(last).toMatchObject({ status: "dismissed", responseAction: null, snoozedUntil: null });
    expect((await alerts.get(id)).alert).toEqual(last);
    expect(await activeIds()).toEqual([]);
    expect((await eventsOf()).at(-1)).toBe("updated dismissed");
  });

  it("given by many at once leaves one of them, and the newest event says which", async () => {
    const id = await raise();
    const { alerts } = program.parts;
    const kinds = ["accept", "dismiss", "snooze"] as const;
    await Promise.all(Array.from({ length: 12 }, (_, i) => alerts.respond(id, kinds[i % 3], null, null)));
    const { alert } = await alerts.get(id);
    expect((await eventsOf()).at(-1)).toBe(`updated ${alert.status}`);
    expect(await eventsOf()).toHaveLength(13);
  });

  it("that cannot be read is refused", async () => {
    const id = await raise();
    for (const body of [
      {},
      { alert_id: id },
      { alert_id: id, response: "maybe" },
      { alert_id: "x", response: "accept" },
      { alert_id: id, response: "accept", action: "dismiss" },
      { alert_id: id, response: "snooze", action: "accept" },
      ...["buy", "sell"].map((action) => ({ alert_id: id, response: "dismiss", action })),
      { alert_id: id, response: "accept", snooze_minutes: 5 },
      ...[0, 1.5, 10_081].map((snooze_minutes) => ({ alert_id: id, response: "snooze", snooze_minutes })),
    ]) {
      expect((await post("/api/handle_alert_response", body)).status, JSON.stringify(body)).toBe(400);
    }
    expect(await activeIds()).toEqual([id]);
  });
});

describe("a snooze", () => {
  it("ends after an hour: the alert is active again in every list, and counts as such", async () => {
    const id = await raise();
    const { alerts } = program.parts;
    await alerts.respond(id, "snooze", null, null);
    const until = clock.now() + HOUR;
    const look = async () => {
      const { alert } = await alerts.get(id);
      const statistics = await alerts.statistics(30);
      return {
        status: alert.status,
        until: alert.snoozedUntil,
        view: alertView(alert).is_active,
        active: (await alerts.listActive(9)).length,
        listed: (await alerts.list({ status: "active" }, 9, 0)).total,
        asleep: (await alerts.list({ status: "snoozed" }, 9, 0)).rows.length,
        counts: [statistics.active, statistics.snoozed],
      };
    };
    const asleep = { status: "snoozed", until, view: false, active: 0, listed: 0, asleep: 1, counts: [0, 1] };
    const awake = {
      status: "active",
      until: null,
      view: true,
      active: 1,
      listed: 1,
      asleep: 0,
      counts: [1, 0],
    };
    expect(await look()).toEqual(asleep);
    clock.advance(HOUR - 1);
    expect(await look()).toEqual(asleep);
    clock.advance(1);
    expect(await look()).toEqual(awake);
    const { body } = await get("/api/get_active_alerts");
    expect(body.alerts).toMatchObject([{ id, status: "active", is_active: true, snoozed_until: null }]);
  });

  it("lasts as long as is asked for, and its end is told once, by whichever process sees it first", async () => {
    const [id, other, answered] = [await raise(), await raise(1), await raise(2)];
    const { alerts } = program.parts;
    const body = { alert_id: id, response: "snooze", snooze_minutes: 5 };
    const snoozed = await post("/api/handle_alert_response", body);
    const until = new Date(clock.now() + 5 * 60_000).toISOString();
    expect(snoozed.body.data).toMatchObject({ status: "snoozed", snoozed_until: until });
    await alerts.respond(other, "snooze", null, null, DAY);
    await alerts.respond(answered, "snooze", null, null, 60_000);
    await alerts.respond(answered, "dismiss", null, null);
    clock.advance(5 * 60_000 - 1);
    expect(await alerts.wake()).toBe(0);
    clock.advance(1);
    const before = (await eventsOf()).length;
    const woken = await Promise.all(Array.from({ length: 4 }, () => alerts.wake()));
    expect(woken.reduce((sum, count) => sum + count, 0)).toBe(1);
    const rows = await program.parts.database.query("select topic, payload from events order by seq");
    expect(rows.slice(before)).toMatchObject([
      { topic: "alerts", payload: { kind: "updated", alert: { id, status: "active", is_active: true } } },
    ]);
    expect(program.parts.health.loops()).toContainEqual(expect.objectContaining({ name: "alert-snoozes" }));
  });

  it("can be taken back", async () => {
    const id = await raise();
    await program.parts.alerts.respond(id, "snooze", null, null);
    await program.parts.alerts.respond(id, "accept", "sell", null);
    clock.advance(2 * HOUR);
    expect((await program.parts.alerts.get(id)).alert).toMatchObject({
      status: "accepted",
      snoozedUntil: null,
    });
  });
});

describe("statistics", () => {
  it("count what was raised since, by state, pattern and symbol, with means and outcomes", async () => {
    const { database, alerts } = program.parts;
    const coke = await saveInstrument(database, "KO");
    const ids = [
      await raise(0),
      await raise(1),
      await raise(2, coke),
      await raise(3, apple, "doji"),
      await raise(4),
    ];
    await alerts.respond(ids[0], "accept", "buy", null);
    await alerts.respond(ids[1], "dismiss", null, null);
    await alerts.respond(ids[2], "snooze", null, null);
    await database.query("update alerts set confidence = 0.6, score = 0.6 where id = $1", [ids[0]]);
    await database.query("update alerts set created_at = now() - interval '40 days' where id = $1", [ids[4]]);
    for (const outcome of ["profit", "profit", "loss", "breakeven"]) {
      const logged = await post("/api/log_outcome", { symbol: "AAPL", pattern: "hammer", outcome });
      expect(logged.status).toBe(200);
    }
    const statistics = await alerts.statistics(30);
    expect(statistics).toMatchObject({ total: 4, active: 1, dismissed: 1, accepted: 1, snoozed: 1 });
    expect(statistics.byType.map(({ pattern, count }) => `${pattern} ${count}`)).toEqual([
      "hammer 3",
      "doji 1",
    ]);
    expect(statistics.byType[0].score).toBeCloseTo(0.8, 12);
    expect(statistics.bySymbol).toEqual([
      { symbol: "AAPL", count: 3 },
      { symbol: "KO", count: 1 },
    ]);
    expect(statistics.averageConfidence).toBe(0.6);
    expect(statistics.averageScore).toBeCloseTo(0.825, 12);
    const { reported, settled } = await program.parts.outcomes.counts(program.parts.now() - 30 * DAY);
    expect(reported).toEqual({ wins: 2, losses: 1, winRate: 2 / 3 });
    expect(settled).toMatchObject({ wins: 0, losses: 0, winRate: null, meanR: null });
    expect((await alerts.statistics(60)).total).toBe(5);
  });

  it("of nothing are zeros and nulls", async () => {
    const none = await program.parts.alerts.statistics(30);
    expect(none).toEqual({
      total: 0,
      active: 0,
      dismissed: 0,
      accepted: 0,
      snoozed: 0,
      byType: [],
      bySymbol: [],
      averageConfidence: null,
      averageScore: null,
    });
  });
});

describe("lists", () => {
  it("are paged newest first and filtered by symbol, state, pattern, badge and time", async () => {
    const { database, alerts } = program.parts;
    const coke = await saveInstrument(database, "KO");
    const ids = [
      await raise(0),
      await raise(1),
      await raise(2, coke),
      await raise(3, apple, "doji"),
      await raise(4),
    ];
    await database.query("update alerts set score = 0.7 where id = $1", [ids[1]]);
    const list = async (query: string) => {
      const { body } = await get(`/api/alerts?${query}`);
      const {
        alerts: rows,
        data,
        pagination,
      } = body as unknown as {
        alerts: { id: number }[];
        data: unknown;
        pagination: { total: number };
      };
      expect(data).toEqual(rows);
      return { ids: rows.map(({ id }) => ids.indexOf(id)), total: pagination.total };
    };
    expect(await list("limit=2")).toEqual({ ids: [4, 3], total: 5 });
    expect(await list("limit=2&offset=4")).toEqual({ ids: [0], total: 5 });
    expect(await list("symbol=ko")).toEqual({ ids: [2], total: 1 });
    expect(await list("quality=GOOD")).toEqual({ ids: [1], total: 1 });
    expect(await list("quality=ELITE&status=active")).toEqual({ ids: [4, 3, 2, 0], total: 4 });
    await alerts.respond(ids[4], "dismiss", null, null);
    expect(await list("status=dismissed")).toEqual({ ids: [4], total: 1 });
    expect((await alerts.list({ pattern: "doji" }, 9, 0)).rows.map(({ id }) => id)).toEqual([ids[3]]);
    const [{ at }] = await database.query<{ at: Date }>("select created_at as at from alerts where id = $1", [
      ids[2],
    ]);
    expect(
      (await alerts.list({ from: at.getTime(), to: at.getTime() + 1 }, 9, 0)).rows.map(({ id }) => id),
    ).toContain(ids[2]);
    expect((await alerts.list({ from: at.getTime() + DAY }, 9, 0)).total).toBe(0);
  });

  it("of decisions are paged by id and filtered by rule and verdict", async () => {
    const ids = [await raise(0), await raise(1)];
    const { database, alerts } = program.parts;
    const [late] = await recordCandidates(database, apple, [detectionAt(apple, 20)], { fresh: false });
    await database.transaction((sql) => alerts.consider(sql, [late], true));
    const newest = await alerts.decisions({}, 2);
    expect(newest.map(({ rule }) => rule)).toEqual(["bar_is_new", null]);
    const rest = await alerts.decisions({ before: newest[1].id }, 2);
    expect(rest).toHaveLength(1);
    expect(await alerts.decisions({ accepted: true }, 9)).toHaveLength(ids.length);
    expect(await alerts.decisions({ rule: "bar_is_new", symbol: "AAPL", interval: "5m" }, 9)).toHaveLength(1);
    expect(await alerts.decisions({ pattern: "hammer", symbol: "KO" }, 9)).toEqual([]);
    expect(await alerts.decisions({ from: Date.now() + DAY }, 9)).toEqual([]);
    const { body } = await get("/api/decisions?limit=2&symbol=aapl");
    expect(body).toMatchObject({
      data: [{ rule: "bar_is_new", accepted: false }, { rule: null }],
      next: newest[1].id,
    });
  });
});

describe("the layers of an alert", () => {
  it("are kept as of the close of its bar, once, and told with the chance of their composite", async () => {
    const id = await raise();
    const before = (await get(`/api/alerts/${id}`)).body.data as Record<string, unknown>;
    expect(before).toMatchObject({
      ...{ layers_as_of: null, composite_score: null, composite_probability: null },
      composite_probability_reason: expect.stringContaining("not been read"),
      layers: { rule_based: { score: 100 * Number(before.score), weight: 1 } },
    });
    const asked: unknown[] = [];
    const silent = { value: null, reason: "silent" };
    const inputs = {
      ...{ rules: { value: 0.4 }, deep: silent },
      ...{ multi_timeframe: { value: -0.2 }, sentiment: silent },
    };
    const weights = { ...LAYER_WEIGHTS, rules: 0.6, multi_timeframe: 0.1 };
    const calibrator = { kind: "platt" as const, slope: 2, intercept: -1 };
    const learned = { version: "1.2.0", stack: { weights, calibrator, samples: 99 } };
    const { database } = program.parts;
    const loop = createLayerLoop({
      store: createLayerStore(database, { synthetic: false, replay: null }),
      signals: {
        readAsOf: async (symbol, interval, asOf) => {
          asked.push([symbol, interval, asOf]);
          const main = { deep: { netId: null } };
          return { inputs, weighing: { weights, learned }, main } as unknown as Reading;
        },
      },
      leases: createLeases(database, "one"),
      log: silentLog,
    });
    for (let pass = 0; pass < 2; pass++) await loop.run(0, new AbortController().signal);
    const closedMs = Date.parse(String(before.closed_at));
    expect(asked).toEqual([["AAPL", before.interval, { closedByMs: closedMs, madeByMs: closedMs }]]);
    const { data } = (await get(`/api/alerts/${id}`)).body as unknown as { data: Record<string, number> };
    const towards = before.direction === "bullish" ? 1 : -1;
    const composite = 50 + (towards * (0.6 * 20 - 0.1 * 10)) / 0.7;
    expect(data.composite_score).toBeCloseTo(composite, 10);
    expect(data.composite_probability).toBeCloseTo(calibrate(calibrator, composite / 100), 10);
    expect(data).toMatchObject({
      ...{
        layers_as_of: before.closed_at,
        composite_model_version: "1.2.0",
        composite_probability_reason: null,
      },
      layers: {
        rule_based: { score: 50 + towards * 20 },
        deep_learning: { score: null, status: "unavailable" },
      },
    });
  });
});
