import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Clock, systemClock } from "../../src/platform/clock.js";
import { COINS, FILES_END_MS, writeMarketFiles } from "../fixtures/candle-files.js";
import { eventually } from "../fixtures/faults.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { type Frame, openSocket, type TestSocket } from "../fixtures/socket.js";

/** Files in, alerts out: through REST and WebSocket alone, as a stranger would. */

interface AlertBody {
  readonly id: number;
  readonly symbol: string;
  readonly pattern: string;
  readonly interval: string;
  readonly price: number;
  readonly bar_time: string;
  readonly closed_at: string;
  readonly timestamp: string;
  readonly status: string;
  readonly quality_badge: string;
  readonly score: number;
  readonly detection_id: number;
}
interface DetectionBody {
  readonly state: string;
  readonly id: number;
  readonly symbol: string;
  readonly pattern_type: string;
  readonly interval: string;
  readonly price: number;
  readonly bar_time: string;
}

let folder: string;
let program: TestProgram;
const sockets: TestSocket[] = [];
beforeAll(() => {
  folder = writeMarketFiles(mkdtempSync(join(tmpdir(), "tx-story-")));
});
afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
  await program.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program over the folder, started and listening, with a client on its sockets. */
async function begin(
  environment: Record<string, string>,
  topics: string,
  clock: Clock = systemClock,
): Promise<TestSocket> {
  program = await startTestProgram({
    clock,
    environment: {
      MARKET_DATA: "files",
      FILES_DIR: folder,
      ALERT_CONFIDENCE_THRESHOLD: "0",
      ALERT_DEDUPE_MINUTES: "0",
      ...environment,
    },
  });
  const address = await program.listen();
  program.parts.startLoops();
  const socket = await openSocket(address, { query: `topics=${topics}` });
  sockets.push(socket);
  await socket.heard(({ type }) => type === "subscribed");
  return socket;
}

async function get<T>(url: string): Promise<T> {
  const answer = await program.call(url);
  expect(answer.statusCode, url).toBe(200);
  return answer.json() as T;
}
async function post<T>(url: string, payload: object): Promise<T> {
  const answer = await program.call({ method: "POST", url, payload });
  expect(answer.statusCode, url).toBe(200);
  return answer.json() as T;
}
const listAlerts = async (query = "") =>
  (await get<{ alerts: AlertBody[]; pagination: { total: number } }>(`/api/alerts?limit=500${query}`)).alerts;
const listDetections = async () => {
  const logs: DetectionBody[] = [];
  for (let total = 1; logs.length < total; ) {
    const { data } = await get<{ data: { logs: DetectionBody[]; pagination: { total: number } } }>(
      `/api/detection_logs?limit=1000&offset=${logs.length}`,
    );
    ({ total } = data.pagination);
    logs.push(...data.logs);
  }
  return logs;
};

const on = (topic: string) => (frame: Frame) => frame.type === "event" && frame.topic === topic;
const told = ({ frames }: TestSocket, kind: string): AlertBody[] =>
  frames
    .filter(on("alerts"))
    .map(({ data }) => data as { kind: string; alert: AlertBody })
    .filter((data) => data.kind === kind)
    .map(({ alert }) => alert);
const byId = (a: { id: number }, b: { id: number }) => a.id - b.id;
const byName = (a: string, b: string) => (a < b ? -1 : 1);

/** Rows of a file by the time that they bear. */
function rowsOf(symbol: string, interval: string): Map<string, Record<string, number>> {
  const rows = parse(readFileSync(join(folder, `${symbol}-${interval}.csv`)), { columns: true }) as Record<
    string,
    string
  >[];
  return new Map(
    rows.map(({ timestamp, ...values }) => [
      timestamp,
      Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)])),
    ]),
  );
}

describe("recorded history", () => {
  it("is scanned when asked, and its alerts come over both ways, are answered, counted and exported", {
    timeout: 60_000,
  }, async () => {
    // Alerts are of bars that have just closed: they are asked for when the files end.
    let now = () => FILES_END_MS + systemClock.elapsed();
    const clock = { ...systemClock, now: () => now() };
    const socket = await begin({ SCAN_INTERVALS: "5m,15m,1d" }, "alerts,scan", clock);
    const { data: symbols } = await get<{ data: { symbol: string }[] }>("/api/symbols");
    expect(symbols.map(({ symbol }) => symbol).sort(byName)).toEqual(["AAPL", ...COINS].sort(byName));
    expect(await listAlerts()).toEqual([]);

    await post("/api/scan/start", { interval: 3_600 });
    const scan = (await socket.heard(on("scan"))).data as Record<string, number>;
    now = systemClock.now;
    // Six coins have 200 bars of two intervals and five days; AAPL has 200 days.
    const bars = 6 * (200 + 200 + 5) + 200;
    expect(scan).toMatchObject({ kind: "finished", symbols: 7, failures: 0, bars });
    await eventually("every alert", () => told(socket, "created").length === scan.alerts);
    expect(scan.alerts).toBeGreaterThan(3);

    const alerts = await listAlerts();
    expect([...alerts].sort(byId)).toEqual([...told(socket, "created")].sort(byId));
    expect((await get<{ alerts: AlertBody[] }>("/api/get_active_alerts")).alerts).toEqual(
      alerts.slice(0, 50),
    );
    const detections = await listDetections();
    expect(detections).toHaveLength(scan.detections);
    expect(new Set(detections.map(({ id }) => id)).size).toBe(detections.length);
    for (const alert of alerts) {
      const detection = ensure(
        detections.find(({ id }) => id === alert.detection_id),
        "its detection",
      );
      expect(detection).toMatchObject({
        symbol: alert.symbol,
        pattern_type: alert.pattern,
        interval: alert.interval,
        price: alert.price,
        bar_time: alert.bar_time,
      });
      // The price of an alert is what the file says was the last close.
      if (alert.interval !== "5m") continue;
      const rows = rowsOf(alert.symbol, "5m");
      expect(alert.price).toBe([...rows.values()].at(-1)?.close);
      expect(alert.bar_time).toBe([...rows.keys()].at(-1));
    }
    const { data: status } = await get<{ data: object }>("/api/scan/status");
    expect(status).toMatchObject({
      active: true,
      scans: 1,
      symbols_scanned: 7,
      patterns_found: detections.length,
      alerts_raised: alerts.length,
    });
    // What forms, fails or expires is nothing to decide on.
    const confirmed = detections.filter(({ state }) => state === "confirmed");
    await expectDecisions(confirmed.length, alerts);
    await expectAnswers(socket, alerts);
    await expectCounts(detections, alerts.length);
    await expectResumed(socket);
    await post("/api/scan/stop", {});
    expect((await get<{ data: object }>("/api/scan/status")).data).toMatchObject({ active: false });
  });

  /** Each detection has a decision, and those that were accepted are the alerts. */
  async function expectDecisions(count: number, alerts: readonly AlertBody[]): Promise<void> {
    const decisions: {
      id: number;
      accepted: boolean;
      rule: string | null;
      symbol: string;
      pattern: string;
    }[] = [];
    for (let next: number | null = 0; next !== null; ) {
      const page: { data: typeof decisions; next: number | null } = await get(
        `/api/decisions?limit=100${next === 0 ? "" : `&before=${next}`}`,
      );
      decisions.push(...page.data);
      ({ next } = page);
    }
    expect(decisions).toHaveLength(count);
    const accepted = decisions.filter(({ accepted }) => accepted);
    const name = ({ symbol, pattern }: { symbol: string; pattern: string }) => `${symbol} ${pattern}`;
    expect(accepted.map(name).sort()).toEqual(alerts.map(name).sort());
    for (const { accepted, rule } of decisions) expect(rule === null).toBe(accepted);
    const [{ id }] = alerts;
    const { data } = await get<{ data: { verdicts: { passed: boolean }[] } }>(`/api/alerts/${id}`);
    expect(data.verdicts.length).toBe(10);
    expect(data.verdicts.every(({ passed }) => passed)).toBe(true);
  }

  /** Answers are told to all, and lists go by them. */
  async function expectAnswers(socket: TestSocket, alerts: readonly AlertBody[]): Promise<void> {
    const [accepted, dismissed, snoozed] = alerts;
    await post("/api/handle_alert_response", { alert_id: accepted.id, response: "accept", action: "buy" });
    await post(`/api/alerts/${dismissed.id}/dismiss`, { reason: "not today" });
    await post("/api/handle_alert_response", { alert_id: snoozed.id, response: "snooze" });
    await eventually("three answers", () => told(socket, "updated").length === 3);
    expect(told(socket, "updated").map(({ id, status }) => [id, status])).toEqual([
      [accepted.id, "accepted"],
      [dismissed.id, "dismissed"],
      [snoozed.id, "snoozed"],
    ]);
    const rest = alerts.slice(3).map(({ id }) => id);
    expect((await listAlerts("&status=active")).map(({ id }) => id)).toEqual(rest);
    for (const { id, status } of told(socket, "updated")) {
      expect((await listAlerts(`&status=${status}`)).map((alert) => alert.id)).toEqual([id]);
    }
    const { symbol } = alerts[0];
    const ofSymbol = alerts.filter((alert) => alert.symbol === symbol).map(({ id }) => id);
    expect((await listAlerts(`&symbol=${symbol}`)).map(({ id }) => id)).toEqual(ofSymbol);
    const badges = [...new Set(alerts.map(({ quality_badge }) => quality_badge))];
    const byBadge = await Promise.all(badges.map((badge) => listAlerts(`&quality=${badge}`)));
    expect(byBadge.map((list) => list.length).reduce((a, b) => a + b, 0)).toBe(alerts.length);
  }

  /** Statistics, metrics and the export say the same as the lists. */
  async function expectCounts(detections: readonly DetectionBody[], alerts: number): Promise<void> {
    const { data: stats } = await get<{
      data: Record<string, number> & { by_type: { count: number }[]; by_symbol: { count: number }[] };
    }>("/api/alerts/stats");
    expect(stats).toMatchObject({ total: alerts, accepted: 1, dismissed: 1, snoozed: 1, active: alerts - 3 });
    const sum = (list: readonly { count: number }[]) => list.reduce((total, { count }) => total + count, 0);
    expect(sum(stats.by_type)).toBe(alerts);
    expect(sum(stats.by_symbol)).toBe(alerts);
    const { data: patterns } = await get<{ data: { pattern: string; count: number }[] }>(
      "/api/pattern-stats",
    );
    for (const { pattern, count } of patterns) {
      expect(detections.filter(({ pattern_type }) => pattern_type === pattern)).toHaveLength(count);
    }
    expect(sum(patterns)).toBe(detections.length);
    const { data: byDay } = await get<{
      data: { daily_detections: { count: number }[]; top_symbols: { symbol: string; count: number }[] };
    }>("/api/detection_stats");
    expect(sum(byDay.daily_detections)).toBe(detections.length);
    for (const { symbol, count } of byDay.top_symbols) {
      expect(detections.filter((detection) => detection.symbol === symbol)).toHaveLength(count);
    }
    const { data: file } = await get<{ data: { csv_content: string; record_count: number } }>(
      "/api/export_detection_logs?days=3650",
    );
    const rows = parse(file.csv_content, { columns: true }) as Record<string, string>[];
    expect(file.record_count).toBe(detections.length);
    expect(rows.map(({ id, symbol, price }) => [Number(id), symbol, Number(price)])).toEqual(
      detections.map(({ id, symbol, price }) => [id, symbol, price]),
    );
    const { latest_id } = await get<{ latest_id: number }>("/api/get_latest_detection_id");
    expect(latest_id).toBe(detections[0].id);
    const metrics = (await program.call("/metrics")).body;
    const counted = [...metrics.matchAll(/^tx_alerts_total\{.*\} (\d+)$/gm)].map(([, value]) =>
      Number(value),
    );
    expect(counted.reduce((a, b) => a + b, 0)).toBe(alerts);
  }

  /** One who comes later, or was away, hears all there was. */
  async function expectResumed(socket: TestSocket): Promise<void> {
    const events = socket.frames.filter(on("alerts"));
    const late = await openSocket(String(program.server.listeningOrigin));
    sockets.push(late);
    late.send({ type: "subscribe", topics: ["alerts"], since: { alerts: events[0].seq } });
    await late.heard(({ type }) => type === "resumed");
    expect(late.frames.filter(on("alerts"))).toEqual(events.slice(1));
  }
});

describe("a replay", () => {
  it("is told bar by bar as it goes: candles as in the file, detections, and alerts on bars that just closed", async () => {
    const from = Date.parse("2024-01-04T00:00Z");
    const socket = await begin(
      {
        SCAN_INTERVALS: "5m",
        SCAN_SYMBOLS: "BTC-USD,ETH-USD",
        FILES_REPLAY_FROM: "2024-01-04",
        FILES_REPLAY_SPEED: "600",
      },
      "alerts,scan,candles:BTC-USD:5m",
    );
    await post("/api/scan/start", { interval: 1 });
    const bars = () => socket.frames.filter(on("candles:BTC-USD:5m"));
    await eventually(
      "six bars and four alerts",
      () => bars().length >= 6 && told(socket, "created").length >= 4,
      15_000,
    );
    await post("/api/scan/stop", {});
    const scans = () => socket.frames.filter(on("scan")).length;
    const { data: status } = await get<{ data: { scans: number; alerts_raised: number } }>(
      "/api/scan/status",
    );
    await eventually("the scan underway to end", () => scans() >= status.scans);

    const rows = rowsOf("BTC-USD", "5m");
    for (const { data } of bars()) {
      const { timestamp, closed_at, source, synthetic, ...values } = data as Record<string, string>;
      expect(Date.parse(closed_at)).toBe(Date.parse(timestamp) + 300_000);
      expect(values).toEqual(rows.get(String(timestamp)));
      expect({ source, synthetic }).toEqual({ source: "files", synthetic: false });
    }
    const times = bars().map(({ data }) => (data as { timestamp: string }).timestamp);
    expect(times).toEqual([...new Set(times)].sort());
    const alerts = await listAlerts();
    await eventually("every alert", () => told(socket, "created").length === alerts.length);
    expect([...alerts].sort(byId)).toEqual([...told(socket, "created")].sort(byId));
    expect(new Set(alerts.map(({ detection_id }) => detection_id)).size).toBe(alerts.length);
    for (const alert of alerts) {
      expect(alert.price).toBe(rowsOf(alert.symbol, "5m").get(alert.bar_time)?.close);
      expect(Date.parse(alert.closed_at)).toBeGreaterThanOrEqual(from);
    }
    // What was seen live lies after the start of the replay.
    const detected = (await listDetections()).map(({ bar_time }) => Date.parse(bar_time));
    expect(Math.max(...detected)).toBeGreaterThanOrEqual(from);
  });
});
