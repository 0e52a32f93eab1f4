import type { z } from "zod";
import type { Interval } from "../../core/market/interval.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { BANDS, type Band, type HeatCell, type Heatmap, type HeatRow, type OtherMap } from "./heatmap.js";
import { RECENT_BARS } from "./look.js";
import { isLook } from "./reading.js";
import type { confidenceSchema, heatmapAnswer } from "./schema.js";
import { DIRECTIONS, evidenceView } from "./views.js";

type HeatmapAnswer = { [K in keyof typeof heatmapAnswer]: z.input<(typeof heatmapAnswer)[K]> };

export function heatmapView(map: Heatmap, others: readonly OtherMap[], nowMs: number): HeatmapAnswer {
  return {
    ...mapView(map),
    timestamp: isoTime(nowMs),
    patterns: map.rows.map((row) => ({
      ...rowView(row),
      pattern_name: titleOf(row.pattern),
      timeframes: row.cells.map((cell) => ({ timeframe: cell.interval, ...cellView(cell) })),
    })),
    timeframes: map.intervals.map(({ look }) => look.interval),
    legend: Object.fromEntries(
      Object.entries(BANDS).map(([band, { from, color }]) => [band, { min: from, color }]),
    ) as Record<Band, { min: number | null; color: string }>,
    others: others.map((other) =>
      other.map === null
        ? { symbol: other.symbol, heatmap: [], consensus_patterns: [], intervals: [], reason: other.reason }
        : { ...mapView(other.map), reason: null },
    ),
    recent_bars: RECENT_BARS,
  };
}

/** A map by the names of its intervals. */
function mapView(
  map: Heatmap,
): Pick<HeatmapAnswer, "symbol" | "heatmap" | "consensus_patterns" | "intervals"> {
  return {
    symbol: map.instrument.symbol,
    heatmap: map.rows.map((row) => ({
      ...rowView(row),
      pattern: titleOf(row.pattern),
      timeframes: Object.fromEntries(
        row.cells.map((cell) => [cell.interval, cellView(cell)]),
      ) as HeatmapAnswer["heatmap"][number]["timeframes"],
    })),
    consensus_patterns: consensusView(map),
    intervals: intervalsView(map),
  };
}

function rowView({ pattern, direction, mostConfidence, meanConfidence, meanScore }: HeatRow) {
  return {
    pattern_type: pattern,
    direction: DIRECTIONS[direction],
    max_confidence: mostConfidence,
    avg_confidence: meanConfidence,
    avg_score: meanScore,
  };
}

function cellView({ pattern, score, band, stale, reason }: HeatCell) {
  return {
    detected: pattern !== null,
    confidence: pattern?.confidence.value ?? null,
    quality: pattern?.detection.quality ?? null,
    score,
    status: band,
    color: BANDS[band].color,
    closed_at: pattern === null ? null : isoTime(pattern.detection.closedAt),
    stale,
    reason,
  };
}

function consensusView({ rows }: Heatmap) {
  return rows
    .filter(({ consensus }) => consensus)
    .map(({ pattern, direction, meanScore, cells }) => ({
      pattern: titleOf(pattern),
      pattern_type: pattern,
      direction: DIRECTIONS[direction],
      avg_score: meanScore,
      timeframes: cells.flatMap(({ interval, score }): Interval[] => (score === null ? [] : [interval])),
    }));
}

function intervalsView({ intervals, instrument }: Heatmap): HeatmapAnswer["intervals"] {
  return intervals.map(({ look, reason }) =>
    isLook(look)
      ? { timeframe: look.interval, ...provenanceOf(look.set), reason }
      : {
          timeframe: look.interval,
          source: null,
          synthetic: instrument.synthetic,
          as_of: null,
          stale: null,
          age_ms: null,
          reason,
        },
  );
}

export function confidenceView(map: Heatmap, nowMs: number): z.input<typeof confidenceSchema> {
  const scores = map.rows.flatMap(({ pattern: variant, direction, cells }) =>
    cells.flatMap(({ interval, pattern, score, badge }) =>
      pattern === null
        ? []
        : [
            {
              pattern: titleOf(variant),
              pattern_type: variant,
              direction: DIRECTIONS[direction],
              timeframe: interval,
              confidence: pattern.confidence.value,
              evidence: evidenceView(pattern.confidence),
              quality: pattern.detection.quality,
              score,
              badge,
            },
          ],
    ),
  );
  return {
    symbol: map.instrument.symbol,
    scores,
    consensus: consensusView(map),
    intervals: intervalsView(map),
    timestamp: isoTime(nowMs),
  };
}
