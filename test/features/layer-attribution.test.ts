import { describe, expect, it } from "vitest";
import { LAYER_WEIGHTS, LAYERS } from "../../src/core/signals/fuse.js";
import type { SettledReading } from "../../src/features/retraining/layer-store.js";
import { createLearningStatus, type StatusParts } from "../../src/features/retraining/status.js";

/** Alerts whose layers but sentiment said something, ended as it is told; null for what is open. */
const readings = (labels: readonly (0 | 1 | null)[]): SettledReading[] =>
  labels.map((label, i) => ({
    ...{ alertId: i + 1, direction: 1, label, settledAtMs: label === null ? null : i },
    values: { rules: 0.1 * i, deep: 0.5, multi_timeframe: 0.2, sentiment: Number.NaN },
    ...{ composite: 50, chance: null, stackVersion: null, netId: null, weights: LAYER_WEIGHTS, asOfMs: i },
  }));

const attributionOf = (labels: readonly (0 | 1 | null)[]) =>
  createLearningStatus({
    models: {},
    layers: { since: async () => readings(labels) },
    now: () => 0,
  } as unknown as StatusParts).attribution(30);

describe("what layers did to alerts", () => {
  it("says why it tells no area where none has ended, or all alike", async () => {
    const open = await attributionOf([null, null]);
    expect(open).toMatchObject({ decisions: 2, settled: 0, composite: { auc: null } });
    expect(open.reason).toBe("None of 2 alerts has ended: an AUC needs one that hit and one that did not");
    const lost = await attributionOf([0, 0, null]);
    expect(lost.composite.auc).toBeNull();
    expect(lost.reason).toContain("None of 2 alerts that have ended hit");
    expect((await attributionOf([1])).reason).toContain("All of 1 alerts that have ended hit");
    expect(lost.layers.map(({ auc_with, reason }) => [auc_with, reason === null])).toEqual(
      LAYERS.map(() => [null, false]),
    );
  });

  it("says nothing where it does, but of a layer that was silent", async () => {
    const found = await attributionOf([0, 1, 1]);
    expect(found).toMatchObject({ reason: null, composite: { auc: 1, settled: 3 } });
    expect(found.layers.map(({ auc_with, reason }) => [auc_with, reason])).toEqual([
      ...[1, 1, 1].map((auc) => [auc, null]),
      [null, "The layer was silent on every alert"],
    ]);
  });
});
