import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { decideAction } from "../../src/core/learning/agent/policy.js";
import { stateOfRequest } from "../../src/core/learning/agent/request.js";
import { flatHolding, marketOf, STATE_LENGTH, writeState } from "../../src/core/learning/agent/state.js";
import { NET_COLUMNS } from "../../src/core/learning/sequence-net/columns.js";
import { layoutOf } from "../../src/core/learning/sequence-net/layout.js";
import { createBarReader } from "../../src/core/learning/sequence-net/reading.js";
import { trainSequenceNet } from "../../src/core/learning/sequence-net/train.js";
import { SHAPES } from "../../src/core/learning/shapes.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import type { OpenModel } from "../../src/features/models/artefact.js";
import { deepPurpose } from "../../src/features/models/store.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel, TINY } from "../fixtures/deep-models.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { PASSED } from "../fixtures/models.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

/** A Tuesday, while shares trade. */
const NOW = Date.parse("2024-07-09T15:07:20Z");
const TRAINED = { actor: "test", reason: "asked for", numbers: {}, action: "trained" as const };
const SYMBOLS = ["AAPL", "MSFT", "TSLA", "BTC-USD", "ETH-USD", "SPY", "NVDA", "GOOGL"];

/** A net that leans away from no shape, so that it names some on most bars. */
const trained = trainSequenceNet({ seed: 2, windows: 2_400, epochs: 4, foundShare: 0.2, size: TINY }).net;
const none = layoutOf(TINY).slices.denseBias.at;
const net = {
  ...trained,
  values: trained.values.map((value, k) => Math.fround(k === none ? value - 6 : value)),
  temperature: 0.5,
};
const NET: OpenModel = { learner: "sequence_net", model: net };
const AGENT = drawnModel("q_agent", 4);

let database: TestDatabase;
let admin: pg.Client;
let program: TestProgram;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.connection);
  await admin.connect();
  program = await startTestProgram({ clock: createManualClock(NOW), database });
  // Threads take their time to start.
  await program.call({ method: "POST", url: "/api/detect", payload: { symbol: "AAPL" } });
}, 120_000);
afterAll(async () => {
  await program.close();
  await admin.end();
  await database.drop();
});
afterEach(async () => {
  await admin.query("truncate models, model_audits restart identity cascade");
  await program.parts.models.registry.refresh();
});

const enter = async (open: OpenModel & { learner: "sequence_net" | "q_agent" }) => {
  const { registry } = program.parts.models;
  await registry.refresh();
  const active = registry.serving(deepPurpose(open.learner))?.version.id ?? null;
  return registry.enter(deepVersion(open.learner, open), PASSED, TRAINED, { active, with: null });
};
const serveNet = () => enter(NET as OpenModel & { learner: "sequence_net" });
const serveAgent = () => enter(AGENT as OpenModel & { learner: "q_agent" });
const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });

/** The newest closed bars of a symbol, as the program reads them. */
async function candlesOf(symbol: string, bars: number) {
  const instrument = await program.parts.instruments.resolve(symbol);
  return (await program.parts.candles.loadLatest(instrument, "1h", bars)).candles;
}

describe("GET /api/ml/deep-detect", () => {
  it("404 with the reason while no net serves, and for a symbol that is none", async () => {
    expectProblem(await program.call("/api/ml/deep-detect?symbol=AAPL"), "no_model", /no sequence net/);
    await serveNet();
    expectProblem(await program.call("/api/ml/deep-detect?symbol=%20"), "symbol_invalid");
  });

  it("200 names what a reader of the same bars names, each run of bars once, newest first", async () => {
    await serveNet();
    const read = createBarReader(net);
    let found = 0;
    for (const symbol of SYMBOLS) {
      const answer = (await program.call(`/api/ml/deep-detect?symbol=${symbol}&bars=120`)).json();
      expect(answer).toMatchObject({
        symbol,
        timeframe: "1h",
        detector: "sequence_net",
        model_version: "1.0.0",
        windows_read: 120,
        reason: null,
        synthetic: true,
      });
      const { success, data, ...beside } = answer;
      expect([success, data]).toEqual([true, beside]);
      const candles = await candlesOf(symbol, 169);
      const named = new Map<string, { shape: string; probability: number; close: number; volume: number }>();
      for (let end = candles.time.length - 120; end < candles.time.length; end++) {
        const reading = read(candles, end);
        if (reading === null || reading.shape === "none" || reading.probability <= 0.5) continue;
        const { shape, probability } = reading;
        const [close, volume] = [candles.close[end], candles.volume[end]];
        named.set(new Date(candles.time[end]).toISOString(), { shape, probability, close, volume });
      }
      const covered = new Set<string>();
      for (const { pattern_type, confidence, price, volume, timestamp, metadata } of answer.patterns) {
        const at = named.get(metadata.bar_time);
        expect(at).toEqual({ shape: pattern_type, probability: confidence, close: price, volume });
        expect(Date.parse(timestamp)).toBeLessThanOrEqual(NOW);
        expect(metadata).toMatchObject({ explanation: null, explanation_reason: "It was not asked for" });
        for (const [time, each] of named) {
          if (time < metadata.first_bar_time || time > metadata.last_bar_time) continue;
          expect(each.shape).toBe(pattern_type);
          expect(each.probability).toBeLessThanOrEqual(confidence);
          covered.add(time);
        }
      }
      expect(covered.size).toBe(named.size);
      const times = answer.patterns.map(({ timestamp }: { timestamp: string }) => timestamp);
      expect(times).toEqual([...times].sort().reverse());
      found += answer.patterns.length;
    }
    expect(found).toBeGreaterThan(0);
  });

  it("200 says why it read nothing of a symbol with too few bars", async () => {
    await serveNet();
    const loadLatest = program.parts.candles.loadLatest;
    const spy = vi.spyOn(program.parts.candles, "loadLatest").mockImplementation(async (...asked) => {
      const set = await loadLatest(...asked);
      return { ...set, candles: sliceCandles(set.candles, 0, 49) };
    });
    const { patterns, windows_read, reason } = (await program.call("/api/ml/deep-detect?symbol=AAPL")).json();
    spy.mockRestore();
    expect([patterns, windows_read]).toEqual([[], 0]);
    expect(reason).toMatch(/Fewer than 50 bars/);
  });

  it("200 tells on request what did it, by parts that sum to the logit less that of a flat window", async () => {
    await serveNet();
    let told = 0;
    for (const symbol of SYMBOLS) {
      const url = `/api/ml/deep-detect?symbol=${symbol}&bars=200&explain=true`;
      const { patterns } = (await program.call(url)).json();
      for (const [k, { metadata }] of patterns.entries()) {
        const { explanation } = metadata;
        const { explanation_reason: reason } = metadata;
        expect(reason === null).toBe(explanation !== null);
        if (k >= 5) expect(reason).toBe("The newest 5 are explained");
        // A busy machine may not come to it in time, and says so.
        else if (reason !== null) expect(reason).toMatch(/time of the answer/);
        if (explanation === null) continue;
        told++;
        const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0);
        expect(Object.keys(explanation.columns)).toEqual([...NET_COLUMNS]);
        expect(explanation.bars).toHaveLength(50);
        for (const parts of [Object.values<number>(explanation.columns), explanation.bars as number[]]) {
          expect(Math.abs(sum(parts) - (explanation.logit - explanation.base))).toBeLessThan(1e-3);
        }
      }
      if (told > 6) break;
    }
    expect(told).toBeGreaterThan(0);
  });

  it("200 within the time of an answer where no thread comes to explain, with the reason in place of each", async () => {
    await serveNet();
    const { workers } = program.parts;
    const run = workers.run.bind(workers);
    const spy = vi
      .spyOn(workers, "run")
      .mockImplementation((kind, input, options) =>
        kind.compiled.href.includes("deep-explain-worker")
          ? new Promise(() => undefined)
          : run(kind, input, options),
      );
    const found = [];
    for (const symbol of SYMBOLS) {
      const answer = await program.call(`/api/ml/deep-detect?symbol=${symbol}&bars=500&explain=true`);
      expect(answer.statusCode).toBe(200);
      found.push(...answer.json().patterns);
      if (found.length > 0) break;
    }
    spy.mockRestore();
    expect(found.length).toBeGreaterThan(0);
    for (const { metadata } of found) expect(metadata.explanation).toBeNull();
    expect(found[0].metadata.explanation_reason).toMatch(/time of the answer/);
  });
});

describe("POST /api/ml/rl-action", () => {
  const STATE = {
    price: 101,
    volume: 5_000,
    rsi: 31,
    macd: -0.4,
    bb_position: 0.1,
    sentiment: 0.2,
    position: 1,
  };

  it("404 with the reason while no agent serves", async () => {
    expectProblem(await post("/api/ml/rl-action", STATE), "no_model", /No agent has been promoted/);
  });

  it("200 says what the agent would do, of a body as it is or within state", async () => {
    await serveAgent();
    const plain = (await post("/api/ml/rl-action", STATE)).json();
    expect(plain.success).toBe(true);
    expect(Object.keys(plain.data).sort()).toEqual(["assumed", "model_version", "result"]);
    expect(plain).toMatchObject(plain.data);
    const { inputs, position, assumed } = stateOfRequest(STATE);
    const model = AGENT.learner === "q_agent" ? AGENT.model : null;
    if (model === null) throw new Error("no agent");
    const { action, confidence, qValues } = decideAction(model, inputs, position);
    expect(plain).toMatchObject({
      result: {
        ...{ action, confidence, q_values: qValues },
        q_values_of: expect.stringMatching(
          /markets it was trained on, simulated .* no forecast of this market/,
        ),
      },
      model_version: "1.0.0",
    });
    expect(plain.result.valid_actions).toEqual(["HOLD", "SELL"]);
    expect(plain.assumed).toEqual(assumed);
    const columns = plain.assumed.map(({ column }: { column: string }) => column);
    expect(columns).toContain("price");
    expect(columns).not.toContain("rsi");
    expect((await post("/api/ml/rl-action", { state: STATE })).json().result).toEqual(plain.result);
    const flat = (await post("/api/ml/rl-action", { price: 101, volume: 5_000 })).json();
    expect(flat.result.valid_actions).toEqual(["HOLD", "BUY", "SELL"]);
    expect(flat.assumed.length).toBeGreaterThan(plain.assumed.length);
  });

  it("200 measures figures by what it is told, and takes the rest from stored bars of a symbol", async () => {
    await serveAgent();
    const scale = { mean_close: 100, mean_volume: 4_000, atr: 2 };
    const columnsOf = ({ assumed }: { assumed: { column: string }[] }) => assumed.map(({ column }) => column);
    const measured = (
      await post("/api/ml/rl-action", { ...STATE, ...scale, pnl: 1, time_in_position: 3 })
    ).json();
    expect(columnsOf(measured)).toEqual(["move_10", "move_40", "volatility"]);
    const given = { meanPrice: 100, meanVolume: 4_000, range: 2 };
    const { inputs, position } = stateOfRequest({ ...STATE, pnl: 1, time_in_position: 3 }, given);
    const model = AGENT.learner === "q_agent" ? AGENT.model : null;
    if (model === null) throw new Error("no agent");
    expect(measured.result.q_values).toEqual(decideAction(model, inputs, position).qValues);
    // What the simulator shows the agent at the newest bar.
    const candles = await candlesOf("AAPL", 300);
    const market = marketOf(candles);
    const seen = new Float64Array(STATE_LENGTH);
    writeState(market, candles.time.length - 1, flatHolding(), seen);
    const found = (await post("/api/ml/rl-action", { symbol: "AAPL", timeframe: "1h" })).json();
    expect(found.result.q_values).toEqual(decideAction(model, seen, 0).qValues);
    expect(columnsOf(found)).toEqual(["sentiment", "position"]);
    const priced = (await post("/api/ml/rl-action", { symbol: "AAPL", timeframe: "1h", price: 1e9 })).json();
    expect(priced.result.q_values).not.toEqual(found.result.q_values);
    expectProblem(await post("/api/ml/rl-action", { symbol: "$" }), "symbol_invalid");
  });

  it.each([{}, { price: 0, volume: 1 }, { price: 1, volume: 1, rsi: 101 }, { state: { price: 1 } }, [1]])(
    "422 or 400 for %o",
    async (payload) => {
      await serveAgent();
      const { statusCode } = await program.server.inject({
        method: "POST",
        url: "/api/ml/rl-action",
        payload,
      });
      expect([400, 422]).toContain(statusCode);
    },
  );
});

describe("POST /api/detect-enhanced with a net that serves", () => {
  it("200 fuses what the net says, and the contributions still add up to the composite to the last bit", async () => {
    await serveNet();
    const read = createBarReader(net);
    let spoke = 0;
    let answered = 0;
    for (const symbol of SYMBOLS) {
      const answer = await post("/api/detect-enhanced", { symbol, timeframe: "1h" });
      if (answer.statusCode !== 200) continue;
      answered++;
      const { data } = answer.json();
      const { deep_learning: deep } = data.layers;
      const candles = await candlesOf(symbol, 60);
      const reading = read(candles, candles.time.length - 1);
      expect(deep).toMatchObject({
        model_version: "1.0.0",
        shape: reading?.shape,
        probability: reading?.probability,
        boost: 0,
      });
      expect(SHAPES).toContain(deep.shape);
      if (reading?.shape === "none") expect(deep).toMatchObject({ score: null, status: "unavailable" });
      else {
        expect(deep.value).toBe(reading?.signed);
        const sign = data.composite_direction === "bullish" ? 1 : -1;
        expect(deep.score).toBeCloseTo(50 + 50 * sign * deep.value, 9);
        expect(deep.weight).toBeGreaterThan(0.14);
        spoke++;
      }
      const names = ["rule_based", "deep_learning", "multi_timeframe", "sentiment"];
      const sum = (field: string) => names.reduce((total, name) => total + data.layers[name][field], 0);
      expect(sum("contribution")).toBe(data.composite_score);
      expect(sum("weight")).toBeCloseTo(1, 12);
    }
    expect(answered).toBeGreaterThan(1);
    expect(spoke).toBeGreaterThan(0);
    expect((await program.call("/api/patterns/heatmap?symbol=AAPL")).statusCode).toBe(200);
  });
});

describe("GET /api/ml/model-info and /api/ml/models of a net and an agent", () => {
  it("200 tells of both by their learner, and they are promoted and taken back by it", async () => {
    await serveNet();
    await enter(drawnModel("sequence_net", 9) as OpenModel & { learner: "sequence_net" });
    await serveAgent();
    const info = (await program.call("/api/ml/model-info?learner=sequence_net")).json();
    expect(info.data).toMatchObject({
      learner: "sequence_net",
      version: "1.1.0",
      status: "active",
    });
    expect(info.feature_importance).toEqual([]);
    const agent = (await program.call("/api/ml/model-info?learner=q_agent&version=1.0.0")).json();
    expect(agent.data).toMatchObject({ name: "q_agent:any:any", timeframe: "any" });
    const back = (await post("/api/ml/rollback", { learner: "sequence_net" })).json();
    expect(back.active_version).toBe("1.0.0");
    const active = (await program.call("/api/ml/active-version?learner=sequence_net")).json();
    expect(active).toMatchObject({ active_version: "1.0.0", group: "all" });
    const { data } = (await program.call("/api/ml/models")).json();
    expect(data.map(({ name }: { name: string }) => name)).toContain("sequence_net:any:any");
  });
});

describe("GET /health/detailed", () => {
  const components = async () => (await program.call("/health/detailed")).json().components;

  it("200 tells which models serve, and is degraded while an active version cannot be read", async () => {
    expect(await components()).toMatchObject({
      ml_models: { status: "unavailable", total_models: 0, serving: [], refused: [] },
      deep_learning: { status: "unavailable", model_version: null, device: null },
    });
    await serveNet();
    const second = await serveNet();
    await serveAgent();
    expect(await components()).toMatchObject({
      ml_models: { status: "healthy", total_models: 2, reason: null, refused: [] },
      deep_learning: { status: "healthy", model_version: "1.1.0", agent_version: "1.0.0", device: "cpu" },
    });
    await admin.query("alter table models disable trigger models_fixed");
    await admin.query("update models set artefact = substring(artefact from 1 for 900) where id = $1", [
      second.id,
    ]);
    await admin.query("alter table models enable trigger models_fixed");
    const { registry } = program.parts.models;
    // What was read before is kept; a process that starts anew reads all of it.
    const fresh = await startTestProgram({ clock: createManualClock(NOW), database });
    try {
      const { status, components: told } = (await fresh.call("/health/detailed")).json();
      expect(status).toBe("degraded");
      expect((await fresh.call("/health")).json().status).toBe("degraded");
      expect(told.ml_models).toMatchObject({
        status: "degraded",
        refused: [{ model: "sequence_net:any:any", version: "1.1.0", served_by: "1.0.0" }],
      });
      expect(told.deep_learning).toMatchObject({ status: "degraded", model_version: "1.0.0" });
      const found = (await fresh.call("/api/ml/deep-detect?symbol=AAPL")).json();
      expect(found.model_version).toBe("1.0.0");
    } finally {
      await fresh.close();
    }
    expect(registry.serving(second)?.version.version).toBe("1.1.0");
  });
});
