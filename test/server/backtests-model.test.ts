import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NewModel } from "../../src/features/models/store.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { PASSED } from "../fixtures/models.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const STRETCH = { symbol: "AAPL", start_date: "2020-01-01", end_date: "2023-01-01" };
const LEARNED = Date.UTC(2021, 0, 4, 20);

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram({ environment: { MARKET_DATA: "synthetic", SYNTHETIC_SEED: "7" } });
});
afterAll(() => program.close());

async function run(change: object = {}) {
  for (let left = 10; ; left--) {
    const payload = { strategy_id: "model_score", ...STRETCH, ...change };
    const answer = await program.call({ method: "POST", url: "/api/backtest", payload });
    if (answer.statusCode !== 503 || left === 0) return answer;
  }
}

const enter = (seed: number, change: Partial<NewModel>) =>
  program.parts.models.registry.enter(trainedModel(telling(seed), change), PASSED, TRAINED);

describe("POST /api/backtest of model_score", () => {
  it("422 while no model is active for the class and interval, and 400 for a version that nothing follows", async () => {
    expectProblem(await run(), "strategy_unfit", "no model is active for equity 1d");
    const other = { strategy_id: 1, model_version: "1.0.0" };
    expectProblem(await run(other), "invalid_request", "follows a model");
    await enter(3, { assetClass: "crypto", lastDecisionMs: LEARNED });
    expectProblem(await run(), "strategy_unfit", "no model is active for equity 1d");
  });

  it("200 trades the scores of the active version on the bars after those it learned from", async () => {
    await enter(1, { lastDecisionMs: LEARNED });
    const answer = await run();
    expect(answer.statusCode, answer.body).toBe(200);
    const { data } = answer.json();
    expect(data.period.start.slice(0, 10)).toBe("2021-01-05");
    expect(data.total_trades).toBeGreaterThan(2);
    // 253 days of 2020 and the first of 2021.
    expect(data.notes[0]).toContain("version 1.0.0 of gradient_trees:equity:1d:regime");
    expect(data.notes[0]).toContain("254 bars of the stretch are among them and left out");
    const { report } = (await program.call(data.href)).json().data;
    expect(report.models).toMatchObject([{ version: "1.0.0" }]);

    const whole = (await run({ model_in_sample: true })).json().data;
    expect(whole.period.start.slice(0, 10)).toBe("2020-01-02");
    expect(whole.notes[0]).toContain("254 bars of the stretch are among them: what comes of those");
    const seen = await run({ end_date: "2020-12-01" });
    expectProblem(seen, "strategy_unfit", "nothing is left that it has not seen");
  });

  it("200 trades the version that is named, though another is active", async () => {
    const { version } = await enter(2, { lastDecisionMs: LEARNED });
    const [active, named] = [await run(), await run({ model_version: version })];
    expect(named.json().data.notes[0]).toContain(`version ${version} of`);
    expect(named.json().data.hash).not.toBe(active.json().data.hash);
    expectProblem(await run({ model_version: "9.9.9" }), "strategy_unfit", "has a version 9.9.9");
  });

  it("422 for a version of which it is not known until when it learned", async () => {
    const { version } = await enter(5, { lastDecisionMs: null, firstDecisionMs: null });
    expectProblem(await run({ model_version: version }), "strategy_unfit", "not known until when");
    const forced = (await run({ model_version: version, model_in_sample: true })).json().data;
    expect(forced.notes[0]).toContain("may have seen all of the stretch");
  });
});
