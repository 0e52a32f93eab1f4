import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { patternRows, SAMPLE_NAMES, SAMPLE_SCHEMA, samplesOf } from "../../src/core/learning/samples.js";
import { binReference } from "../../src/core/learning/stability.js";
import { calendarOf } from "../../src/core/market/session.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { openArtefact } from "../../src/features/models/artefact.js";
import { createScoreStore } from "../../src/features/models/scores.js";
import { measureDrift } from "../../src/features/retraining/drift.js";
import { createLabelStore } from "../../src/features/retraining/label-store.js";
import type { Database } from "../../src/platform/database.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { createTestRegistry, PASSED, PURPOSE } from "../fixtures/models.js";
import { raiseAlerts } from "../fixtures/outcomes.js";
import { mixed, settleAlerts } from "../fixtures/settled-alerts.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const MARKET = { synthetic: false, replay: null };

let server: TestDatabase;
let database: Database;
let instrument: KnownInstrument;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server, { poolSize: 4 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, outcomes, models, model_audits restart identity cascade");
  instrument = await saveInstrument(database, "BTC-USD", { assetClass: "crypto", calendar: "24x7" });
});

describe("what models were shown of late", () => {
  it("is what the scanner met, and not what somebody asked of them", async () => {
    const labels = createLabelStore(database, MARKET);
    const shown = () =>
      labels.snapshots({ ...PURPOSE, assetClass: "crypto", interval: "5m" }, SAMPLE_SCHEMA, {
        limit: 500,
        ofBlock: 25,
      });
    await settleAlerts({ database, instrument }, 0, mixed(3));
    expect(await shown()).toHaveLength(3);
    await createScoreStore(database, MARKET).record(
      [40, 41].map((bar) => {
        const { barTime, closedAt, pattern } = detectionAt(instrument, bar);
        return {
          ...{
            instrumentId: instrument.id,
            interval: "5m",
            barTime,
            closedAt,
            pattern,
            direction: 1 as const,
          },
          ...{
            regime: null,
            schema: SAMPLE_SCHEMA,
            values: new Float64Array(SAMPLE_NAMES.length),
            scores: [],
          },
        };
      }),
    );
    expect(await labels.counts()).toMatchObject({ snapshots: 5 });
    expect((await shown()).map(({ block }) => block)).toEqual(
      Array(3).fill(expect.stringMatching(/^5m \d+$/)),
    );
  });
});

describe("a synergy that a model was asked of", () => {
  it("is told of by its outcome, and models are neither taught by it nor judged", async () => {
    const labels = createLabelStore(database, MARKET);
    const of = { ...PURPOSE, assetClass: "crypto", interval: "5m" };
    const counts = async () => [
      (await labels.after(0, SAMPLE_SCHEMA, 10)).length,
      await labels.waiting(0),
      (await labels.snapshots(of, SAMPLE_SCHEMA, { limit: 10, ofBlock: 10 })).length,
    ];
    await settleAlerts({ database, instrument }, 0, mixed(3));
    expect(await counts()).toEqual([3, 3, 3]);
    await settleAlerts({ database, instrument, pattern: "synergy_type_1" }, 3, mixed(2));
    expect(await labels.counts()).toMatchObject({ snapshots: 5 });
    expect(await counts()).toEqual([3, 3, 3]);
  });
});

describe("drift of features", () => {
  const CONTEXT = { calendar: calendarOf("24x7") };
  const COSTS = { costBps: 20 };
  const ALERTED = 0.85;

  /** Scans a walk as the scanner does: every pattern is shown to models, and those that fit well raise alerts. */
  async function scan(seed: number, length: number): Promise<{ occasions: number; alerts: number }> {
    const candles = wanderingCandles("BTC-USD", "5m", length, seed);
    const rows = patternRows(candles, CONTEXT, COSTS);
    const seen = rows.map(({ occasion: { at, direction, hits }, regime, row }) => {
      const pattern = hits[0].hit.variant.id;
      const moment = { barTime: candles.time[at], closedAt: candles.time[at] + 300_000, pattern, direction };
      const detection = detectionAt(instrument, 0, {
        ...moment,
        ...{ startTime: moment.barTime - 300_000, quality: hits[0].hit.quality },
      });
      const snapshot = { ...moment, instrumentId: instrument.id, interval: "5m", regime, values: row };
      return { detection, snapshot: { ...snapshot, schema: SAMPLE_SCHEMA, scores: [] } };
    });
    await createScoreStore(database, MARKET).record(seen.map(({ snapshot }) => snapshot));
    const [fit, others] = [true, false].map((fits) =>
      seen.flatMap(({ detection }) => (detection.quality >= ALERTED === fits ? [detection] : [])),
    );
    await recordCandidates(database, instrument, others);
    const alerts = await raiseAlerts(database, instrument, fit);
    const occasions = new Set(rows.map(({ occasion: { at, direction } }) => `${at} ${direction}`));
    return { occasions: occasions.size, alerts: alerts.length };
  }

  it("is none where alerts choose among occasions of the process that was learned from", async () => {
    const learned = wanderingCandles("BTC-USD", "5m", 5_000, 1);
    const { samples } = samplesOf(learned, CONTEXT, { ...COSTS, policy: { kind: "barriers" } });
    const model = { ...telling(1), bins: samples.columns.map((column) => binReference(column)) };
    const registry = createTestRegistry(database, MARKET, openArtefact);
    await registry.refresh();
    const purpose = { ...PURPOSE, assetClass: "crypto", interval: "5m" };
    await registry.enter(trainedModel(model, purpose), PASSED, {
      ...{ actor: "test", reason: "a test", numbers: {}, action: "trained" },
    });
    const { occasions, alerts } = await scan(3, 3_500);
    expect(alerts).toBeGreaterThan(50);
    expect(occasions).toBeGreaterThan(5 * alerts);
    const labels = createLabelStore(database, MARKET);
    const [drift] = await measureDrift(registry, labels);
    expect(drift).toMatchObject({ compared: 500, steady: SAMPLE_NAMES.length, moved: 0, shifted: 0 });
    // Each occasion once, by its best pattern, and of all hours of a day.
    const shown = await labels.snapshots(purpose, SAMPLE_SCHEMA, { limit: 100_000, ofBlock: 100_000 });
    expect(shown).toHaveLength(occasions);
    const blocks = new Map<string, number>();
    const few = await labels.snapshots(purpose, SAMPLE_SCHEMA, { limit: 500, ofBlock: 25 });
    for (const { block } of few) blocks.set(block, (blocks.get(block) ?? 0) + 1);
    expect(Math.max(...blocks.values())).toBe(25);
    expect(blocks.size).toBeGreaterThanOrEqual(20);
  });
});
