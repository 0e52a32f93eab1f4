import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { calendarOf } from "../../src/core/market/session.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const FALLING = 80;
const folder = mkdtempSync(join(tmpdir(), "tx-money-"));

/** A share that falls for four months and then rises by a fiftieth a day, four thousand times what it was. */
function writeRising(): void {
  const days = barOpensBetween(calendarOf("XNYS"), "1d", Date.UTC(2020, 0, 1), Date.UTC(2022, 0, 1));
  const rows = Array.from(days, (open, i) => {
    const price = 100 * Math.exp(i < FALLING ? -0.01 * i : 0.02 * (i - FALLING) - 0.8);
    const [low, high] = [0.99 * price, 1.01 * price].map((each) => each.toFixed(2));
    return `${new Date(open).toISOString().slice(0, 10)},${price.toFixed(2)},${high},${low},${price.toFixed(2)},1000`;
  });
  writeFileSync(
    join(folder, "AAPL-1d.csv"),
    `${["timestamp,open,high,low,close,volume", ...rows].join("\n")}\n`,
  );
}

let program: TestProgram;
beforeAll(async () => {
  writeRising();
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const order = (capital: number) => ({
  ...{ symbol: "AAPL", strategy_id: "golden_cross", start_date: "2020-01-02", end_date: "2021-12-31" },
  ...{ initial_capital: capital, costs: { volume_share: null } },
});

describe("money beyond what is counted", () => {
  it("400 says so, where less gives a report", async () => {
    const post = (capital: number) =>
      program.call({ method: "POST", url: "/api/backtest", payload: order(capital) });
    const refused = await post(1e9);
    expectProblem(refused, "invalid_request", /^body initial_capital: .* more than the 9,000,000,000/);
    const { data } = (await post(1e5)).json();
    expect(data.final_capital).toBeGreaterThan(1e7);
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
