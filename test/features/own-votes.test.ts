import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { type OpenModel, openArtefact, packArtefact } from "../../src/features/models/artefact.js";
import { STACK, USUAL_WEIGHING } from "../../src/features/models/layers.js";
import type { Registry } from "../../src/features/models/registry.js";
import { createModelStore, deepPurpose } from "../../src/features/models/store.js";
import { createJudge } from "../../src/features/retraining/judge.js";
import { createLabelStore } from "../../src/features/retraining/label-store.js";
import { createLayerStore } from "../../src/features/retraining/layer-store.js";
import { createLayerLoop } from "../../src/features/retraining/layers.js";
import { watch } from "../../src/features/retraining/watch.js";
import type { Reading } from "../../src/features/signals/reading.js";
import { sha256 } from "../../src/platform/sha256.js";
import { useDatabase } from "../fixtures/database.js";
import { deepVersion, drawnModel } from "../fixtures/deep-models.js";
import { saveInstrument } from "../fixtures/detections.js";
import { silentLog } from "../fixtures/log.js";
import { candidate, createTestRegistry, PASSED } from "../fixtures/models.js";
import { closeOf, mixed, settleAlerts } from "../fixtures/settled-alerts.js";
import { createTestWorkers } from "../fixtures/workers.js";

const MARKET = { synthetic: false, replay: null };
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const NET = deepPurpose("sequence_net");

const workers = createTestWorkers();
afterAll(() => workers.close());
const database = useDatabase();
let registry: Registry<OpenModel>;
let instrument: KnownInstrument;
let kept: number;

beforeEach(async () => {
  await database().query("truncate instruments, outcomes, models, model_audits restart identity cascade");
  instrument = await saveInstrument(database(), "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
  registry = createTestRegistry(database(), MARKET, openArtefact);
  await registry.refresh();
  kept = 0;
});

interface By {
  readonly netId: number | null;
  readonly stackVersion: string | null;
}

/** Alerts that have ended, of which a layer says how they will, or the contrary of it. */
async function vote(
  layer: "deep" | "sentiment",
  sign: 1 | -1,
  count: number,
  by: Partial<By>,
): Promise<void> {
  const labels = mixed(count, 3 + kept);
  await settleAlerts({ database: database(), instrument }, kept, labels);
  const alerts = await database().query<{ id: number }>("select id from alerts order by id offset $1", [
    kept,
  ]);
  const rng = createRng(kept + 1, 0x766f);
  const layers = createLayerStore(database(), MARKET);
  for (const [i, { id }] of alerts.entries()) {
    const silent = {
      rules: Number.NaN,
      deep: Number.NaN,
      multi_timeframe: Number.NaN,
      sentiment: Number.NaN,
    };
    const said = 0.4 * sign * (2 * labels[i] - 1) + 0.5 * (2 * rng.next() - 1);
    await layers.save({
      ...{ alertId: id, direction: 1, values: { ...silent, [layer]: said }, composite: 50, chance: null },
      ...{ netId: null, stackVersion: null, weights: LAYER_WEIGHTS, asOfMs: closeOf(kept + i), ...by },
    });
  }
  kept += count;
}

const look = () =>
  watch(
    registry,
    {
      labels: createLabelStore(database(), MARKET),
      layers: createLayerStore(database(), MARKET),
      agentWatch: async () => null,
      judge: createJudge(workers),
      log: silentLog,
    },
    () => undefined,
  );

describe("layers of an alert", () => {
  it("are kept with the version of the net that was asked", async () => {
    await settleAlerts({ database: database(), instrument }, 0, [1]);
    const said = { value: 0.5 };
    const inputs = { rules: said, deep: said, multi_timeframe: said, sentiment: said };
    const reading = { inputs, weighing: USUAL_WEIGHING, main: { deep: { netId: 7 } } };
    const store = createLayerStore(database(), MARKET);
    const loop = createLayerLoop({
      store,
      signals: { readAsOf: async () => reading as unknown as Reading },
      leases: { acquire: async (name) => ({ name, token: 1 }) },
      log: silentLog,
    });
    await loop.run(0, new AbortController().signal);
    expect(await store.since(0, 5)).toMatchObject([{ netId: 7, values: { deep: 0.5 } }]);
    expect(await store.newestSettled({ netId: 7 }, 5)).toHaveLength(1);
    expect(await store.newestSettled({ netId: 8 }, 5)).toEqual([]);
  });
});

describe("a net that serves", { timeout: 60_000 }, () => {
  it("is judged by what it said itself, and not by what another did before it, since, or nobody knows which", async () => {
    const enter = (seed: number, active: number | null) =>
      registry.enter(deepVersion("sequence_net", drawnModel("sequence_net", seed)), PASSED, TRAINED, {
        active,
        with: null,
      });
    const first = await enter(1, null);
    const second = await enter(2, first.id);
    await vote("deep", -1, 150, { netId: first.id });
    await vote("deep", -1, 150, {});
    await look();
    expect(registry.serving(NET)?.version.id).toBe(second.id);
    await vote("deep", -1, 150, { netId: second.id });
    await look();
    // The first has said the contrary too, as is found when it serves again.
    expect(registry.serving(NET)?.version.id).toBe(first.id);
    const [audit] = await createModelStore(database(), MARKET).audits({ modelId: second.id }, 1);
    expect(audit).toMatchObject({ action: "rolled_back", reason: "worse than chance" });
    expect(audit.numbers).toMatchObject({ samples: 100 });
    await look();
    expect(registry.serving(NET)).toBeNull();
  });
});

describe("weights of layers that serve", { timeout: 60_000 }, () => {
  it("are judged by alerts that were told by them", async () => {
    const model: OpenModel = {
      learner: "layer_stack",
      model: {
        weights: { rules: 0.2, deep: 0.1, multi_timeframe: 0.1, sentiment: 0.6 },
        calibrator: { kind: "platt", slope: 1, intercept: 0 },
        samples: 400,
      },
    };
    const head = { learner: STACK.learner, featureSchema: "layers-1", columns: Object.keys(LAYER_WEIGHTS) };
    const artefact = packArtefact(head, model);
    const version = { ...candidate(1, STACK), ...head, artefact, hash: sha256(artefact) };
    await registry.enter(version, PASSED, TRAINED);
    await vote("sentiment", -1, 150, { stackVersion: "0.9.0" });
    await vote("sentiment", -1, 150, {});
    await look();
    expect(registry.serving(STACK)?.version.version).toBe("1.0.0");
    await vote("sentiment", -1, 150, { stackVersion: "1.0.0" });
    await look();
    expect(registry.serving(STACK)).toBeNull();
  });
});
