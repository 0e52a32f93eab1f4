import type { Interval } from "../../core/market/interval.js";
import { type Badge, badgeOfFusion, severalSpeak } from "../../core/signals/badge.js";
import { fuseLayers, type LayerFusion } from "../../core/signals/fuse.js";
import type { KnownInstrument } from "../instruments/store.js";
import { type BlindTimeframe, leadingPattern, type SeenPattern, type TimeframeLook } from "./look.js";
import { behindOf, fuseLooks, type Gathered, isLook, layersOf } from "./reading.js";

export const HEATMAP_INTERVALS = ["15m", "1h", "4h", "1d"] as const satisfies readonly Interval[];

/** Bands of a cell by its fused score in the pattern's direction, the least score of each, and its colour. */
export const BANDS = {
  ELITE: { from: 80, color: "#15803d" },
  HIGH: { from: 70, color: "#65a30d" },
  GOOD: { from: 60, color: "#ca8a04" },
  MODERATE: { from: 50, color: "#ea580c" },
  WEAK: { from: 0, color: "#b91c1c" },
  NEUTRAL: { from: null, color: "#64748b" },
  NONE: { from: null, color: "#e2e8f0" },
} as const;
export type Band = keyof typeof BANDS;

/** A pattern on one interval. */
export interface HeatCell {
  readonly interval: Interval;
  /** The newest sighting that is not over; null where there is none. */
  readonly pattern: SeenPattern | null;
  /** Layers in the pattern's direction, 0..100; null without a sighting or a direction. */
  readonly score: number | null;
  readonly band: Band;
  /** As of a detection: null without a score. */
  readonly badge: Badge | null;
  /** Whether newer bars should exist; null where the interval could not be looked at. */
  readonly stale: boolean | null;
  /** Why the interval says nothing: it could not be looked at, or ends before others do; null where it does. */
  readonly reason: string | null;
}

export interface HeatRow {
  /** Variant. */
  readonly pattern: string;
  readonly direction: 1 | 0 | -1;
  readonly cells: readonly HeatCell[];
  /** Over the cells that have them; null without any. */
  readonly meanScore: number | null;
  readonly meanConfidence: number | null;
  readonly mostConfidence: number | null;
  /** Whether several intervals agree: the mean is high and at least two cells are. */
  readonly consensus: boolean;
}

/** An interval of a map, with why it says nothing; null where it does. */
export interface HeatColumn {
  readonly look: TimeframeLook | BlindTimeframe;
  readonly reason: string | null;
}

export interface Heatmap {
  readonly instrument: KnownInstrument;
  readonly intervals: readonly HeatColumn[];
  /** The highest mean score first, those without one last. */
  readonly rows: readonly HeatRow[];
}

/** The map of a symbol that was asked for beside another, or why there is none. */
export type OtherMap =
  | { readonly symbol: string; readonly map: Heatmap; readonly reason: null }
  | { readonly symbol: string; readonly map: null; readonly reason: string };

const CONSENSUS_FROM = BANDS.HIGH.from;
const CONSENSUS_CELLS = 2;

/**
 * Every pattern that is on the newest bars of an interval, over all of them; none of an interval that ends before others
 * do. @param shown the looks that have columns.
 */
export function mapPatterns(
  instrument: KnownInstrument,
  { looks, sentiment, weighing }: Pick<Gathered, "looks" | "sentiment" | "weighing">,
  shown: readonly (TimeframeLook | BlindTimeframe)[],
): Heatmap {
  const timeframes = fuseLooks(looks);
  const fusionOf = (look: TimeframeLook, pattern: SeenPattern | null) => {
    if (pattern === null || pattern.detection.direction === 0) return null;
    const inputs = layersOf(look, [pattern], timeframes, sentiment);
    return fuseLayers(inputs, pattern.detection.direction, weighing.weights);
  };

  const columns = shown.map((look) => ({
    look,
    reason: isLook(look) ? behindOf(look, looks) : look.error.message,
  }));

  function cellOf({ look, reason }: HeatColumn, variant: string): HeatCell {
    const { interval } = look;
    const stale = isLook(look) ? look.set.stale : null;
    if (!isLook(look) || reason !== null) {
      return { interval, pattern: null, score: null, band: "NONE", badge: null, stale, reason };
    }
    const pattern = leadingPattern(
      look.patterns.filter(({ detection, over }) => !over && detection.pattern === variant),
    );
    const fusion = fusionOf(look, pattern);
    const score = fusion?.composite ?? null;
    const badge =
      pattern === null || fusion === null
        ? null
        : badgeOfFusion(fusion, pattern.detection.direction, look.set.stale);
    const band = bandOf(pattern, fusion, look.set.stale);
    return { interval, pattern, score, band, badge, stale, reason };
  }

  const variants = new Map<string, 1 | 0 | -1>();
  for (const { look, reason } of columns) {
    for (const { detection, over } of isLook(look) && reason === null ? look.patterns : []) {
      if (!over) variants.set(detection.pattern, detection.direction);
    }
  }
  const rows = [...variants].map(([pattern, direction]) =>
    rowOf(
      pattern,
      direction,
      columns.map((column) => cellOf(column, pattern)),
    ),
  );
  rows.sort((a, b) => (b.meanScore ?? -1) - (a.meanScore ?? -1) || (a.pattern < b.pattern ? -1 : 1));
  return { instrument, intervals: columns, rows };
}

/** As badges: MODERATE at most where a single layer speaks, for it agrees with nothing, or where the prices are old. */
function bandOf(pattern: SeenPattern | null, fusion: LayerFusion | null, stale: boolean): Band {
  if (pattern === null) return "NONE";
  if (fusion === null || fusion.composite === null) return "NEUTRAL";
  const { composite, layers } = fusion;
  return bandOfScore(severalSpeak(layers) && !stale ? composite : Math.min(composite, BANDS.MODERATE.from));
}

/** The band of a score of 0..100. */
export function bandOfScore(score: number): Band {
  for (const band of ["ELITE", "HIGH", "GOOD", "MODERATE"] as const) {
    if (score >= BANDS[band].from) return band;
  }
  return "WEAK";
}

function rowOf(pattern: string, direction: 1 | 0 | -1, cells: readonly HeatCell[]): HeatRow {
  const scores = cells.flatMap(({ score }) => (score === null ? [] : [score]));
  const confidences = cells.flatMap((cell) => cell.pattern?.confidence.value ?? []);
  const meanScore = meanOf(scores);
  const high = scores.filter((score) => score >= CONSENSUS_FROM).length;
  return {
    pattern,
    direction,
    cells,
    meanScore,
    meanConfidence: meanOf(confidences),
    mostConfidence: confidences.length === 0 ? null : Math.max(...confidences),
    consensus: meanScore !== null && meanScore >= CONSENSUS_FROM && high >= CONSENSUS_CELLS,
  };
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
