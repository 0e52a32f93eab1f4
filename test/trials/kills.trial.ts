import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { writeCandleFiles } from "./candle-files.js";
import { startProcess } from "./process.js";

const KILLS = Number(process.env.TRIAL_KILLS ?? 20);
const SYMBOLS = Number(process.env.TRIAL_SYMBOLS ?? 80);

let folder: string;
let filesDir: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
  chmodSync(folder, 0o755);
  filesDir = join(folder, "files");
  // Up to now: alerts are raised on bars of half an hour ago at the most.
  writeCandleFiles(filesDir, SYMBOLS, 900, Math.floor(Date.now() / 300_000) * 300_000);
});
afterAll(() => {
  if (process.env.TRIAL_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
});

function environment(name: string): Record<string, string> {
  return {
    MARKET_DATA: "files",
    FILES_DIR: filesDir,
    DATA_DIR: join(folder, name),
    SCAN_INTERVALS: "5m,15m,1h",
    ALERT_CONFIDENCE_THRESHOLD: "0.5",
    SCAN_BATCH_SIZE: "4",
    // When patterns are measured depends on the clock, and so would the confidence of what is stored.
    EVIDENCE_MAX_AGE_HOURS: "0",
    // A slot that an earlier life finished is not scanned again; the next one comes soon.
    BACKEND_SCAN_INTERVAL: "10",
  };
}

const TABLES = {
  detections: `select i.symbol, d.interval, d.pattern, d.bar_time, d.state, d.direction, d.quality, d.trend_met
    from detections d join instruments i on i.id = d.instrument_id order by 1, 2, 3, 4, 5`,
  alerts: `select i.symbol, a.interval, a.pattern, a.bar_time, a.score, a.entry, a.stop, a.target
    from alerts a join instruments i on i.id = a.instrument_id order by 1, 2, 3, 4`,
  decisions: `select i.symbol, d.interval, d.pattern, d.bar_time, d.accepted, d.rule
    from decisions d join instruments i on i.id = d.instrument_id order by 1, 2, 3, 4`,
  cursors: `select i.symbol, c.interval, c.bar_time
    from scan_cursors c join instruments i on i.id = c.instrument_id order by 1, 2`,
  alertEvents: `select payload->'alert'->>'symbol' as symbol, payload->'alert'->>'pattern' as pattern,
    payload->'alert'->>'bar_time' as bar, count(*) as times from events where topic = 'alerts' group by 1, 2, 3 order by 1, 2, 3`,
} as const;

async function readTables(name: string): Promise<Record<keyof typeof TABLES, unknown[]>> {
  const host = join(folder, name, "postgres.run");
  const client = new pg.Client({ host, port: 5432, user: "postgres", database: "postgres" });
  await client.connect();
  const result = {} as Record<keyof typeof TABLES, unknown[]>;
  for (const [table, query] of Object.entries(TABLES)) {
    result[table as keyof typeof TABLES] = (await client.query(query)).rows as unknown[];
  }
  await client.end();
  return result;
}

function postmasterPid(name: string): number {
  return Number(readFileSync(join(folder, name, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
}

describe(`killed ${KILLS} times in the middle of a scan`, () => {
  it("ends with exactly the rows of an undisturbed run", async () => {
    const calm = await startProcess(environment("calm"));
    const scan = await calm.seen(({ msg }) => msg === "scan finished");
    const expected = await readTables("calm");
    calm.kill("SIGTERM");
    expect(await calm.ended()).toBe(0);
    expect(expected.alerts.length).toBeGreaterThan(0);

    const rng = createRng(20);
    const scanMs = Number(scan.durationMs);
    let databaseKills = 0;
    let midScan = 0;
    const readyMs: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const running = await startProcess(environment("killed"));
      readyMs.push(running.startMs);
      // Each life gets a little further, so that kills fall all over the scan.
      await new Promise((resolve) => setTimeout(resolve, rng.next() * (scanMs / KILLS) * 2.5));
      if (!running.records.some(({ msg }) => msg === "scan finished")) midScan++;
      running.kill("SIGKILL");
      if (kill % 4 === 3) {
        process.kill(postmasterPid("killed"), "SIGKILL");
        databaseKills++;
      }
      expect(await running.ended()).toBe("SIGKILL");
    }
    const last = await startProcess(environment("killed"));
    await last.seen(({ msg, failures }) => msg === "scan finished" && failures === 0);
    const actual = await readTables("killed");
    last.kill("SIGTERM");
    expect(await last.ended()).toBe(0);

    for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
      expect(actual[table], table).toEqual(expected[table]);
    }
    expect((actual.alertEvents as { times: string }[]).every(({ times }) => Number(times) === 1)).toBe(true);
    process.stdout.write(
      `kills ${KILLS} (${midScan} before the scan was finished), ${databaseKills} of them with the database; ` +
        `${actual.detections.length} detections, ${actual.alerts.length} alerts, 0 lost, 0 doubled; ` +
        `restart to listening: median ${readyMs.sort((a, b) => a - b)[readyMs.length >> 1].toFixed(0)} ms, ` +
        `longest ${Math.max(...readyMs).toFixed(0)} ms\n`,
    );
  });
});
