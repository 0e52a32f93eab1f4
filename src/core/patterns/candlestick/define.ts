import { assert } from "../../base/assert.js";
import { definePattern, type Hit, type Pattern, type PatternSeries, type PatternVariant } from "../define.js";
import { kept } from "../kept.js";

/** 1 where the value a signal wrote is positive, -1 where it is negative. */
export type Sign = 1 | -1;

/**
 * Writes TA-Lib's value of each bar in [from, to) into `out[i]`: 100 or -100, 80 or -80 where one end of the
 * bodies only matches, 200 or -200 where an earlier hit is confirmed, 0 elsewhere. Reads bars up to `i` only,
 * allocates nothing, and is called with `from` at or after the warm-up.
 */
export type Signal = (series: PatternSeries, out: Int16Array, from: number, to: number) => void;

/** Geometry of the hit at bar `at` with the given sign, as a number that is 0..1. */
export type Quality = (series: PatternSeries, at: number, sign: Sign) => number;

/** The variants by the sign of the value; at least one of them. */
export interface SignedVariants {
  readonly positive?: PatternVariant;
  readonly negative?: PatternVariant;
}

export interface CandlestickDefinition {
  readonly name: string;
  readonly title: string;
  /** TA-Lib's name of the function, for the shapes that it has. */
  readonly talib?: string;
  readonly bars: number;
  /** Bars before the first that can be judged; TA-Lib's lookback where it has the shape. */
  readonly warmup: number;
  readonly description: string;
  /** Beside TA-Lib, where it has the shape. */
  readonly source: string;
  readonly variants: SignedVariants;
  readonly signal: Signal;
  readonly quality: Quality;
  /** How values of 200 and -200 read, and where their shape begins. */
  readonly confirmation?: {
    readonly variants: SignedVariants;
    start(series: PatternSeries, at: number): number;
  };
}

/** A row of the pattern table that also gives TA-Lib's values as a column. */
export interface Candlestick extends Pattern {
  /** TA-Lib's name of the function; null for a shape that it does not have. */
  readonly talib: string | null;
  /** As `Signal`, over any range of bars; 0 through the warm-up. */
  signal(series: PatternSeries, out: Int16Array, from: number, to: number): void;
}

/** The workspace read as numbers of two values each. */
const pairsOf = kept(({ workspace }) => new Int32Array(workspace.buffer));

/** Makes a row of the pattern table from a signal and a quality. */
export function defineCandlestick(definition: CandlestickDefinition): Candlestick {
  const { name, title, talib = null, bars, warmup, description, source, variants, confirmation } = definition;
  const { signal: write, quality } = definition;

  function signal(series: PatternSeries, out: Int16Array, from: number, to: number): void {
    const length = Math.min(series.anatomy.length, out.length);
    if (from < 0 || to > length) assert(false, `${name} over bars ${from}..${to} of ${length}`);
    const start = Math.max(from, warmup);
    if (from < warmup) out.fill(0, from, Math.min(to, warmup));
    if (start < to) write(series, out, start, to);
  }

  function hit(series: PatternSeries, at: number, value: number): Hit {
    const confirms = confirmation !== undefined && Math.abs(value) === 200;
    const signed = confirms ? confirmation.variants : variants;
    const variant = value > 0 ? signed.positive : signed.negative;
    // The text of the message is made only where it is needed: most hits are candlesticks.
    if (variant === undefined) assert(false, `${name} has no variant for ${value}`);
    const start = confirms ? confirmation.start(series, at) : at - bars + 1;
    const fit = quality(series, at, value > 0 ? 1 : -1);
    return { variant, at, start, quality: fit, state: "confirmed", formation: null };
  }

  return definePattern<Candlestick>({
    name,
    title,
    talib,
    family: "candlestick",
    variants: [variants, confirmation?.variants ?? {}]
      .flatMap(({ positive, negative }) => [positive, negative])
      .filter((variant) => variant !== undefined),
    bars,
    warmup,
    description,
    source: talib === null ? source : `TA-Lib 0.6 ${talib}; ${source}`,
    signal,
    find(series, from, to, hits) {
      const values = series.workspace;
      signal(series, values, from, to);
      // Eight bars share a branch: most shapes are seen at few bars, and looking for those would take longer than the
      // rest. Two values are read at a time, as one number.
      const pairs = pairsOf(series);
      for (let start = from & ~7; start < to; start += 8) {
        const pair = start >> 1;
        if ((pairs[pair] | pairs[pair + 1] | pairs[pair + 2] | pairs[pair + 3]) === 0) continue;
        const end = Math.min(start + 8, to);
        for (let i = Math.max(start, from); i < end; i++) {
          if (values[i] !== 0) hits.push(hit(series, i, values[i]));
        }
      }
    },
  });
}
