import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram({ environment: { MARKET_DATA: "synthetic", SYNTHETIC_SEED: "7" } });
  // What this test asks for is drawn once, which takes longer than an answer may.
  const { candles, instruments } = program.parts;
  const coin = await instruments.resolve("BTC-USD");
  await candles.ensureStored(coin, "1d", Date.UTC(1998, 0, 1), Date.UTC(2024, 0, 2));
});
afterAll(() => program.close());

const order = (capital: number) => ({
  ...{ symbol: "BTC-USD", strategy_id: "golden_cross", start_date: "2000-01-01", end_date: "2024-01-01" },
  ...{ initial_capital: capital, costs: { volume_share: null } },
});

describe("money beyond what is counted", () => {
  it("400 says so, where less gives a report", async () => {
    const post = (capital: number) =>
      program.call({ method: "POST", url: "/api/backtest", payload: order(capital) });
    const refused = await post(1e9);
    expectProblem(refused, "invalid_request");
    expect(refused.json().detail).toMatch(/^body initial_capital: .* more than the 9,000,000,000/);
    expect((await post(1e5)).statusCode).toBe(200);
  });

  it("is what a job says that fails of it", async () => {
    const answer = await program.call({ method: "POST", url: "/api/backtest/run", payload: order(1e9) });
    expect(answer.statusCode).toBe(202);
    const { id } = answer.json();
    await program.parts.jobFeature.taking?.run(Date.now(), new AbortController().signal);
    await expect
      .poll(async () => (await program.call(`/api/jobs/${id}`)).json().data)
      .toMatchObject({ status: "failed", error: expect.stringContaining("body initial_capital") });
  });
});
