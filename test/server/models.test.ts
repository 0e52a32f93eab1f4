import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../src/core/learning/samples.js";
import { scoreTabular, type TabularModel } from "../../src/core/learning/tabular.js";
import { LAYER_WEIGHTS, LAYERS } from "../../src/core/signals/fuse.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { packArtefact } from "../../src/features/models/artefact.js";
import { STACK, weightsOf } from "../../src/features/models/layers.js";
import { sha256 } from "../../src/platform/sha256.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { candidate, PASSED, PURPOSE, REFUSED } from "../fixtures/models.js";
import { raiseAlerts } from "../fixtures/outcomes.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { telling, tellingSamples, trainedModel } from "../fixtures/trained.js";

const BY = { actor: "test", reason: "asked for", numbers: {} };
const TRAINED = { ...BY, action: "trained" as const };
const OF = "asset_class=equity&timeframe=1d";

let program: TestProgram;
let models: TestProgram["parts"]["models"];
let first: TabularModel;
let apple: KnownInstrument;

beforeAll(async () => {
  program = await startTestProgram();
  ({ models } = program.parts);
  first = telling(1);
  apple = await saveInstrument(program.parts.database, "AAPL", { synthetic: true });
});
afterAll(() => program.close());

async function call(method: "GET" | "POST", url: string, payload?: object) {
  const answer = await program.call({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, ...answer.json() };
}

/** What a version is shown on the `place`th bar, and what it says. */
async function scoreAt(
  place: number,
  modelId: number,
  model: TabularModel,
  change: { shadow?: boolean } = {},
) {
  const { samples } = tellingSamples(place + 1, 77);
  const values = Float64Array.from(samples.columns, (column) => column[place]);
  values[5] = Number.NaN;
  const { barTime, closedAt, pattern } = detectionAt(apple, place);
  const moment = {
    instrumentId: apple.id,
    interval: "5m",
    barTime,
    closedAt,
    pattern,
    direction: 1 as const,
  };
  const { score, raw } = scoreTabular(model, values, "trending_bull");
  const said = { modelId, group: "trending_bull", shadow: change.shadow ?? false, score, raw };
  const [kept] = await models.scores.record([
    { ...moment, regime: "trending_bull", schema: SAMPLE_SCHEMA, values, scores: [said] },
  ]);
  return { id: kept.scoreIds[0], score, raw, values };
}

describe("versions of models", () => {
  it("200 has nothing to tell before one is trained, and says how", async () => {
    const listed = await call("GET", "/api/ml/models");
    expect(listed).toMatchObject({ status: 200, data: [], models: { global: [], pattern: [] } });
    expect(listed.reason).toContain("POST /api/ml/train");
    expect(await call("GET", `/api/ml/active-version?${OF}`)).toMatchObject({
      status: 200,
      active_version: null,
    });
    expect(await call("GET", `/api/ml/model-info?${OF}`)).toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    expect(await call("POST", "/api/ml/rollback", { asset_class: "equity", timeframe: "1d" })).toMatchObject({
      status: 404,
    });
  });

  it("200 takes learned weights of layers back by the name of their learner", async () => {
    const head = { learner: "layer_stack", featureSchema: "layers-1", columns: LAYERS };
    const weights = { rules: 0.1, deep: 0.1, multi_timeframe: 0.1, sentiment: 0.7 };
    const model = { weights, calibrator: { kind: "platt" as const, slope: 1, intercept: 0 }, samples: 40 };
    const artefact = packArtefact(head, { learner: "layer_stack", model });
    const entered = { ...candidate(0, STACK), ...head, artefact, hash: sha256(artefact) };
    await models.registry.enter(entered, PASSED, TRAINED);
    expect(weightsOf(models.registry)).toEqual(weights);
    expect(await call("GET", "/api/ml/active-version?learner=layer_stack")).toMatchObject({
      status: 200,
      active_version: "1.0.0",
    });
    const back = await call("POST", "/api/ml/rollback", { learner: "layer_stack", reason: "a test" });
    expect(back).toMatchObject({ status: 200, active_version: null });
    expect(weightsOf(models.registry)).toEqual(LAYER_WEIGHTS);
    expect(await call("GET", "/api/ml/model-info?learner=layer_stack&version=1.0.0")).toMatchObject({
      status: 200,
    });
  });

  it("200 tells what serves by regime, with its card, and what its features weigh", async () => {
    const version = await models.registry.enter(trainedModel(first), PASSED, TRAINED);
    expect(version.status).toBe("active");
    const { models: groups } = await call("GET", "/api/ml/models");
    const global = { asset_class: "equity", timeframe: "1d", version: "1.0.0" };
    expect(groups.global).toContainEqual({ ...global, regime: "all" });
    expect(groups.global).toContainEqual({ ...global, regime: "trending_bull" });
    const info = await call("GET", `/api/ml/model-info?${OF}&regime=trending_bull`);
    expect(info.metadata).toMatchObject({
      version: "1.0.0",
      status: "active",
      feature_schema: SAMPLE_SCHEMA,
    });
    expect(info.feature_importance[0].feature).toBe(SAMPLE_NAMES[0]);
    const total = info.feature_importance.reduce(
      (sum: number, { importance }: { importance: number }) => sum + importance,
      0,
    );
    expect(total).toBeCloseTo(1, 12);
    expect(await call("GET", `/api/ml/active-version?${OF}&regime=breakout`)).toMatchObject({
      active_version: "1.0.0",
      group: "all",
    });
    expect(JSON.stringify(info)).not.toMatch(/\/(tmp|home|work|var)\//);
  });

  it("200, 404, 409, 422 are promoted and taken back; what rules refused stays refused", async () => {
    const body = { asset_class: "equity", timeframe: "1d" };
    const before = (await call("GET", "/api/ml/audits")).total;
    await models.registry.enter(trainedModel(telling(2)), PASSED, TRAINED);
    const refused = await models.registry.enter(trainedModel(telling(3)), REFUSED, TRAINED);
    expect(refused.version).toBe("1.2.0");
    const promote = (to_version: string) => call("POST", "/api/ml/promote", { ...body, to_version });
    expect(await promote("1.1.0")).toMatchObject({ status: 200, active_version: "1.1.0" });
    expect(await promote("1.2.0")).toMatchObject({ status: 409, code: "promotion_refused" });
    expect(await promote("7.0.0")).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await call("POST", "/api/ml/promote", { ...body, to_version: "latest" })).toMatchObject({
      status: 400,
    });
    expect(await call("POST", "/api/ml/rollback", { ...body, reason: "a test" })).toMatchObject({
      active_version: "1.0.0",
    });
    const { data, total } = await call("GET", `/api/ml/audits?limit=4`);
    // Four as two versions were entered, and two for each change of what serves.
    expect(total - before).toBe(8);
    expect(data.map(({ action, reason }: Record<string, string>) => [action, reason])).toEqual([
      ["promoted", "1.1.0 was rolled back: a test"],
      ["rolled_back", "a test"],
      ["promoted", "asked for"],
      ["retired", "1.1.0 takes its place"],
    ]);
    const { data: of } = await call("GET", `/api/ml/audits?model_id=${refused.id}`);
    expect(of[0]).toMatchObject({ action: "refused", reason: "rule auc_above_least" });
    expect(of[0].checks[2]).toEqual({ rule: "auc_above_least", passed: false, value: 0.55, limit: 0.6 });
  });

  it("400 change nothing that is not named in full, and weights of layers are taken back by their name", async () => {
    const before = (await call("GET", "/api/ml/audits")).total;
    const named = { asset_class: "equity", timeframe: "1d" };
    for (const body of [
      {},
      { asset_class: "equity" },
      { timeframe: "1d" },
      { learner: "sequence_net", timeframe: "1d" },
      { learner: "q_agent", asset_class: "equity" },
      { learner: "layer_stack", regime: "ranging" },
      { ...named, learner: "sequence_net" },
    ]) {
      const rolledBack = await call("POST", "/api/ml/rollback", body);
      expect([body, rolledBack.status, rolledBack.code]).toEqual([body, 400, "invalid_request"]);
      const promoted = await call("POST", "/api/ml/promote", { ...body, to_version: "1.0.0" });
      expect([body, promoted.status, promoted.code]).toEqual([body, 400, "invalid_request"]);
    }
    expect((await call("GET", "/api/ml/audits")).total).toBe(before);
    await models.registry.enter(candidate(5, STACK), PASSED, TRAINED);
    expect(await call("POST", "/api/ml/rollback", { learner: "layer_stack" })).toMatchObject({
      status: 200,
      active_version: null,
    });
  });

  it("403 are for admins to promote, take back and train", async () => {
    const { users } = program.parts;
    await users.createUser("eve", "trader");
    const owner = { userId: "owner", role: "admin", anonymous: true } as const;
    const { key } = await users.createKey(owner, "eve", "her own", null);
    const headers = { authorization: `Bearer ${key}` };
    for (const url of ["/api/ml/promote", "/api/ml/rollback", "/api/ml/train"]) {
      const payload = url.endsWith("train")
        ? {}
        : { asset_class: "equity", timeframe: "1d", to_version: "1.0.0" };
      const answer = await program.server.inject({ method: "POST", url, headers, payload });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
  });
});

describe("scores", () => {
  it("200 are computed again bit for bit, and 404 without one", async () => {
    const version = models.registry.serving(PURPOSE)?.version;
    expect(version?.version).toBe("1.0.0");
    const { id, score, raw, values } = await scoreAt(3, version?.id ?? 0, first);
    const { data } = await call("GET", `/api/ml/scores/${id}/proof`);
    expect(data).toMatchObject({
      identical: true,
      stored: { score, raw },
      recomputed: { score, raw },
      reason: null,
    });
    expect(data.artefact_hash.startsWith(data.model_hash)).toBe(true);
    expect(data.features[SAMPLE_NAMES[0]]).toBe(values[0]);
    expect(data.features[SAMPLE_NAMES[5]]).toBeNull();
    expect(await call("GET", "/api/ml/scores/999999/proof")).toMatchObject({
      status: 404,
      code: "score_not_found",
    });
  });

  it("200 are kept once for each moment and version, whoever asks", async () => {
    const version = models.registry.serving(PURPOSE)?.version;
    const ids = await Promise.all(Array.from({ length: 6 }, () => scoreAt(4, version?.id ?? 0, first)));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
    const { database } = program.parts;
    await expect(database.query("update model_scores set score = 1")).rejects.toThrow(/only added/);
    await expect(database.query("update feature_snapshots set pattern = 'x'")).rejects.toThrow(/only added/);
  });

  it("200 is not identical where the artefact is another by now, and says why", async () => {
    const version = await models.registry.enter(trainedModel(telling(4)), PASSED, TRAINED);
    const { id } = await scoreAt(5, version.id, telling(4));
    const { database } = program.parts;
    await database.query("alter table models disable trigger models_fixed");
    await database.query("update models set artefact = artefact || 'x'::bytea where id = $1", [version.id]);
    await database.query("alter table models enable trigger models_fixed");
    const { data } = await call("GET", `/api/ml/scores/${id}/proof`);
    expect(data).toMatchObject({ identical: false, recomputed: null });
    expect(data.reason).toContain("not the one that was stored");
  });
});

describe("telemetry of trades", () => {
  it("200, 404 tells version, hash, features and score of each trade, and compares versions", async () => {
    const { database } = program.parts;
    const other = telling(2);
    const [one, two] = await models.registry.list({ ...PURPOSE }, 10).then((all) => all.toReversed());
    // Of the trades that the first version scored one in four wins, of those of the second three in four.
    for (let place = 10; place < 50; place++) {
      const isFirst = place < 30;
      const [alert] = await raiseAlerts(database, apple, [detectionAt(apple, place)]);
      await scoreAt(place, isFirst ? one.id : two.id, isFirst ? first : other);
      const won = isFirst ? place % 4 === 0 : place % 4 !== 0;
      await database.query(
        `insert into outcomes (synthetic, source, policy, terms, alert_id, detection_id, instrument_id, symbol, interval,
           pattern, direction, ending, outcome, gain, r, settled_at)
         select true, 'settled', 'sltp', 'levels', a.id, a.detection_id, a.instrument_id, 'AAPL', '5m', a.pattern, 1,
           $2, $3, $4, 1, a.closed_at + interval '1 minute' from alerts a where a.id = $1`,
        [alert, won ? "target" : "stop", won ? "profit" : "loss", (won ? 0.02 : -0.01) + place / 1e5],
      );
    }
    const { data: trades } = await call("GET", "/api/ml-telemetry/trades?limit=100");
    expect(trades).toHaveLength(40);
    const [newest] = trades;
    expect(newest).toMatchObject({
      model_version: two.version,
      model_hash: two.hash.slice(0, 16),
      symbol: "AAPL",
    });
    expect(Object.keys(newest.features_snapshot)).toEqual([...SAMPLE_NAMES]);
    expect(newest.ml_confidence).toBeCloseTo(2 * Math.abs(newest.ml_score - 0.5), 12);
    expect((await call("GET", `/api/ml-telemetry/trades/${newest.id}`)).data).toEqual(newest);
    expect(await call("GET", "/api/ml-telemetry/trades/999999")).toMatchObject({ status: 404 });
    const { data: versions } = await call("GET", "/api/ml-telemetry/versions");
    const records = versions.map(({ model_version, trades: n, wins, win_rate }: Record<string, unknown>) => [
      ...[model_version, n, wins, win_rate],
    ]);
    expect(records).toEqual([
      [two.version, 20, 15, 0.75],
      [one.version, 20, 5, 0.25],
    ]);
    const { data: compared } = await call(
      "GET",
      `/api/ml-telemetry/compare?a=${one.version}&b=${two.version}`,
    );
    expect(compared.win_rate.difference).toBeCloseTo(0.5, 12);
    // 0.5 over the pooled error of two shares of 20: t is 3.16, of ten blocks each.
    expect(compared.win_rate.p_value).toBeCloseTo(0.0054, 3);
    expect(compared.gain.difference).toBeGreaterThan(0.01);
    const { a: ofA, b: ofB } = compared.decisions;
    expect(ofA).toMatchObject({ decisions: 20, wins: 5, by_source: { settled: 20 } });
    const times = [10, 29, 30, 49].map((place) => detectionAt(apple, place).closedAt);
    expect([ofA.from, ofA.to, ofB.from, ofB.to].map(Date.parse)).toEqual(times);
    expect(compared.same_time).toBe(false);
    expect(await call("GET", "/api/ml-telemetry/compare?a=1.0.0&b=9.9.9")).toMatchObject({ status: 404 });
  });

  it("200, 400 finds trades by a feature that lay outside a range", async () => {
    const name = SAMPLE_NAMES[1];
    const { data: all } = await call("GET", "/api/ml-telemetry/trades?limit=100");
    const { data: high } = await call("GET", `/api/ml-telemetry/features?name=${name}&max=1&limit=100`);
    type Trade = { id: number; features_snapshot: Record<string, number | null> };
    const expected = all.filter((trade: Trade) => (trade.features_snapshot[name] ?? 0) > 1);
    expect(expected.length).toBeGreaterThan(0);
    expect(high.map(({ id }: Trade) => id)).toEqual(expected.map(({ id }: Trade) => id));
    expect((await call("GET", `/api/ml-telemetry/features?name=${SAMPLE_NAMES[5]}&min=1`)).data).toEqual([]);
    for (const query of [`name=${name}`, `name=${name}&min=2&max=1`, "name=nothing&min=1", "min=1"]) {
      expect(await call("GET", `/api/ml-telemetry/features?${query}`)).toMatchObject({ status: 400 });
    }
  });
});

describe("models that are taught label by label", () => {
  const key = { asset_class: "crypto", timeframe: "1h", regime: "ranging" };

  it("200 say nothing at first, then what they were taught", async () => {
    const { samples } = tellingSamples(300, 5);
    const row = (i: number) =>
      Object.fromEntries(SAMPLE_NAMES.map((name, k) => [name, samples.columns[k][i]] as const));
    const before = await call("POST", "/api/ml/online-predict", { ...key, features: row(0) });
    expect(before).toMatchObject({ status: 200, prediction: null, probabilities: null, n_samples_seen: 0 });
    for (let i = 0; i < 40; i++) {
      const taught = await call("POST", "/api/ml/online-update", {
        ...key,
        features: row(i),
        label: samples.labels[i],
      });
      expect(taught).toMatchObject({ status: 200, n_samples_seen: i + 1 });
    }
    const up = { ...Object.fromEntries(SAMPLE_NAMES.map((name) => [name, null])), [SAMPLE_NAMES[0]]: 3 };
    const rises = await call("POST", "/api/ml/online-predict", { ...key, features: up });
    const falls = await call("POST", "/api/ml/online-predict", {
      ...key,
      features: { ...up, [SAMPLE_NAMES[0]]: -3 },
    });
    expect(rises.probabilities[1]).toBeGreaterThan(falls.probabilities[1]);
    const list = SAMPLE_NAMES.map((name) => up[name]);
    expect((await call("POST", "/api/ml/online-predict", { ...key, features: list })).probabilities).toEqual(
      rises.probabilities,
    );
    const status = await call("GET", "/api/ml/online-status");
    expect(status.status.models["crypto:1h:ranging"]).toMatchObject({ n_samples: 40, is_fitted: true });
    expect(status.model_stats.training_samples).toBe(40);
    expect(status.is_learning).toBe(false);
  });

  it("200 lose no label of several that come at once", async () => {
    const at = { ...key, timeframe: "4h" };
    const features = { [SAMPLE_NAMES[0]]: 1 };
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        call("POST", "/api/ml/online-update", { ...at, features, label: i % 2 }),
      ),
    );
    const { n_samples_seen } = await call("POST", "/api/ml/online-predict", { ...at, features });
    expect(n_samples_seen).toBe(12);
  });

  it("400 for features that nobody reads, of another length, or no label", async () => {
    const send = (change: object) =>
      call("POST", "/api/ml/online-update", {
        ...key,
        features: { [SAMPLE_NAMES[0]]: 1 },
        label: 1,
        ...change,
      });
    for (const change of [
      { features: { nothing: 1 } },
      { features: [1, 2] },
      { features: SAMPLE_NAMES.map(() => 1e308) },
      { features: { [SAMPLE_NAMES[0]]: -1e13 } },
      { label: 2 },
      { asset_class: "art" },
    ]) {
      expect(await send(change)).toMatchObject({ status: 400 });
    }
  });
});

describe("how learning goes", () => {
  it("200 counts versions, labels and drift, and what layers did", async () => {
    const { data } = await call("GET", "/api/stats/ml");
    expect(data.models).toMatchObject({ active: 1, refused: 1 });
    expect(data).toMatchObject({ snapshots: 43, online_models: 2, online_labels: 52, next_look: null });
    expect(data.drift[0]).toMatchObject({ version: "1.0.0", compared: 0 });
    const learning = (await call("GET", "/api/ml/learning-status")).data;
    expect(learning).toMatchObject({ is_learning: false, total_models: 2, serving: 1, next_update_in: null });
    const performance = (await call("GET", "/api/ml/model-performance")).data;
    expect(performance.models[0]).toMatchObject({
      name: "gradient_trees:equity:1d:regime",
      status: "active",
    });
    expect((await call("GET", "/api/ml/performance")).data.models).toEqual(performance.models);
    expect((await call("GET", "/api/ml/layer-attribution?period=7d")).data).toMatchObject({
      decisions: 0,
      reason: expect.stringContaining("no alert"),
    });
    for (const period of ["soon", "0d", "00d"])
      expect((await call("GET", `/api/ml/layer-attribution?period=${period}`)).status).toBe(400);
  });
});
