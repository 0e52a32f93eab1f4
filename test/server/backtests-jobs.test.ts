import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLoop, type Loop } from "../../src/platform/loop.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { eventually } from "../fixtures/faults.js";
import { ADMIN_KEY, KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { sized } from "../fixtures/sizes.js";

let program: TestProgram;
let taking: Loop;
const keys = { ann: "", bob: "", vic: "", admin: ADMIN_KEY };

beforeAll(async () => {
  program = await startTestProgram({ environment: { ...KEYED, MARKET_DATA: "synthetic" } });
  keys.ann = await keyFor(program, "ann", "trader");
  keys.bob = await keyFor(program, "bob", "trader");
  keys.vic = await keyFor(program, "vic", "viewer");
  const { clock, log, metrics, jobFeature } = program.parts;
  if (jobFeature.taking === null) throw new Error("the program takes no jobs");
  taking = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock, log, metrics });
  taking.start();
});
afterAll(async () => {
  await taking.stop();
  await program.close();
});

type Caller = keyof typeof keys;
const as = (caller: Caller) => ({ "x-api-key": keys[caller] });
const STRETCH = { symbol: "AAPL", start_date: "2018-01-01", end_date: "2022-01-01" };

const order = (caller: Caller, path: string, payload: object, headers: Record<string, string> = {}) =>
  program.call({
    method: "POST",
    url: `/api/backtest/${path}`,
    headers: { ...as(caller), ...headers },
    payload,
  });
const get = (caller: Caller, url: string) => program.call({ url, headers: as(caller) });

interface Kept {
  readonly run_id: number;
  readonly href: string;
  readonly report: { readonly overfitting: { readonly trials: number } } & Record<string, unknown>;
}

async function done(caller: Caller, path: string, payload: object): Promise<Kept> {
  const answer = await order(caller, path, payload);
  expect(answer.statusCode, answer.body).toBe(202);
  const { href } = answer.json();
  expect(answer.headers.location).toBe(href);
  let job: Record<string, unknown> = {};
  const hasEnded = async () => {
    job = (await get(caller, href)).json().data;
    return job.finished_at !== null;
  };
  // Threads that are started from source take their time where much else runs.
  await eventually(`${href} has ended`, hasEnded, 45_000);
  expect(job).toMatchObject({ status: "succeeded", pct: 100 });
  return (await get(caller, `${href}/result`)).json().data;
}

const SEARCHED = { ...STRETCH, space: { fast: [5, 10, 20], slow: [30, 60] }, trials: 10 };

describe("POST /api/backtest/sweep, /walk-forward, /compare, /run", { timeout: 90_000 }, () => {
  it("202 is a job whose report is kept, of a user alone", async () => {
    const { run_id, href, report } = await done("ann", "sweep", SEARCHED);
    expect(report.trials).toHaveLength(6);
    expect((await get("ann", href)).json().data).toMatchObject({ id: run_id, kind: "sweep", report });
    expectProblem(await get("bob", href), "backtest_not_found");
    expect((await get("admin", href)).statusCode).toBe(200);
    const listed = (await get("ann", "/api/backtest?kind=sweep")).json().data;
    expect(listed).toMatchObject([{ id: run_id, synthetic: true }]);
    expect((await get("bob", "/api/backtest")).json().data).toEqual([]);
  });

  it("202 counts trials by user: what one has tried is not what another has", async () => {
    const compared = {
      ...STRETCH,
      symbol: "MSFT",
      strategies: [{ strategy_id: 1 }, { pattern_name: "hammer" }],
    };
    const trialsOf = ({ report }: { report: { overfitting: { trials: number } } }) =>
      report.overfitting.trials;
    const plain = { ...STRETCH, symbol: "MSFT", strategy_id: 3, bootstrap_paths: 5, random_entries: 5 };
    expect(trialsOf(await done("ann", "compare", compared))).toBe(2);
    expect(trialsOf(await done("bob", "run", plain))).toBe(1);
    expect(trialsOf(await done("ann", "run", plain))).toBe(3);
  });

  it("202 loses and doubles no trial of sweeps that share most and run at once", async () => {
    const stretch = { symbol: "NVDA", start_date: "2019-01-01", end_date: "2021-01-01", trials: 50 };
    const spaces = [
      { fast: { min: 5, max: 14, step: 1 }, slow: [40] },
      { fast: { min: 8, max: 17, step: 1 }, slow: [40] },
      { fast: { min: 5, max: 17, step: 4 }, slow: [40] },
    ];
    await Promise.all(spaces.map((space) => done("bob", "sweep", { ...stretch, space })));
    const last = await done("bob", "sweep", { ...stretch, space: { fast: [5], slow: [40] } });
    expect(last.report.overfitting.trials).toBe(13);
  });

  it("202 draws the folds of a walk-forward", async () => {
    const { href, report } = await done("ann", "walk-forward", {
      ...SEARCHED,
      train_bars: 300,
      test_bars: 100,
    });
    expect(report.folds).toHaveLength(7);
    let picture = await get("ann", `${href}?format=svg&plot=folds`);
    for (let left = 10; picture.statusCode === 503 && left > 0; left--) {
      picture = await get("ann", `${href}?format=svg&plot=folds`);
    }
    expect(picture.body).toContain("Golden Cross: AAPL");
    const lines = async (table: string) =>
      (await get("ann", `${href}?format=csv&table=${table}`)).body.trim().split("\n");
    const [names, first] = await lines("trades");
    expect(names).toMatch(/^fold,symbol,side,/);
    expect(first).toMatch(/^\d,AAPL,long,/);
    expect((await lines("figures")).length).toBeGreaterThan(30);
    expect(await lines("equity")).toHaveLength(701);
    for (const plot of ["months", "trades", "equity", "drawdown"]) {
      expect((await get("ann", `${href}?format=svg&plot=${plot}`)).body, plot).toContain("<svg");
    }
  });

  it("202 takes a walk-forward in the words of existing clients", async () => {
    const { space, trials } = SEARCHED;
    const walk = { strategy: 1, train_period: "1y", test_period: "6mo", space, trials, ...STRETCH };
    const { report } = await done("bob", "walk-forward", walk);
    const [{ params, metrics }] = report.folds as Record<string, object>[];
    expect(params).toMatchObject({ side: "long" });
    expect(Object.keys(metrics)).toContain("test_return");
    expect(report.oos).toEqual(report.out_of_sample);
    const twice = { ...walk, strategy_id: 2 };
    expectProblem(await order("bob", "walk-forward", twice), "invalid_request", "another name");
  });

  it("202 holds a walk-forward of several symbols beside all of them, as a backtest of the tests is", async () => {
    const walk = {
      ...SEARCHED,
      symbol: undefined,
      symbols: ["AAPL", "MSFT"],
      train_bars: 300,
      test_bars: 100,
    };
    const { report } = await done("ann", "walk-forward", walk);
    const { start, end } = report.out_of_sample as Record<string, string>;
    const { report: plain } = await done("ann", "run", {
      symbols: walk.symbols,
      start_date: start,
      end_date: end.slice(0, 10),
      ...{ monte_carlo_paths: 0, bootstrap_paths: 0, random_entries: 0, sensitivity: false },
    });
    const held = ({ figures }: Kept["report"]) =>
      (figures as { name: string; value: number }[]).find(({ name }) => name === "benchmark_return")?.value;
    expect(held(report)).toBeCloseTo(held(plain) ?? Number.NaN, 9);
  });

  it.each<[string, string, object, string, string]>([
    [
      "400 for a grid of more points than trials",
      "sweep",
      { ...SEARCHED, trials: 3 },
      "invalid_request",
      "6 points",
    ],
    [
      "400 for a parameter that there is not",
      "sweep",
      { ...SEARCHED, space: { speed: [1] } },
      "invalid_request",
      "speed",
    ],
    [
      "400 for a range of what is none",
      "sweep",
      { ...SEARCHED, space: { side: { min: 1, max: 2 } } },
      "invalid_request",
      "side",
    ],
    [
      "400 for a choice that there is not, beside one that there is",
      "sweep",
      { ...SEARCHED, strategy_id: "macd_cross", space: { side: ["long", "up"] } },
      "invalid_request",
      "not up",
    ],
    [
      "400 for a value out of range beside others",
      "walk-forward",
      { ...SEARCHED, space: { fast: [5, 9_999] } },
      "invalid_request",
      "not 9999",
    ],
    ...["grid", "random", "parzen"].map((method): [string, string, object, string, string] => [
      `400 for a space with nothing to try: ${method}`,
      method === "grid" ? "walk-forward" : "sweep",
      { ...SEARCHED, method, space: { fast: [50, 60], slow: [20, 30] } },
      "invalid_request",
      "fast must be shorter than slow",
    ]),
    [
      "400 for a stretch that is too short for a fold",
      "walk-forward",
      { ...SEARCHED, start_date: "2021-06-01" },
      "invalid_request",
      "250 and 125 more are not within the 150 bars",
    ],
    [
      "400 for one strategy where several are compared",
      "compare",
      { strategies: [{ strategy_id: 1 }] },
      "invalid_request",
      "strategies",
    ],
    [
      "404 for a strategy that there is not",
      "run",
      { strategy_id: "alchemy" },
      "strategy_unknown",
      "alchemy",
    ],
    [
      "422 for a score while no model is active",
      "run",
      { strategy_id: "model_score" },
      "strategy_unfit",
      "no model is active",
    ],
    [
      "404 for a baseline of none",
      "regression",
      { mode: "test", start: "2024-01-01", end: "2024-06-01", strategies: ["pattern:moon"] },
      "strategy_unknown",
      "moon",
    ],
    [
      "422 for more bars than a job takes",
      "run",
      { symbol: "BTC", interval: "1m", start_date: "2020-01-01", end_date: "2021-01-01" },
      "job_limit_exceeded",
      "200000 1m bars",
    ],
    ["400 for what is no symbol", "run", { symbol: "???" }, "symbol_invalid", "letters"],
  ])("%s", async (_, path, payload, code, detail) => {
    expectProblem(await order("ann", path, payload), code as "invalid_request", detail);
  });

  it("403 for a viewer", async () => {
    expect((await order("vic", "sweep", SEARCHED)).statusCode).toBe(403);
  });

  it("202 twice for one key is one job", async () => {
    const key = { "idempotency-key": "sweep-1" };
    const [first, second] = [
      await order("ann", "sweep", SEARCHED, key),
      await order("ann", "sweep", SEARCHED, key),
    ];
    expect(second.json().id).toBe(first.json().id);
  });
});

describe("POST /api/backtest/regression", { timeout: 120_000 }, () => {
  // Those of all of them are held against what they do today where the program does it.
  const STRATEGIES = sized({ usual: ["golden_cross"], full: ["golden_cross", "pcr_extremes"] });

  it("202 reads the baselines that come with the program, and keeps a user's own from others", async () => {
    const stretch = { start: "2023-01-01", end: "2025-01-01", strategies: STRATEGIES };
    const told = async (user: "ann" | "bob", change: object) =>
      (await done(user, "regression", { ...stretch, ...change })).report as unknown as {
        passed: boolean;
        results: { failures: string[] }[];
      };
    expect((await told("ann", { mode: "test", against: "committed" })).passed).toBe(true);
    expect((await told("ann", { mode: "baseline" })).passed).toBe(true);
    expect((await told("ann", { mode: "test" })).passed).toBe(true);
    const other = await told("bob", { mode: "test" });
    expect(other.results.map(({ failures }) => failures)).toEqual(STRATEGIES.map(() => ["no_baseline"]));
  });

  it("202 fails without a baseline, and passes against one that was kept", async () => {
    const stretch = {
      start: "2023-01-01",
      end: "2023-07-01",
      strategies: ["pattern:hammer", "pattern:engulfing"],
    };
    const none = (await done("ann", "regression", { mode: "test", ...stretch })).report as Record<
      string,
      unknown
    >;
    expect(none).toMatchObject({
      passed: false,
      results: [{ failures: ["no_baseline"] }, { failures: ["no_baseline"] }],
    });
    const kept = (await done("ann", "regression", { mode: "baseline", ...stretch })).report as Record<
      string,
      unknown
    >;
    expect(kept.passed).toBe(true);
    const tested = (await done("ann", "regression", { mode: "test", ...stretch })).report as unknown as {
      passed: boolean;
      results: { baseline: number; matched: number }[];
    };
    expect(tested.passed).toBe(true);
    for (const { baseline, matched } of tested.results)
      expect([baseline > 0, matched]).toEqual([true, baseline]);
  });
});
