import { describe, expect, it, vi } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { calibrate } from "../../src/core/learning/calibrate.js";
import { NET_COLUMNS } from "../../src/core/learning/sequence-net/columns.js";
import { initialValues } from "../../src/core/learning/sequence-net/layout.js";
import { usualSize } from "../../src/core/learning/sequence-net/net.js";
import { SHAPES } from "../../src/core/learning/shapes.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { INTERVAL_MS, type Interval } from "../../src/core/market/interval.js";
import { resample } from "../../src/core/market/resample.js";
import { calendarOf } from "../../src/core/market/session.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import type { OpenModel } from "../../src/features/models/artefact.js";
import { weighingOf } from "../../src/features/models/layers.js";
import type { OpenVersion } from "../../src/features/models/registry.js";
import type { Purpose } from "../../src/features/models/store.js";
import { createDeepLook } from "../../src/features/signals/deep.js";
import { createSignals, type SignalOptions } from "../../src/features/signals/signals.js";
import lookAt from "../../src/features/signals/worker.js";

const START = Date.UTC(2026, 0, 1);
const HOUR = INTERVAL_MS["1h"];
const CALENDAR = calendarOf("24x7");

/** Hours of a walk, after `turn` of them of one that is another. */
function hours(count: number, turn: number): Candles {
  const rng = createRng(3);
  const column = () => new Float64Array(count);
  const bars = {
    time: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
  };
  let price = 100;
  for (let i = 0; i < count; i++) {
    const open = price;
    // What comes later falls by a tenth an hour, which nobody who reads it could miss.
    price *= i < turn ? Math.exp(0.001 + 0.01 * rng.normal()) : 0.9;
    bars.time[i] = START + i * HOUR;
    bars.open[i] = open;
    bars.close[i] = price;
    bars.high[i] = Math.max(open, price) * 1.002;
    bars.low[i] = Math.min(open, price) * 0.998;
    bars.volume[i] = 1_000 + rng.below(500);
  }
  return { symbol: "BTC", interval: "1h", ...bars };
}

/** Hours after which the newest patterns have a direction. */
const TURN = 5_972;
const all = hours(TURN + 24 * 5, TURN);
const AT = START + TURN * HOUR;
const NOW = START + all.time.length * HOUR;
const size = usualSize(SHAPES.length);
const net: OpenModel = {
  learner: "sequence_net",
  model: {
    size,
    columns: NET_COLUMNS,
    classes: SHAPES,
    values: initialValues(size, createRng(2)),
    temperature: 1,
  },
};
const stack: OpenModel = {
  learner: "layer_stack",
  model: {
    weights: { rules: 0.1, deep: 0.1, multi_timeframe: 0.7, sentiment: 0.1 },
    calibrator: { kind: "platt", slope: 1.5, intercept: -0.4 },
    samples: 400,
  },
};

/** Everything that is known at a moment, of which `read` takes the newest; later things are there, too. */
function worldAt(nowMs: number, { models, measuredAt }: { models: number; measuredAt: number }) {
  const closed = (candles: Candles, by: number) => {
    const { length } = candles.time.filter((open) => open + INTERVAL_MS[candles.interval] <= by);
    return sliceCandles(candles, 0, length);
  };
  const instrument = { id: 1, symbol: "BTC", calendar: "24x7", assetClass: "crypto", synthetic: false };
  const registry = {
    serving: ({ learner }: Purpose) =>
      ({
        version: { version: "1.0.0", createdAtMs: models },
        opened: learner === "layer_stack" ? stack : net,
      }) as OpenVersion<OpenModel>,
  };
  const quotes = vi.fn(async () => ({ price: 1, changePercent: null, volume: null, stale: false, ageMs: 0 }));
  const options = {
    candles: {
      loadLatest: async (_: unknown, interval: Interval, count: number, knownAtMs = nowMs) => {
        const candles = closed(resample(all, interval, CALENDAR), Math.min(nowMs, knownAtMs));
        const { length } = candles.time;
        return {
          instrument,
          candles: sliceCandles(candles, Math.max(0, length - count), length),
          stale: false,
        };
      },
    },
    quotes: { load: quotes },
    instruments: { resolve: async () => instrument },
    sentiment: {
      measure: async (_: string, knownAtMs = nowMs) => ({
        aggregate: { available: true, score: knownAtMs > AT ? -1 : 0.5 },
      }),
    },
    evidence: {
      confidenceOf: () => ({
        ...{ value: 0.9, reason: null, n: 500, hitRate: 0.9, low: 0.8, high: 0.95, baseRate: 0.3 },
        ...{ regime: "any", edgeLow: 0, edgeHigh: 1, qValue: 0, meanR: 1, asOfMs: measuredAt },
      }),
    },
    workers: { run: async (_: unknown, task: Parameters<typeof lookAt>[0]) => lookAt(task) },
    deep: createDeepLook({ ...registry, refused: () => [] }),
    told: { of: async (asked: readonly unknown[]) => asked.map(() => ({ snapshotId: null, score: null })) },
    weighing: (madeByMs?: number) => weighingOf(registry, madeByMs),
  };
  return { signals: createSignals(options as unknown as SignalOptions), quotes };
}

const AS_OF = { closedByMs: AT, madeByMs: AT };

describe("layers as of the close of a bar", () => {
  it("are what was said then, whatever has come since: bars, texts and quotes", async () => {
    const before = { models: START, measuredAt: START };
    const then = await worldAt(AT, before).signals.read("BTC", "1h");
    const { signals, quotes } = worldAt(NOW, before);
    const later = await signals.readAsOf("BTC", "1h", AS_OF);
    expect(later.inputs).toEqual(then.inputs);
    expect(later.fusion).toEqual(then.fusion);
    expect(later.looks).toEqual(then.looks);
    expect(quotes).not.toHaveBeenCalled();
    // Read now it is another.
    const now = await signals.read("BTC", "1h");
    expect(now.inputs.multi_timeframe.value).not.toBe(then.inputs.multi_timeframe.value);
    expect(now.inputs.sentiment).toEqual({ value: -1 });
    expect(then.live.length).toBeGreaterThan(0);
  });

  it("know no net, no weights and no evidence that were made of later bars", async () => {
    const since = { models: AT + 1, measuredAt: AT + 1 };
    const { signals } = worldAt(NOW, since);
    const found = await signals.readAsOf("BTC", "1h", AS_OF);
    expect(found.inputs.deep).toMatchObject({ value: null, reason: expect.stringContaining("later") });
    expect(found.weighing).toEqual({ weights: LAYER_WEIGHTS, learned: null });
    expect(found.live.map(({ confidence }) => confidence.value)).toEqual(found.live.map(() => null));
    const known = await worldAt(NOW, { models: AT, measuredAt: AT }).signals.readAsOf("BTC", "1h", AS_OF);
    expect(known.live.map(({ confidence }) => confidence.value)).toEqual(found.live.map(() => 0.9));
    expect(known.inputs.rules).not.toEqual(found.inputs.rules);
    expect(known.main.deep.version).toBe("1.0.0");
  });
});

describe("the chance of a composite", () => {
  it("is what the calibrator that was learned with the weights makes of it, and null with the reason before", async () => {
    const { weighing, fusion, chance } = await worldAt(AT, { models: START, measuredAt: START }).signals.read(
      "BTC",
      "1h",
    );
    expect(weighing.weights).toEqual(stack.learner === "layer_stack" ? stack.model.weights : null);
    const expected = calibrate({ kind: "platt", slope: 1.5, intercept: -0.4 }, (fusion.composite ?? 0) / 100);
    expect(chance.value).toBeCloseTo(expected, 12);
    expect(chance.value).not.toBeCloseTo((fusion.composite ?? 0) / 100, 3);
    expect(chance).toMatchObject({ reason: null, version: "1.0.0" });
    const none = await worldAt(NOW, { models: AT + 1, measuredAt: START }).signals.readAsOf(
      "BTC",
      "1h",
      AS_OF,
    );
    expect(none.chance).toMatchObject({
      value: null,
      version: null,
      reason: expect.stringContaining("learned"),
    });
  });
});
