import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { computeFeatures, FEATURES } from "../../src/core/learning/features/index.js";
import { FeatureSeries } from "../../src/core/learning/features/series.js";
import type { Hit } from "../../src/core/patterns/define.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { hasPriorTrend } from "../../src/core/patterns/trend.js";
import { REGIMES } from "../../src/core/regime/define.js";
import { computeRegimes } from "../../src/core/regime/regime.js";
import { featureCase } from "../fixtures/feature-series.js";
import { PLAIN_FEATURES } from "../fixtures/plain-features.js";

const { candles, context } = featureCase("24x7", "1h", 700, 21);
const { columns } = computeFeatures(candles, context);
const column = (id: string) => columns[FEATURES.findIndex((row) => row.id === id)];
const rng = createRng(22);
const bars = [200, 259, 699, ...Array.from({ length: 12 }, () => 200 + rng.below(500))];

describe("features beside formulas written down bar by bar", () => {
  it("covers all that prices and volume alone tell", () => {
    const told = FEATURES.filter(({ asOf, id, needs }) => {
      return asOf === "close" && needs !== "session" && !id.startsWith("regime_") && id !== "weekday";
    });
    expect(Object.keys(PLAIN_FEATURES).sort()).toEqual(told.map(({ id }) => id).sort());
  });

  it.each(Object.entries(PLAIN_FEATURES))("%s", (id, formula) => {
    const values = column(id);
    for (const i of bars) {
      const plain = formula(candles, i);
      expect(Math.abs(values[i] - plain), `bar ${i}: ${values[i]}, plain ${plain}`).toBeLessThan(1e-9);
    }
  });
});

describe("features beside what they are made of", () => {
  it("regime flags say the label that trades are filed under", () => {
    const flags = FEATURES.filter(({ unit, id }) => unit === "flag" && id.startsWith("regime_"));
    const { label, duration } = computeRegimes(candles);
    for (let i = 118; i < 700; i++) {
      const on = flags.filter(({ id }) => column(id)[i] === 1);
      expect(on.map(({ description }) => description)).toEqual([
        `Whether the regime is ${REGIMES[label[i]]}.`,
      ]);
      expect(column("regime_age")[i]).toBe(Math.min(100, duration[i]) / 100);
    }
  });

  it("pattern flags tell of the confirmed patterns of the last bars, whose trend is the right one", () => {
    const hits: (Hit & { readonly family: string })[] = [];
    const series = createPatternSeries(candles);
    for (const pattern of PATTERNS) {
      const found: Hit[] = [];
      pattern.find(series, 0, 700, found);
      for (const hit of found) {
        if (hit.state === "confirmed" && hasPriorTrend(hit, candles) !== false) {
          hits.push({ ...hit, family: pattern.family });
        }
      }
    }
    const best = (i: number, span: number, direction: number, isOne: (family: string) => boolean) =>
      Math.max(
        0,
        ...hits
          .filter(
            ({ at, variant, family }) =>
              at <= i && at > i - span && variant.direction === direction && isOne(family),
          )
          .map(({ quality }) => quality),
      );
    let seen = 0;
    for (let i = 260; i < 700; i++) {
      for (const [name, direction] of [
        ["for", 1],
        ["against", -1],
      ] as const) {
        const candlestick = best(i, 3, direction, (family) => family === "candlestick");
        const chart = best(i, 10, direction, (family) => family === "chart");
        const event = best(i, 5, direction, (family) => family !== "chart" && family !== "candlestick");
        expect(column(`candlestick_quality_${name}`)[i]).toBe(candlestick);
        expect(column(`chart_quality_${name}`)[i]).toBe(chart);
        expect(column(`event_quality_${name}`)[i]).toBe(event);
        const count = hits.filter(
          ({ at, variant }) => at <= i && at > i - 5 && variant.direction === direction,
        ).length;
        expect(column(`patterns_${name}`)[i]).toBe(count);
        const edges = hits
          .filter(({ at, variant }) => at <= i && at > i - 3 && variant.direction === direction)
          .map(({ variant }) => context.edgeOf?.(variant.id, candles.time[i] + 3_600_000) ?? Number.NaN)
          .filter((value) => !Number.isNaN(value));
        expect(column(`edge_${name}`)[i]).toBe(edges.length === 0 ? Number.NaN : Math.max(...edges));
        seen += Number(candlestick > 0) + Number(chart > 0) + Number(event > 0) + edges.length;
      }
    }
    expect(seen).toBeGreaterThan(500);
  });

  it("longer bars are days, seen once their last hour has closed", () => {
    const day = 86_400_000;
    const lastOf = (i: number) => Math.floor((candles.time[i] + 3_600_000) / day) - 1;
    const closeOf = new Map<number, number>();
    candles.time.forEach((time, i) => {
      closeOf.set(Math.floor(time / day), candles.close[i]);
    });
    const close = (d: number) => Math.log(closeOf.get(d) ?? Number.NaN);
    const values = column("longer_return_5");
    const { newest } = new FeatureSeries(candles, context).longer;
    for (let i = 400; i < 700; i++) {
      const d = lastOf(i);
      let squares = 0;
      for (let k = 0; k < 10; k++) squares += (close(d - k) - close(d - k - 1)) ** 2;
      const plain = (close(d) - close(d - 5)) / Math.sqrt(5) / Math.sqrt(squares / 10);
      expect(Math.abs(values[i] - plain)).toBeLessThan(1e-9);
      expect(newest[i]).toBe(d - Math.floor(candles.time[0] / day));
    }
  });

  it("the time of the session goes round from open to close, and Monday is day 0", () => {
    const us = featureCase("XNYS", "5m", 390, 5);
    const own = computeFeatures(us.candles, us.context).columns;
    const of = (id: string) => own[FEATURES.findIndex((row) => row.id === id)];
    for (let i = 0; i < 390; i++) {
      const share = ((i % 78) + 1) / 78;
      expect(of("session_elapsed")[i]).toBeCloseTo(share, 12);
      expect(of("session_sin")[i]).toBeCloseTo(Math.sin(2 * Math.PI * share), 12);
      expect(of("session_cos")[i]).toBeCloseTo(Math.cos(2 * Math.PI * share), 12);
      // 4 January 2021 was a Monday.
      expect(of("weekday")[i]).toBe(Math.floor(i / 78));
    }
  });
});
