import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AGENT_TERMS } from "../../src/core/learning/agent/simulator.js";
import { marketOf } from "../../src/core/learning/agent/state.js";
import { AGENT_WATCH, judgeAgentDecay } from "../../src/core/learning/agent/watch.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import type { StoredSeries } from "../../src/features/evidence/stored.js";
import { DEEP_HEADS, type OpenModel, openArtefact } from "../../src/features/models/artefact.js";
import { cardSchema } from "../../src/features/models/card.js";
import { agentMetricsSchema, netMetricsSchema } from "../../src/features/models/deep-metrics.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore, deepPurpose, type ModelStore } from "../../src/features/models/store.js";
import { type AgentWatch, createAgentWatch } from "../../src/features/retraining/agent-watch.js";
import { createDeepJob, type DeepInput, type DeepTerms } from "../../src/features/retraining/deep-job.js";
import { createRetrainingLoop, type RetrainingLoopParts } from "../../src/features/retraining/loop.js";
import type { Database } from "../../src/platform/database.js";
import { createLeases } from "../../src/platform/lease.js";
import { sha256 } from "../../src/platform/sha256.js";
import type { Workers } from "../../src/platform/workers.js";
import { jobContext } from "../fixtures/backtests.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel, QUICK } from "../fixtures/deep-models.js";
import { judgeAtHand } from "../fixtures/judge.js";
import { silentLog } from "../fixtures/log.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { createTestRegistry, PASSED } from "../fixtures/models.js";
import { createTestWorkers } from "../fixtures/workers.js";

const BOTH: DeepInput = { learners: ["sequence_net", "q_agent"] };
const NET: DeepInput = { learners: ["sequence_net"] };
/** A training of which nothing is looked at but that there was one. */
const BRIEF: DeepTerms = {
  net: { ...QUICK.net, windows: 120, epochs: 1 },
  agent: { ...QUICK.agent, markets: 2, steps: 300, tried: 8, triedBars: 150 },
};
const stored = wanderingCandles("WALK", "1h", 900, 3);

let server: TestDatabase;
let database: Database;
let store: ModelStore;
let registry: Registry<OpenModel>;
let workers: Workers;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  store = createModelStore(database, { synthetic: true, replay: null });
  workers = createTestWorkers();
});
afterAll(async () => {
  await workers.close();
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate models, model_audits restart identity cascade");
  registry = createTestRegistry(database, { synthetic: true, replay: null }, openArtefact);
});

function job(terms: DeepTerms = QUICK) {
  const { time } = stored;
  const series = [
    { interval: "1h", fromMs: time[0], untilMs: time[time.length - 1] } as unknown as StoredSeries,
  ];
  return createDeepJob({
    ...{ registry, workers, terms, synthetic: true },
    leases: createLeases(database, "test"),
    series: { loadSeries: async () => series },
    read: async () => stored,
  });
}

describe("a training of the net and the agent", { timeout: 120_000 }, () => {
  it("enters both with their figures, cards and rules, and tells how far it is", async () => {
    const told: string[] = [];
    const report = (phase: string, done: number, total: number) => {
      told.push(phase);
      expect(done).toBeLessThanOrEqual(total);
    };
    const { trained } = await job().run(BOTH, { ...jobContext(7), report });
    expect(trained.map(({ learner, version, status }) => [learner, version, status])).toEqual([
      ["sequence_net", "1.0.0", "active"],
      ["q_agent", "1.0.0", "active"],
    ]);
    for (const wanted of [/net: drawing/, /net: pass 2, macro-F1 0\.\d\d/, /q_agent: step 2000/]) {
      expect(told.some((phase) => wanted.test(phase))).toBe(true);
    }
    const net = registry.serving(deepPurpose("sequence_net"))?.version;
    const agent = registry.serving(deepPurpose("q_agent"))?.version;
    expect(net).toMatchObject({ ...DEEP_HEADS.sequence_net, jobId: 7, seed: 2, firstDecisionMs: null });
    expect(netMetricsSchema.parse(net?.metrics)).toMatchObject({ planted_windows: 200, stored_windows: 0 });
    const figures = agentMetricsSchema.parse(agent?.metrics);
    expect(figures.planted.ahead_of_hold.low).toBeGreaterThan(0);
    expect(figures.random_walks.ahead_of_hold.low).toBeLessThanOrEqual(0);
    expect(figures.stored_series).toBe(1);
    expect(agent?.firstDecisionMs).toBe(stored.time[0]);
    for (const version of [net, agent]) {
      const { verdict } = cardSchema.parse(version?.card);
      expect(verdict.promoted).toBe(true);
      const artefact = await store.artefact(version?.id ?? 0);
      expect(sha256(artefact ?? new Uint8Array())).toBe(version?.hash);
      const audits = await store.audits({ modelId: version?.id }, 10);
      expect(audits.map(({ action }) => action)).toEqual(["promoted", "shadowed", "trained"]);
      for (const { numbers } of audits) expect(numbers.checks).toEqual(verdict.checks);
    }
  });

  it("makes nothing twice when it is tried again, and the next one takes over where it is better", async () => {
    const first = await job().run(NET, jobContext(1));
    expect(await job().run(NET, jobContext(1))).toEqual(first);
    expect(await store.list({}, 10)).toHaveLength(1);
    const longer = { ...QUICK, net: { ...QUICK.net, windows: 1_200, epochs: 4 } };
    const { trained } = await job(longer).run(NET, jobContext(2));
    expect(trained[0]).toMatchObject({ version: "1.1.0", status: "active" });
    const gain = trained[0].checks.find(({ rule }) => rule === "not_worse_than_active");
    expect(gain?.value).toBeGreaterThan(0.05);
    const versions = await store.list({}, 10);
    expect(versions.map(({ version, status }) => `${version} ${status}`)).toEqual([
      "1.1.0 active",
      "1.0.0 retired",
    ]);
    // The same terms and bars give the same parameters to the last bit.
    await database.query("truncate models, model_audits restart identity cascade");
    await job().run(NET, jobContext(3));
    const [again] = await store.list({}, 1);
    expect([again.hash, again.dataHash]).toEqual([versions[1].hash, versions[1].dataHash]);
  });

  it("leaves the active version alone where a rule refuses", async () => {
    await job().run(NET, jobContext(1));
    const strict = { ...QUICK, net: { ...QUICK.net, seed: 3, leastF1: 0.9 } };
    const { trained } = await job(strict).run(NET, jobContext(2));
    expect(trained[0]).toMatchObject({ status: "refused", refused_by: "macro_f1_at_least" });
    expect(registry.serving(deepPurpose("sequence_net"))?.version.version).toBe("1.0.0");
  });

  it("ends within two seconds of being cancelled, and leaves nothing behind", async () => {
    const long = { ...QUICK, net: { ...QUICK.net, windows: 60_000, epochs: 50 } };
    const stop = new AbortController();
    let begun: (() => void) | undefined;
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const report = (phase: string) => {
      if (phase.endsWith("drawing windows")) begun?.();
    };
    const ended = job(long)
      .run(NET, { ...jobContext(3, stop.signal), report })
      .then(
        () => "done",
        () => "ended",
      );
    await running;
    const asked = performance.now();
    stop.abort();
    expect(await ended).toBe("ended");
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect(workers.queued()).toBe(0);
    expect(await store.list({}, 10)).toEqual([]);
  });
});

describe("the loop", { timeout: 120_000 }, () => {
  let nowMs = 1_000_000;
  let orders: string[][] = [];
  let series = 0;
  const kept = new Map<string, unknown>();

  const pass = (agentWatch: AgentWatch = async () => null) => {
    const parts = {
      ...{ registry, log: silentLog, everyMs: 1_000, newLabels: 50, market: "test", now: () => nowMs },
      online: { status: async () => [] },
      layers: { settledAfter: async () => 0, newestSettled: async () => [] },
      labels: { after: async () => [], count: async () => ({ count: 0, newest: 0 }), scored: async () => [] },
      order: async () => ({ id: 1 }),
      orderDeep: async (_: unknown, learners: readonly string[]) => {
        orders.push([...learners]);
        return { id: 2 };
      },
      stored: async () => ({ series, bars: series * 1_000 }),
      hasSeries: async () => true,
      mark: async () => "m",
      settings: {
        load: async (name: string) => kept.get(name) ?? null,
        save: async (name: string, value: unknown) => void kept.set(name, value),
      },
      leases: { acquire: async () => 1 },
      agentWatch,
      judge: judgeAtHand,
    } as unknown as RetrainingLoopParts;
    return createRetrainingLoop(parts).definition.run(nowMs, new AbortController().signal);
  };

  beforeEach(() => {
    orders = [];
    series = 0;
    kept.clear();
  });

  it("waits for history that comes in, and trains anew on twice as much", async () => {
    for (series of [0, 3, 8, 12]) await pass();
    expect(orders).toEqual([]);
    await pass();
    expect(orders).toEqual([["sequence_net", "q_agent"]]);
    await job().run(BOTH, jobContext(1));
    const hour = async (count: number) => {
      series = count;
      nowMs += INTERVAL_MS["1h"] + 1;
      await pass();
      await pass();
    };
    for (const count of [12, 20, 23]) await hour(count);
    expect(orders).toHaveLength(1);
    await hour(24);
    expect(orders).toHaveLength(2);
    expect(orders[1]).toEqual(["sequence_net", "q_agent"]);
    await hour(24);
    expect(orders).toHaveLength(2);
  });

  it("trains on drawn markets where none is stored, and anew on the first that is", async () => {
    await pass();
    await pass();
    expect(orders).toHaveLength(1);
    await job(BRIEF).run(BOTH, jobContext(1));
    nowMs += INTERVAL_MS["1h"] + 1;
    await pass();
    expect(orders).toHaveLength(1);
    series = 1;
    await pass();
    await pass();
    expect(orders).toHaveLength(2);
  });

  it("orders what has no version for what it reads, again after an hour, and never once there is one", async () => {
    await pass();
    await pass();
    await pass();
    expect(orders).toEqual([["sequence_net", "q_agent"]]);
    await job(BRIEF).run({ learners: ["q_agent"] }, jobContext(1));
    nowMs += INTERVAL_MS["1h"] + 1;
    await pass();
    expect(orders).toEqual([["sequence_net", "q_agent"], ["sequence_net"]]);
    const strict = { ...BRIEF, net: { ...BRIEF.net, leastF1: 0.9 } };
    await job(strict).run(NET, jobContext(2));
    for (let hour = 0; hour < 3; hour++) {
      nowMs += INTERVAL_MS["1h"] + 1;
      await pass();
    }
    // One that was refused is a version too: the same training would be refused again.
    expect(orders).toHaveLength(2);
    await database.query("alter table models disable trigger models_fixed");
    await database.query("update models set feature_schema = 'old' where learner = 'q_agent'");
    await database.query("alter table models enable trigger models_fixed");
    nowMs += INTERVAL_MS["1h"] + 1;
    await pass();
    expect(orders.at(-1)).toEqual(["q_agent"]);
  });

  it("takes back an agent that is behind holding, with the numbers, and leaves one that is not", async () => {
    const trained = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
    const version = await registry.enter(deepVersion("q_agent", drawnModel("q_agent", 1)), PASSED, trained);
    const found = {
      samples: 5_000,
      series: 4,
      days: 30,
      agent: -0.01,
      hold: 0.002,
      ahead: -0.012,
      aheadHigh: -0.004,
    };
    const asked: unknown[] = [];
    await pass(async ({ id }, agent) => {
      asked.push([id, agent.terms]);
      return { ...found, reason: null };
    });
    expect(registry.serving(version)?.version.id).toBe(version.id);
    expect(asked).toEqual([[version.id, AGENT_TERMS]]);
    await pass(async () => ({ ...found, reason: "behind_hold" }));
    expect(registry.serving(version)).toBeNull();
    const [audit] = await store.audits({ modelId: version.id }, 1);
    expect(audit).toMatchObject({ action: "rolled_back", actor: "retraining", reason: "behind hold" });
    expect(audit.numbers).toMatchObject(found);
  });

  it("looks at an agent on the bars since it was made, once each 20 days, and not where they are few", async () => {
    const open = drawnModel("q_agent", 1);
    const agent = open.learner === "q_agent" ? { ...open.model, margin: null } : null;
    if (agent === null) throw new Error("no agent");
    const daily = wanderingCandles("WALK", "1d", 400, 3);
    const { time } = daily;
    const [first, last] = [350, time.length - 1];
    const createdAtMs = time[first] - 1;
    let now = time[last] + INTERVAL_MS["1d"];
    const read: number[] = [];
    const watch = createAgentWatch({
      series: {
        loadSeries: async () => [
          { interval: "1d", fromMs: time[0], untilMs: time[last] } as unknown as StoredSeries,
          { interval: "1d", fromMs: 0, untilMs: createdAtMs } as unknown as StoredSeries,
        ],
      },
      read: async ({ untilMs }) => {
        read.push(untilMs);
        return daily;
      },
      workers,
      now: () => now,
    });
    const found = await watch({ id: 1, createdAtMs }, agent);
    const until = sliceCandles(daily, 0, first + 40);
    const plain = judgeAgentDecay(agent, [{ market: marketOf(until), time: until.time, from: first }], {
      ...AGENT_WATCH,
      level: AGENT_WATCH.level / 4,
    });
    expect(found).toEqual(plain);
    // Entered at the open of the second day.
    expect(found).toMatchObject({ samples: 39, days: 39, agent: 0 });
    expect(read).toEqual([time[last]]);
    expect(await watch({ id: 1, createdAtMs }, agent)).toBeNull();
    expect(read).toHaveLength(1);
    now += 9 * INTERVAL_MS["1d"];
    expect(await watch({ id: 1, createdAtMs }, agent)).toBeNull();
    expect(read).toHaveLength(1);
    expect(await watch({ id: 1, createdAtMs: time[last - 5] }, agent)).toBeNull();
    expect(read).toHaveLength(1);
    now += 2 * INTERVAL_MS["1d"];
    expect(await watch({ id: 1, createdAtMs }, agent)).toMatchObject({ days: last - first });
    expect(read).toHaveLength(2);
  });
});
