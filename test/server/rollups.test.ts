import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createLoop } from "../../src/platform/loop.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { eventually } from "../fixtures/faults.js";
import { ADMIN_KEY, KEYED, keyFor } from "../fixtures/keyed.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Wednesday: New York trades from 14:30 to 21:00 UTC, and it is 21:37 in Kolkata. */
const NOW = Date.UTC(2024, 10, 6, 16, 7, 30);
const TODAY = "2024-11-06";

let program: TestProgram;
let clock: ManualClock;
const keys = { ann: "", bob: "", vic: "", admin: ADMIN_KEY };
type Caller = keyof typeof keys;

beforeAll(async () => {
  clock = createManualClock(NOW);
  program = await startTestProgram({ clock, environment: { ...KEYED, ALLOW_ANONYMOUS: "false" } });
  keys.ann = await keyFor(program, "ann", "trader");
  keys.bob = await keyFor(program, "bob", "trader");
  keys.vic = await keyFor(program, "vic", "viewer");
});
afterAll(() => program.close());

const headersOf = (caller: Caller) => ({ "x-api-key": keys[caller] });
const post = (caller: Caller, url: string, payload: object) =>
  program.call({ method: "POST", url, payload, headers: headersOf(caller) });
const get = (caller: Caller, url: string) => program.call({ url, headers: headersOf(caller) });

/** Buys and sells at the prices of a minute and the next. @returns what the trade came to. */
async function roundTrip(caller: Caller, more: object = {}): Promise<{ pnl: number; account: string }> {
  const order = { symbol: "AAPL", side: "BUY", quantity: 10, ...more };
  const { trade } = (await post(caller, "/api/paper-trades", order)).json();
  clock.advance(60_000);
  const closed = (await post(caller, "/api/close-position", { trade_id: trade.id })).json();
  return { pnl: closed.pnl, account: trade.account_id };
}

let pnls: number[] = [];
let account = "";

describe("POST /api/performance/aggregate", () => {
  it("200 makes one date of the caller's account, the same however often", async () => {
    const first = await roundTrip("ann", { pattern: "hammer" });
    const second = await roundTrip("ann", { pattern: "hammer", strategy: "swing" });
    pnls = [first.pnl, second.pnl];
    account = first.account;
    const answers = [];
    for (let k = 0; k < 2; k++) {
      answers.push((await post("ann", "/api/performance/aggregate", { date: TODAY })).json());
    }
    expect(answers[0]).toMatchObject({
      ...{ success: true, synthetic: true },
      data: { date: TODAY, account_id: account, daily_rows: 1, strategy_rows: 2 },
    });
    expect(answers[1]).toEqual(answers[0]);
    const none = await post("ann", "/api/performance/aggregate", { date: "2024-11-03" });
    expect(none.json().data).toMatchObject({ daily_rows: 0, strategy_rows: 0 });
  });

  it.each<[object, string]>([
    [{}, "body date"],
    [{ date: "2024-02-30" }, "body date"],
    [{ date: "2024-11-07" }, "yet to come"],
    [{ date: TODAY, account_id: "mine" }, "body account_id"],
    [{ date: TODAY, zone: "UTC" }, "body zone"],
  ])("400 for %j names what is wrong", async (payload, detail) => {
    expectProblem(await post("ann", "/api/performance/aggregate", payload), "invalid_request", detail);
  });

  it("403 for viewers, 404 for another's account", async () => {
    expectProblem(await post("vic", "/api/performance/aggregate", { date: TODAY }), "forbidden");
    const foreign = { date: TODAY, account_id: account };
    expectProblem(await post("bob", "/api/performance/aggregate", foreign), "account_not_found");
  });
});

describe("GET /api/performance/daily", () => {
  it("200 has what the trades of each date came to, and how it was made", async () => {
    const { data, meta, synthetic } = (await get("ann", "/api/performance/daily")).json();
    const wins = pnls.filter((pnl) => pnl > 0).length;
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ date: TODAY, total_trades: 2, winning_trades: wins, sharpe: null });
    expect(data[0].net_pnl).toBeCloseTo(pnls[0] + pnls[1], 6);
    expect(data[0].avg_hold_minutes).toBe(1);
    expect(data[0].no_losses).toBe(data[0].losing_trades === 0);
    expect(synthetic).toBe(true);
    expect(meta).toMatchObject({
      ...{ account_id: account, currency: "USD", from: "2024-10-07", to: TODAY, synthetic: true },
      ...{ zone: "Asia/Kolkata", hour: 18, last_run: { trigger: "request", status: "succeeded" } },
    });
    const earlier = (await get("ann", "/api/performance/daily?from=2024-10-01&to=2024-11-05")).json();
    expect(earlier.data).toEqual([]);
  });

  it("200 tells of the newest run that the account had a part in, and not of another's", async () => {
    const { rollups } = program.parts;
    const runOf = async (user: "ann" | "bob") =>
      (await get(user, "/api/performance/daily")).json().meta.last_run;
    const range = { from: TODAY, to: TODAY };
    const before = await runOf("bob");
    await rollups.remake("backfill", range, account);
    expect(await runOf("ann")).toMatchObject({ trigger: "backfill", status: "succeeded" });
    expect(await runOf("bob")).toEqual(before);
    await rollups.remake("backfill", range, null);
    expect(await runOf("bob")).toMatchObject({ trigger: "backfill", status: "succeeded" });
  });

  it.each([
    ["from=2024-11-07", "query from"],
    ["from=yesterday", "query from"],
    ["from=2000-01-01", "at most"],
    ["to=2024-13-01", "query to"],
    ["period=30", "query period"],
  ])("400 for %s", async (query, detail) => {
    expectProblem(await get("ann", `/api/performance/daily?${query}`), "invalid_request", detail);
  });

  it("404 for another's account", async () => {
    expectProblem(await get("bob", `/api/performance/daily?account_id=${account}`), "account_not_found");
  });
});

describe("GET /api/performance/strategies", () => {
  it("200 has what orders were placed for, of all strategies or one", async () => {
    const { data } = (await get("ann", "/api/performance/strategies")).json();
    expect(data).toMatchObject([
      { date: TODAY, strategy: "hammer", trades_taken: 1, signals_generated: 0, avg_signal_strength: null },
      { date: TODAY, strategy: "swing", trades_taken: 1, signals_generated: 0, avg_signal_strength: null },
    ]);
    expect(data[0].total_pnl).toBeCloseTo(pnls[0], 6);
    const one = (await get("ann", "/api/performance/strategies?strategy=swing")).json();
    expect(one.data).toEqual([data[1]]);
  });

  it("400 and 404 as the days do", async () => {
    expectProblem(await get("ann", "/api/performance/strategies?strategy="), "invalid_request", "strategy");
    const foreign = `/api/performance/strategies?account_id=${account}`;
    expectProblem(await get("bob", foreign), "account_not_found");
  });
});

describe("POST /api/performance/backfill", () => {
  /** Lets the program take jobs until the test is over. */
  function work(): void {
    const { clock: time, log, metrics, jobFeature } = program.parts;
    if (jobFeature.taking === null) throw new Error("the program takes no jobs");
    const loop = createLoop({ ...jobFeature.taking, everyMs: () => 50 }, { clock: time, log, metrics });
    loop.start();
    onTestFinished(() => loop.stop());
  }
  const order = { start_date: "2024-11-01", end_date: TODAY };

  it("202 orders a job of the caller's account, whose result says what was made", async () => {
    await program.parts.database.query("truncate daily_performance, strategy_performance");
    work();
    const answer = await post("ann", "/api/performance/backfill", order);
    expect(answer.statusCode).toBe(202);
    const { id, href } = answer.json();
    expect(answer.headers.location).toBe(href);
    await eventually("the job is done", async () => {
      return (await get("ann", href)).json().data.status === "succeeded";
    });
    const { data, kind } = (await get("ann", `/api/jobs/${id}/result`)).json();
    expect(kind).toBe("performance.backfill");
    expect(data).toEqual({ ...order, accounts: 1, daily_rows: 1, strategy_rows: 2 });
    expect((await get("ann", "/api/performance/daily")).json().data).toHaveLength(1);
  });

  it("202 of every account for an administrator, as a job", async () => {
    await roundTrip("bob");
    work();
    const { href } = (await post("admin", "/api/jobs/performance.backfill", order)).json();
    await eventually("the job is done", async () => {
      return (await get("admin", href)).json().data.status === "succeeded";
    });
    expect((await get("admin", `${href}/result`)).json().data).toMatchObject({ accounts: 2, daily_rows: 2 });
    expect((await get("bob", "/api/performance/daily")).json().data).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ start_date: TODAY }, "body end_date"],
    [{ start_date: TODAY, end_date: "2024-11-05" }, "after end_date"],
    [{ start_date: TODAY, end_date: "2024-11-07" }, "yet to come"],
    [{ ...order, account_id: 7 }, "body account_id"],
  ])("400 for %j names what is wrong", async (payload, detail) => {
    expectProblem(await post("ann", "/api/performance/backfill", payload), "invalid_request", detail);
  });

  it("400 for too many dates, 403 and 404 for whom it is not for", async () => {
    const long = { start_date: "1999-01-01", end_date: TODAY };
    expectProblem(await post("ann", "/api/performance/backfill", long), "job_limit_exceeded", "dates");
    expectProblem(await post("vic", "/api/performance/backfill", order), "forbidden");
    expectProblem(await post("ann", "/api/jobs/performance.backfill", order), "forbidden");
    const foreign = { ...order, account_id: account };
    expectProblem(await post("bob", "/api/performance/backfill", foreign), "account_not_found");
  });
});
