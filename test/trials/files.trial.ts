import { appendFileSync, chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { sharedPath } from "../fixtures/shared.js";
import { quantile } from "./load.js";
import { startProcess, type TxProcess } from "./process.js";

const daily = sharedPath("data", "daily");
const intraday = sharedPath("data", "intraday");
const REPLAY_S = Number(process.env.TRIAL_REPLAY_S ?? 60);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Heard {
  readonly id: number;
  readonly seq: number;
  /** When it arrived, epoch ms. */
  readonly at: number;
}

/** Subscribes to alerts and keeps what comes. */
async function listenToAlerts(url: string): Promise<{ heard: Heard[]; close(): void }> {
  const heard: Heard[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws?topics=alerts`);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.on("message", (raw) => {
      const at = Date.now();
      const frame = JSON.parse(String(raw)) as {
        type: string;
        seq: number;
        data: { alert: { id: number } };
      };
      if (frame.type === "subscribed") resolve();
      if (frame.type !== "event") return;
      heard.push({ id: frame.data.alert.id, seq: frame.seq, at });
    });
  });
  return { heard, close: () => socket.close() };
}

/** Starts on a cluster that keeps the times of commits. */
async function start(name: string, environment: Record<string, string>): Promise<TxProcess> {
  const idle = { MARKET_DATA: "yahoo", ENABLE_BACKGROUND_WORKERS: "false" };
  await stop(await startProcess({ DATA_DIR: join(folder, name), ...idle }));
  appendFileSync(join(folder, name, "postgres", "postgresql.auto.conf"), "track_commit_timestamp = on\n");
  return startProcess({
    DATA_DIR: join(folder, name),
    MARKET_DATA: "files",
    ALERT_CONFIDENCE_THRESHOLD: "0.5",
    RATE_LIMIT_MULTIPLIER: "10000",
    ...environment,
  });
}

async function query<Row extends object>(name: string, text: string): Promise<Row[]> {
  const host = join(folder, name, "postgres.run");
  const client = new pg.Client({ host, port: 5432, user: "postgres", database: "postgres" });
  await client.connect();
  const { rows } = await client.query<Row>(text);
  await client.end();
  return rows;
}

/** Prints and returns how long after its commit each event was here, in ms. */
async function delaysOf(name: string, heard: readonly Heard[]): Promise<number[]> {
  const rows = await query<{ seq: number; at: number }>(
    name,
    `select seq::int, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as at
     from events where topic = 'alerts'`,
  );
  const commits = new Map(rows.map(({ seq, at }) => [seq, at]));
  const delays = heard.map(({ seq, at }) => at - (commits.get(seq) ?? Number.NaN));
  const text = (ms: number) => `${ms.toFixed(1)} ms`;
  process.stdout.write(
    `${name}: ${heard.length} alerts over WebSocket, delay from commit p50 ${text(quantile(delays, 0.5))}, ` +
      `p99 ${text(quantile(delays, 0.99))}, longest ${text(Math.max(...delays))}\n`,
  );
  return delays;
}

/** How long the event loop was held up since the start, or since this was asked last. */
async function reportLag(what: string, { url }: TxProcess): Promise<void> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const ms = (name: string) => {
    const [, value] = new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)$`, "m").exec(text) ?? [];
    return (1_000 * Number(value)).toFixed(0);
  };
  process.stdout.write(
    `${what}: event loop delay p50 ${ms("p50")} ms, p99 ${ms("p99")} ms, longest ${ms("max")} ms\n`,
  );
}

async function stop(program: TxProcess): Promise<void> {
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
}

describe.skipIf(daily === null || intraday === null)("files of real markets", () => {
  it("are stored and scanned whole, and raise no alerts on bars of years ago", async () => {
    const program = await start("history", {
      FILES_DIR: `${daily},${intraday}`,
      SCAN_INTERVALS: "1m,5m,15m,1h,1d",
    });
    const scan = await program.seen(({ msg }) => msg === "scan finished");
    const symbols = ((await (await fetch(`${program.url}/api/symbols`)).json()) as { data: unknown[] }).data
      .length;
    await program.seen(({ msg }) => msg === "history imported");
    const [counts] = await query<Record<"candles" | "series" | "detections" | "alerts", number>>(
      "history",
      `select (select count(*)::int from candles) as candles,
         (select count(*)::int from (select distinct instrument_id, interval from candles) s) as series,
         (select count(*)::int from detections) as detections, (select count(*)::int from alerts) as alerts`,
    );
    const refused = program.records
      .filter(({ msg }) => msg === "file is not used")
      .map(({ file, reason }) => ({ file, reason }));
    const decided = (await (
      await fetch(`${program.url}/api/decisions?rule=source_is_current&limit=500`)
    ).json()) as { data: { bar_time: string }[] };
    process.stdout.write(
      `${symbols} symbols scanned in ${Math.round(Number(scan.durationMs))} ms, failures ${scan.failures}; ` +
        `${counts.candles} candles in ${counts.series} series, ${counts.detections} detections, ${counts.alerts} alerts; ` +
        `refused: ${JSON.stringify(refused)}\n`,
    );
    await reportLag("history", program);
    expect(scan.failures).toBe(0);
    expect(counts.candles).toBeGreaterThan(1_038_000);
    expect(counts.alerts).toBe(0);
    expect(decided.data.length).toBeGreaterThan(0);
    await stop(program);
  });

  it(`replayed for ${REPLAY_S} s, push each alert within 100 ms`, async () => {
    const program = await start("replay", {
      FILES_DIR: intraday ?? "",
      FILES_REPLAY_FROM: "2016-06-01",
      FILES_REPLAY_SPEED: "300",
      SCAN_INTERVALS: "1m,5m,15m,1h",
      SCAN_SYMBOLS: "BITFINEX-BTCUSD-2016,LEAN-OANDA-EURUSD,LEAN-OANDA-XAUUSD,EJTRADER-USDJPY",
      BACKEND_SCAN_INTERVAL: "1",
    });
    const alerts = await listenToAlerts(program.url);
    await new Promise((resolve) => setTimeout(resolve, REPLAY_S * 1_000));
    const [{ count }] = await query<{ count: number }>("replay", "select count(*)::int as count from alerts");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const delays = await delaysOf("replay", alerts.heard);
    await reportLag("replay", program);
    expect(alerts.heard.length).toBeGreaterThanOrEqual(count);
    expect(quantile(delays, 0.99)).toBeLessThan(100);
    const seqs = alerts.heard.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    alerts.close();
    await stop(program);
  });
});
