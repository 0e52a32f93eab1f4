import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dayOf } from "../../src/core/market/day.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { modelChain, recordedBody } from "../fixtures/options.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const TIME = Date.parse("2024-07-02T15:00:00Z");
const EXPIRY = dayOf("2024-07-12");
const folder = mkdtempSync(join(tmpdir(), "tx-odd-options-"));

let program: TestProgram;

beforeAll(async () => {
  program = await startTestProgram({
    environment: { MARKET_DATA: "files", FILES_DIR: writeMarketFiles(folder) },
  });
});
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const post = (payload: object) => program.call({ method: "POST", url: "/api/options/snapshots", payload });
const get = async (url: string) => {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
};

describe("GET /api/options/analytics/:symbol", () => {
  it("200 tells of prices that cannot be, and computes nothing from them", async () => {
    const time = TIME;
    const { quotes } = modelChain({
      ...{ underlying: "PEP", time, spot: 100, volatility: 0.3, expiries: [EXPIRY] },
    });
    const dear = quotes.map((leg) =>
      leg.right === "call" ? { ...leg, bid: 500_000, ask: 500_000, last: 500_000 } : leg,
    );
    const answer = await post(recordedBody({ underlying: "PEP", time, spot: 100, quotes: dear }));
    const detail = "call 80 of 2024-07-12: bid 500000 and ask 500000 are above the spot of 100";
    const issues = [
      { code: "option_above_bound", severity: "critical", detail, count: 9 },
      { code: "option_trade_above_bound", severity: "warning", count: 9 },
    ];
    expect(answer.json().data).toMatchObject({ legs: 18, issues });
    const data = await get("/api/options/analytics/PEP");
    expect(data).toMatchObject({
      issues,
      totals: { call_oi: 900, put_oi: 900 },
      selected: {
        pricing: {
          dividend_yield: null,
          dividend_yield_from: "none",
          dividend_yield_reason: "no strike with bid and ask of call and put",
        },
        without_iv: { "no price": 9 },
      },
    });
    const chain = await get("/api/options/chain/PEP?filter=false");
    expect(chain.issues).toMatchObject(issues);
    expect(chain.strikes[4].call).toMatchObject({ bid: null, ask: null, ltp: null, iv: null, oi: 100 });
    const { data: kept } = (await program.call("/api/data-quality/issues?symbol=PEP")).json();
    const told = kept.map((each: Record<string, unknown>) => `${each.severity} ${each.code} ${each.source}`);
    expect(told.sort()).toEqual([
      "critical option_above_bound recorded",
      "warning option_trade_above_bound recorded",
    ]);
  });

  it("200 of a chain without puts has null where puts are needed, and says why", async () => {
    const time = TIME;
    const quotes = modelChain({
      ...{ underlying: "KO", time, spot: 60, volatility: 0.3, expiries: [EXPIRY] },
    }).quotes.filter(({ right }) => right === "call");
    const payload = recordedBody({ underlying: "KO", time, spot: 60, quotes });
    expect((await post(payload)).statusCode).toBe(200);
    const data = await get("/api/options/analytics/KO");
    const why = "no put tells its open interest";
    const sums = { call_oi: 900, put_oi: null, put_volume: null };
    expect(data).toMatchObject({
      totals: { ...sums, reason: `${why}; no put tells its volume` },
      pcr: { oi: { value: null, reason: why } },
      selected: { totals: sums, max_pain: { value: null, reason: why } },
    });
    expect(await get("/api/options/snapshots/KO")).toMatchObject([sums]);
    expect(await get("/api/options/history/KO")).toMatchObject([{ ...sums, pcr: null, max_pain: null }]);
  });
});
