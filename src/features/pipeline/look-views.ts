import { finiteOrNull } from "../../core/base/finite.js";
import { RegimeMatrix, StructureMatrix, TacticalMatrix } from "../../core/synergy/matrices.js";
import { type MatrixDefinition, REGIME_WARMUP } from "../../core/synergy/matrix-features.js";
import type { RingMatrix } from "../../core/synergy/ring-matrix.js";
import {
  type BoardColumns,
  FACT_LONGER,
  FACT_NODE_ABOVE,
  FACT_NODE_BELOW,
  FACT_RANGE,
  FACT_SHORTER,
  FACT_TIME,
} from "../../core/synergy/track.js";
import { isoTime } from "../../platform/http.js";

const orNull = (value: number | undefined) => finiteOrNull(value ?? Number.NaN);
const timeOrNull = (value: number) => (Number.isFinite(value) && value > 0 ? isoTime(value) : null);

/** What the newest bar gave a matrix, by name; nothing before the first. */
function inputsOf(matrix: RingMatrix): Readonly<Record<string, number>> {
  if (matrix.taken === 0) return {};
  return Object.fromEntries(matrix.definition.inputs.map((name, k) => [name, matrix.inputs[k]]));
}

function barTimeOf(inputs: Readonly<Record<string, number>>): string | null {
  return "time" in inputs ? timeOrNull(inputs.time) : null;
}

/** Why the kind of market is not known. */
function whyNoKind(facts: Float64Array): string {
  const bars = facts[FACT_LONGER];
  return bars > REGIME_WARMUP
    ? "the price has never moved: it is no kind of market"
    : `${bars} of ${REGIME_WARMUP + 1} bars of 30m have come`;
}

/** The newest figures of all indicators. */
export function indicatorsView(symbol: string, { structure, tactical, regime, facts }: BoardColumns) {
  const long = inputsOf(new StructureMatrix(structure));
  const short = inputsOf(new TacticalMatrix(tactical));
  const kinds = inputsOf(new RegimeMatrix(regime));
  const names = Object.keys(kinds).filter((name) => name.startsWith("mmd_") && name !== "mmd_confidence");
  // Seven distances of 0 are what the indicator has for a price that has never moved.
  const hasMoved = names.some((name) => kinds[name] !== 0);
  const ofKind = (name: string) => (hasMoved ? orNull(kinds[name]) : null);
  const distances = names.map((name) => ({ name: name.slice(4), value: ofKind(name) }));
  const known = distances.filter(({ value }) => value !== null);
  const nearest = known.reduce<{ name: string; value: number | null } | null>(
    (best, each) => (best === null || (each.value ?? 0) < (best.value ?? 0) ? each : best),
    null,
  );
  return {
    symbol,
    bars_5m: facts[FACT_SHORTER],
    bars_30m: facts[FACT_LONGER],
    as_of: timeOrNull(facts[FACT_TIME]),
    mlmi: { value: orNull(long.mlmi), cross: orNull(long.mlmi_cross), bar_time: barTimeOf(long) },
    nwrqk: { value: orNull(long.estimate), slope: orNull(long.slope), bar_time: barTimeOf(long) },
    fvg: {
      ...{ gap: orNull(short.gap), bullish: orNull(short.bullish), bearish: orNull(short.bearish) },
      ...{ distance: orNull(short.distance), age: orNull(short.age) },
      ...{ bullish_fill: orNull(short.bullish_fill), bearish_fill: orNull(short.bearish_fill) },
      ...{ strength: orNull(short.strength), bar_time: barTimeOf(short) },
    },
    lvn: {
      below: orNull(facts[FACT_NODE_BELOW]),
      below_strength: long.has_below === 1 ? orNull(long.below_strength) : null,
      above: orNull(facts[FACT_NODE_ABOVE]),
      above_strength: long.has_above === 1 ? orNull(long.above_strength) : null,
      bar_time: barTimeOf(long),
    },
    mmd: {
      distances: Object.fromEntries(distances.map(({ name, value }) => [name, value])),
      confidence: ofKind("mmd_confidence"),
      nearest: nearest?.name ?? null,
      why: known.length > 0 ? null : whyNoKind(facts),
      bar_time: barTimeOf(kinds),
    },
    average_true_range: orNull(facts[FACT_RANGE]),
  };
}

/** The three matrices, oldest rows first. */
export function matricesView({ structure, tactical, regime }: BoardColumns) {
  return [new StructureMatrix(structure), new TacticalMatrix(tactical), new RegimeMatrix(regime)].map(
    matrixView,
  );
}

function matrixView(ring: RingMatrix) {
  const { matrix, time, values, filled, whole } = ring.snapshot();
  const width = matrix.features.length;
  return {
    ...headOf(matrix),
    ...{ filled, whole },
    bar_times: Array.from(time, isoTime),
    rows: Array.from(time, (_, row) => Array.from(values.subarray(row * width, (row + 1) * width), orNull)),
  };
}

function headOf({ name, description, minutes, rows, features }: MatrixDefinition) {
  return {
    ...{ name, description, interval: `${minutes}m` },
    shape: [rows, features.length],
    features: features.map((feature) => ({ ...feature, range: [...feature.range] })),
  };
}
