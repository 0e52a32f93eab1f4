import { ensure } from "../base/assert.js";
import { benjaminiHochberg } from "../base/inference.js";
import { INTERVALS, type Interval } from "../market/interval.js";
import { ANY_REGIME, type EvidenceRow, measureCell } from "./evidence-cell.js";
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

export { ANY_REGIME, type EvidenceRow, LEAST_TRADES, type Shortage } from "./evidence-cell.js";

export interface EvidenceTable {
  /** By interval, variant in the order of the patterns, and regime, `any` first. */
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
  const tested = rows.flatMap(({ pValue }) => (pValue === null ? [] : [pValue]));
  const corrected = benjaminiHochberg(tested);
  let test = 0;
  const bars = parts.filter((part) => part.bars > 0);
  return {
    rows: rows.map((row) => (row.pValue === null ? row : { ...row, qValue: corrected[test++] })),
    tests: tested.length,
    series: bars.length,
    bars: bars.reduce((sum, part) => sum + part.bars, 0),
    occurrences: parts.reduce((sum, { variant }) => sum + variant.length, 0),
    fromMs: bars.length === 0 ? null : bars.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity),
    untilMs:
      bars.length === 0 ? null : bars.reduce((most, { untilMs }) => Math.max(most, untilMs), -Infinity),
  };
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
    const any = measureCell(parts, members.known, { ...head, regime: ANY_REGIME }, foresight[0], null);
    const rows = [any];
    for (const [k, regime] of regimes.entries()) {
      const known = members.known.filter((i) => pool.regime[i] === k);
      if (known.length === 0) continue;
      rows.push(measureCell(parts, known, { ...head, regime }, foresight[k + 1], any.confidence));
    }
    return rows;
  });
}
