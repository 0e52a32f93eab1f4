import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
let last: string;
beforeAll(async () => {
  program = await startScannedProgram();
  const { data } = (await program.call("/api/candles/AAPL?interval=1d&limit=1")).json();
  last = data[0].timestamp;
});
afterAll(() => program.close());

const run = (change: object = {}) =>
  program.call({
    method: "POST",
    url: "/api/patterns/backtest",
    payload: { pattern: "bullish engulfing", symbol: "aapl", ...change },
  });

interface Trade {
  readonly signal_date: string;
  readonly entry_date: string;
  readonly exit_date: string;
  readonly pnl_pct: number;
}

describe("POST /api/patterns/backtest", () => {
  it("200 trades the pattern over the stored bars, with costs, and counts what was not traded", async () => {
    const answer = await run({ timeframe: "1d", start_date: "1990-01-01", end_date: last });
    expect(answer.statusCode).toBe(200);
    const { data } = answer.json();
    expect(data).toMatchObject({
      symbol: "AAPL",
      pattern: "bullish_engulfing",
      pattern_name: "Bullish Engulfing",
      timeframe: "1d",
      synthetic: false,
      costs_bps: 6,
    });
    const left = Object.values(data.not_traded as Record<string, number>);
    expect(left.reduce((sum, count) => sum + count, data.total_trades)).toBe(data.occurrences);
    expect(data.total_trades).toBeGreaterThan(0);
    expect(data.profitable_trades + data.losing_trades).toBe(data.total_trades);
    for (const trade of data.trades as Trade[]) {
      expect(Date.parse(trade.entry_date)).toBeGreaterThan(Date.parse(trade.signal_date));
      expect(Date.parse(trade.exit_date)).toBeGreaterThanOrEqual(Date.parse(trade.entry_date));
      expect(Date.parse(trade.exit_date)).toBeLessThanOrEqual(Date.parse(data.period.end));
    }
    expect(data.overfitting).toMatchObject({ trials: 1, verdicts: { overfitting: "unknown" } });
    const again = (await run({ timeframe: "1d", start_date: "1990-01-01", end_date: last })).json().data;
    expect({ ...again, timestamp: "", age_ms: 0 }).toEqual({
      ...data,
      timestamp: "",
      age_ms: 0,
    });
  });

  it("200 counts each pattern as a trial on the bars, beside the strategies on the same", async () => {
    const stretch = { start_date: "2022-06-01", end_date: last };
    const trialsOf = async (change: object) => {
      const { data } = (await run({ timeframe: "1d", ...stretch, ...change })).json();
      return [data.overfitting.trials_on_these_bars, data.overfitting.trials];
    };
    // Beside the one on all bars.
    expect(await trialsOf({})).toEqual([1, 2]);
    expect(await trialsOf({ pattern: "hammer" })).toEqual([2, 3]);
    expect(await trialsOf({})).toEqual([2, 3]);
    const payload = { symbol: "AAPL", ...stretch };
    const answer = await program.call({ method: "POST", url: "/api/backtest", payload });
    expect(answer.json().data.overfitting).toMatchObject({
      trials_on_these_bars: 3,
      trials: 4,
      cross_validated: { trials: 4 },
    });
  });

  it.each(["bullish_engulfing", "hammer", "rsi_oversold"])(
    "200 is the run of POST /api/backtest, to the cent: %s",
    async (pattern) => {
      const stretch = { start_date: "2023-01-03", end_date: "2024-06-28" };
      const told = (await run({ pattern, timeframe: "1d", ...stretch })).json().data;
      const payload = { symbol: "AAPL", pattern_name: pattern, ...stretch };
      const { data } = (await program.call({ method: "POST", url: "/api/backtest", payload })).json();
      expect(told.final_capital).toBe(data.final_capital);
      expect(told.total_return).toBeCloseTo(data.total_return_pct, 10);
      expect(told.bars).toBe(data.bars);
      const [mine, theirs] = [told.trades, data.trades].map((trades) =>
        (trades as Record<string, unknown>[])
          .filter(({ exit_date }) => exit_date !== null)
          .map((trade) => [
            trade.entry_date,
            trade.exit_date,
            trade.entry_price,
            trade.exit_price,
            trade.pnl,
          ]),
      );
      expect(mine).toEqual(theirs);
      // The second is the same trial as the first.
      expect(data.overfitting.trials).toBe(told.overfitting.trials);
    },
  );

  it.each<[string, object, string]>([
    ["no pattern", { pattern: undefined }, "pattern"],
    ["two patterns", { pattern: "hammer", pattern_name: "doji" }, "names another pattern"],
    ["a pattern without direction", { pattern: "doji" }, "neither rise nor fall"],
    ["an end before the start", { start_date: "2024-01-02", end_date: "2024-01-01" }, "start_date"],
    ["more bars than one backtest takes", { timeframe: "1m", start_date: "2010-01-01" }, "20000 bars"],
  ])("400 for %s", async (_, change, detail) => {
    expectProblem(await run(change), "invalid_request", detail);
  });

  it("404 for a pattern, a symbol and a stretch that there are not", async () => {
    expectProblem(await run({ pattern: "moonrise" }), "pattern_unknown");
    expectProblem(await run({ symbol: "NOSUCH" }), "symbol_unknown");
    expectProblem(
      await run({ timeframe: "1d", start_date: "1971-01-01", end_date: "1971-02-01" }),
      "no_data",
    );
  });
});
