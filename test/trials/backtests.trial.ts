import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProcess, type TxProcess } from "./process.js";
import { openSetting } from "./setting.js";

const CANCEL_LIMIT_MS = 2_000;
/** Rounds of calls, of whose 95th percentiles the median counts: one is soon slow by chance. */
const ROUNDS = 7;
const CALLS = 100;
/** Of the 95th percentile with jobs over that without. */
const SLOWER_LIMIT = 2;

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

interface Ordered {
  readonly path: string;
  readonly body: object;
}

/** Hours over two years, over which each job takes some seconds. */
const HOURS = { symbol: "BTC-USD", interval: "1h", start_date: "2022-01-01", end_date: "2024-01-01" };

/** All sweeps have 40 of their 60 trials in common. */
const sweep = (n: number): Ordered => ({
  path: "/api/backtest/sweep",
  body: { ...HOURS, trials: 60, space: { fast: { min: 5 + n, max: 64 + n, step: 1 }, slow: [200] } },
});

/** Two of each of what is done at length, none of whose results hangs on what else was tried. */
const jobsOf = (n: number): Ordered[] => [
  { path: "/api/backtest/run", body: { ...HOURS, strategy_id: 2 + n, monte_carlo_paths: 0, seed: 3 + n } },
  sweep(n),
  {
    path: "/api/backtest/walk-forward",
    body: {
      ...HOURS,
      train_bars: 3_000,
      test_bars: 1_000 + n,
      trials: 9,
      space: { fast: [10, 20, 40], slow: [90] },
    },
  },
  {
    path: "/api/backtest/run",
    body: {
      ...HOURS,
      monte_carlo_paths: 20_000,
      bootstrap_paths: 10,
      random_entries: 0,
      sensitivity: false,
      seed: 11 + n,
    },
  },
  {
    path: "/api/analysis/lookahead",
    body: { symbol: "AAPL", bars: 400 + n, kinds: ["strategy"], names: ["golden_cross"] },
  },
];

interface JobRow {
  readonly id: number;
  readonly kind: string;
  readonly status: string;
  readonly error: string | null;
  readonly runs: number;
}

/** Median over rounds of the 95th percentile of answers, ms. */
async function p95Of(url: string): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const begun = performance.now();
      expect((await call(`${url}/api/strategies`)).status).toBe(200);
      times.push(performance.now() - begun);
    }
    rounds.push(times.sort((a, b) => a - b)[Math.floor(0.95 * CALLS)]);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

async function order(url: string, { path, body }: Ordered): Promise<number> {
  const answer = await call(`${url}${path}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return Number(answer.body.id);
}

const haveEnded = (ids: readonly number[]) =>
  until(
    "all have ended",
    async () =>
      (await setting.read(`select id from jobs where id in (${ids.join()}) and finished_at is null`))
        .length === 0,
    300_000,
  );

/** What a job found: the hash of a run that was kept, which no count of trials is in; else the whole of the result. */
async function findingOf(url: string, id: number): Promise<unknown> {
  const { body } = await call(`${url}/api/jobs/${id}/result`);
  const data: Record<string, unknown> = body.data;
  return data.hash ?? data;
}

async function cancelledWithin(url: string): Promise<number> {
  const slow = { symbol: "ETH-USD", interval: "15m", start_date: "2021-01-01", end_date: "2024-01-01" };
  const last = await order(url, {
    path: "/api/backtest/sweep",
    body: { ...slow, strategy_id: "regime_switched", method: "random", trials: 500 },
  });
  const isTrying = async () => {
    const [row] = await setting.read<{ phase: string | null; status: string }>(
      `select phase, status from jobs where id = ${last}`,
    );
    return row.status === "running" && row.phase === "trials";
  };
  await until("the long one is tried", isTrying, 300_000);
  expect((await call(`${url}/api/jobs/${last}/cancel`, {})).status).toBe(202);
  const isCancelled = async () =>
    (await setting.read(`select id from jobs where id = ${last} and status = 'cancelled'`)).length === 1;
  return until("the long one is cancelled", isCancelled, 30_000);
}

/** Each trial of sweeps is there once, and all of those that succeeded. */
async function checkTrials(sweeps: readonly number[]): Promise<void> {
  const counted = await setting.read<{ fast: number; times: number }>(
    `select (values->>'fast')::int as fast, count(*)::int as times from backtest_trials
     where values->>'slow' = '200' group by 1 order by 1`,
  );
  expect(counted.every(({ times }) => times === 1)).toBe(true);
  const found = new Set(counted.map(({ fast }) => fast));
  const expected = sweeps.flatMap((n) => Array.from({ length: 60 }, (_, k) => 5 + n + k));
  expect(expected.filter((fast) => !found.has(fast))).toEqual([]);
}

describe("ten jobs of all kinds at once on two processes, one of which is killed", () => {
  it("are each done once or failed with a reason, most of them done, with the results of quiet runs", async () => {
    const [first, second] = await Promise.all([start("a"), start("b")]);
    // The bars are fetched once, before any job needs them.
    const none = { monte_carlo_paths: 0, bootstrap_paths: 0, random_entries: 0, sensitivity: false };
    await haveEnded([await order(second.url, { path: "/api/backtest/run", body: { ...HOURS, ...none } })]);
    const idleMs = await p95Of(second.url);
    const orders = [...jobsOf(0), ...jobsOf(1)];
    const ids: number[] = [];
    for (const [n, each] of orders.entries())
      ids.push(await order(n % 2 === 0 ? first.url : second.url, each));
    const works = async () =>
      (await setting.read(`select id from jobs where status = 'running' and owner like '%:${first.pid}:%'`))
        .length > 0;
    await until("the first one works", works, 30_000);
    first.kill("SIGKILL");
    await first.ended();
    const busyMs = await p95Of(second.url);
    const cancelledMs = await cancelledWithin(second.url);
    await haveEnded(ids);
    const jobs = await setting.read<JobRow>(
      `select j.id::int, j.kind, j.status::text, j.error, count(r.id)::int as runs from jobs j
       left join backtest_runs r on r.job_id = j.id where j.id in (${ids.join()}) group by j.id order by j.id`,
    );
    expect(jobs.map(({ id }) => id)).toEqual(ids);
    for (const { kind, status, error, runs } of jobs) {
      if (status === "succeeded") expect([kind, runs]).toEqual([kind, kind === "lookahead" ? 0 : 1]);
      else expect([status, error]).toEqual(["failed", expect.stringMatching(/./)]);
    }
    const done = jobs.flatMap(({ status }, n) => (status === "succeeded" ? [n] : []));
    expect(done.length).toBeGreaterThanOrEqual(orders.length - 2);
    await checkTrials([0, 1].filter((n) => done.includes(5 * n + 1)));
    for (const n of done) {
      const again = await order(second.url, orders[n]);
      await haveEnded([again]);
      expect(await findingOf(second.url, again), jobs[n].kind).toEqual(await findingOf(second.url, ids[n]));
    }
    process.stdout.write(
      `p95 ${idleMs.toFixed(1)} ms idle, ${busyMs.toFixed(1)} ms with jobs; cancelled in ${cancelledMs.toFixed(0)} ms; ${done.length} of ${orders.length} succeeded\n`,
    );
    expect(cancelledMs).toBeLessThan(CANCEL_LIMIT_MS);
    second.kill("SIGTERM");
    expect(await second.ended()).toBe(0);
    expect(busyMs).toBeLessThan(SLOWER_LIMIT * idleMs);
  });
});
