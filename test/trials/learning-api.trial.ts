import { describe, expect, it } from "vitest";
import { startProcess } from "./process.js";
import { openSetting } from "./setting.js";

const ROUNDS = 150;
const PATHS = [
  "/api/strategies",
  "/api/ml/models",
  "/api/patterns/list",
  "/api/candles/BTC-USD?interval=15m&limit=200",
  "/health",
];

const setting = openSetting();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function call(url: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** In turn over all paths, ms. */
async function p95Of(url: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const path of PATHS) {
      const begun = performance.now();
      expect((await call(`${url}${path}`)).status).toBe(200);
      times.push(performance.now() - begun);
    }
    await sleep(10);
  }
  return times.sort((a, b) => a - b)[Math.floor(0.95 * times.length)];
}

async function statusOf(url: string, id: unknown): Promise<string> {
  const { data } = (await call(`${url}/api/jobs/${id}`)).body;
  return (data as { status: string }).status;
}

async function finished(url: string, kind: string, order: unknown): Promise<void> {
  const { status, body } = await call(`${url}/api/jobs/${kind}`, order);
  expect(status).toBe(202);
  while (!["succeeded", "failed", "cancelled"].includes(await statusOf(url, body.id))) await sleep(100);
  expect(await statusOf(url, body.id)).toBe("succeeded");
}

describe("the API while models are trained", () => {
  it("takes at most twice as long as before, by the slowest twentieth of its answers", async () => {
    const server = await startProcess({
      DATABASE_URL: setting.database.url,
      DATA_DIR: setting.folder,
      MARKET_DATA: "synthetic",
      ENABLE_BACKGROUND_WORKERS: "false",
      JOB_CONCURRENCY: "2",
      RATE_LIMIT_MULTIPLIER: "1000",
    });
    const { url } = server;
    const symbols = ["BTC-USD", "ETH-USD", "AAPL", "MSFT"];
    await finished(url, "backfill", { symbols, interval: "15m", from: "2023-01-01", to: "2024-01-01" });
    await p95Of(url);
    const idleMs = await p95Of(url);
    const { body } = await call(`${url}/api/jobs/train-deep`, {});
    const deep = body.id;
    const trees = (await call(`${url}/api/jobs/train`, {})).body.id;
    while ((await statusOf(url, deep)) === "queued") await sleep(50);
    await sleep(1_000);
    const busyMs = await p95Of(url);
    const [ofDeep, ofTrees] = [await statusOf(url, deep), await statusOf(url, trees)];
    process.stdout.write(
      `p95 of the API ${idleMs.toFixed(1)} ms idle, ${busyMs.toFixed(1)} ms while models are trained (${ofDeep}, ${ofTrees} at the end)\n`,
    );
    expect([ofDeep, ofTrees]).toContain("running");
    expect(busyMs).toBeLessThanOrEqual(2 * idleMs);
    server.kill("SIGTERM");
    expect(await server.ended()).toBe(0);
  });
});
