import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { hasRedisServer, startTestRedis, type TestRedis } from "../fixtures/redis.js";
import { type Answer, countStatuses, quantile, startLoad } from "./load.js";
import { startProcess, type TxProcess } from "./process.js";

const FLAPS = Number(process.env.TRIAL_FLAPS ?? 50);
const PATHS = [
  "/health",
  "/api/get_active_alerts",
  "/api/market/BTC-USD",
  "/api/candles/ETH-USD?timeframe=5m&limit=50",
  "/api/scan/status",
  "/api/patterns/BTC-USD?timeframe=1h",
  "/api/detection_logs?limit=20",
];

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe.skipIf(!hasRedisServer())("Redis", () => {
  let folder: string;
  let database: TestDatabase;
  let redis: TestRedis;
  let program: TxProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tx-trial-"));
    chmodSync(folder, 0o755);
    database = await createTestDatabase("empty");
    redis = await startTestRedis();
    await redis.kill();
    program = await startProcess({
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      REDIS_URL: redis.url,
      RATE_LIMIT_MULTIPLIER: "10000",
      BACKEND_SCAN_INTERVAL: "5",
    });
    // What is computed for the first time is slow with or without Redis.
    await program.seen(({ msg }) => msg === "scan finished");
    await startLoad(program.url, PATHS, 1).stop();
  });
  afterAll(async () => {
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    await redis.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  function judge(what: string, answers: readonly Answer[]): void {
    const times = answers.map(({ ms }) => ms);
    const slowest = Math.max(...times);
    process.stdout.write(
      `Redis ${what}: ${answers.length} requests, ${JSON.stringify(countStatuses(answers))}, ` +
        `p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms, slowest ${slowest.toFixed(0)} ms\n`,
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(slowest).toBeLessThan(1_000);
  }

  async function underLoad(what: string, work: () => Promise<void>): Promise<void> {
    const load = startLoad(program.url, PATHS, 8, 5);
    await work();
    judge(what, await load.stop());
  }

  it("absent from the start", () => underLoad("absent", () => sleep(5_000)));

  it("comes, is used, and is killed", async () => {
    await redis.start();
    await program.seen(({ msg }) => msg === "Redis answers");
    await underLoad("present", () => sleep(3_000));
    await underLoad("killed", async () => {
      await sleep(1_000);
      await redis.kill();
      await sleep(4_000);
    });
  });

  it("freezes and thaws", async () => {
    await redis.start();
    await sleep(2_000);
    await underLoad("frozen for 10 s", async () => {
      await sleep(1_000);
      redis.freeze();
      await sleep(10_000);
      redis.thaw();
      await sleep(2_000);
    });
  });

  it(`flaps ${FLAPS} times`, () =>
    underLoad(`flapping ${FLAPS} times`, async () => {
      for (let flap = 0; flap < FLAPS; flap++) {
        await redis.kill();
        await sleep(100);
        await redis.start();
        await sleep(150);
      }
    }));
});
