import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { SAMPLE_NAMES } from "../../src/core/learning/samples.js";
import { LAYER_WEIGHTS, LAYERS } from "../../src/core/signals/fuse.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import type { OpenModel } from "../../src/features/models/artefact.js";
import { openArtefact } from "../../src/features/models/artefact.js";
import { STACK, weightsOf } from "../../src/features/models/layers.js";
import { createOnlineModels } from "../../src/features/models/online.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore, type ModelVersion } from "../../src/features/models/store.js";
import { createTelemetry } from "../../src/features/models/telemetry.js";
import { createLabelStore } from "../../src/features/retraining/label-store.js";
import { createLayerStore } from "../../src/features/retraining/layer-store.js";
import { createRetrainingLoop, type RetrainingLoop } from "../../src/features/retraining/loop.js";
import { createLearningStatus } from "../../src/features/retraining/status.js";
import type { Database } from "../../src/platform/database.js";
import type { JobState } from "../../src/platform/jobs.js";
import { createLeases } from "../../src/platform/lease.js";
import { createSettings } from "../../src/platform/settings.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { saveInstrument } from "../fixtures/detections.js";
import { judgeAtHand } from "../fixtures/judge.js";
import { silentLog } from "../fixtures/log.js";
import { createTestRegistry, PASSED, PURPOSE } from "../fixtures/models.js";
import { closeOf, mixed, settleAlerts } from "../fixtures/settled-alerts.js";
import { telling, trainedModel } from "../fixtures/trained.js";

type Tail<F extends (...all: never[]) => unknown> = Parameters<F> extends [unknown, ...infer T] ? T : never;
const MARKET = { synthetic: false, replay: null };
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const MODEL = telling(1);
/** Of five minutes. */
const BARS_OF_DAY = 288;

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;
let registry: Registry<OpenModel>;
let ordered: number;
let deep: string[][];

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 10 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query(
    "truncate instruments, outcomes, leases, settings, models, model_audits, online_models restart identity cascade",
  );
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
  ordered = 0;
  deep = [];
  registry = createTestRegistry(database, MARKET, openArtefact);
  await registry.refresh();
});

const online = () =>
  createOnlineModels({ database, market: MARKET, names: SAMPLE_NAMES, now: () => 0, log: silentLog });

function loopOf(
  change: { owner?: string; series?: number; newLabels?: number; mark?: string } = {},
): RetrainingLoop {
  const { owner = "one", series = 0, newLabels = 1_000, mark = "m" } = change;
  return createRetrainingLoop({
    registry,
    online: online(),
    labels: createLabelStore(database, MARKET),
    layers: createLayerStore(database, MARKET),
    agentWatch: async () => null,
    judge: judgeAtHand,
    order: async () => {
      ordered++;
      return { id: ordered } as JobState;
    },
    orderDeep: async (_, learners) => {
      deep.push([...learners]);
      return { id: 900 + deep.length } as JobState;
    },
    stored: async () => ({ series, bars: series * 1_000 }),
    hasSeries: async () => true,
    mark: async () => mark,
    settings: createSettings(database),
    leases: createLeases(database, owner),
    everyMs: 180_000,
    newLabels,
    market: "real",
    now: () => 1_000_000,
    log: silentLog,
  });
}
const pass = (loop: RetrainingLoop) => loop.definition.run(0, new AbortController().signal);

const settle = (...given: Tail<typeof settleAlerts>) => settleAlerts({ database, instrument }, ...given);

async function active(): Promise<ModelVersion> {
  return registry.enter(trainedModel(MODEL, { jobId: 1 }), PASSED, TRAINED);
}

describe("what is told of the retraining loop", () => {
  it("is when its next pass begins, from the end of the last, and what each did to how many of what", async () => {
    const loop = loopOf({ series: 1 });
    let nowMs = 1_000_000;
    const modelStore = createModelStore(database, MARKET);
    const status = createLearningStatus({
      ...{ database, market: MARKET, loop, now: () => nowMs },
      labels: createLabelStore(database, MARKET),
      layers: createLayerStore(database, MARKET),
      models: { registry, modelStore, online: online(), telemetry: createTelemetry(database, MARKET) },
    });
    expect(await status.learning()).toMatchObject({ next_update_in: 0, total_models: 0, serving: 0 });
    await active();
    await settle(0, [1]);
    // The second finds as much history as the first: what waited for it is ordered.
    await pass(loop);
    await pass(loop);
    nowMs += 60_000;
    const learning = await status.learning();
    expect(learning).toMatchObject({ next_update_in: 120, total_models: 2, serving: 1 });
    expect((await status.online()).status.total_models).toBe(2);
    expect((await status.stats()).next_look).toBe(120);
    nowMs += 600_000;
    expect((await status.online()).model_stats.next_update_seconds).toBe(0);
    expect(learning.recent_updates).toMatchObject([
      { type: "trained", impact: "2 learners" },
      { type: "taught", impact: "1 decision" },
    ]);
  });
});

describe("a pass of the retraining loop", () => {
  it("teaches online models every decision that ended, once, over restarts and instances", async () => {
    await settle(0, mixed(30));
    await pass(loopOf());
    await pass(loopOf());
    await settle(40, mixed(10, 2));
    const other = loopOf({ owner: "two" });
    await pass(other);
    // The lease is the first one's: the second does nothing until it ends.
    expect((await online().status()).map(({ samples }) => samples)).toEqual([30, 30]);
    await database.query("delete from leases");
    await pass(other);
    const taught = await online().status();
    expect(taught.map(({ key, samples }) => [key, samples])).toEqual([
      ["crypto:5m:all", 40],
      ["crypto:5m:ranging", 40],
    ]);
    expect(taught[0].figures.area).toBeGreaterThan(0.7);
    expect(other.recent()[0]).toMatchObject({ type: "taught", count: 10 });
  });

  it("teaches an outcome that is committed after a later one, once, and waits for it so long", async () => {
    await settle(0, mixed(11));
    const [{ row }] = await database.query<{ row: unknown }>(
      "delete from outcomes o where id = (select max(id) from outcomes where policy = 'sltp') returning to_jsonb(o) as row",
    );
    const samples = async () => (await online().status()).map((each) => each.samples);
    const writer = new pg.Client(server.connection);
    await writer.connect();
    try {
      await writer.query("begin");
      await writer.query(
        `insert into outcomes select (jsonb_populate_record(null::outcomes,
           $1::jsonb || jsonb_build_object('id', nextval('outcomes_id_seq')))).*`,
        [JSON.stringify(row)],
      );
      await settle(40, mixed(3, 2));
      await pass(loopOf());
      expect(await samples()).toEqual([]);
      await writer.query("commit");
    } finally {
      await writer.end();
    }
    // Another process, which was told nothing, goes on from what is stored.
    await database.query("delete from leases");
    await pass(loopOf({ owner: "two" }));
    expect(await samples()).toEqual([14, 14]);
    await pass(loopOf({ owner: "two" }));
    expect(await samples()).toEqual([14, 14]);
  });

  it("is not held up by writers that began after the newest outcome, however many there are", async () => {
    await settle(0, mixed(5));
    const [one, two] = [new pg.Client(server.connection), new pg.Client(server.connection)];
    await Promise.all([one.connect(), two.connect()]);
    let over = false;
    const write = async (client: pg.Client) => {
      while (!over) {
        await client.query("begin");
        await client.query("update outcomes set symbol = symbol where id = 0");
        await client.query("select pg_sleep(0.1)");
        await client.query("commit");
      }
      await client.end();
    };
    const writing = [write(one), new Promise((resolve) => setTimeout(resolve, 50)).then(() => write(two))];
    await pass(loopOf());
    over = true;
    await Promise.all(writing);
    expect((await online().status()).map(({ samples }) => samples)).toEqual([5, 5]);
  });

  it("does nothing where nothing is new", async () => {
    await active();
    await settle(0, mixed(10));
    const loop = loopOf();
    await pass(loop);
    await pass(loop);
    const before = await database.query("select * from online_models");
    const idle = loopOf();
    await pass(idle);
    expect(idle.recent()).toEqual([]);
    expect(await database.query("select * from online_models")).toEqual(before);
    expect(ordered).toBe(0);
  });

  it("orders a training where no model reads the features of today, and anew after enough labels", async () => {
    await pass(loopOf());
    expect(ordered).toBe(0);
    const loop = loopOf({ series: 5, newLabels: 20 });
    await pass(loop);
    expect(ordered).toBe(1);
    // It found too little: not tried again at once.
    await pass(loop);
    expect(ordered).toBe(1);
    await active();
    await settle(0, mixed(19));
    await pass(loop);
    expect(ordered).toBe(1);
    await settle(30, mixed(1));
    // All that ended was in what was learned from: nothing new, no work.
    await pass(loop);
    expect(ordered).toBe(1);
    expect((await loop.state()).trainedCount).toBe(20);
    await settle(40, mixed(20));
    const other = loopOf({ series: 5, newLabels: 20, mark: "more" });
    await pass(other);
    expect(ordered).toBe(2);
    await pass(other);
    expect(ordered).toBe(2);
    expect((await other.state()).trainedCount).toBe(40);
    expect(other.recent()).toContainEqual(
      expect.objectContaining({
        ...{ type: "trained", count: 20 },
        description: "training 2 was ordered: 20 decisions have ended since the last",
      }),
    );
    // Nets and agents are ordered once, as soon as no more series come in.
    expect(deep).toEqual([["sequence_net", "q_agent"]]);
  });

  it("counts a decision once, however many say how it ended, and no more of old than there are", async () => {
    const labels = createLabelStore(database, MARKET);
    await settle(0, mixed(10));
    await database.query(
      `insert into outcomes (synthetic, source, detection_id, instrument_id, symbol, interval, direction, outcome, gain, settled_at)
       select false, s.source, o.detection_id, o.instrument_id, o.symbol, o.interval, 1, 'profit', 0.01, o.settled_at
       from outcomes o cross join unnest('{paper,user}'::text[]) s (source) where o.policy = 'sltp'`,
    );
    expect(await labels.count()).toEqual({ count: 10 });
    expect(await labels.waiting(0)).toBe(10);
    const loop = loopOf({ newLabels: 20 });
    await active();
    await createSettings(database).save("retraining.real", { ...(await loop.state()), trainedCount: 35 });
    await pass(loop);
    expect(loop.recent()).toMatchObject([{ type: "taught", count: 10 }]);
    expect(await loop.state()).toMatchObject({ trainedCount: 10 });
    await settle(20, mixed(19));
    await pass(loop);
    expect(ordered).toBe(0);
    await settle(50, mixed(1));
    await pass(loop);
    expect(ordered).toBe(1);
  });

  it("takes back what told and then tells nothing, by the newest decisions, with the numbers", async () => {
    const version = await active();
    const rng = createRng(9);
    const telling = (label: 0 | 1) => 0.5 + (label - 0.5) * 0.4 + 0.3 * (rng.next() - 0.5);
    await settle(0, mixed(300), [{ version, shadow: false, score: telling }]);
    await pass(loopOf());
    expect(registry.serving(PURPOSE)?.version.version).toBe("1.0.0");
    await settle(400, mixed(500, 4), [{ version, shadow: false, score: () => 0.3 + 0.4 * rng.next() }]);
    const loop = loopOf();
    await pass(loop);
    expect(registry.serving(PURPOSE)).toBeNull();
    const [audit] = await createModelStore(database, MARKET).audits({ modelId: version.id }, 1);
    expect(audit).toMatchObject({ action: "rolled_back", actor: "retraining" });
    expect(["edge lost", "errors rose"]).toContain(audit.reason);
    expect(audit.numbers).toMatchObject({ samples: 500, leastAuc: 0.6 });
    expect(audit.numbers.aucHigh).toBeLessThan(0.6);
    expect(loop.recent().map(({ type }) => type)).toContain("rolled_back");
  });

  it("takes back what reads columns that are no longer what it was trained on, with the numbers", async () => {
    const purpose = { ...PURPOSE, assetClass: "crypto", interval: "5m" };
    const version = await registry.enter(trainedModel(MODEL, purpose), PASSED, TRAINED);
    const rng = createRng(12);
    const days = async (from: number, to: number, values: (column: number) => number) => {
      for (let day = from; day < to; day++) await settle(BARS_OF_DAY * day, mixed(10), [], values);
    };
    await days(0, 6, () => rng.normal());
    await pass(loopOf());
    expect(registry.serving(purpose)?.version.id).toBe(version.id);
    // As far away, but of one day, whose values follow from each other.
    await settle(BARS_OF_DAY * 6, mixed(60), [], (column) => rng.normal() + (column === 0 ? 3 : 0));
    await pass(loopOf());
    expect(registry.serving(purpose)?.version.id).toBe(version.id);
    await days(7, 27, (column) => rng.normal() + (column === 0 ? 3 : 0));
    await pass(loopOf());
    expect(registry.serving(purpose)).toBeNull();
    const [audit] = await createModelStore(database, MARKET).audits({ modelId: version.id }, 1);
    expect(audit).toMatchObject({ action: "rolled_back", reason: "features shifted" });
    expect(audit.numbers).toMatchObject({ samples: 60 + 25 + 200, limit: 0.5 });
    expect(audit.numbers.shifted).toBeGreaterThanOrEqual(0.5);
  });

  it("weighs layers as decisions that ended teach, once enough have, and not where they teach nothing", async () => {
    const layers = createLayerStore(database, MARKET);
    const keep = async (
      ...[from, labels, telling]: [number, readonly (0 | 1)[], "sentiment" | "turned" | null]
    ) => {
      await settle(from, labels);
      const alerts = await database.query<{ id: number }>(`select id from alerts order by id offset ${from}`);
      const rng = createRng(from + 1);
      const saved: Promise<void>[] = [];
      for (const [i, { id }] of alerts.entries()) {
        const value = () => 2 * rng.next() - 1;
        const sign = telling === "turned" ? -1 : 1;
        const told = telling === null ? value() : 0.4 * sign * (2 * labels[i] - 1) + 0.6 * value();
        const values = { rules: value(), deep: Number.NaN, multi_timeframe: value(), sentiment: told };
        const asOfMs = closeOf(from + i);
        const stackVersion = registry.serving(STACK)?.version.version ?? null;
        const fused = { composite: 50, chance: null, stackVersion, netId: null, weights: LAYER_WEIGHTS };
        saved.push(layers.save({ alertId: id, direction: 1, values, ...fused, asOfMs }));
      }
      await Promise.all(saved);
    };
    await keep(0, mixed(200, 6), null);
    await pass(loopOf());
    expect(weightsOf(registry)).toEqual(LAYER_WEIGHTS);
    const [refused] = await registry.list(STACK, 1);
    expect(refused).toMatchObject({ status: "refused", samples: 200 });
    await keep(200, mixed(400, 7), "sentiment");
    const loop = loopOf();
    await pass(loop);
    const weights = weightsOf(registry);
    expect(weights.sentiment).toBeGreaterThan(2 * LAYER_WEIGHTS.sentiment);
    expect(LAYERS.reduce((sum, name) => sum + weights[name], 0)).toBeCloseTo(1, 12);
    expect(loop.recent().map(({ type }) => type)).toContain("promoted");
    await pass(loopOf());
    expect(await registry.list(STACK, 10)).toHaveLength(2);

    // Once what they say has turned they are taken back, with the numbers, and learned anew of newer decisions.
    await keep(600, mixed(500, 8), "turned");
    await pass(loopOf());
    expect(weightsOf(registry)).toEqual(LAYER_WEIGHTS);
    const [newest, second] = await registry.list(STACK, 2);
    expect(newest.samples).toBe(1_100);
    const [audit] = await createModelStore(database, MARKET).audits({ modelId: second.id }, 1);
    expect(audit).toMatchObject({ action: "rolled_back", actor: "retraining", reason: "worse than chance" });
    expect(audit.numbers.aucHigh).toBeLessThan(0.5);
  }, 60_000);

  it("lets a shadow take over that is better on live decisions, gives up one that is worse, waits for fewer than 50", async () => {
    const first = await active();
    const shadow = await registry.enter(trainedModel(telling(2)), PASSED, TRAINED);
    expect(shadow.status).toBe("shadow");
    const duel = (good: ModelVersion, bad: ModelVersion) => [
      { version: good, shadow: good.id === shadow.id, score: (label: 0 | 1) => (label === 1 ? 0.7 : 0.3) },
      { version: bad, shadow: bad.id === shadow.id, score: () => 0.5 },
    ];
    await settle(0, mixed(40), duel(shadow, first));
    await pass(loopOf());
    expect(registry.serving(PURPOSE)?.version.id).toBe(first.id);
    await settle(50, mixed(40, 3), duel(shadow, first));
    await pass(loopOf());
    expect(registry.serving(PURPOSE)?.version.id).toBe(shadow.id);
    const third = await registry.enter(trainedModel(telling(3)), PASSED, TRAINED);
    await settle(100, mixed(80, 5), [
      { version: shadow, shadow: false, score: (label) => (label === 1 ? 0.7 : 0.3) },
      { version: third, shadow: true, score: () => 0.5 },
    ]);
    await pass(loopOf());
    expect(registry.shadows()).toEqual([]);
    const [audit] = await createModelStore(database, MARKET).audits({ modelId: third.id }, 1);
    expect(audit).toMatchObject({ action: "refused", to: "refused", numbers: { samples: 50 } });
  });
});
