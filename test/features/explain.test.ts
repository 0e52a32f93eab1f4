import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { INTERVAL_MS } from "../../src/core/market/interval.js";
import { createDetectionStore } from "../../src/features/detections/store.js";
import type { Confidence } from "../../src/features/evidence/evidence.js";
import { noComposite } from "../../src/features/explain/composite.js";
import { createExplain, type Explain } from "../../src/features/explain/feature.js";
import { reasoningView } from "../../src/features/explain/reasoning-view.js";
import { recommend } from "../../src/features/explain/recommendation.js";
import { reasoningSteps } from "../../src/features/explain/steps.js";
import { entryView } from "../../src/features/explain/views.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";
import { readBars } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const MEASURED: Confidence = {
  value: 0.41,
  reason: null,
  regime: "any",
  n: 412,
  hitRate: 0.42,
  low: 0.37,
  high: 0.47,
  baseRate: 0.35,
  meanR: 0.08,
  edgeLow: 0.02,
  edgeHigh: 0.12,
  qValue: 0.4,
  asOfMs: 0,
};
const withEvidence = (measured: Partial<Confidence>): Explain =>
  createExplain({ ...program.parts, evidence: { confidenceOf: () => ({ ...MEASURED, ...measured }) } });

async function directedAlert() {
  const { rows } = await program.parts.alerts.list({}, 100, 0);
  const alert = rows.find(({ direction, entry }) => direction !== 0 && entry !== null);
  if (alert === undefined) throw new Error("the scan raised no alert with a direction");
  return alert;
}

describe("evidence in an explanation", () => {
  const stepOf = async (measured: Partial<Confidence>) => {
    const explain = withEvidence(measured);
    const alert = await directedAlert();
    const reading = await explain.read(await explain.subjects.ofAlert(alert.id));
    const [step] = reasoningSteps(reading).filter(({ title }) => title === "Evidence");
    return { step, advice: recommend(reading), reading };
  };

  it("is told with sample size, interval and base rate, and judged by whether they lie apart", async () => {
    const { step, advice, reading } = await stepOf({});
    expect(step).toMatchObject({ status: "passed", confidence: 0.41 });
    expect(step.description).toMatch(/42\.0 % of 412 trades/);
    expect(step.details).toEqual([
      "95 % interval 37.0 % to 47.0 %",
      "the same trade without the pattern: 35.0 %",
      "better than that by 2.0 % to 12.0 % (99 %, trades in clusters counted as such)",
      "chance of such a difference without any: 0.400, corrected",
      "shrunk by sample size: 41.0 %",
      "trades until 1970-01-01T00:00:00.000Z",
    ]);
    const later = (await stepOf({ asOfMs: Date.UTC(2100, 0) })).step.details.at(-1);
    expect(later).toBe(
      "trades until 2100-01-01T00:00:00.000Z, later than the pattern; when that was seen, none was known",
    );
    expect((await stepOf({ asOfMs: null })).step.details).toHaveLength(5);
    expect(advice.confidence).toBe(0.41);
    expect(reasoningView(reading, noComposite("")).historical_accuracy).toMatchObject({
      accuracy: 0.42,
      sample_size: 412,
      low: 0.37,
      avg_return: 0.08,
    });
    // However far apart the rates: clustered trades tell less than they are many.
    expect((await stepOf({ edgeLow: -0.01 })).step.status).toBe("neutral");
    expect((await stepOf({ edgeLow: -0.2, edgeHigh: -0.01 })).step.status).toBe("failed");
  });

  it("below the break-even of the levels speaks against the trade; above it does not", async () => {
    // Reward per risk is 4/3: break-even at 3/7.
    const factor = async (value: number) =>
      (await stepOf({ value })).advice.factors.find(({ name }) => name === "below_break_even")?.present;
    expect(await factor(0.42)).toBe(true);
    expect(await factor(0.44)).toBe(false);
  });

  it("recommends the trade while it is open and can be entered, and none against what is measured", async () => {
    const { reading } = await stepOf({ value: 0.44 });
    const open = { ...reading.standing.outcome, status: "open", exitTime: null, r: null } as const;
    const fresh = { outcome: open, ageMs: 3_600_000, stale: false, late: false };
    const now = (change: Partial<typeof fresh>, value = 0.44) =>
      recommend({
        ...reading,
        reliability: { ...reading.reliability, value },
        standing: { ...fresh, ...change },
      });
    const side = reading.subject.detection.direction > 0 ? "BUY" : "SELL";
    expect(now({})).toMatchObject({ action: side, entry: reading.levels?.entry, stop: reading.levels?.stop });
    expect(now({}).reasoning).toContain("at the next open");
    for (const [change, why] of [
      [{ stale: true }, "Prices are older than they should be"],
      [{ late: true }, "more than 5 bars ago"],
      [
        { outcome: { ...open, status: "target", exitTime: 0, r: 1.2 } as never },
        "over since the bar of 1970",
      ],
    ] as const) {
      expect(now(change)).toMatchObject({ action: "HOLD", entry: null, stop: null, target: null });
      expect(now(change).reasoning).toContain(why);
    }
    expect(now({}, 0.42)).toMatchObject({ action: "HOLD", entry: null });
    expect(now({}, 0.42).reasoning).toContain("HOLD: The measured hit rate is not above");
  });

  it("with too few trades gives no rate, only the reason", async () => {
    const { step, reading } = await stepOf({ value: null, n: 12, reason: "Fewer than 30 trades have ended" });
    expect(step).toMatchObject({
      status: "unavailable",
      details: ["12 trades were measured"],
      confidence: null,
    });
    expect(reasoningView(reading, noComposite("")).historical_accuracy).toMatchObject({
      accuracy: null,
      win_rate: null,
      avg_return: null,
      sample_size: 12,
      description: "Fewer than 30 trades have ended",
    });
  });

  it("fills the encyclopaedia", async () => {
    const entry = entryView(await withEvidence({}).encyclopaedia.explain("doji", "5m"));
    expect(entry).toMatchObject({ success_rate: 0.42, avg_return: 0.08, timeframe: "5m" });
    expect(entry.evidence_by_timeframe).toHaveLength(8);
    const few = await withEvidence({ value: null, reason: "few" }).encyclopaedia.explain("doji", "5m");
    expect(entryView(few)).toMatchObject({
      success_rate: null,
      avg_return: null,
      evidence: { reason: "few" },
    });
  });
});

describe("an explanation", () => {
  it("stays what it was when more is detected later and when earlier bars are restated", async () => {
    const { explain, database, candleStore, instruments } = program.parts;
    const alert = await directedAlert();
    const tell = async () => {
      const subject = await explain.subjects.ofAlert(alert.id);
      const told = reasoningView(await explain.read(subject), await explain.composite(subject));
      return { ...told, data: { ...told.data, age_ms: null } };
    };
    const before = await tell();
    const detection = await program.parts.detections.get(alert.detectionId);
    const later = [1, 2, 3].map((bar) => ({
      ...detection,
      barTime: detection.barTime + bar,
      closedAt: detection.closedAt + bar - 1,
    }));
    const stored = await database.transaction((sql) => createDetectionStore(database).record(sql, later));
    expect(stored).toHaveLength(3);
    const { id } = await instruments.resolve(alert.symbol);
    const from = detection.barTime - 40 * INTERVAL_MS[alert.interval];
    const { candles } = await candleStore.load(id, alert.symbol, alert.interval, from, detection.barTime);
    expect(candles.time.length).toBeGreaterThan(15);
    const doubled = { ...candles, volume: candles.volume.map((volume) => 2 * volume) };
    await candleStore.saveBars(id, doubled, { source: "files", basis: "none", atMs: Date.now() });
    expect(await tell()).toEqual(before);
  });
});

const daily = sharedPath("data", "daily", "kaggle-AAPL.csv.gz");

describe.skipIf(daily === null)("on prices of Apple over twelve years", () => {
  it("each stored detection has its proof, its picture and its outcome", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tx-apple-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(folder, { recursive: true });
    const bars = readBars(daily ?? "");
    const { time, open, high, low, close, volume } = bars;
    const rows = Array.from(time, (ms, i) =>
      [new Date(ms).toISOString().slice(0, 10), open[i], high[i], low[i], close[i], volume[i]].join(","),
    ).slice(-3_000);
    writeFileSync(join(folder, "AAPL-1d.csv"), `timestamp,open,high,low,close,volume\n${rows.join("\n")}\n`);
    const apple = await startScannedProgram({ environment: { FILES_DIR: folder, SCAN_INTERVALS: "1d" } });
    onTestFinished(() => apple.close());
    const { explain, detections } = apple.parts;
    const { rows: stored, total } = await detections.list({}, 1_000, 0);
    expect(total).toBeGreaterThan(100);
    const counts = new Map<string, number>();
    for (const [i, { id }] of stored.entries()) {
      const { outcome } = await explain.detail(id);
      counts.set(outcome.status, (counts.get(outcome.status) ?? 0) + 1);
      if (i % 12 !== 0) continue;
      const proof = await explain.proofs.prove(id);
      expect(proof.known.fields.filter(({ same }) => !same)).toEqual([]);
      expect(proof).toMatchObject({ restated: false, known: { verdict: "identical", bars: 401 } });
      expect(await explain.charts.draw(id)).toMatch(/^<\?xml.*<\/svg>\n$/s);
    }
    for (const status of ["target", "stop", "time"]) expect(counts.get(status) ?? 0).toBeGreaterThan(0);
    const [alert] = (await apple.parts.alerts.list({}, 1, 0)).rows;
    if (alert === undefined) return;
    const reading = await explain.read(await explain.subjects.ofAlert(alert.id));
    expect(
      reasoningSteps(reading)
        .map(({ description }) => description)
        .join(" "),
    ).not.toMatch(/NaN|undefined/);
  }, 120_000);
});
