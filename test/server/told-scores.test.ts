import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../src/core/learning/samples.js";
import { createAlertStore } from "../../src/features/alerts/store.js";
import { levelsOf } from "../../src/features/detections/levels.js";
import type { ModelVersion } from "../../src/features/models/store.js";
import type { Reading } from "../../src/features/signals/reading.js";
import { createManualClock } from "../fixtures/clock.js";
import { DAILY_NOW, writeDailySeries } from "../fixtures/daily-market.js";
import { recordCandidates } from "../fixtures/detections.js";
import { PASSED } from "../fixtures/models.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { barsOfStretches, TREND_SERIES } from "../fixtures/regime-series.js";
import { telling, trainedModel } from "../fixtures/trained.js";

const folder = mkdtempSync(join(tmpdir(), "tx-told-"));
const TRAINED = { actor: "test", reason: "a test", numbers: {}, action: "trained" as const };
const RATE = 0.4;

let program: TestProgram;
let version: ModelVersion;
beforeAll(async () => {
  writeDailySeries(folder, { MSFT: barsOfStretches(TREND_SERIES.rising) });
  const clock = createManualClock(DAILY_NOW);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  const card = { learned_from: { samples: 1_000, wins: 1_000 * RATE } };
  version = await program.parts.models.registry.enter(trainedModel(telling(), { card }), PASSED, TRAINED);
}, 120_000);
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});

const read = () => program.parts.signals.read("MSFT", "1d");
async function get(url: string) {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
}

/** Keeps what a version said of every pattern with a direction that is live. */
async function say({ live }: Reading, score: number, shadow = false): Promise<void> {
  await program.parts.models.scores.record(
    live.flatMap(({ detection: { direction, ...moment } }) =>
      direction === 0
        ? []
        : [
            {
              ...{ ...moment, direction, regime: null, schema: SAMPLE_SCHEMA },
              values: new Float64Array(SAMPLE_NAMES.length),
              scores: [{ modelId: version.id, group: "", shadow, score, raw: score }],
            },
          ],
    ),
  );
}

/** The rules layer by a plain count: what is measured of the patterns is nothing here. */
function plainRules({ live }: Reading, score: number | null): number {
  const said = live.filter(({ detection: { direction } }) => direction !== 0);
  const lift = score === null ? 1 : score / RATE;
  const sum = said.reduce(
    (all, { detection: { direction, quality } }) => all + lift * direction * quality,
    0,
  );
  return Math.min(1, Math.max(-1, sum / said.length));
}

describe("what the version that serves said of a pattern", () => {
  it("200 enters the rules layer and the composite, and is told with the signal, its version and snapshot", async () => {
    const before = await read();
    expect(before.inputs.rules.value).toBeCloseTo(plainRules(before, null), 12);
    const untold = (await get("/api/signals/entry-exit?symbol=MSFT&timeframe=1d")).data;
    const [plain] = untold.signals;
    expect(plain).toMatchObject({
      model_version: null,
      ml_score: null,
      feature_snapshot_id: null,
      ml_reason: "No model was shown it when it was seen",
    });
    await say(before, 0.2);
    const after = await read();
    expect(after.inputs.rules.value).toBeCloseTo(plainRules(after, 0.2), 12);
    expect(after.inputs.rules.value).not.toBeCloseTo(before.inputs.rules.value ?? 0, 3);
    expect(after.fusion.composite).not.toBe(before.fusion.composite);
    const { signals } = (await get("/api/signals/entry-exit?symbol=MSFT&timeframe=1d")).data;
    for (const signal of signals.filter(({ type }: { type: string }) => type === "entry"))
      expect(signal).toMatchObject({
        model_version: "1.0.0",
        model_hash: version.hash.slice(0, 16),
        ml_score: 0.2,
        feature_snapshot_id: expect.any(Number),
        score_id: expect.any(Number),
        ml_reason: null,
      });
    const { layers } = (await get("/api/recommend/complete?symbol=MSFT")).data;
    expect(layers.rule_based.details[0]).toMatchObject({ ml_score: 0.2, model_version: "1.0.0" });
  });

  it("200 is kept with an alert as it was when that was raised, and weighs nothing once the version was taken back", async () => {
    const { live } = await read();
    const [{ detection }] = live.filter(({ detection: { direction } }) => direction !== 0);
    const { instrument } = (await read()).main.set;
    const [candidate] = await recordCandidates(program.parts.database, instrument, [detection]);
    const store = createAlertStore(program.parts.database);
    const raised = await program.parts.database.transaction((sql) =>
      store.raise(sql, { candidate, levels: levelsOf(candidate) }),
    );
    expect(raised?.told.score).toMatchObject({ version: "1.0.0", hash: version.hash, score: 0.2 });
    await program.parts.models.registry.rollBack(version, TRAINED);
    const { alerts } = await get("/api/alerts");
    expect(alerts[0]).toMatchObject({
      id: raised?.id,
      model_version: "1.0.0",
      ml_score: 0.2,
      score_id: raised?.told.score?.scoreId,
      feature_snapshot_id: raised?.told.snapshotId,
      ml_reason: null,
      metadata: { ml_enhanced: true },
    });
    const proof = await get(`/api/ml/scores/${alerts[0].score_id}/proof`);
    expect(proof.success).toBe(true);
    const after = await read();
    expect(after.inputs.rules.value).toBeCloseTo(plainRules(after, null), 12);
  });
});
