import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import {
  LABEL_SOURCES,
  type LabelPolicy,
  labelId,
  labelPlan,
  policyKey,
  statedLabel,
} from "../../src/core/learning/label.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { calendarOf } from "../../src/core/market/session.js";
import { copyCandles, featureCase } from "../fixtures/feature-series.js";

const calendar = calendarOf("24x7");
const HOUR = 3_600_000;
const BARRIERS: LabelPolicy = { kind: "barriers" };

/** Hours as [open, high, low, close]. */
function hours(...rows: readonly (readonly [number, number, number, number])[]): Candles {
  return candlesFromRows(
    "TEST",
    "1h",
    rows.map(([open, high, low, close], i) => ({ time: i * HOUR, open, high, low, close, volume: 1 })),
  );
}

const long = { at: 0, direction: 1, stop: 98, target: 104, horizon: 3, costBps: 10 } as const;
const label = (
  candles: Candles,
  policy: LabelPolicy,
  plan: typeof long | Readonly<Record<string, number>> = long,
) => labelPlan(candles, calendar, { source: "alert", id: "a1", plan: { ...long, ...plan } }, policy);
const signal = [100, 101, 99, 100] as const;
const quiet = [100, 101, 99, 100] as const;

describe("labels by barriers", () => {
  it("are 1 where the target comes first, known at the close of that bar", () => {
    const result = label(hours(signal, quiet, [100, 105, 99, 101]), BARRIERS);
    expect(result).toMatchObject({ status: "settled", exitAt: 2 });
    expect(result.label).toMatchObject({
      value: 1,
      end: "target",
      ambiguous: false,
      decidedAt: HOUR,
      settledAt: 3 * HOUR,
      policy: "barriers",
    });
    expect(result.label?.gain).toBeCloseTo(0.04 - 0.001, 12);
    expect(result.label?.r).toBeCloseTo((4 - 0.1) / 2, 12);
  });

  it("take the stop first where one bar holds both, and say so", () => {
    expect(label(hours(signal, [100, 105, 97, 100]), BARRIERS).label).toMatchObject({
      value: 0,
      end: "stop",
      ambiguous: true,
    });
  });

  it("lose more than was planned where the open lies beyond the stop", () => {
    const gapped = label(hours(signal, quiet, [95, 96, 94, 95]), BARRIERS).label;
    expect(gapped?.value).toBe(0);
    expect(gapped?.gain).toBeCloseTo(-0.05 - 0.001, 12);
    expect(gapped?.r).toBeCloseTo((-5 - 0.1) / 2, 12);
  });

  it("are 0 where time runs out, though it gained", () => {
    expect(label(hours(signal, quiet, quiet, [100, 103, 99, 103]), BARRIERS).label).toMatchObject({
      value: 0,
      end: "time",
    });
  });

  it("are 0 where the target is reached and costs take more than it gives", () => {
    const dear = { costBps: 500 };
    expect(label(hours(signal, [100, 105, 99, 101]), BARRIERS, dear).label).toMatchObject({
      value: 0,
      end: "target",
    });
  });

  it("are none where the next open lies beyond stop or target, and none yet while the bars do not tell", () => {
    expect(label(hours(signal, [97, 99, 96, 98]), BARRIERS).status).toBe("void");
    expect(label(hours(signal, [105, 106, 104, 105]), BARRIERS).status).toBe("void");
    expect(label(hours(signal), BARRIERS).status).toBe("open");
    expect(label(hours(signal, quiet, quiet), BARRIERS).status).toBe("open");
  });
});

describe("labels by a horizon", () => {
  it("are 1 where it gained after costs by the close of the last bar, whatever came before", () => {
    const candles = hours(signal, [100, 101, 90, 91], [91, 101, 91, 100.2]);
    const two: LabelPolicy = { kind: "horizon", bars: 2 };
    expect(label(candles, two).label).toMatchObject({
      value: 1,
      end: "time",
      settledAt: 3 * HOUR,
      policy: "horizon:2",
    });
    expect(label(candles, two, { costBps: 25 }).label?.value).toBe(0);
    expect(label(candles, two, { direction: -1, stop: 102, target: 90 }).label?.value).toBe(0);
    expect(label(candles, { kind: "horizon", bars: 3 }).status).toBe("open");
  });

  it("are refused for half a bar and none", () => {
    for (const bars of [0, -1, 1.5, Number.NaN]) {
      expect(() => policyKey({ kind: "horizon", bars })).toThrow("number of bars");
    }
  });
});

/** The label as one would read it off a chart, bar after bar; null while it is open, undefined where there is no trade. */
function plainLabel(candles: Candles, plan: typeof long, policy: LabelPolicy): 0 | 1 | null | undefined {
  const { at, direction, stop, target, costBps } = plan;
  const bars = policy.kind === "horizon" ? policy.bars : plan.horizon;
  const gained = (exit: number) =>
    (direction * (exit - candles.open[at + 1])) / candles.open[at + 1] > costBps / 10_000 ? 1 : 0;
  if (policy.kind === "horizon")
    return at + bars < candles.time.length ? gained(candles.close[at + bars]) : null;
  const beyondStop = (price: number) => (direction > 0 ? price <= stop : price >= stop);
  const beyondTarget = (price: number) => (direction > 0 ? price >= target : price <= target);
  for (let i = at + 1; i <= at + bars; i++) {
    if (i >= candles.time.length) return null;
    const opened = candles.open[i];
    if (i === at + 1 && (beyondStop(opened) || beyondTarget(opened))) return undefined;
    if (beyondStop(opened)) return 0;
    if (beyondTarget(opened)) return gained(opened);
    if (beyondStop(candles.low[i]) || beyondStop(candles.high[i])) return 0;
    if (beyondTarget(candles.low[i]) || beyondTarget(candles.high[i])) return gained(target);
  }
  return 0;
}

describe("labels of walks", () => {
  const { candles } = featureCase("24x7", "1h", 300, 31);

  it("are those that are read off bar by bar, never change with more bars, and are not there a bar earlier", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 298 }), fc.integer({ min: 0, max: 1 << 30 }), (at, seed) => {
        const rng = createRng(seed);
        const direction = rng.next() < 0.5 ? 1 : -1;
        const close = candles.close[at];
        const plan = {
          at,
          direction,
          stop: close * (1 - direction * 0.02 * rng.next()),
          target: close * (1 + direction * 0.03 * rng.next()),
          horizon: 1 + rng.below(20),
          costBps: rng.below(60),
        } as typeof long;
        const policy: LabelPolicy =
          rng.next() < 0.7 ? BARRIERS : { kind: "horizon", bars: 1 + rng.below(12) };
        const subject = { source: "detection", id: "d", plan } as const;
        const result = labelPlan(candles, calendar, subject, policy);
        const plain = plainLabel(candles, plan, policy);
        const status = plain === null ? "open" : plain === undefined ? "void" : "settled";
        expect(result.status).toBe(status);
        seen.set(`${status} ${plain}`, (seen.get(`${status} ${plain}`) ?? 0) + 1);
        if (result.status !== "settled") return;
        expect(result.label.value).toBe(plain);
        const upTo = (length: number) =>
          labelPlan(copyCandles(candles, 0, length), calendar, subject, policy);
        expect(upTo(result.exitAt + 1)).toEqual(result);
        expect(upTo(result.exitAt).status).toBe("open");
        expect(result.label.settledAt).toBe(candles.time[result.exitAt] + HOUR);
      }),
      { numRuns: 1_500, seed: 5 },
    );
    for (const kind of ["open null", "void undefined", "settled 0", "settled 1"])
      expect(seen.get(kind) ?? 0).toBeGreaterThan(20);
  });
});

describe("names of labels", () => {
  it("are one for each source, subject and policy, whatever letters a subject has", () => {
    const subjects = ["a", "a,b", 'a"', "a|barriers", "barriers", ""];
    const policies = ["barriers", "horizon:1", "stated", ""];
    const ids = LABEL_SOURCES.flatMap((source) =>
      subjects.flatMap((subject) => policies.map((policy) => labelId(source, subject, policy))),
    );
    expect(new Set(ids).size).toBe(LABEL_SOURCES.length * subjects.length * policies.length);
    expect(labelId("alert", "a", "barriers")).toBe('["alert","a","barriers"]');
  });

  it("are the same for what users say, which counts from when they said it", () => {
    const said = { source: "feedback", subject: "a1", good: true, decidedAt: 5, statedAt: 9 } as const;
    expect(statedLabel(said)).toMatchObject({
      value: 1,
      decidedAt: 5,
      settledAt: 9,
      gain: null,
      r: null,
      policy: "stated",
    });
    expect(statedLabel({ ...said, good: false, gain: -0.1 })).toMatchObject({ value: 0, gain: -0.1 });
    expect(statedLabel({ ...said, good: false }).id).toBe(statedLabel(said).id);
    expect(() => statedLabel({ ...said, statedAt: 5 })).toThrow("judged before it was decided");
  });
});
