import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { eventually } from "../fixtures/faults.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { sized } from "../fixtures/sizes.js";

const BARS = sized({ usual: 110, full: 150 });

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
  program.parts.startLoops();
});
afterAll(() => program.close());

const order = (payload: object, headers: Record<string, string> = {}) =>
  program.call({ method: "POST", url: "/api/analysis/lookahead", payload, headers });

async function resultOf(payload: object) {
  const answer = await order(payload);
  expect(answer.statusCode).toBe(202);
  const { href, status } = answer.json();
  expect(answer.headers.location).toBe(href);
  expect(status).toBe("queued");
  await eventually(
    "the job is done",
    async () => {
      const { data } = (await program.call(href)).json();
      expect(data.error).toBeNull();
      return data.status === "succeeded";
    },
    60_000,
  );
  return (await program.call(`${href}/result`)).json();
}

describe("POST /api/analysis/lookahead", () => {
  it("202 orders a job that tests every row of the tables on stored candles", async () => {
    const { kind, data } = await resultOf({ symbol: "aapl", timeframe: "1d", bars: BARS });
    expect(kind).toBe("lookahead");
    expect(data).toMatchObject({ symbol: "AAPL", interval: "1d", bars: BARS, tested: BARS, passed: null });
    // Means of 200 bars say nothing of fewer.
    expect(data.untested).toContain("sma_50_200_cross");
    expect(data.reason).toMatch(/^Not everything/);
    for (const { differences } of data.subjects) expect(differences).toBe(0);
    const all = INDICATORS.length + PATTERNS.length + 1 + STRATEGIES.length;
    expect(data.subjects.length + data.left_out.length).toBe(all);
    // Bars of a day, of one symbol, are none for these.
    const left = data.left_out.map(({ name }: { name: string }) => name);
    expect(left.sort()).toEqual(["momentum_rotation", "opening_range", "vwap_deviation"]);
    expect(data.bars_hash).toMatch(/^[0-9a-f]{64}$/);
  }, 90_000);

  it("202 tests a strategy by its number with values, and one of several symbols over all of them", async () => {
    const parameters = { fast: 5, slow: 20, side: "both" };
    const cross = { symbol: "aapl", bars: 300, kinds: ["strategy"], names: [1], parameters };
    const { data } = await resultOf(cross);
    expect(data).toMatchObject({ symbol: "AAPL", passed: true, untested: [], others: [] });
    expect(data.subjects).toMatchObject([
      {
        kind: "strategy",
        name: "golden_cross",
        parameters,
        bars: 280,
        tested: 280,
        differences: 0,
        first: [],
      },
    ]);
    expect(data.subjects[0].said).toBeGreaterThan(5);

    const coins = { symbols: ["BTC", "ETH", "sol"], timeframe: "5m", bars: 200, kinds: ["strategy"] };
    const rotation = await resultOf({ ...coins, names: ["momentum_rotation"] });
    expect(rotation.data).toMatchObject({ symbol: "BTC-USD", passed: true });
    expect(rotation.data.others.map(({ symbol }: { symbol: string }) => symbol)).toEqual([
      "ETH-USD",
      "SOL-USD",
    ]);
  }, 90_000);

  it("202 is the same job for the same key", async () => {
    const body = { symbol: "BTC", timeframe: "5m", bars: 50, kinds: ["regime"] };
    const first = (await order(body, { "idempotency-key": "once" })).json();
    expect((await order(body, { "idempotency-key": "once" })).json().id).toBe(first.id);
    expectProblem(
      await order({ ...body, bars: 51 }, { "idempotency-key": "once" }),
      "idempotency_key_reused",
    );
  });

  it("400 and 404 for what cannot be tested", async () => {
    expectProblem(await order({ symbol: "AAPL", bars: 1 }), "invalid_request", "bars");
    expectProblem(await order({ symbol: "AAPL", kinds: ["magic"] }), "invalid_request", "kinds");
    expectProblem(await order({ kinds: ["strategy"] }), "invalid_request", "symbol");
    expectProblem(await order({ symbol: "AAPL", names: ["rsi"] }), "invalid_request", "one kind");
    const named = (kind: string) => ({ symbol: "AAPL", kinds: [kind], names: ["magic"] });
    expectProblem(await order(named("indicator")), "invalid_request", "magic");
    expectProblem(await order(named("pattern")), "pattern_unknown", "magic");
    expectProblem(await order(named("strategy")), "strategy_unknown", "magic");
    const cross = { symbol: "AAPL", kinds: ["strategy"], names: ["golden_cross"] };
    expectProblem(await order({ ...cross, parameters: { fast: 0 } }), "invalid_request", "fast");
    expectProblem(await order({ ...cross, symbols: ["ZZZZ"] }), "symbol_unknown");
    expectProblem(await order({ ...cross, names: [4] }), "invalid_request", "names");
    expectProblem(await order({ symbol: "ZZZZ" }), "symbol_unknown");
  });
});
