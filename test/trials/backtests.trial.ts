import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProcess, type TxProcess } from "./process.js";
import { openSetting } from "./setting.js";

const JOBS = 10;
const CANCEL_LIMIT_MS = 2_000;

const setting = openSetting();

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const start = (name: string): Promise<TxProcess> =>
  startProcess({
    DATABASE_URL: setting.database.url,
    DATA_DIR: join(setting.folder, name),
    MARKET_DATA: "synthetic",
    ENABLE_BACKGROUND_WORKERS: "false",
    JOB_CONCURRENCY: "2",
    RATE_LIMIT_MULTIPLIER: "1000",
  });

async function call(url: string, body?: unknown) {
  const answer = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
}

async function until(what: string, holds: () => Promise<boolean>, limitMs: number): Promise<number> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(25);
  }
  return performance.now() - started;
}

/** Of hours over two years, each of which takes some seconds; all have 40 of their 60 trials in common. */
const sweep = (n: number) => ({
  symbol: "BTC-USD",
  interval: "1h",
  start_date: "2022-01-01",
  end_date: "2024-01-01",
  trials: 60,
  space: { fast: { min: 5 + n, max: 64 + n, step: 1 }, slow: [200] },
});

interface JobRow {
  readonly id: number;
  readonly status: string;
  readonly error: string | null;
  readonly run: number | null;
}

async function p95Of(url: string, count: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    expect((await call(`${url}/api/strategies`)).status).toBe(200);
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[Math.floor(0.95 * count)];
}

describe("ten sweeps at once on two processes, one of which is killed", () => {
  it("are each done once or failed with a reason; no trial is lost or counted twice", async () => {
    const [first, second] = await Promise.all([start("a"), start("b")]);
    // The bars are fetched once, before any job needs them.
    expect(
      (
        await call(`${second.url}/api/backtest`, {
          symbol: "BTC-USD",
          interval: "1h",
          start_date: "2022-01-01",
          end_date: "2024-01-01",
        })
      ).status,
    ).toBe(200);
    const idleMs = await p95Of(second.url, 200);
    for (let n = 0; n < JOBS; n++) {
      const { url } = n % 2 === 0 ? first : second;
      expect((await call(`${url}/api/backtest/sweep`, sweep(n))).status).toBe(202);
    }
    await until(
      "the first one works",
      async () =>
        (await setting.read(`select id from jobs where status = 'running' and owner like '%:${first.pid}:%'`))
          .length > 0,
      30_000,
    );
    first.kill("SIGKILL");
    await first.ended();
    const busyMs = await p95Of(second.url, 200);
    const slow = { symbol: "ETH-USD", interval: "15m", start_date: "2021-01-01", end_date: "2024-01-01" };
    const ordered = await call(`${second.url}/api/backtest/sweep`, {
      ...slow,
      strategy_id: "regime_switched",
      method: "random",
      trials: 500,
    });
    const last = Number(ordered.body.id);
    await until(
      "the long one is tried",
      async () => {
        const [row] = await setting.read<{ phase: string | null; status: string }>(
          `select phase, status from jobs where id = ${last}`,
        );
        return row.status === "running" && row.phase === "trials";
      },
      300_000,
    );
    expect((await call(`${second.url}/api/jobs/${last}/cancel`, {})).status).toBe(202);
    const cancelledMs = await until(
      "the long one is cancelled",
      async () =>
        (await setting.read(`select id from jobs where id = ${last} and status = 'cancelled'`)).length === 1,
      30_000,
    );
    await until(
      "all have ended",
      async () => (await setting.read("select id from jobs where finished_at is null")).length === 0,
      300_000,
    );
    const jobs = await setting.read<JobRow>(
      `select j.id::int, j.status::text, j.error, r.id::int as run from jobs j left join backtest_runs r on r.job_id = j.id
       where j.id <> ${last} order by j.id`,
    );
    expect(jobs).toHaveLength(JOBS);
    for (const { status, error, run } of jobs) {
      if (status === "succeeded") expect(run).not.toBeNull();
      else expect([status, error]).toEqual(["failed", expect.stringMatching(/./)]);
    }
    const counted = await setting.read<{ fast: number; times: number }>(
      `select (values->>'fast')::int as fast, count(*)::int as times from backtest_trials
       where values->>'slow' = '200' group by 1 order by 1`,
    );
    expect(counted.every(({ times }) => times === 1)).toBe(true);
    const succeeded = jobs.flatMap(({ status }, n) => (status === "succeeded" ? [n] : []));
    const expected = new Set(succeeded.flatMap((n) => Array.from({ length: 60 }, (_, k) => 5 + n + k)));
    const found = new Set(counted.map(({ fast }) => fast));
    expect([...expected].filter((fast) => !found.has(fast))).toEqual([]);
    expect(cancelledMs).toBeLessThan(CANCEL_LIMIT_MS);
    const told = `p95 ${idleMs.toFixed(1)} ms idle, ${busyMs.toFixed(1)} ms with jobs; cancelled in ${cancelledMs.toFixed(0)} ms; ${succeeded.length} of ${JOBS} succeeded, ${found.size} trials\n`;
    process.stdout.write(told);
    second.kill("SIGTERM");
    expect(await second.ended()).toBe(0);
  });
});
