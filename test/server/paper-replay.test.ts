import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** Years after what the files tell of. */
const NOW = Date.UTC(2026, 9, 1, 12);
const SPEED = 3_600;
const REPLAYED_HOUR_MS = 1_000;

let folder: string;
let program: TestProgram;
let clock: ManualClock;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tx-paper-replay-"));
  clock = createManualClock(NOW);
  program = await startTestProgram({
    clock,
    environment: {
      MARKET_DATA: "files",
      FILES_DIR: writeMarketFiles(folder),
      SCAN_SYMBOLS: "BTC-USD",
      FILES_REPLAY_SPEED: String(SPEED),
      FILES_REPLAY_FROM: "2024-01-02T06:00",
    },
  });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...(await answer.json()) };
}
const match = () => program.parts.paper.matching.loop.run(clock.now(), new AbortController().signal);

describe("an account in a replay", () => {
  it("200 is opened, trades and is told of on the clock of the replay", async () => {
    const { id, opened_at } = (
      await call("POST", "/api/paper-trade/accounts", { name: "Then", cash: 10_000 })
    ).data;
    expect(opened_at).toBe("2024-01-02T06:00:00.000Z");
    const order = { symbol: "BTC-USD", side: "buy", quantity: 5, time_in_force: "gtc", account_id: id };
    expect((await call("POST", "/api/paper-trade/orders", order)).status).toBe(201);
    clock.advance(2 * REPLAYED_HOUR_MS);
    await match();
    const { data: trades, portfolio } = await call("GET", `/api/paper-trades?account_id=${id}`);
    expect(trades).toHaveLength(1);
    expect(trades[0].opened_at).toMatch(/^2024-01-02T0[67]/);
    // Quotes are kept for half a minute, which is more than a day of the replay: bars tell what a position is worth.
    const [position] = Object.values<{ price: number; last_update: string; quantity: number; value: number }>(
      portfolio.positions,
    );
    expect(
      position.last_update >= trades[0].opened_at,
      `${position.last_update} ${trades[0].opened_at}`,
    ).toBe(true);
    expect(position.value).toBeCloseTo(position.price * position.quantity, 6);
    expect(portfolio.equity).toBeCloseTo(portfolio.cash + position.value, 6);
    expect(portfolio.timestamp).toMatch(/^2024-01-02T08/);
    const alpaca = await call("GET", "/v2/clock");
    expect(Date.parse(alpaca.timestamp)).toBe(Date.parse(portfolio.timestamp));
    expect((await call("GET", "/v3/clock")).clocks[0].timestamp).toBe(alpaca.timestamp);
    clock.advance(50 * REPLAYED_HOUR_MS);
    await match();
    const [opening] = await program.parts.database.query<{ at: number }>(
      "select extract(epoch from at)::float8 * 1000 as at from paper_events where account_id = $1 order by seq",
      [id],
    );
    expect(opening.at).toBe(Date.UTC(2024, 0, 2, 6));
    const { data } = await call("GET", `/api/paper-trades/performance?account_id=${id}`);
    expect(data.equity_curve.map(({ date }: { date: string }) => date)).toEqual(["2024-01-02", "2024-01-03"]);
    expect(data.equity_curve[0].equity).not.toBe(portfolio.capital);
    expect(data.return_pct).toEqual(expect.any(Number));
    const recent = await call("GET", `/api/trading-stats?period=3d&account_id=${id}`);
    expect(recent.data.open_trades).toBe(1);
    const streak = await call("GET", `/api/streak?account_id=${id}`);
    expect(streak.calendar.at(-1).date).toBe("2024-01-04");
    const { accounts, standings } = program.parts.paper;
    const now = Date.UTC(2024, 0, 4, 10);
    const today = await standings.today(await accounts.find("owner", id), now);
    expect(today.startEquity).toEqual(expect.any(Number));
    const reset = await call("POST", `/api/paper-trade/accounts/${id}/reset`, {});
    expect(reset.data.opened_at).toMatch(/^2024-01-04T1/);
    const closed = await call("GET", `/api/paper-trade/accounts/${id}`);
    expect(closed.data).toMatchObject({ opened_at, closed_at: reset.data.opened_at });
  });

  it("201 was opened when its first money came, and takes nobody's place, where it is imported", async () => {
    const usual = await program.parts.paper.accounts.usual("owner");
    const blank = {
      symbol: null,
      order: null,
      side: null,
      quantity: null,
      price: null,
      ratio: null,
      fees: {},
    };
    const first = { ...blank, at: "2023-05-02T15:00:00.000Z", kind: "transfer", amount: 1_000 };
    const imported = await call("POST", "/api/paper-trade/accounts/import", {
      ...{ name: "Before", transactions: [first] },
    });
    expect([imported.status, imported.data?.opened_at]).toEqual([201, first.at]);
    expect((await program.parts.paper.accounts.usual("owner")).id).toBe(usual.id);
  });
});
