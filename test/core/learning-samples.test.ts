import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { defineFeature, type Feature } from "../../src/core/learning/features/define.js";
import {
  computeFeatures,
  FEATURE_MEMORY,
  FEATURE_WARMUP,
  FEATURES,
  findFeature,
} from "../../src/core/learning/features/index.js";
import { FeatureSeries } from "../../src/core/learning/features/series.js";
import { findEarlyOutcome, findPeek } from "../../src/core/learning/leaks.js";
import { mergeSamples, pickLabelled, samplesProblem } from "../../src/core/learning/rows.js";
import {
  type BuiltSamples,
  type LabelledSamples,
  newestRows,
  newestTradeRow,
  occasionsOf,
  SAMPLE_NAMES,
  SAMPLE_SCHEMA,
  samplesOf,
} from "../../src/core/learning/samples.js";
import { averageUniqueness } from "../../src/core/learning/uniqueness.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { REGIMES } from "../../src/core/regime/define.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { horizonOf } from "../../src/core/signals/levels.js";
import { computeRanges } from "../../src/core/signals/ranges.js";
import { copyCandles, featureCase, mirrored } from "../fixtures/feature-series.js";

const own = featureCase("24x7", "1h", 1_200, 41);
const policy = { kind: "barriers" } as const;
const terms = { policy, costBps: 10 };
const built = samplesOf(own.candles, own.context, terms);
const place = (name: string) => SAMPLE_NAMES.indexOf(name);
const columnIn = ({ samples }: LabelledSamples, name: string) => samples.columns[place(name)];

describe("samples of a series", () => {
  it("are sound and of both kinds", () => {
    expect(samplesProblem(built.samples)).toBeNull();
    expect(built.samples.names).toBe(SAMPLE_NAMES);
    expect(new Set(SAMPLE_NAMES).size).toBe(SAMPLE_NAMES.length);
    expect(SAMPLE_SCHEMA).toMatch(/^[0-9a-f]{8}$/);
    expect(built.facts.length).toBeGreaterThan(300);
    const good = built.samples.labels.reduce((sum, label) => sum + label, 0);
    expect(good).toBeGreaterThan(60);
    expect(good).toBeLessThan(built.facts.length - 60);
  });

  it("account for every occasion", () => {
    const occasions = occasionsOf(new FeatureSeries(own.candles, own.context), FEATURE_WARMUP);
    expect(built.facts.length + built.unpriced + built.voided + built.open).toBe(occasions.length);
    expect(built.open).toBeGreaterThan(0);
    const keys = occasions.map(({ at, direction }) => 2 * at + Number(direction < 0));
    expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
    for (const { hits } of occasions) {
      for (const { hit } of hits) expect(hit.quality).toBeLessThanOrEqual(hits[0].hit.quality);
    }
  });

  it("show features as of the close of the bar, as the direction of the trade sees them", () => {
    const { columns } = computeFeatures(own.candles, own.context);
    const wrong: string[] = [];
    for (const [row, { at, plan }] of built.facts.entries()) {
      for (const [k, { signed, opposite }] of FEATURES.entries()) {
        const other = opposite === null ? k : FEATURES.findIndex(({ id }) => id === opposite);
        const seen = plan.direction > 0 ? columns[k][at] : (signed ? -1 : 1) * columns[other][at];
        if (!Object.is(built.samples.columns[k][row], seen)) wrong.push(`${FEATURES[k].id} at ${at}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("say of the trade what was planned", () => {
    const ranges = computeRanges(own.candles);
    const { label } = computeRegimes(own.candles);
    for (const [row, { at, plan, patterns, regime }] of built.facts.entries()) {
      const close = own.candles.close[at];
      const risk = Math.abs(Math.log(close / plan.stop));
      const reward = Math.abs(Math.log(plan.target / close));
      expect(columnIn(built, "setup_reward_risk")[row]).toBeCloseTo(reward / risk, 10);
      expect(columnIn(built, "setup_cost")[row]).toBeCloseTo(0.001 / risk, 10);
      expect(columnIn(built, "setup_patterns")[row]).toBe(patterns.length);
      expect(columnIn(built, "setup_long")[row]).toBe(plan.direction > 0 ? 1 : 0);
      expect(columnIn(built, "setup_horizon")[row]).toBe(plan.horizon / 100);
      // One and a half ranges of the price are about as many of its logarithm.
      if (plan.basis === "range") {
        expect(Math.abs(close - plan.stop)).toBeCloseTo(1.5 * ranges[at], 9);
        expect(Math.abs(columnIn(built, "setup_stop")[row] - 1.5)).toBeLessThan(0.2);
      }
      expect(regime).toBe(REGIMES[label[at]]);
    }
  });

  it("of fewer bars are those that had settled by then, to the last bit", () => {
    for (const cut of [500, 801, 1_100]) {
      const part = samplesOf(copyCandles(own.candles, 0, cut), own.context, terms);
      const rows = [...built.facts.keys()].filter((row) => built.facts[row].exitAt < cut);
      const { samples, facts } = pickLabelled(built, rows);
      expect(rows.length).toBeGreaterThan(50);
      expect(part.facts).toEqual(facts);
      expect(part.samples.columns).toEqual(samples.columns);
      expect(part.samples.labels).toEqual(samples.labels);
      expect(part.samples.settledAt).toEqual(samples.settledAt);
    }
  });

  it("are what the newest bar is shown as, to the last bit over the same bars, within a millionth over fewer", () => {
    let compared = 0;
    for (let row = 100; row < built.facts.length; row += 41) {
      const { at, plan, patterns } = built.facts[row];
      for (const from of [0, Math.max(0, at + 1 - FEATURE_MEMORY)]) {
        const bars = copyCandles(own.candles, from, at + 1);
        const found = newestRows(bars, own.context, terms).filter(
          ({ plan: { direction } }) => direction === plan.direction,
        );
        expect(found.length).toBe(1);
        const [{ occasion, row: shown, plan: planned }] = found;
        expect(occasion.hits.map(({ hit }) => hit.variant.id)).toEqual(patterns);
        expect(planned).toEqual({ ...plan, at: at - from });
        for (const [k, name] of SAMPLE_NAMES.entries()) {
          const expected = built.samples.columns[k][row];
          if (from === 0) expect(shown[k], name).toBe(expected);
          else if (Number.isNaN(expected)) expect(shown[k], name).toBeNaN();
          else expect(Math.abs(shown[k] - expected), name).toBeLessThan(1e-6);
        }
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(20);
    expect(newestRows(copyCandles(own.candles, 0, 0), own.context, terms)).toEqual([]);
  });

  it("of a trade on something else are those of a pattern with its levels, and say where there is no pattern", () => {
    const { length } = own.candles.time;
    const seen = { with: 0, without: 0 };
    for (let at = FEATURE_WARMUP + 200; at < length; at += 97) {
      const bars = copyCandles(own.candles, 0, at + 1);
      const patterns = newestRows(bars, own.context, terms);
      for (const { occasion, plan, regime, row } of patterns) {
        const { quality } = occasion.hits[0].hit;
        const trade = { direction: plan.direction, stop: plan.stop, target: plan.target, quality };
        const found = newestTradeRow(bars, own.context, trade, terms);
        const isAlike = plan.horizon === horizonOf(null);
        expect(found).toEqual({ regime, row: isAlike ? row : expect.anything() });
        seen.with += Number(isAlike);
      }
      const free = ([1, -1] as const).find((way) => !patterns.some(({ plan }) => plan.direction === way));
      if (free === undefined) continue;
      const close = own.candles.close[at];
      const levels = { stop: close * (1 - 0.01 * free), target: close * (1 + 0.02 * free) };
      const alone = newestTradeRow(bars, own.context, { direction: free, quality: 0.4, ...levels }, terms);
      const of = (name: string) => alone?.row[place(name)];
      expect([of("setup_patterns"), of("setup_candlestick"), of("setup_quality")]).toEqual([0, 0, 0.4]);
      expect(of("setup_reward_risk")).toBeCloseTo(Math.log(1 + 0.02 * free) / -Math.log(1 - 0.01 * free), 9);
      seen.without++;
    }
    expect(Math.min(seen.with, seen.without)).toBeGreaterThan(2);
    const few = copyCandles(own.candles, 0, FEATURE_WARMUP);
    expect(
      newestTradeRow(few, own.context, { direction: 1, stop: 1, target: 2, quality: 1 }, terms),
    ).toBeNull();
  });

  it("of chosen patterns are on these alone", () => {
    const chosen = PATTERNS.filter(({ family }) => family === "chart");
    const variants = new Set(chosen.flatMap((row) => row.variants.map(({ id }) => id)));
    const { facts, samples } = samplesOf(own.candles, own.context, { ...terms, patterns: chosen });
    expect(facts.length).toBeGreaterThan(10);
    expect(facts.every(({ patterns }) => patterns.every((id) => variants.has(id)))).toBe(true);
    expect(samples.columns[place("setup_chart")].every((value) => value === 1)).toBe(true);
    expect(samples.columns[place("setup_candlestick")].every((value) => value === 0)).toBe(true);
  });

  it("of a mirrored series show signs and sides of the other direction where both decide", () => {
    const other = samplesOf(mirrored(own.candles), own.context, terms);
    const rows = new Map(other.facts.map(({ at, plan }, row) => [`${at} ${-plan.direction}`, row]));
    const exact = FEATURES.flatMap(({ id, mirror, needs }, k) =>
      mirror === "exact" && needs !== "sentiment" ? [{ id, k }] : [],
    );
    let compared = 0;
    const wrong: string[] = [];
    for (const [row, { at, plan }] of built.facts.entries()) {
      const match = rows.get(`${at} ${plan.direction}`);
      if (match === undefined) continue;
      compared++;
      for (const { id, k } of exact) {
        const [one, two] = [built.samples.columns[k][row], other.samples.columns[k][match]];
        const isSame = Number.isNaN(one) ? Number.isNaN(two) : Math.abs(one - two) < 1e-9;
        if (!isSame) wrong.push(`${id} at ${at}: ${one}, ${two}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(200);
  });
});

describe("uniqueness", () => {
  it("is the mean share of each bar of a label, as counted one by one", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { maxLength: 30 }), (spans) => {
        const first = Int32Array.from(spans, ([from]) => from);
        const last = Int32Array.from(spans, ([from, more]) => from + more);
        const unique = averageUniqueness(first, last);
        for (const [k, [from, more]] of spans.entries()) {
          let sum = 0;
          for (let bar = from; bar <= from + more; bar++) {
            sum += 1 / spans.filter(([start, bars]) => start <= bar && bar <= start + bars).length;
          }
          expect(unique[k]).toBeCloseTo(sum / (more + 1), 10);
        }
      }),
    );
    expect(() => averageUniqueness(Int32Array.of(3), Int32Array.of(2))).toThrow("ends before it begins");
  });

  it("weighs the rows of samples by the bars of their trades", () => {
    const { facts, samples } = built;
    const first = Int32Array.from(facts, ({ at }) => at + 1);
    expect(samples.weights).toEqual(
      averageUniqueness(
        first,
        Int32Array.from(facts, ({ exitAt }) => exitAt),
      ),
    );
    expect(Math.min(...(samples.weights ?? []))).toBeLessThan(0.5);
  });
});

describe("samples of several series", () => {
  const second = featureCase("24x7", "1h", 900, 42);
  const parts = [built, samplesOf({ ...second.candles, symbol: "OTHER" }, second.context, terms)];
  const merged = mergeSamples(parts);

  it("are merged in the order of time, each row with its own facts, and those of one moment in their order", () => {
    expect(samplesProblem(merged.samples)).toBeNull();
    expect(merged.facts.length).toBe(parts[0].facts.length + parts[1].facts.length);
    const left = parts.map(() => 0);
    for (const [row, facts] of merged.facts.entries()) {
      const part = facts.symbol === "OTHER" ? 1 : 0;
      const from: BuiltSamples = parts[part];
      const k = left[part]++;
      expect(facts).toBe(from.facts[k]);
      expect(merged.samples.decidedAt[row]).toBe(from.samples.decidedAt[k]);
      expect(merged.samples.weights?.[row]).toBe(from.samples.weights?.[k]);
      const differs = (column: Float64Array, c: number) =>
        !Object.is(column[row], from.samples.columns[c][k]);
      expect(merged.samples.columns.findIndex(differs)).toBe(-1);
      if (part === 0 && row > 0 && merged.samples.decidedAt[row] === merged.samples.decidedAt[row - 1]) {
        expect(merged.facts[row - 1].symbol).not.toBe("OTHER");
      }
    }
  });

  it("are not merged where columns differ", () => {
    const { samples, facts } = built;
    const fewer = {
      facts,
      samples: { ...samples, names: samples.names.slice(1), columns: samples.columns.slice(1) },
    };
    expect(() => mergeSamples([built, fewer])).toThrow("the same columns");
    expect(mergeSamples([]).facts).toEqual([]);
  });

  it("have no rows that are out of order, unsettled or without weight: each is named", () => {
    const { samples } = merged;
    const changed = (name: "labels" | "decidedAt" | "settledAt" | "weights", row: number, value: number) => {
      const column = (samples[name] ?? samples.labels).slice();
      column[row] = value;
      return samplesProblem({ ...samples, [name]: column });
    };
    expect(changed("labels", 3, 0.5)).toBe("row 3 has the label 0.5");
    expect(changed("decidedAt", 5, 0)).toBe("row 5 was decided before row 4");
    expect(changed("settledAt", 7, samples.decidedAt[7])).toBe("row 7 was settled before it was decided");
    expect(changed("settledAt", 7, Number.NaN)).toBe("row 7 has no time");
    expect(changed("weights", 2, 0)).toBe("row 2 has the weight 0");
    expect(samplesProblem({ ...samples, names: samples.names.slice(1) })).toContain("no name of its own");
    expect(samplesProblem({ ...samples, labels: samples.labels.slice(1) })).toContain("differ in length");
  });
});

/** A feature that reads so many bars ahead of its own, at bars that `when` picks. */
function peeking(bars: number, when: (i: number) => boolean): Feature {
  return defineFeature({
    id: "peeking",
    title: "Peeking",
    description: "Looks at a bar that is not there yet.",
    unit: "share",
    warmup: 0,
    compute: ({ candles: { close } }) =>
      close.map((now, i) => (when(i) && i + bars < close.length ? close[i + bars] / now : 1)),
  });
}

describe("a leak that is planted is found", () => {
  const short = { ...own, candles: copyCandles(own.candles, 0, 400) };

  it("in features: one that sees a bar ahead, or more, at every bar or at few", () => {
    const honest = [findFeature("rsi_14"), findFeature("gap")].filter((row) => row !== null);
    const search = (feature: Feature, cuts = 20) =>
      findPeek(short.candles, short.context, [...honest, feature], { cuts, seed: 2 });
    expect(findPeek(short.candles, short.context, honest, { cuts: 400 })).toBeNull();
    for (const bars of [1, 2, 20]) expect(search(peeking(bars, () => true))?.feature).toBe("peeking");
    expect(
      search(
        peeking(1, (i) => i === 217),
        400,
      ),
    ).toMatchObject({ feature: "peeking", cut: 218, bar: 217 });
  });

  it("in features: one that is measured against the whole series", () => {
    const centred = defineFeature({
      id: "centred",
      title: "Centred",
      description: "Close above the mean of all closes, those to come too.",
      unit: "share",
      warmup: 0,
      compute: ({ candles: { close } }) => {
        const mean = close.reduce((sum, price) => sum + price, 0) / close.length;
        return close.map((price) => price / mean - 1);
      },
    });
    expect(findPeek(short.candles, short.context, [centred], { cuts: 2 })?.feature).toBe("centred");
  });

  it("in features: longer bars that are seen while they form", () => {
    const early = defineFeature({
      id: "early",
      title: "Early",
      description: "Close of the day that the hour lies in.",
      unit: "share",
      warmup: 0,
      compute: ({ longer: { logs, newest } }) =>
        Float64Array.from(newest, (day) => (day + 1 < logs.close.length ? logs.close[day + 1] : 0)),
    });
    expect(findPeek(short.candles, short.context, [early], { cuts: 10 })?.feature).toBe("early");
  });

  it("and the table has none", () => {
    expect(findPeek(short.candles, short.context, FEATURES, { cuts: 12, seed: 7 })).toBeNull();
  });

  it("in labels: an outcome that is said to be known a bar too early, a bar too late, or is another", () => {
    const { calendar } = own.context;
    const check = (labelled: LabelledSamples) => findEarlyOutcome(labelled, own.candles, calendar, policy);
    expect(check(built)).toBeNull();
    const horizon = { kind: "horizon", bars: 5 } as const;
    const held = samplesOf(own.candles, own.context, { ...terms, policy: horizon });
    expect(findEarlyOutcome(held, own.candles, calendar, horizon)).toBeNull();
    const changed = (
      name: "settledAt" | "labels" | "decidedAt",
      row: number,
      by: (value: number) => number,
    ) => {
      const column = built.samples[name].slice();
      column[row] = by(column[row]);
      return check({ ...built, samples: { ...built.samples, [name]: column } });
    };
    const hour = 3_600_000;
    const rng = createRng(3);
    for (let k = 0; k < 10; k++) {
      const row = rng.below(built.facts.length);
      expect(changed("settledAt", row, (time) => time - hour)).toEqual({
        row,
        reason: "the bars that had closed did not tell yet",
      });
      expect(changed("settledAt", row, (time) => time + hour)).toEqual({
        row,
        reason: "its outcome was known earlier",
      });
      expect(changed("labels", row, (label) => 1 - label)).toEqual({
        row,
        reason: "the bars that had closed told something else",
      });
      expect(changed("decidedAt", row, (time) => time + hour)).toEqual({
        row,
        reason: "it was not decided at the close of its bar",
      });
    }
  });
});
