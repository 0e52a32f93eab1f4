import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, type Indicator } from "../../src/core/indicators/define.js";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import type { Hit, Pattern } from "../../src/core/patterns/define.js";
import { findPattern, PATTERNS } from "../../src/core/patterns/index.js";
import { createLookahead, type LookaheadInput } from "../../src/features/explain/lookahead.js";
import {
  barsToTest,
  findLeaks,
  joinFindings,
  type TruncationSubject,
} from "../../src/features/explain/truncation.js";
import {
  patternAsSubject,
  SUBJECTS,
  type SubjectTable,
} from "../../src/features/explain/truncation-table.js";
import { APPLE } from "../fixtures/detections.js";
import { gridWalk } from "../fixtures/grid-walk.js";
import { createTestWorkers } from "../fixtures/workers.js";

const workers = createTestWorkers();
afterAll(() => workers.close());

const candles = gridWalk(300, 5);
const every = barsToTest(300, 300);

/** Means that look one bar ahead. */
const peeking: TruncationSubject = {
  kind: "indicator",
  name: "peeking",
  warmup: 0,
  observe:
    ({ close }) =>
    (at) =>
      new Map([["mean", (close[at] + (close[at + 1] ?? close[at])) / 2]]),
};

/** A pattern whose hits are taken back when the bar after goes the other way. */
const repainting: Pattern = {
  ...ensure(findPattern("engulfing"), "engulfing"),
  name: "repainting",
  find(series, from, to, hits) {
    const found: Hit[] = [];
    ensure(findPattern("engulfing"), "engulfing").find(series, from, to, found);
    const { close } = series.candles;
    hits.push(
      ...found.filter(({ at, variant }) => {
        const next = close[at + 1];
        return next === undefined || Math.sign(next - close[at]) !== -variant.direction;
      }),
    );
  },
};

/** The best of a whole series, known only at its end. */
const scaled = (indicator: Indicator): TruncationSubject => ({
  kind: "indicator",
  name: "scaled",
  warmup: 14,
  observe(bars) {
    const [column] = computeIndicator(indicator, bars, { period: 14 });
    const most = Math.max(...column.filter(Number.isFinite));
    return (at) => new Map([["share", column[at] / most]]);
  },
});

describe("the truncation test", () => {
  it("catches leaks that were planted, and names the first bars", () => {
    const subjects = [
      peeking,
      patternAsSubject(repainting),
      scaled(
        ensure(
          INDICATORS.find(({ name }) => name === "rsi"),
          "rsi",
        ),
      ),
    ];
    const [mean, pattern, share] = findLeaks(subjects, candles, every);
    expect(mean.differences).toBeGreaterThan(200);
    const moved = candles.close.findIndex((close, i) => candles.close[i + 1] !== close);
    expect(mean.first[0]).toMatchObject({ field: "mean", time: candles.time[moved] });
    expect(pattern.differences).toBeGreaterThan(0);
    const [leak] = pattern.first;
    expect(leak).toMatchObject({ whole: null, field: expect.stringMatching(/engulfing confirmed/) });
    expect(share.differences).toBeGreaterThan(0);
    expect([mean.tested, share.tested]).toEqual([300, 286]);
    expect([mean.said, mean.bars, share.bars]).toEqual([300, 300, 286]);
    expect([pattern.said > 10, pattern.said < 150]).toEqual([true, true]);
  });

  it("compares both of two hits where one may be, and what JSON takes for the same", () => {
    const engulfing = ensure(findPattern("engulfing"), "engulfing");
    /** Each hit and before it another, whose quality is no number once the next bar is known. */
    const doubled: Pattern = {
      ...engulfing,
      find(series, from, to, hits) {
        const found: Hit[] = [];
        engulfing.find(series, from, to, found);
        for (const hit of found) {
          const isNewest = hit.at + 1 === series.candles.close.length;
          const quality = isNewest ? Number.POSITIVE_INFINITY : Number.NaN;
          hits.push({ ...hit, quality }, hit);
        }
      },
    };
    const [plain] = findLeaks([patternAsSubject(engulfing)], candles, every);
    const [found] = findLeaks([patternAsSubject(doubled)], candles, every);
    expect(plain).toMatchObject({ differences: 0, reason: null });
    // The last bar is the newest either way.
    expect(found.said - found.differences).toBeLessThanOrEqual(1);
    expect(found.said).toBe(plain.said);
    expect(found.first[0]).toMatchObject({
      prefix: expect.stringContaining("Infinity"),
      whole: expect.stringContaining("NaN"),
    });
  });

  it("finds what fails at an end, and tests nothing of what fails at once", () => {
    const stumbling: TruncationSubject = {
      ...peeking,
      observe({ close }, from) {
        if (from >= 100 && close.length < 300) throw new Error("no next bar");
        return () => new Map([["mean", 1]]);
      },
    };
    const failing: TruncationSubject = {
      ...peeking,
      observe() {
        throw new Error("no columns");
      },
    };
    const [one, other] = findLeaks([stumbling, failing], candles, every);
    expect(one.first[1]).toMatchObject({ time: candles.time[100], field: "mean", prefix: null, whole: 1 });
    expect(one.first[0]).toMatchObject({ field: "failure", prefix: "fails: no next bar", whole: null });
    expect(one.differences).toBe(2 * 199);
    expect(other).toMatchObject({ tested: 0, differences: 0, reason: "fails: no columns" });
  });

  it("finds nothing in any row of the tables and in the regime", async () => {
    const findings = findLeaks(
      SUBJECTS.all(["pattern", "regime"]).map(SUBJECTS.subjectOf),
      candles,
      every,
    ).concat(findLeaks(SUBJECTS.all(["indicator"]).map(SUBJECTS.subjectOf), candles, barsToTest(300, 40)));
    expect(findings).toHaveLength(INDICATORS.length + PATTERNS.length + 1);
    expect(findings.filter(({ differences }) => differences > 0)).toEqual([]);
  });

  it("is the same in parts", () => {
    const subjects = [peeking, patternAsSubject(repainting)];
    const whole = findLeaks(subjects, candles, every);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 299 }), (cut) => {
        const parts = [every.slice(0, cut), every.slice(cut)].map((bars) =>
          findLeaks(subjects, candles, bars),
        );
        expect(joinFindings(joinFindings([], parts[0]), parts[1])).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it("tests every bar of short series and spreads over long ones", () => {
    expect(barsToTest(5, 10)).toEqual([0, 1, 2, 3, 4]);
    const sample = barsToTest(11_000, 11);
    expect(sample.map((at) => Math.floor(at / 1_000))).toEqual(Array.from({ length: 11 }, (_, i) => i));
    expect(new Set(sample.map((at) => at % 1_000)).size).toBeGreaterThan(5);
    expect(new Set(barsToTest(2_001, 2_000)).size).toBe(2_000);
  });
});

function kindOver(length: number, table?: SubjectTable) {
  return createLookahead({
    workers,
    instruments: { identify: () => APPLE, resolve: async () => APPLE },
    candles: {
      async loadLatest(instrument, _interval, count) {
        const all = gridWalk(length, 9);
        return {
          instrument,
          candles: sliceCandles(all, Math.max(0, length - count), length),
          adjustedAt: null,
          knownAtMs: null,
          source: "test",
          synthetic: false,
          asOfMs: 0,
          stale: false,
          ageMs: null,
          trouble: null,
          note: null,
          adjustment: null,
        };
      },
    },
    ...(table === undefined
      ? {}
      : {
          table,
          search: async ({ candles: bars, subjects, bars: indexes }) =>
            findLeaks(subjects.map(table.subjectOf), bars, indexes),
        }),
  });
}

async function run(kind: ReturnType<typeof kindOver>, body: Record<string, unknown>) {
  const order = kind.check?.(kind.input.parse(body), "ann") as LookaheadInput;
  const reports: number[] = [];
  const result = await kind.run(order, {
    job: { id: 1, userId: "ann" },
    signal: new AbortController().signal,
    nowMs: 0,
    report: (_phase, done) => void reports.push(done),
    checkpoint: { last: null, save: async () => undefined },
  });
  return { result: kind.result.parse(JSON.parse(JSON.stringify(result))), reports };
}

describe("the job", () => {
  it("tests what is named, in threads, bar by bar", async () => {
    const body = { symbol: "aapl", bars: 250, kinds: ["indicator"], names: ["rsi(7)", "ema", "supertrend"] };
    const { result, reports } = await run(kindOver(400), body);
    expect(result).toMatchObject({
      symbol: "AAPL",
      passed: true,
      bars: 250,
      reason: null,
      untested: [],
      sample: "every bar after the warm-up",
    });
    const warmups = ["rsi(7)", "ema", "supertrend"].map(
      (name) => [name, 250 - SUBJECTS.subjectOf({ kind: "indicator", name }).warmup] as const,
    );
    expect(result.subjects.map(({ name, tested }) => [name, tested])).toEqual(warmups);
    expect(result.tested).toBe(Math.max(...warmups.map(([, tested]) => tested)));
    expect(warmups[0]).toEqual(["rsi(7)", 243]);
    expect(reports.at(-1)).toBe(250);
    expect(reports.length).toBeGreaterThan(10);
  });

  it("fails a planted leak and says where", async () => {
    const table: SubjectTable = {
      all: () => [{ kind: "pattern", name: "repainting" }],
      named: (kind, name) => ({ kind, name }),
      subjectOf: () => patternAsSubject(repainting),
    };
    const { result } = await run(kindOver(400, table), { symbol: "AAPL", bars: 400, kinds: ["pattern"] });
    expect(result.passed).toBe(false);
    expect(result.subjects[0].differences).toBeGreaterThan(0);
    expect(result.subjects[0].first[0]).toMatchObject({
      bar_time: expect.stringMatching(/Z$/),
      prefix: expect.any(String),
      whole: null,
    });
  });

  it("passes nothing that was not tested, and says what needs more bars", async () => {
    const few = await run(kindOver(3), { symbol: "AAPL", bars: 3, kinds: ["indicator"], names: ["rsi"] });
    expect(few.result).toMatchObject({ passed: null, tested: 0, untested: ["rsi"] });
    expect(few.result.reason).toMatch(/^Nothing was tested/);
    const some = await run(kindOver(3), {
      symbol: "AAPL",
      bars: 3,
      kinds: ["indicator"],
      names: ["rsi", "obv"],
    });
    expect(some.result).toMatchObject({ passed: null, untested: ["rsi"] });
    expect(some.result.reason).toMatch(/^Not everything \(1 of 2 not\) was tested/);
    for (const { name, warmup } of SUBJECTS.all(["pattern", "regime"]).map(SUBJECTS.subjectOf)) {
      expect(warmup, name).toBeGreaterThan(0);
    }
  });

  it("says so when it tests a sample", async () => {
    const { result } = await run(kindOver(2_500), {
      symbol: "AAPL",
      bars: 2_500,
      kinds: ["pattern"],
      names: ["Bullish Engulfing", "doji", "engulfing"],
    });
    expect(result).toMatchObject({
      passed: true,
      sample: "2000 of 2500 bars, one drawn from each of as many stretches, those after the warm-up",
    });
    expect(result.subjects.map(({ name }) => name)).toEqual(["engulfing", "doji"]);
  });

  it("refuses names that are none, and names of several kinds", () => {
    const { check, input } = kindOver(10);
    const order = (body: object) => () => check?.(input.parse({ symbol: "AAPL", ...body }), "ann");
    expect(order({ kinds: ["indicator"], names: ["magic"] })).toThrow(/magic/);
    expect(order({ kinds: ["pattern"], names: ["magic"] })).toThrow(/no known pattern/);
    expect(order({ names: ["rsi"] })).toThrow(/one kind/);
    expect(order({ kinds: ["regime"], names: ["magic"] })).toThrow(/regime is called regime/);
    expect(order({ kinds: ["regime"], names: ["Regime"] })).not.toThrow();
  });
});
