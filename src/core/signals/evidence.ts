import { ensure } from "../base/assert.js";
import { benjaminiHochberg } from "../base/inference.js";
import { INTERVALS, type Interval } from "../market/interval.js";
import { COST_CLASSES, costClassOf } from "./cost-class.js";
import { ANY_COSTS, ANY_REGIME, type EvidenceRow, measureCell } from "./evidence-cell.js";
import { drawResamples } from "./evidence-edge.js";
import { type Pool, poolOf, splitByVariant } from "./evidence-pool.js";
import {
  type EvidenceSeries,
  type EvidenceSettings,
  measureSeries,
  type Occurrences,
  variantsOf,
} from "./evidence-series.js";
import { blocksOf } from "./evidence-time.js";
import { walkForward } from "./evidence-walk.js";

export { ANY_COSTS, ANY_REGIME, type EvidenceRow, LEAST_TRADES, type Shortage } from "./evidence-cell.js";

export interface EvidenceTable {
  /** By interval and variant in the order of the patterns: all trades, then by class of costs, then by regime. */
  readonly rows: readonly EvidenceRow[];
  /** Cells whose p-values were corrected for one another. */
  readonly tests: number;
  readonly series: number;
  readonly bars: number;
  readonly occurrences: number;
  /** Close of the first and newest bar that was looked at; null without bars. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

/** Everything at once, for callers that need no threads. */
export function computeEvidence(
  series: readonly EvidenceSeries[],
  settings: EvidenceSettings,
): EvidenceTable {
  return tabulate(
    series.map((each) => measureSeries(each, settings)),
    settings,
  );
}

/** The table of what was measured of series; the same whatever their order. */
export function tabulate(
  parts: readonly Occurrences[],
  settings: Pick<EvidenceSettings, "patterns" | "regimes" | "seed">,
): EvidenceTable {
  const ordered = [...parts].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0));
  const rows = INTERVALS.flatMap((interval) => {
    const members = ordered.filter((part) => part.interval === interval);
    return members.length === 0 ? [] : tabulateInterval(interval, poolOf(members), settings);
  });
  const { corrected, tests } = correct(rows);
  const bars = parts.filter((part) => part.bars > 0);
  return {
    rows: corrected,
    tests,
    series: bars.length,
    bars: bars.reduce((sum, part) => sum + part.bars, 0),
    occurrences: parts.reduce((sum, { variant }) => sum + variant.length, 0),
    fromMs: bars.length === 0 ? null : bars.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity),
    untilMs:
      bars.length === 0 ? null : bars.reduce((most, { untilMs }) => Math.max(most, untilMs), -Infinity),
  };
}

/** A class of costs that holds every trade of a pattern is no test of its own: its p-value is that of all trades. */
function correct(rows: readonly EvidenceRow[]): { corrected: EvidenceRow[]; tests: number } {
  const keyOf = ({ variant, interval }: EvidenceRow) => `${variant} ${interval}`;
  const isWhole = ({ regime, costs }: EvidenceRow) => regime === ANY_REGIME && costs === ANY_COSTS;
  const wholes = new Map(rows.filter(isWhole).map((row) => [keyOf(row), row]));
  const testOf = (row: EvidenceRow) => {
    const whole = wholes.get(keyOf(row));
    return row.costs !== ANY_COSTS && whole?.n === row.n ? whole : row;
  };
  const tested = [...new Set(rows.map(testOf))].filter(({ pValue }) => pValue !== null);
  const values = benjaminiHochberg(tested.map(({ pValue }) => pValue ?? 1));
  const places = new Map(tested.map((row, place) => [row, place]));
  const corrected = rows.map((row) => {
    const place = places.get(testOf(row));
    return place === undefined ? row : { ...row, qValue: values[place] };
  });
  return { corrected, tests: tested.length };
}

function tabulateInterval(
  interval: Interval,
  pool: Pool,
  { patterns, regimes, seed }: Pick<EvidenceSettings, "patterns" | "regimes" | "seed">,
): EvidenceRow[] {
  const variants = variantsOf(patterns);
  const blocks = blocksOf(pool, interval);
  const resamples = drawResamples(blocks.count, seed);
  return splitByVariant(pool, variants.length).flatMap((members, index) => {
    const { pattern, variant } = ensure(variants[index], "a variant of the list");
    const head = { variant: variant.id, pattern: pattern.name, interval, directed: variant.direction !== 0 };
    const foresight = walkForward(pool, members, regimes.length, blocks);
    const parts = { pool, blocks, resamples };
    const all = { regime: ANY_REGIME, costs: ANY_COSTS } as const;
    const rows = [measureCell(parts, members.known, { ...head, ...all }, foresight[0])];
    for (const [k, costs] of COST_CLASSES.entries()) {
      const known = members.known.filter((i) => costClassOf(pool.costShare[i]) === k);
      if (known.length === 0 || !head.directed) continue;
      rows.push(measureCell(parts, known, { ...head, ...all, costs }, foresight[regimes.length + 1 + k]));
    }
    for (const [k, regime] of regimes.entries()) {
      const known = members.known.filter((i) => pool.regime[i] === k);
      if (known.length === 0) continue;
      rows.push(measureCell(parts, known, { ...head, ...all, regime }, foresight[k + 1]));
    }
    return rows;
  });
}
