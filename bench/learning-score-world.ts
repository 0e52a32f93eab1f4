import { createRng } from "../src/core/base/rng.js";
import { lowerBound } from "../src/core/base/search.js";
import { trainAgent } from "../src/core/learning/agent/learner.js";
import { PLANTED_TERMS, plantedMarket } from "../src/core/learning/agent/planted.js";
import { marketOf } from "../src/core/learning/agent/state.js";
import { fitCalibrator } from "../src/core/learning/calibrate.js";
import { GROUP_SETTINGS, groupedScore, trainGroupedTrees } from "../src/core/learning/grouped-trees.js";
import { type LayerVote, stackLayers } from "../src/core/learning/layer-stack.js";
import { type LabelledSamples, SAMPLE_SCHEMA, samplesOf } from "../src/core/learning/samples.js";
import { trainSequenceNet } from "../src/core/learning/sequence-net/train.js";
import { binReference } from "../src/core/learning/stability.js";
import { type Candles, sliceCandles } from "../src/core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../src/core/market/interval.js";
import { resample } from "../src/core/market/resample.js";
import { calendarOf } from "../src/core/market/session.js";
import { scoreText } from "../src/core/sentiment/score.js";
import { SHIPPED } from "../src/core/sentiment/shipped.js";
import { createAgentDesk } from "../src/features/models/agent.js";
import type { OpenModel } from "../src/features/models/artefact.js";
import { weighingOf } from "../src/features/models/layers.js";
import type { OpenVersion, Registry } from "../src/features/models/registry.js";
import { createScoring } from "../src/features/models/scoring.js";
import type { Purpose } from "../src/features/models/store.js";
import { measureTexts } from "../src/features/sentiment/measure.js";
import { createDeepLook } from "../src/features/signals/deep.js";
import { createSignals, type SignalOptions } from "../src/features/signals/signals.js";
import lookAt from "../src/features/signals/worker.js";
import { randomWalk } from "./data.js";

/** A market in memory, with models that were trained on it, behind the functions that the server calls of a signal. */
export const MAIN = "5m" satisfies Interval;
export const INSTRUMENT = {
  ...{ id: 1, symbol: "WALK", name: "Walk", exchange: "BENCH", currency: "USD" },
  ...{ calendar: "24x7" as const, assetClass: "crypto" as const, synthetic: false },
};
const CALENDAR = calendarOf("24x7");
const FUSED = ["1h", "4h", "1d"] as const satisfies readonly Interval[];

/** Bars of the main interval: enough for as many days as a look at daily ones reads. */
const BARS = 200_000;
/** Of them those that trees are trained on. */
const LEARNED_BARS = 12_000;
const walk = randomWalk(BARS, 62);
const byInterval = new Map<Interval, Candles>([
  [MAIN, walk],
  ...FUSED.map((interval) => [interval, resample(walk, interval, CALENDAR)] as const),
]);

/** The newest bars of an interval that had closed by a moment. */
export function closedBy(interval: Interval, count: number, nowMs: number): Candles {
  const candles = byInterval.get(interval) ?? walk;
  const length = lowerBound(candles.time, nowMs - INTERVAL_MS[interval] + 1);
  return sliceCandles(candles, Math.max(0, length - count), length);
}

/** Decisions on the walk with labels that two columns tell, in the ranging market the one, elsewhere the other: so groups differ. */
function plantedSamples(): LabelledSamples {
  const candles = sliceCandles(walk, 0, LEARNED_BARS);
  const built = samplesOf(candles, { calendar: CALENDAR }, { policy: { kind: "barriers" }, costBps: 5 });
  const rng = createRng(7);
  const [one, other] = [3, 9].map((k) => built.samples.columns[k]);
  const labels = built.samples.labels.map((_, row) => {
    const told = built.facts[row].regime === "ranging" ? one[row] - other[row] : other[row] - one[row];
    return rng.next() < 1 / (1 + Math.exp(-1.5 * Math.sign(told))) ? 1 : 0;
  });
  return { facts: built.facts, samples: { ...built.samples, labels } };
}

export interface Trained {
  readonly models: ReadonlyMap<string, OpenModel>;
  /** Groups of the trees that have trees of their own, and bars of the main interval that came after all that was learned. */
  readonly groups: readonly string[];
  readonly from: number;
}

/** Trees by regime, a net and an agent, each by the training of the product, with fewer rows and rounds. */
export function trainModels(): Trained {
  const { samples, facts } = plantedSamples();
  const keys = facts.map(({ regime }) => regime ?? "");
  const trees = trainGroupedTrees(samples, keys, GROUP_SETTINGS, 1);
  const row = new Float64Array(samples.columns.length);
  const scores = samples.labels.map((_, i) => {
    for (let k = 0; k < row.length; k++) row[k] = samples.columns[k][i];
    return groupedScore(trees, row, keys[i]);
  });
  const { calibrator } = fitCalibrator({ scores, labels: samples.labels });
  const bins = samples.columns.map((column) => binReference(column));
  const { net } = trainSequenceNet({ seed: 1, windows: 4_000, epochs: 2, foundShare: 0.5 });
  const series = [1, 2].map((seed) => marketOf(plantedMarket({ ...PLANTED_TERMS, bars: 1_000, seed })));
  const { agent } = trainAgent({ seed: 1, steps: 2_000, series });
  return {
    models: new Map<string, OpenModel>([
      ["gradient_trees", { learner: "gradient_trees", model: { trees, calibrator, bins } }],
      ["sequence_net", { learner: "sequence_net", model: net }],
      ["q_agent", { learner: "q_agent", model: agent }],
    ]),
    groups: [...trees.groups.keys()],
    from: LEARNED_BARS,
  };
}

/** Weights of layers and their calibrator, learned of what they said, as they are of alerts. */
export function stackOf(votes: readonly LayerVote[]): OpenModel {
  const cut = Math.floor(0.7 * votes.length);
  const model = stackLayers(votes.slice(0, cut), votes.slice(cut));
  if (model === null) throw new Error("too few votes to weigh layers by");
  return { learner: "layer_stack", model };
}

const HEADLINES = [
  "Shares jump after quarterly profit beats estimates and outlook is raised",
  "Company cuts full-year guidance as demand weakens",
  "Analysts upgrade the stock to buy on strong margin growth",
  "Regulator opens probe into accounting practices, shares slide",
  "Record revenue in the cloud unit lifts earnings above expectations",
  "Chief executive resigns after a disappointing quarter",
  "Board approves a ten billion dollar buyback programme",
  "Downgraded to sell: rising costs squeeze profits",
];

/** Texts of a week about the walk, scored before. */
function textsBefore(nowMs: number) {
  const scored = HEADLINES.map((text) => scoreText(text, SHIPPED));
  return Array.from({ length: 64 }, (_, k) => {
    const { score, confidence, hits } = scored[k % scored.length];
    return {
      ...{ documentId: k, symbol: "WALK", kind: k % 3 === 0 ? ("reddit" as const) : ("news" as const) },
      ...{ time: nowMs - (k + 1) * 9_000_000, score, confidence },
      terms: hits.map(({ term }) => term),
    };
  });
}

const MEASURED = {
  ...{ value: 0.42, reason: null, n: 500, hitRate: 0.42, low: 0.38, high: 0.47, baseRate: 0.36 },
  ...{ regime: "any", edgeLow: 0.02, edgeHigh: 0.1, qValue: 0.01, meanR: 0.1, asOfMs: 0 },
};

/** What the server calls of a signal, over the market as it was at `clock.nowMs`, and the scores that were kept of it. */
export function createWorld(models: ReadonlyMap<string, OpenModel>, clock: { nowMs: number }) {
  const columns = { featureSchema: SAMPLE_SCHEMA, columns: [], metrics: {}, grouping: "regime" };
  const registry = {
    serving({ learner, assetClass, grouping }: Purpose) {
      const opened = models.get(learner);
      const isAsked = learner !== "gradient_trees" || (assetClass === "crypto" && grouping === "regime");
      if (opened === undefined || !isAsked) return null;
      const version = { id: 1, version: "1.0.0", createdAtMs: 0, learner, assetClass, ...columns };
      return { version, opened } as unknown as OpenVersion<OpenModel>;
    },
    shadows: () => [],
    refused: () => [],
  } as unknown as Registry<OpenModel>;
  const candles = {
    loadLatest: async (_: unknown, interval: Interval, count: number) => {
      const loaded = closedBy(interval, count, clock.nowMs);
      return { instrument: INSTRUMENT, candles: loaded, stale: false };
    },
  };
  const told = new Map<string, unknown>();
  const toldKey = (barTime: number, pattern: string, direction: number) =>
    `${barTime} ${pattern} ${direction}`;
  const instruments = { resolve: async () => INSTRUMENT };
  let texts = textsBefore(clock.nowMs);
  const options = {
    candles,
    instruments,
    quotes: { load: async () => ({ price: 100, changePercent: null, volume: null, stale: false, ageMs: 0 }) },
    sentiment: { measure: async () => measureTexts(texts, clock.nowMs, () => "none were read") },
    evidence: { confidenceOf: () => MEASURED },
    workers: { run: async (_: unknown, task: Parameters<typeof lookAt>[0]) => lookAt(task) },
    deep: createDeepLook(registry),
    told: {
      of: async (asked: readonly { barTime: number; pattern: string; direction: number }[]) =>
        asked.map(({ barTime, pattern, direction }) => ({
          snapshotId: 1,
          score: told.get(toldKey(barTime, pattern, direction)) ?? null,
        })),
    },
    weighing: (madeByMs?: number) => weighingOf(registry, madeByMs),
  };
  return {
    signals: createSignals(options as unknown as SignalOptions),
    scoring: createScoring(registry),
    desk: createAgentDesk(registry, { candles, instruments } as unknown as Parameters<
      typeof createAgentDesk
    >[1]),
    /** Keeps what a model said, as the database does. */
    keep(barTime: number, pattern: string, direction: number, score: number) {
      const known = { scoreId: 1, modelId: 1, version: "1.0.0", hash: "", score, serves: true, rate: 0.4 };
      told.set(toldKey(barTime, pattern, direction), known);
    },
    /** Goes to another moment, of which texts are known. */
    goTo(nowMs: number) {
      clock.nowMs = nowMs;
      texts = textsBefore(nowMs);
    },
  };
}
