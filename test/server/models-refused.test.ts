import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE_NAMES } from "../../src/core/learning/samples.js";
import { deepVersion, drawnModel } from "../fixtures/deep-models.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { PASSED } from "../fixtures/models.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startTestProgram();
}, 120_000);
afterAll(() => program.close());

const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });

describe("an online model whose state was altered", () => {
  const key = { asset_class: "equity", timeframe: "1d", features: { [SAMPLE_NAMES[0]]: 1 } };
  const teach = () => post("/api/ml/online-update", { ...key, label: 1 });
  const stored = async () =>
    (await program.parts.database.query<{ state: unknown }>("select state from online_models"))[0].state;

  it("422 for predictions and updates, kept as it is, and health is degraded with the reason", async () => {
    for (let i = 0; i < 8; i++) expect((await teach()).statusCode).toBe(200);
    const whole = await stored();
    await program.parts.database.query(
      `update online_models set state = jsonb_set(state, '{weights,pulls,0}', '"x"')`,
    );
    const altered = await stored();
    const reason = /equity:1d:all: its state is not the one that was stored/;
    expectProblem(await post("/api/ml/online-predict", key), "model_refused", reason);
    expectProblem(await teach(), "model_refused", reason);
    expect(await stored()).toEqual(altered);
    const { status, components } = (await program.call("/health/detailed")).json();
    expect(status).toBe("degraded");
    expect(components.online_learning).toMatchObject({
      status: "degraded",
      reason: expect.stringMatching(reason),
      refused: [{ model: "equity:1d:all" }],
    });
    expect((await program.call("/health")).json().status).toBe("degraded");
    const said = (await program.call("/api/ml/online-status")).json().status;
    expect(said).toMatchObject({ total_models: 0, refused: [{ model: "equity:1d:all" }] });
    await program.parts.database.query("update online_models set state = $1::jsonb", [JSON.stringify(whole)]);
    expect((await teach()).json().n_samples_seen).toBe(9);
    expect((await program.call("/health/detailed")).json().components.online_learning).toMatchObject({
      status: "healthy",
      refused: [],
    });
  });
});

describe("a net and an agent that cannot be read, of which no other version serves", () => {
  it("are told of by every answer that would be theirs, by their names", async () => {
    const { registry } = program.parts.models;
    const trained = { actor: "test", reason: "asked for", numbers: {}, action: "trained" as const };
    for (const learner of ["sequence_net", "q_agent"] as const)
      await registry.enter(deepVersion(learner, drawnModel(learner, 1)), PASSED, trained);
    const { database } = program.parts;
    await database.query("alter table models disable trigger models_fixed");
    await database.query("update models set artefact = substring(artefact from 1 for 900)");
    await database.query("alter table models enable trigger models_fixed");
    await registry.refresh();
    const net = /active version of sequence_net:any:any cannot be read/;
    expectProblem(await program.call("/api/ml/deep-detect?symbol=AAPL"), "model_refused", net);
    const acted = await post("/api/ml/rl-action", {
      price: 101,
      volume: 5_000,
      rsi: 31,
      macd: -0.4,
      position: 1,
    });
    expectProblem(acted, "model_refused", /active version of q_agent:any:any cannot be read/);
    const enhanced = await post("/api/detect-enhanced", { symbol: "AAPL" });
    expect(enhanced.statusCode).toBe(200);
    expect(enhanced.body).toMatch(net);
    expect(enhanced.body).not.toContain("no sequence net has been promoted");
    const { refused } = (await program.call("/api/ml/models")).json();
    expect(refused.map(({ model }: { model: string }) => model).sort()).toEqual([
      "q_agent:any:any",
      "sequence_net:any:any",
    ]);
  });
});

describe("POST /api/ml/train", () => {
  const train = (order: object) => post("/api/ml/train", order);

  it.each(["0d", "00000d", "36501d", "99999d"])("400 for a lookback of %s", async (lookback) => {
    expectProblem(await train({ lookback }), "invalid_request", "lookback");
  });

  it("202 with the job of the same order, and 409 with the reason while one of another waits", async () => {
    const order = { asset_class: "equity", timeframe: "1d", lookback: "180d" };
    const first = await train(order);
    expect(first.statusCode).toBe(202);
    const { id } = first.json().data;
    const { asset_class, ...rest } = order;
    expect((await train({ ...rest, asset_class })).json().data.id).toBe(id);
    for (const other of [{}, { ...order, lookback: "36500d" }, { ...order, timeframe: "1h" }])
      expectProblem(await train(other), "conflict", new RegExp(`Job ${id}, of another order`));
    expect((await post(`/api/jobs/${id}/cancel`, {})).statusCode).toBe(202);
    expect((await train({})).json().data.id).not.toBe(id);
  });
});

describe("POST /api/ml/online-predict", () => {
  const key = { asset_class: "crypto", timeframe: "4h" };
  const [first, second] = SAMPLE_NAMES;
  interface Column {
    readonly feature: string;
    readonly contribution: number;
    readonly missing_coefficient: number;
  }

  it("200 tells what each feature adds to the log-odds, by coefficients of the model", async () => {
    const ask = (value: number) => post("/api/ml/online-predict", { ...key, features: { [first]: value } });
    expect((await ask(3)).json().explanation).toBeNull();
    for (let i = 0; i < 40; i++) {
      const features = { [first]: (i % 9) - 4, ...(i % 4 === 0 ? { [second]: 1 } : {}) };
      await post("/api/ml/online-update", { ...key, features, label: i % 9 > 4 ? 1 : 0 });
    }
    const answer = (await ask(3)).json();
    const { log_odds: odds, base, contributions } = answer.explanation;
    expect(contributions).toHaveLength(SAMPLE_NAMES.length);
    const sum = contributions.reduce((all: number, { contribution }: Column) => all + contribution, base);
    expect(sum).toBeCloseTo(odds, 12);
    expect(1 / (1 + Math.exp(-odds))).toBeCloseTo(answer.probabilities[1], 12);
    const of = (name: string) => contributions.find(({ feature }: Column) => feature === name);
    const own = of(first);
    expect(own.coefficient).toBeGreaterThan(0);
    expect((own.coefficient * (3 - own.mean)) / own.standard_deviation).toBeCloseTo(own.contribution, 12);
    expect(of(second)).toMatchObject({ value: null, contribution: of(second).missing_coefficient });
    expect(answer.data.explanation).toEqual(answer.explanation);
  });

  it("400 by name for a value that a feature has never been near, where the model would learn it", async () => {
    const taught = await post("/api/ml/online-update", { ...key, features: { [first]: 1e9 }, label: 1 });
    expectProblem(taught, "invalid_request", new RegExp(`body features: ${first} is 1000000000, where`));
    const answer = (await post("/api/ml/online-predict", { ...key, features: { [first]: 1e9 } })).json();
    expect(answer.n_samples_seen).toBe(40);
  });
});
