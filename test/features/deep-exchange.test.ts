import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  DEEP_HEADS,
  type DeepLearner,
  type OpenModel,
  openArtefact,
} from "../../src/features/models/artefact.js";
import { candidateOf, exportOf, exportSchema, type ModelExport } from "../../src/features/models/exchange.js";
import type { Registry } from "../../src/features/models/registry.js";
import {
  createModelStore,
  deepPurpose,
  type ModelStore,
  type ModelVersion,
} from "../../src/features/models/store.js";
import { endCandidates } from "../../src/features/retraining/candidates.js";
import { createDeepJob, DEEP_TERMS, type DeepTerms } from "../../src/features/retraining/deep-job.js";
import { HEAD } from "../../src/features/retraining/lots.js";
import { createTryJob, type TryJob } from "../../src/features/retraining/try-job.js";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createLeases } from "../../src/platform/lease.js";
import { sha256 } from "../../src/platform/sha256.js";
import type { Workers } from "../../src/platform/workers.js";
import { jobContext } from "../fixtures/backtests.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel, QUICK } from "../fixtures/deep-models.js";
import { createTestRegistry } from "../fixtures/models.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MARKET = { synthetic: true, replay: null };
let server: TestDatabase;
let database: Database;
let store: ModelStore;
let registry: Registry<OpenModel>;
let workers: Workers;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  store = createModelStore(database, MARKET);
  workers = createTestWorkers();
});
afterAll(async () => {
  await workers.close();
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate models, model_audits restart identity cascade");
  registry = createTestRegistry(database, MARKET, openArtefact);
});

/** What a trial of nets and agents needs: no stored bar is read. */
function trying(terms: DeepTerms): TryJob {
  const parts = { registry, store, workers, terms };
  return createTryJob(parts as unknown as Parameters<typeof createTryJob>[0]);
}

/** A file as another server gives it. */
function fileOf(learner: DeepLearner, seed: number): ModelExport {
  const made = deepVersion(learner, drawnModel(learner, seed));
  const version = { ...made, version: "1.2.0", createdAtMs: 0 } as unknown as ModelVersion;
  return exportSchema.parse(JSON.parse(JSON.stringify(exportOf(version, made.artefact))));
}

const imported = (file: ModelExport) =>
  registry.admit(candidateOf(file, HEAD), {
    action: "imported",
    actor: "ann",
    reason: "a file",
    numbers: {},
  });
const tried = (version: ModelVersion, terms: DeepTerms = DEEP_TERMS) =>
  trying(terms).run({ model_id: version.id }, jobContext(1));

describe("nets and agents from elsewhere", { timeout: 60_000 }, () => {
  it.each([
    ["sequence_net", "macro_f1_at_least"],
    ["q_agent", "ahead_of_hold"],
  ] as const)("a %s that learned nothing is refused by %s", async (learner, rule) => {
    const version = await imported(fileOf(learner, 1));
    expect(version).toMatchObject({ ...deepPurpose(learner), status: "candidate", metrics: {} });
    const found = await tried(version);
    expect(found).toMatchObject({ status: "refused", refused_by: rule, reason: null });
    expect(found.samples).toBeGreaterThan(3_000);
    expect(registry.serving(deepPurpose(learner))).toBeNull();
    await expect(tried(version)).rejects.toThrow("no candidate");
  });

  it("one that was trained elsewhere serves here, and one that is worse does not take its place", async () => {
    const job = createDeepJob({
      ...{ registry, workers, terms: QUICK, synthetic: true },
      leases: createLeases(database, "test"),
      series: { loadSeries: async () => [] },
      read: () => Promise.reject(new Error("nothing is stored")),
    });
    await job.run({ learners: ["sequence_net"] }, jobContext(1));
    const [trained] = await registry.list({ learner: "sequence_net" }, 1);
    const artefact = await store.artefact(trained.id);
    if (artefact === null) throw new Error("it has none");
    const file = exportSchema.parse(JSON.parse(JSON.stringify(exportOf(trained, artefact))));
    await database.query("truncate models, model_audits restart identity cascade");
    registry = createTestRegistry(database, MARKET, openArtefact);

    const version = await imported(file);
    expect(version).toMatchObject({ hash: trained.hash, status: "candidate" });
    expect(await tried(version, QUICK)).toMatchObject({ status: "active", refused_by: null });
    expect(registry.serving(deepPurpose("sequence_net"))?.version.hash).toBe(trained.hash);
    const worse = await imported(fileOf("sequence_net", 3));
    expect(await tried(worse, QUICK)).toMatchObject({
      status: "refused",
      refused_by: "not_worse_than_active",
    });
    expect(registry.serving(deepPurpose("sequence_net"))?.version.hash).toBe(trained.hash);
  });

  it("are tried on windows that differ from import to import", async () => {
    const file = fileOf("sequence_net", 1);
    const values = new Set<unknown>();
    for (let n = 0; n < 3; n++) {
      const { checks } = await tried(await imported(file), QUICK);
      values.add(checks.find(({ rule }) => rule === "macro_f1_at_least")?.value);
    }
    expect(values.size).toBe(3);
  });

  it.each<[string, (file: ModelExport) => Partial<ModelExport>]>([
    ["an asset class", () => ({ asset_class: "equity" })],
    ["an interval", () => ({ timeframe: "1d" })],
    ["a grouping", () => ({ grouping: "regime" })],
    ["another hash", () => ({ hash: "0".repeat(64) })],
    ["another schema", () => ({ feature_schema: "00000000" })],
    ["columns in another order", ({ columns }) => ({ columns: [...columns].reverse() })],
    [
      "the name of another learner",
      ({ learner }) => ({ learner: learner === "q_agent" ? "sequence_net" : "q_agent" }),
    ],
    ["half its weights", ({ artefact }) => cut(artefact, (bytes) => bytes.subarray(0, bytes.length / 2))],
    ["a weight too few", ({ artefact }) => cut(artefact, withoutWeight)],
  ])("are refused with %s", (_, change) => {
    for (const learner of Object.keys(DEEP_HEADS) as DeepLearner[]) {
      const file = fileOf(learner, 1);
      expect(() => candidateOf({ ...file, ...change(file) }, HEAD)).toThrow(AppError);
    }
  });

  it("wait for their trial, and are ended where this version reads other columns", async () => {
    const file = candidateOf(fileOf("q_agent", 1), HEAD);
    const by = { action: "imported", actor: "ann", reason: "a file", numbers: {} } as const;
    const version = await registry.admit(file, by);
    await registry.admit({ ...file, featureSchema: "00000000" }, by);
    const statuses = async (nowMs: number) => {
      await endCandidates(
        registry,
        async () => false,
        nowMs,
        () => undefined,
      );
      return (await registry.list({ learner: "q_agent" }, 2)).map(({ status }) => status);
    };
    expect(await statuses(version.createdAtMs + 1_000)).toEqual(["refused", "candidate"]);
    expect(await statuses(version.createdAtMs + 400 * 86_400_000)).toEqual(["refused", "refused"]);
  });
});

function cut(artefact: string, work: (bytes: Buffer) => Buffer): Partial<ModelExport> {
  const bytes = work(Buffer.from(artefact, "base64"));
  return { artefact: bytes.toString("base64"), hash: sha256(bytes) };
}

/** The last weight of a list is missing, which nets spell as bytes and agents as numbers. */
function withoutWeight(bytes: Buffer): Buffer {
  const text = bytes.toString("utf8");
  const fewer = text
    .replace(/"[A-Za-z0-9+/]{60,}={0,2}"/, (list) => JSON.stringify(shortened(JSON.parse(list))))
    .replace(/,[^,\]]+\](?=,"digest")/, "]");
  expect(fewer).not.toBe(text);
  return Buffer.from(fewer);
}

const shortened = (base64: string) => Buffer.from(base64, "base64").subarray(0, -4).toString("base64");
