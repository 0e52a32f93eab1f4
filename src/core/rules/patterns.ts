import type { Candles } from "../market/candles.js";
import type { Hit, Pattern, PatternSeries, PatternVariant } from "../patterns/define.js";
import { findVariant, PATTERNS } from "../patterns/index.js";
import { createPatternSeries } from "../patterns/series.js";
import { variantsNamed } from "./check.js";
import type { Condition, PatternDirection } from "./condition.js";
import { FALSE, TRUE, UNKNOWN } from "./verdict.js";

export type PatternCondition = Condition & { readonly kind: "pattern" };

const DIRECTIONS: Readonly<Record<PatternDirection, number>> = { bullish: 1, bearish: -1, neutral: 0 };
/** Steps that a bar counts for, of what all patterns share and of each row. */
const SHARED_STEPS = 100;
const ROW_STEPS = 10;

/** Variants that a condition asks for. */
export function variantsOf({ pattern, direction }: PatternCondition): readonly PatternVariant[] {
  const named = pattern === null ? PATTERNS.flatMap(({ variants }) => variants) : variantsNamed(pattern);
  return direction === null ? named : named.filter((variant) => variant.direction === DIRECTIONS[direction]);
}

function rowsOf(variants: readonly PatternVariant[]): readonly Pattern[] {
  return [...new Set(variants.flatMap(({ id }) => findVariant(id)?.pattern ?? []))];
}

/** Confirmed sightings over the whole series, each row looked for once. */
export class Sightings {
  readonly #series: PatternSeries;
  readonly #found = new Map<Pattern, readonly Hit[]>();

  constructor(candles: Candles) {
    this.#series = createPatternSeries(candles);
  }

  /** Steps a bar that looking for these would take beyond what has been done. */
  stepsOf(condition: PatternCondition): number {
    const fresh = rowsOf(variantsOf(condition)).filter((row) => !this.#found.has(row)).length;
    return (this.#found.size === 0 ? SHARED_STEPS : 0) + ROW_STEPS * fresh;
  }

  /**
   * Whether one was confirmed at each bar, or within those before it. Unknown while none could be seen yet, and where the
   * measured hit rate that is asked for is not known.
   */
  column(condition: PatternCondition, confidenceOf: (variant: string) => number | null): Int8Array {
    const { quality, confidence, within } = condition;
    const variants = variantsOf(condition);
    const rows = rowsOf(variants);
    const { length } = this.#series.candles.time;
    const warmup = rows.reduce((least, row) => Math.min(least, row.warmup), Number.POSITIVE_INFINITY);
    const seen = new Int8Array(length).fill(FALSE);
    seen.fill(UNKNOWN, 0, Math.min(length, rows.length === 0 ? 0 : warmup));
    const wanted = new Set(variants.map(({ id }) => id));
    for (const { at, variant, state, quality: fit } of rows.flatMap((row) => this.#hits(row))) {
      if (state !== "confirmed" || !wanted.has(variant.id) || fit < (quality ?? 0)) continue;
      const verdict = confidence === null ? TRUE : atLeast(confidenceOf(variant.id), confidence);
      if (verdict !== FALSE && seen[at] !== TRUE) seen[at] = verdict;
    }
    return within === 1 ? seen : lately(seen, within);
  }

  #hits(row: Pattern): readonly Hit[] {
    const known = this.#found.get(row);
    if (known !== undefined) return known;
    const hits: Hit[] = [];
    row.find(this.#series, 0, this.#series.candles.time.length, hits);
    this.#found.set(row, hits);
    return hits;
  }
}

function atLeast(value: number | null, least: number): number {
  if (value === null) return UNKNOWN;
  return value >= least ? TRUE : FALSE;
}

/** True where it was at any of the last so many bars, else unknown where that is possible. */
function lately(seen: Int8Array, within: number): Int8Array {
  let lastTrue = Number.NEGATIVE_INFINITY;
  let lastUnknown = Number.NEGATIVE_INFINITY;
  return seen.map((verdict, i) => {
    if (verdict === TRUE) lastTrue = i;
    if (verdict === UNKNOWN) lastUnknown = i;
    if (i - lastTrue < within) return TRUE;
    return i - lastUnknown < within ? UNKNOWN : FALSE;
  });
}
