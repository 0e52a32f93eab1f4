import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { termsOf } from "../../src/core/execution/order.js";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { calendarOf } from "../../src/core/market/session.js";
import { findStrategy } from "../../src/core/strategies/index.js";
import type { AccountRow } from "../../src/features/paper-trades/store.js";
import { systemClock } from "../../src/platform/clock.js";
import { createLoop, type Loop } from "../../src/platform/loop.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { eventually } from "../fixtures/faults.js";
import { KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { walkOfDays } from "../fixtures/reconcile.js";
import { ROOMY } from "../fixtures/roomy-settings.js";

const NYSE = calendarOf("XNYS");
const OPENS = barOpensBetween(NYSE, "1d", Date.UTC(2022, 0, 3), Date.UTC(2022, 6, 1));
const WALK = walkOfDays(OPENS.length, 9);
const ROWS = [...OPENS].map((time, i) => ({
  time,
  open: WALK.open[i],
  high: WALK.high[i],
  low: WALK.low[i],
  close: WALK.close[i],
  volume: 1_000_000,
}));
const DAY_OF_REPLAY_MS = 1_000;
/** After every close. */
const FROM = Date.UTC(2022, 0, 3, 22);
const DAYS = 100;
const PARAMETERS = { fast: 3, slow: 8 };
const ORDER = {
  strategy_id: "golden_cross",
  symbol: "AAPL",
  parameters: PARAMETERS,
  start_date: "2022-01-03",
  sizing: { kind: "whole", share: 0.3 },
  costs: { spread_bps: 0 },
};
const WINDOW = { start: "2022-01-03", end: "2022-04-10" };

let folder: string;
let program: TestProgram;
let clock: ManualClock;
let taking: Loop;
const keys = { ann: "", bob: "", vic: "" };
type Caller = keyof typeof keys;

const call = (caller: Caller, method: "GET" | "POST", url: string, payload?: object) =>
  program.call({
    method,
    url,
    headers: { "x-api-key": keys[caller] },
    ...(payload === undefined ? {} : { payload }),
  });
const reconcile = (caller: Caller, payload: object) =>
  call(caller, "POST", "/api/backtest/reconcile", payload);

async function done(path: string, payload: object) {
  const answer = await call("ann", "POST", `/api/backtest/${path}`, payload);
  expect(answer.statusCode, answer.body).toBe(202);
  const { href } = answer.json();
  let job: Record<string, unknown> = {};
  const hasEnded = async () => {
    job = (await call("ann", "GET", href)).json().data;
    return job.finished_at !== null;
  };
  await eventually(`${href} has ended`, hasEnded, 45_000);
  expect(job).toMatchObject({ status: "succeeded" });
  return (await call("ann", "GET", `${href}/result`)).json().data;
}

async function openAccount(name: string, more: object = {}): Promise<string> {
  const terms = { name, cash: 100_000, leverage: 1, spread_bps: 0, ...more };
  const answer = await call("ann", "POST", "/api/paper-trade/accounts", terms);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json().data.id;
}

const accounts = { same: "", other: "" };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-reconcile-"));
  const lines = ROWS.map(({ time, open, high, low, close, volume }) =>
    [new Date(time).toISOString().slice(0, 10), open, high, low, close, volume].join(","),
  );
  writeFileSync(join(folder, "AAPL-1d.csv"), `timestamp,open,high,low,close,volume\n${lines.join("\n")}\n`);
  clock = createManualClock(Date.UTC(2026, 9, 1, 12));
  program = await startTestProgram({
    clock,
    environment: {
      ...KEYED,
      MARKET_DATA: "files",
      FILES_DIR: folder,
      SCAN_SYMBOLS: "AAPL",
      FILES_REPLAY_SPEED: String(DAY_MS / DAY_OF_REPLAY_MS),
      FILES_REPLAY_FROM: "2022-01-03T22:00",
    },
  });
  for (const [name, role] of [
    ["ann", "trader"],
    ["bob", "trader"],
    ["vic", "viewer"],
  ] as const) {
    keys[name] = await keyFor(program, name, role);
  }
  const { log, metrics, jobFeature } = program.parts;
  if (jobFeature.taking === null) throw new Error("the program takes no jobs");
  taking = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock: systemClock, log, metrics });
  taking.start();
  expect((await call("ann", "POST", "/api/risk-settings", ROOMY)).statusCode).toBe(200);
  accounts.same = await openAccount("Same");
  accounts.other = await openAccount("Other", { spread_bps: 20, commission_percent: 0.1 });
  await tradeThrough();
}, 120_000);
afterAll(async () => {
  await taking.stop();
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the strategy orders at the closes, seen by who has the files. */
function ordersOfStrategy() {
  const strategy = findStrategy("golden_cross");
  if (strategy === null) throw new Error("there is no golden cross");
  const sizing = { ...SIZINGS.whole, stake: { kind: "share", share: 0.3 } as const };
  const rules = { ...PLAIN_RULES, sizing, calendar: NYSE };
  return runBacktest(strategy, [{ candles: candlesFromRows("AAPL", "1d", ROWS) }], PARAMETERS, rules).orders;
}

/** Replays the market to two accounts: one does all that the strategy does, one leaves out its second entry and is late. */
async function tradeThrough(): Promise<void> {
  const { paper } = program.parts;
  const orders = ordersOfStrategy();
  const entries = orders.filter(({ side }) => side === "buy");
  const rows = new Map<string, AccountRow>();
  for (const id of Object.values(accounts)) rows.set(id, await paper.accounts.find("ann", id));
  const place = async (account: string, { side, quantity }: (typeof orders)[number]) => {
    const row = rows.get(account);
    if (row === undefined) throw new Error(`there is no account ${account}`);
    const { id: _, ...terms } = termsOf({ id: "", symbol: "AAPL", side, quantity, timeInForce: "gtc" });
    await paper.trading.submit(row, { terms, cause: { origin: "native", strategy: "golden_cross" } });
  };
  const skipped = entries[1].submittedAt;
  for (let day = 0; day < DAYS; day++) {
    const now = FROM + day * DAY_MS;
    await paper.matching.loop.run(clock.now(), new AbortController().signal);
    for (const order of orders) {
      const { submittedAt } = order;
      if (Math.floor(submittedAt / DAY_MS) !== Math.floor(now / DAY_MS)) continue;
      await place(accounts.same, order);
      const isSecond =
        submittedAt === skipped || submittedAt === orders[orders.indexOf(entries[1]) + 1].submittedAt;
      if (!isSecond) await place(accounts.other, order);
    }
    clock.advance(DAY_OF_REPLAY_MS);
  }
}

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe("POST /api/backtest/reconcile", { timeout: 90_000 }, () => {
  it("202 finds nothing to tell of an account that did what the strategy does", async () => {
    const { run_id, href, report } = await done("reconcile", {
      account_id: accounts.same,
      ...WINDOW,
      order: ORDER,
    });
    expect(report.differences).toEqual([]);
    expect(report.counts.paired).toBeGreaterThan(2);
    expect(report.counts).toMatchObject({ differing: 0, equal: report.counts.paired });
    expect(report.totals).toMatchObject({ difference: 0, unexplained: 0 });
    expect(report.totals.paper).not.toBe(0);
    const kept = (await call("ann", "GET", href)).json().data;
    expect(kept).toMatchObject({ id: run_id, kind: "reconcile", report });
    expectProblem(await call("bob", "GET", href), "backtest_not_found");
    const listed = (await call("ann", "GET", "/api/backtest?kind=reconcile")).json().data;
    expect(listed[0]).toMatchObject({ id: run_id, symbols: ["AAPL"] });
  });

  it("202 names what an account does otherwise, with figures that sum to the difference", async () => {
    const { report } = await done("reconcile", { account_id: accounts.other, ...WINDOW, order: ORDER });
    const codes = report.causes.map(({ code }: { code: string }) => code).sort();
    expect(codes).toEqual(["costs_differ", "entry_price_differs", "exit_price_differs", "missing_in_paper"]);
    expect(report.counts).toMatchObject({ only_in_backtest: 1, only_in_paper: 0 });
    const { totals, causes, differences, parts } = report;
    expect(totals.unexplained).toBe(0);
    const micros = (values: number[]) => Math.round(sum(values) * 1e6);
    expect(micros(causes.map(({ pnl }: { pnl: number }) => pnl))).toBe(Math.round(totals.difference * 1e6));
    expect(micros(differences.map((each: { difference: number }) => each.difference))).toBe(
      Math.round(totals.difference * 1e6),
    );
    expect(micros(Object.values(parts))).toBe(Math.round(totals.difference * 1e6));
    const costs = differences.flatMap(({ paper }: { paper: { fees: number } | null }) => paper?.fees ?? []);
    expect(parts.commissions).toBeCloseTo(-sum(costs), 6);
    expect(totals.difference).toBeCloseTo(totals.paper - totals.backtest, 6);
    // Without the trades of the strategy there are none.
    const manual = { ...ORDER, strategy_id: "rsi_reversal", parameters: {} };
    const none = await done("reconcile", {
      account_id: accounts.other,
      ...WINDOW,
      order: manual,
      only_strategy: true,
    });
    expect(none.report.counts.paper).toBe(0);
  });

  it("202 reads a backtest that is kept, in its own window unless another is named", async () => {
    const run = {
      ...ORDER,
      end_date: WINDOW.end,
      monte_carlo_paths: 0,
      bootstrap_paths: 0,
      random_entries: 0,
    };
    const { run_id } = await done("run", { ...run, sensitivity: false });
    const whole = (await done("reconcile", { account_id: accounts.same, run_id })).report;
    expect(whole).toMatchObject({ backtest_id: run_id, changed_bars: 0, differences: [] });
    expect(whole.window.start).toBe("2022-01-03T14:30:00.000Z");
    const part = (await done("reconcile", { account_id: accounts.same, run_id, start: "2022-03-01" })).report;
    expect(part.counts.paired).toBeLessThan(whole.counts.paired);
    expect(part).toMatchObject({ run_hash: whole.run_hash, differences: [] });
    expectProblem(await reconcile("bob", { run_id }), "account_not_found");
    const before = { run_id, account_id: accounts.same, end: "2021-01-01", start: "2020-01-01" };
    expectProblem(await reconcile("ann", before), "invalid_request", "outside of the backtest");
    const beyond = { run_id, account_id: accounts.same, end: "2023-01-01" };
    expectProblem(await reconcile("ann", beyond), "invalid_request", "beyond the backtest");
    const { run_id: reconciled } = await done("reconcile", { account_id: accounts.same, run_id });
    expectProblem(await reconcile("ann", { run_id: reconciled }), "invalid_request", "no single backtest");
  });

  it("404 for an account of another, for none, and for a run that there is not", async () => {
    const asked = { ...WINDOW, order: ORDER };
    expectProblem(await reconcile("bob", { ...asked, account_id: accounts.same }), "account_not_found");
    expectProblem(await reconcile("bob", asked), "account_not_found", "no paper account yet");
    expectProblem(await reconcile("ann", { run_id: 999_999_999 }), "backtest_not_found");
    const job = await call("bob", "POST", "/api/jobs/backtest-reconcile", {
      ...asked,
      account_id: accounts.same,
    });
    expectProblem(job, "account_not_found");
  });

  it.each<[string, object, string, string]>([
    ["400 for neither a run nor an order", WINDOW, "invalid_request", "run_id"],
    ["400 for both", { ...WINDOW, run_id: 1, order: ORDER }, "invalid_request", "run_id"],
    [
      "400 for a window that ends before it starts",
      { start: "2022-05-01", end: "2022-04-01", order: ORDER },
      "invalid_request",
      "start",
    ],
    [
      "400 for a window that begins before its backtest",
      { ...WINDOW, start: "2021-06-01", order: ORDER },
      "invalid_request",
      "beyond",
    ],
    ["400 for what is no date", { ...WINDOW, end: "soon", order: ORDER }, "invalid_request", "end"],
    [
      "400 for parameters that do not go together",
      { ...WINDOW, order: { ...ORDER, parameters: { fast: 30, slow: 8 } } },
      "invalid_request",
      "parameters",
    ],
    [
      "404 for a strategy that there is not",
      { ...WINDOW, order: { ...ORDER, strategy_id: "alchemy" } },
      "strategy_unknown",
      "alchemy",
    ],
    [
      "422 for more bars than a job takes",
      { start: "2018-01-01", end: "2022-01-01", order: { symbol: "AAPL", interval: "1m" } },
      "job_limit_exceeded",
      "200000",
    ],
  ])("%s", async (_, payload, code, detail) => {
    expectProblem(await reconcile("ann", payload), code as "invalid_request", detail);
  });

  it("403 for a viewer", async () => {
    expect((await reconcile("vic", { ...WINDOW, order: ORDER })).statusCode).toBe(403);
  });
});
