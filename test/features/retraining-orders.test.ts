import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import { type OpenModel, openArtefact } from "../../src/features/models/artefact.js";
import type { Registry } from "../../src/features/models/registry.js";
import {
  createRetrainingLoop,
  type RetrainingLoop,
  type RetrainingLoopParts,
} from "../../src/features/retraining/loop.js";
import type { Database } from "../../src/platform/database.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { createTestRegistry, PASSED } from "../fixtures/models.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const IMPORTED = { ...TRAINED, action: "imported" as const };
const MODEL = telling(1);

let server: TestDatabase;
let database: Database;
let registry: Registry<OpenModel>;
let nowMs: number;
let ordered: number;
let series: number;
const kept = new Map<string, unknown>();

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate models, model_audits restart identity cascade");
  registry = createTestRegistry(database, { synthetic: true, replay: null }, openArtefact);
  await registry.refresh();
  [nowMs, ordered, series] = [Date.now(), 0, 5];
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
    orderDeep: async () => ({ id: 900 }),
    seriesCount: async () => series,
    mark: async () => "m",
    settings: {
      load: async (name: string) => kept.get(name) ?? null,
      save: async (name: string, value: unknown) => void kept.set(name, value),
    },
    leases: { acquire: async () => 1 },
    agentWatch: async () => null,
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
