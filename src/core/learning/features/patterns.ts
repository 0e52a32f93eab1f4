import { createColumn } from "../../base/columns.js";
import { MEMORY_BARS, type PatternFamily } from "../../patterns/define.js";
import { windowHighest, windowSums } from "../../regime/windows.js";
import { defineFeature, type Feature } from "./define.js";
import type { FeatureSeries } from "./series.js";

type Group = "candlestick" | "chart" | "event";

const GROUP_OF: Readonly<Record<PatternFamily, Group>> = {
  candlestick: "candlestick",
  chart: "chart",
  volume: "event",
  level: "event",
  indicator: "event",
};

/** From this bar on what is found does not depend on where the series begins. */
const warmupOf = (bars: number) => MEMORY_BARS + bars - 1;

/** Best quality of the patterns of a group and direction in the last bars; 0 where there was none. */
function quality(series: FeatureSeries, group: Group, direction: 1 | -1, bars: number): Float64Array {
  const best = createColumn(series.candles.time.length);
  for (const { hit, family, direction: side } of series.hits) {
    if (side !== direction || GROUP_OF[family] !== group) continue;
    best[hit.at] = Math.max(best[hit.at], hit.quality);
  }
  return windowHighest(best, bars).fill(Number.NaN, 0, Math.max(series.from, warmupOf(bars)));
}

/** Patterns of a direction in the last bars. */
function count(series: FeatureSeries, direction: 1 | -1, bars: number): Float64Array {
  const each = createColumn(series.candles.time.length);
  for (const { hit, direction: side } of series.hits) if (side === direction) each[hit.at]++;
  return windowSums(each, bars).fill(Number.NaN, 0, Math.max(series.from, warmupOf(bars)));
}

/** Greatest measured edge of the patterns of a direction in the last bars; NaN where none has been measured. */
function edge(series: FeatureSeries, direction: 1 | -1, bars: number): Float64Array {
  const { closes, context, hits } = series;
  const { length } = closes;
  const best = createColumn(length).fill(Number.NaN);
  const { edgeOf } = context;
  if (edgeOf === undefined) return best;
  for (const { hit, direction: side } of hits) {
    if (side !== direction) continue;
    const { at, variant } = hit;
    for (let i = Math.max(at, series.from, warmupOf(bars)); i < Math.min(length, at + bars); i++) {
      const value = edgeOf(variant.id, closes[i]);
      if (!(value <= best[i])) best[i] = Number.isNaN(value) ? best[i] : value;
    }
  }
  return best;
}

const SIDES = [
  { name: "for", direction: 1, other: "against", word: "rising" },
  { name: "against", direction: -1, other: "for", word: "falling" },
] as const;

function qualityFeatures(group: Group, words: string, bars: number): readonly Feature[] {
  return SIDES.map(({ name, direction, other, word }) =>
    defineFeature({
      id: `${group}_quality_${name}`,
      title: `${words} ${name} the trade`,
      description: `Best fit of the ${words.toLowerCase()} that were confirmed in the last ${bars} bars and expect ${word} prices, 0 to 1; 0 for none.`,
      unit: "share",
      warmup: warmupOf(bars),
      asOf: "event",
      opposite: `${group}_quality_${other}`,
      mirror: "near",
      compute: (series) => quality(series, group, direction, bars),
    }),
  );
}

/** What patterns said of late. */
export const PATTERN_FLAGS: readonly Feature[] = [
  ...qualityFeatures("candlestick", "Candlesticks", 3),
  ...qualityFeatures("chart", "Chart shapes", 10),
  ...qualityFeatures("event", "Events of volume, levels and indicators", 5),
  ...SIDES.map(({ name, direction, other, word }) =>
    defineFeature({
      id: `patterns_${name}`,
      title: `Patterns ${name} the trade`,
      description: `Patterns that were confirmed in the last 5 bars and expect ${word} prices.`,
      unit: "count",
      warmup: warmupOf(5),
      asOf: "event",
      opposite: `patterns_${other}`,
      mirror: "near",
      compute: (series) => count(series, direction, 5),
    }),
  ),
  ...SIDES.map(({ name, direction, other, word }) =>
    defineFeature({
      id: `edge_${name}`,
      title: `Evidence ${name} the trade`,
      description: `Greatest edge, as measured by then, of the patterns of the last 3 bars that expect ${word} prices.`,
      unit: "share",
      warmup: warmupOf(3),
      asOf: "given",
      opposite: `edge_${other}`,
      mirror: "near",
      needs: "edges",
      compute: (series) => edge(series, direction, 3),
    }),
  ),
];
