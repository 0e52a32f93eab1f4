import { beforeEach, describe, expect, it } from "vitest";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import { type OpenModel, openArtefact } from "../../src/features/models/artefact.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore } from "../../src/features/models/store.js";
import {
  createRetrainingLoop,
  type RetrainingLoop,
  type RetrainingLoopParts,
} from "../../src/features/retraining/loop.js";
import { AppError } from "../../src/platform/errors.js";
import { useDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel } from "../fixtures/deep-models.js";
import { judgeAtHand } from "../fixtures/judge.js";
import { silentLog } from "../fixtures/log.js";
import { createTestRegistry, PASSED, REFUSED } from "../fixtures/models.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const MARKET = { synthetic: true, replay: null };
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const IMPORTED = { ...TRAINED, action: "imported" as const };
const MODEL = telling(1);

const database = useDatabase();
let registry: Registry<OpenModel>;
let nowMs: number;
let ordered: number;
let series: number;
let bars: number;
let deep: string[][];
const kept = new Map<string, unknown>();

beforeEach(async () => {
  await database().query("truncate models, model_audits restart identity cascade");
  registry = createTestRegistry(database(), MARKET, openArtefact);
  await registry.refresh();
  [nowMs, ordered, series, bars, deep] = [Date.now(), 0, 5, 5_000, []];
  kept.clear();
});

const loopOf = (change: Partial<RetrainingLoopParts> = {}): RetrainingLoop =>
  createRetrainingLoop({
    ...{ registry, log: silentLog, everyMs: 1_000, newLabels: 50, market: "test", now: () => nowMs },
    online: { status: async () => [] },
    layers: { settledAfter: async () => 0, newestSettled: async () => [] },
    labels: {
      after: async () => [],
      count: async () => ({ count: 0, newest: 0 }),
      scored: async () => [],
      newestScored: async () => [],
      snapshots: async () => [],
    },
    order: async () => ({ id: ++ordered }),
    orderDeep: async (_: unknown, learners: readonly string[]) => {
      deep.push([...learners]);
      return { id: 900 };
    },
    stored: async () => ({ series, bars }),
    hasSeries: async ({ interval }: { interval: string }) => interval !== "1w",
    mark: async () => "m",
    settings: {
      load: async (name: string) => kept.get(name) ?? null,
      save: async (name: string, value: unknown) => void kept.set(name, value),
    },
    leases: { acquire: async () => 1 },
    agentWatch: async () => null,
    judge: judgeAtHand,
    ...change,
  } as unknown as RetrainingLoopParts);
const pass = (change: Partial<RetrainingLoopParts> = {}) =>
  loopOf(change).definition.run(nowMs, new AbortController().signal);

describe("trainings of trees that the loop orders", () => {
  it("are ordered though a version was imported, and once there is one that was trained here, no more", async () => {
    await registry.admit(trainedModel(MODEL), IMPORTED);
    await pass();
    expect(ordered).toBe(1);
    await registry.enter(trainedModel(MODEL, { jobId: 1 }), PASSED, TRAINED);
    await registry.admit(trainedModel(MODEL), IMPORTED);
    nowMs += INTERVAL_MS["1d"];
    await pass();
    expect(ordered).toBe(1);
  });
});

describe("trainings while one of another order is under way", () => {
  it("wait for a later pass", async () => {
    const busy = async () => {
      throw new AppError("conflict", "Job 7, of another order of this kind, is running");
    };
    await pass({ order: busy, orderDeep: busy });
    await pass({ order: busy, orderDeep: busy });
    await pass();
    expect([ordered, deep.length]).toEqual([1, 1]);
  });
});

describe("trainings of nets and agents that the loop orders", () => {
  const both = ["sequence_net", "q_agent"];
  const net = (seed = 1) => deepVersion("sequence_net", drawnModel("sequence_net", seed));
  const agent = () => deepVersion("q_agent", drawnModel("q_agent", 1));
  /** Two passes, so long after the last. */
  const hoursLater = async (hours: number) => {
    nowMs += hours * INTERVAL_MS["1h"] + 1;
    await pass();
    await pass();
  };

  it("are of what was taken back or refused again after three hours, once there are more bars", async () => {
    await hoursLater(0);
    expect(deep).toEqual([both]);
    const served = await registry.enter(net(), PASSED, TRAINED);
    await registry.enter(agent(), REFUSED, TRAINED);
    await hoursLater(4);
    // The same bars would give the same agent.
    expect(deep).toHaveLength(1);
    bars += 1;
    await hoursLater(0);
    expect(deep.slice(1)).toEqual([["q_agent"]]);
    await registry.rollBack(served, { actor: "test", reason: "decayed", numbers: {} });
    bars += 1;
    await hoursLater(2);
    expect(deep).toHaveLength(2);
    await hoursLater(1.1);
    expect(deep.slice(2)).toEqual([both]);
    await registry.enter(net(2), PASSED, TRAINED);
    await registry.enter(agent(), PASSED, TRAINED);
    bars += 1;
    await hoursLater(4);
    expect(deep).toHaveLength(3);
  });

  it("are of both on twice the bars, though the series are as many", async () => {
    await hoursLater(0);
    await registry.enter(net(), PASSED, TRAINED);
    await registry.enter(agent(), PASSED, TRAINED);
    bars = 9_999;
    await hoursLater(2);
    expect(deep).toHaveLength(1);
    bars = 10_000;
    await hoursLater(2);
    expect(deep).toEqual([both, both]);
  });

  it("are not ordered anew only because no bars were counted before", async () => {
    await registry.enter(net(), PASSED, TRAINED);
    await registry.enter(agent(), PASSED, TRAINED);
    const before = { taughtOutcome: 0, trainedCount: 0, trainedAtMs: nowMs, deepOrderedAtMs: 0 };
    kept.set("retraining.test", { ...before, heldOnline: [], deepOrderedBars: 0, seenSeries: null });
    await hoursLater(2);
    expect(deep).toEqual([]);
    bars = 10_000;
    await hoursLater(2);
    expect(deep).toEqual([both]);
  });
});

describe("a shadow beside an active version that cannot be read", () => {
  it("does not take its place for that, nor is it taken back by what another did, until it can be read", async () => {
    const before = await registry.enter(trainedModel(MODEL), PASSED, TRAINED);
    const shadow = await registry.enter(trainedModel(telling(2)), PASSED, TRAINED);
    const store = async (artefact: Uint8Array) => {
      await database().query("alter table models disable trigger models_fixed");
      await database().query("update models set artefact = $2 where id = $1", [before.id, artefact]);
      await database().query("alter table models enable trigger models_fixed");
    };
    await store(new Uint8Array(3));
    await pass();
    expect(registry.refused()).toMatchObject([{ version: before.version, servedBy: null }]);
    expect(registry.shadows().map(({ version }) => version.id)).toEqual([shadow.id]);
    expect(await registry.list({ status: "active" }, 5)).toMatchObject([{ id: before.id }]);
    await store(trainedModel(MODEL).artefact);
    await pass();
    expect(registry.serving(before)?.version.id).toBe(before.id);
    await registry.rollBack(before, { actor: "test", reason: "decayed", numbers: {} });
    await pass();
    expect(registry.serving(before)?.version.id).toBe(shadow.id);
  });
});

describe("a version that takes its place while another is judged", () => {
  it("is not taken back, nor replaced, by what the other did", async () => {
    const told: string[] = [];
    const log = { ...silentLog, info: (_: unknown, what: string) => void told.push(what) };
    const before = await registry.enter(deepVersion("q_agent", drawnModel("q_agent", 1)), PASSED, TRAINED);
    const agentWatch = async () => {
      const other = createTestRegistry(database(), MARKET, openArtefact);
      await other.enter(deepVersion("q_agent", drawnModel("q_agent", 2)), PASSED, TRAINED, {
        active: before.id,
        with: null,
      });
      return { reason: "behind_hold", samples: 5_000 };
    };
    await pass({ agentWatch, log } as unknown as Partial<RetrainingLoopParts>);
    const standing = async () =>
      (await registry.list({ learner: "q_agent" }, 5)).map(({ version, status }) => `${version} ${status}`);
    expect(await standing()).toEqual(["1.1.0 active", "1.0.0 retired"]);
    await registry.refresh();
    expect(registry.serving(before)?.version.version).toBe("1.1.0");
    expect(told).toContain("any any by none 1.0.0 was not rolled back");
  });
});

describe("candidates that nothing can try", () => {
  it("end as refused with the reason, and the others wait a year at most", async () => {
    const admit = (change: Parameters<typeof trainedModel>[1]) =>
      registry.admit(trainedModel(MODEL, change), IMPORTED);
    const waiting = await admit({});
    const ended = [
      await admit({ grouping: "none", assetClass: "any", interval: "any" }),
      await admit({ assetClass: "fx", interval: "1w" }),
      await admit({ featureSchema: "old" }),
    ];
    const loop = loopOf();
    const run = () => loop.definition.run(nowMs, new AbortController().signal);
    await run();
    const standing = async () =>
      (await registry.list({}, 10)).map(({ id, status }) => [id, status]).toSorted(([a], [b]) => +a - +b);
    expect(await standing()).toEqual([[waiting.id, "candidate"], ...ended.map(({ id }) => [id, "refused"])]);
    const audits = await createModelStore(database(), MARKET).audits({ modelId: ended[1].id }, 1);
    expect(audits).toMatchObject([
      { action: "refused", reason: "nothing can try it: no series of fx 1w is stored", actor: "retraining" },
    ]);
    expect(loop.recent().filter(({ type }) => type === "refused")).toHaveLength(3);
    nowMs += 366 * INTERVAL_MS["1d"];
    await run();
    expect((await standing())[0]).toEqual([waiting.id, "refused"]);
  });
});
