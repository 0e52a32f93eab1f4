import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lowerBound } from "../../src/core/base/search.js";
import { decodeDataSet, joinDataSets } from "../../src/core/learning/data-set.js";
import type { SampleFacts } from "../../src/core/learning/samples.js";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../src/core/learning/samples.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { type OpenModel, openArtefact } from "../../src/features/models/artefact.js";
import { cardSchema } from "../../src/features/models/card.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createScoreStore } from "../../src/features/models/scores.js";
import { createModelStore } from "../../src/features/models/store.js";
import { createDataSetJob } from "../../src/features/retraining/data-set-job.js";
import { createLabelStore } from "../../src/features/retraining/label-store.js";
import { gatherMaterial } from "../../src/features/retraining/lesson.js";
import { POLICY, readLot } from "../../src/features/retraining/lots.js";
import { createTrainJob, type TrainInput } from "../../src/features/retraining/train-job.js";
import type { Database } from "../../src/platform/database.js";
import type { JobContext } from "../../src/platform/jobs.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { createTestRegistry } from "../fixtures/models.js";
import { pulledWalk } from "../fixtures/planted-walks.js";
import { sized } from "../fixtures/sizes.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MARKET = { synthetic: false, replay: null };
const BARS = sized({ usual: 1_000, full: 1_500 });
/** Of the newest bars, where it does not matter of how many. */
const SHORT: TrainInput = sized({ usual: { lookback: "2d" }, full: {} });
const DAYS = sized({ usual: 2, full: 4 });
const walk: Candles = pulledWalk(BARS, 5, 0.3, "BTC-USD");

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;
let registry: Registry<OpenModel>;
const workers = createTestWorkers();

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
});
afterAll(async () => {
  await workers.close();
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, outcomes, models, model_audits restart identity cascade");
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
  registry = createTestRegistry(database, MARKET, openArtefact);
  await registry.refresh();
});

const seriesOf = () => ({
  instrument,
  interval: "5m" as const,
  fromMs: walk.time[0],
  untilMs: walk.time[BARS - 1],
});
const source = () => ({
  read: async ({ fromMs }: { fromMs: number }) => sliceCandles(walk, lowerBound(walk.time, fromMs), BARS),
  knowledge: { load: async () => ({ edges: [], texts: [] }) },
  labels: createLabelStore(database, MARKET),
});

function train(id: number, enter = registry.enter, order: TrainInput = {}) {
  const job = createTrainJob({
    ...source(),
    registry: { ...registry, enter },
    store: createModelStore(database, MARKET),
    series: { loadSeries: async () => [seriesOf()] },
    workers,
    leases: {
      acquire: async () => ({ name: "training", token: 1 }) as never,
      release: async () => undefined,
    },
    synthetic: false,
    now: () => walk.time[BARS - 1] + 300_000,
  });
  const context = {
    job: { id, userId: "ann" },
    signal: new AbortController().signal,
    report: () => undefined,
    checkpoint: { last: null, save: async () => undefined },
  } as unknown as JobContext<null>;
  return job.run(order, context);
}

const versions = () => registry.list({ learner: "gradient_trees" }, 20);

async function gather(sinceMs = 0) {
  const lot = { assetClass: "crypto", interval: "5m", series: [seriesOf()] };
  return gatherMaterial(await readLot(source(), lot, sinceMs, new AbortController().signal), POLICY);
}

/** Stores a decision with what was shown of it. @returns the detection. */
async function show({ time, plan, patterns, label }: SampleFacts): Promise<number> {
  const { direction } = plan;
  const moment = { barTime: time, closedAt: label.decidedAt, pattern: patterns[0], direction };
  const detection = detectionAt(instrument, 0, { ...moment, startTime: time });
  const [{ id }] = await recordCandidates(database, instrument, [detection]);
  const values = Float64Array.from(SAMPLE_NAMES, (_, k) => k / 8);
  const snapshot = { instrumentId: instrument.id, interval: "5m", regime: "ranging", schema: SAMPLE_SCHEMA };
  await createScoreStore(database, MARKET).record([{ ...moment, ...snapshot, values, scores: [] }]);
  return id;
}

async function tell(
  detection: number,
  {
    source: by,
    good,
    at,
    direction = null,
  }: { source: string; good: boolean; at: number; direction?: 1 | -1 | null },
): Promise<void> {
  await database.query(
    `insert into outcomes (synthetic, source, detection_id, instrument_id, symbol, interval, direction, outcome, gain,
       settled_at, created_at)
     values (false, $2, $1, $3, 'BTC-USD', '5m', $6, $4, 0.01, to_timestamp($5::float8 / 1000), to_timestamp($5::float8 / 1000))`,
    [detection, by, instrument.id, good ? "profit" : "loss", at, direction],
  );
}

describe("a training", { timeout: 180_000 }, () => {
  it("that was cut off goes on where it was, and one of the same data does no work", async () => {
    const enter: typeof registry.enter = async (...given) => {
      if (given[0].grouping === "pattern") throw new Error("cut off");
      return registry.enter(...given);
    };
    await expect(train(7, enter, SHORT)).rejects.toThrow("cut off");
    expect(await versions()).toHaveLength(1);
    const result = await train(7, registry.enter, SHORT);
    expect((await versions()).map(({ grouping, version }) => [grouping, version])).toEqual([
      ["pattern", "1.0.0"],
      ["regime", "1.0.0"],
    ]);
    expect(result.trained_global).toHaveLength(1);
    expect(result.trained_pattern).toHaveLength(1);
    expect(result.summary).toMatchObject({ global_models_trained: 1, pattern_models_trained: 1 });
    // A version from elsewhere between the two changes nothing of that.
    const imported = { actor: "ann", reason: "a file", numbers: {}, action: "imported" as const };
    for (const each of await versions()) {
      const artefact = (await createModelStore(database, MARKET).artefact(each.id)) ?? new Uint8Array();
      await registry.admit({ ...each, artefact, dataHash: "0".repeat(64), jobId: null }, imported);
    }
    const again = await train(8, registry.enter, SHORT);
    expect(again.trained_global).toEqual([]);
    expect(again.skipped_global[0].reason).toMatch(/nothing new: no work \(version 1.0.0/);
    expect(again.skipped_pattern[0].reason).toMatch(/nothing new/);
    expect(await versions()).toHaveLength(4);
  });

  it("takes decisions from as far back as it is told, with all the bars before that their features read", async () => {
    const [first] = (await gather()).facts;
    const early = (await gather(walk.time[10])).facts[0];
    expect(early).toEqual(first);
    const sinceMs = walk.time[BARS - 300];
    const all = await gather();
    const part = await gather(sinceMs);
    const offset = all.facts.findIndex(({ time }) => time >= sinceMs);
    expect(part.facts.map(({ time }) => time)).toEqual(all.facts.slice(offset).map(({ time }) => time));
    expect(part.facts.length).toBeGreaterThan(100);
    for (const [k, column] of part.samples.columns.entries())
      expect(column).toEqual(all.samples.columns[k].subarray(offset));
    const result = await train(11, registry.enter, { lookback: "1d" });
    expect(result.summary.total_outcomes).toBeGreaterThan(90);
  });

  it("on a window is told again from its card, in parts where there are many rows, and says how where there are", async () => {
    await train(12, registry.enter, { lookback: `${DAYS}d` });
    const [version] = await versions();
    const card = cardSchema.parse(version.card);
    expect(card.embargo_share).toBe(0.01);
    const settled = card.stretches.map(({ settled_by: time }) => Date.parse(time ?? ""));
    const begun = card.stretches.map(({ from }) => Date.parse(from ?? ""));
    expect(settled[0]).toBeLessThan(begun[1]);
    expect(settled[1]).toBeLessThan(begun[2]);
    expect(Object.keys(version.parameters.split as object)).toContain("embargoShare");
    const { since, source_weights: weights } = card.learned_from;
    expect(since).toBe(new Date(walk.time[BARS - 1] + 300_000 - DAYS * 86_400_000).toISOString());
    expect(weights).toEqual({ bars: 1, account: 1, client: 0.5, feedback: 0.25 });
    const job = (mostRows: number) =>
      createDataSetJob({
        ...{ ...source(), workers, mostRows, store: createModelStore(database, MARKET) },
        series: { loadSeries: async () => [seriesOf()] },
        now: () => walk.time[BARS - 1] + 9 * 86_400_000,
      });
    const context = { job: { id: 13 }, signal: new AbortController().signal } as unknown as JobContext<null>;
    const whole = await job(20_000).run({ model_id: version.id }, context);
    expect(whole).toMatchObject({ sha256: version.dataHash, part: null });
    const parts = Math.ceil(version.samples / 100);
    expect(parts).toBeGreaterThan(1);
    const files = [];
    for (let part = 1; part <= parts; part++)
      files.push(decodeDataSet(await job(100).run({ model_id: version.id, part }, context)));
    const joined = joinDataSets(files);
    expect(joined.dataSet).toEqual(decodeDataSet(whole).dataSet);
    const problem = (part?: number) => job(100).run({ model_id: version.id, part }, context);
    await expect(problem()).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining(`order each part from 1 to ${parts}`),
    });
    await expect(problem(parts + 1)).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("learns from trades of accounts, outcomes that users told and verdicts, each decision once", async () => {
    const before = await gather();
    const { facts } = before;
    const rows = [40, 80, 120, 160];
    const ids: number[] = [];
    for (const row of rows) ids.push(await show(facts[row]));
    const at = (k: number) => facts[rows[k]].label.decidedAt + 900_000;
    const opposite = (k: number) => facts[rows[k]].label.value === 0;
    await tell(ids[0], { source: "paper", good: opposite(0), at: at(0) });
    await tell(ids[1], { source: "user", good: opposite(1), at: at(1) });
    await tell(ids[1], { source: "user", good: opposite(1), at: at(1) + 1 });
    // A trade against the pattern says nothing of one on it.
    const against = facts[rows[2]].plan.direction > 0 ? -1 : 1;
    await tell(ids[2], { source: "paper", good: opposite(2), at: at(2), direction: against });
    for (const verdict of ["correct", "wrong"])
      await database.query(
        "insert into detection_feedback (detection_id, user_id, verdict, created_at) values ($1, 'ann', $2, to_timestamp($3::float8 / 1000))",
        [ids[3], verdict, at(3)],
      );
    const material = await gather();
    // What was said has a row after that of the bars.
    expect(material.facts).toHaveLength(facts.length + 2);
    const told = material.facts.flatMap(({ label }, row) => (label.policy === "stated" ? [row] : []));
    expect(told).toEqual([41, 82]);
    for (const [k, row] of told.entries()) {
      expect(material.samples.labels[row]).toBe(1 - before.samples.labels[rows[k]]);
      expect(material.samples.columns[8][row]).toBe(1);
    }
    const shares = [41, 82, 122, 162].map(
      (row, k) => (material.samples.weights?.[row] ?? 0) / (before.samples.weights?.[rows[k]] ?? 1),
    );
    expect(shares[1]).toBeLessThan(0.75 * shares[0]);
    expect(shares[2]).toBeGreaterThan(0.8);
    expect(shares[3]).toBeLessThan(0.3);
    expect(material.dataHash).not.toBe(before.dataHash);
    expect((await gather()).dataHash).toBe(material.dataHash);
    await train(9);
    const [version] = await versions();
    expect(version.dataHash).toBe(material.dataHash);
    const { sources } = cardSchema.parse(version.card).learned_from;
    expect(sources).toEqual({ detection: facts.length, outcome_log: 2 });
  });
});
