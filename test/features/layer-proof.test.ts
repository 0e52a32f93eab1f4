import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LayerStack, stackLayers } from "../../src/core/learning/layer-stack.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import { type OpenModel, packArtefact } from "../../src/features/models/artefact.js";
import { type LayerWeighing, STACK } from "../../src/features/models/layers.js";
import { createLayerStore } from "../../src/features/retraining/layer-store.js";
import { createLayerLoop } from "../../src/features/retraining/layers.js";
import type { Reading } from "../../src/features/signals/reading.js";
import { createLeases } from "../../src/platform/lease.js";
import { sha256 } from "../../src/platform/sha256.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { silentLog } from "../fixtures/log.js";
import { candidate, PASSED } from "../fixtures/models.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { votesOf } from "../fixtures/votes.js";

let testDatabase: TestDatabase;
let program: TestProgram;
let stack: LayerStack;
let hash: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const environment = { MARKET_DATA: "yahoo", YAHOO_BASE_URL: "http://127.0.0.1:9" };
  program = await startTestProgram({
    ...{ database: testDatabase, environment },
    clock: createManualClock(Date.now()),
  });
  const votes = votesOf(400, 5, "sentiment", 3);
  const learned = stackLayers(votes.slice(0, 300), votes.slice(300));
  if (learned === null) throw new Error("too few votes");
  stack = learned;
  const head = { learner: STACK.learner, featureSchema: "layers-1", columns: Object.keys(LAYER_WEIGHTS) };
  const opened: OpenModel = { learner: "layer_stack", model: stack };
  const artefact = packArtefact(head, opened);
  hash = sha256(artefact);
  const model = { ...candidate(1, STACK), ...head, artefact, hash };
  const audit = { action: "trained" as const, actor: "test", reason: "asked for", numbers: {} };
  await program.parts.models.registry.enter(model, PASSED, audit);
});
afterAll(async () => {
  await program.close();
  await testDatabase.drop();
});

let place = 0;
/** An alert whose layers were read, as they are weighed. @returns its id. */
async function alertBy(weighing: LayerWeighing | null): Promise<number> {
  const { database, alerts } = program.parts;
  const instrument = await saveInstrument(database, `AAPL${++place}`);
  const [row] = await recordCandidates(database, instrument, [
    detectionAt(instrument, 10, { pattern: "hammer" }),
  ]);
  const { raised } = await database.transaction((sql) => alerts.consider(sql, [row], true));
  if (weighing === null) return raised[0].id;
  const inputs = {
    ...{ rules: { value: 0.1 + 0.2 }, multi_timeframe: { value: -1 / 3 } },
    ...{ deep: { value: null, reason: "silent" }, sentiment: { value: Math.SQRT1_2 } },
  };
  const loop = createLayerLoop({
    store: createLayerStore(database, { synthetic: false, replay: null }),
    signals: {
      readAsOf: async () => ({ inputs, weighing, main: { deep: { netId: null } } }) as unknown as Reading,
    },
    leases: createLeases(database, `one ${place}`),
    log: silentLog,
  });
  await database.query("delete from leases");
  await loop.run(0, new AbortController().signal);
  return raised[0].id;
}

const proofOf = async (id: number) => (await program.call(`/api/ml/layers/${id}/proof`)).json().data;
const learned = () => ({ weights: stack.weights, learned: { version: "1.0.0", stack } });

describe("GET /api/ml/layers/:id/proof", () => {
  it("200 fuses what layers said again by the version that did, bit for bit", async () => {
    const id = await alertBy(learned());
    const proof = await proofOf(id);
    expect(proof).toMatchObject({
      ...{ alert_id: id, model_version: "1.0.0", model_hash: hash, identical: true, reason: null },
      layers: { rules: 0.1 + 0.2, deep: null, multi_timeframe: -1 / 3, sentiment: Math.SQRT1_2 },
    });
    expect(proof.recomputed).toEqual(proof.stored);
    expect(proof.stored.chance).toBeGreaterThan(0);
  });

  it("200 by the usual weights has a composite and no chance", async () => {
    const proof = await proofOf(await alertBy({ weights: LAYER_WEIGHTS, learned: null }));
    expect(proof).toMatchObject({ model_version: null, model_hash: null, identical: true });
    expect(proof.recomputed).toMatchObject({ composite: expect.any(Number), chance: null });
  });

  it("200 says where a chance, a layer or a weight was altered by the last digit", async () => {
    const { database } = program.parts;
    for (const change of ["chance = chance + 1e-16", "rules = rules + 1e-15"]) {
      const id = await alertBy(learned());
      await database.query(`update alert_layers set ${change} where alert_id = $1`, [id]);
      expect([change, (await proofOf(id)).identical]).toEqual([change, false]);
    }
  });

  it("200 with the reason where the version is gone, or is not what was stored", async () => {
    const id = await alertBy({ ...learned(), learned: { version: "7.0.0", stack } });
    expect(await proofOf(id)).toMatchObject({
      ...{ recomputed: null, identical: false, model_hash: null },
      reason: "Version 7.0.0 is not stored",
    });
    const altered = await alertBy(learned());
    const { database } = program.parts;
    await database.query("alter table models disable trigger models_fixed");
    await database.query("update models set artefact = artefact || '\\x00'::bytea");
    expect(await proofOf(altered)).toMatchObject({
      ...{ recomputed: null, identical: false, model_hash: hash },
      reason: expect.stringContaining("not the one that was stored"),
    });
  });

  it("404 for no alert, and for one whose layers have not been read", async () => {
    expectProblem(await program.call("/api/ml/layers/99999999/proof"), "alert_not_found");
    expectProblem(await program.call(`/api/ml/layers/${await alertBy(null)}/proof`), "score_not_found");
  });
});
