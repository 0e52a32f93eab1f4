import { hash32 } from "../base/rng.js";
import { LEXICON, TERM_GROUPS } from "./lexicon/index.js";
import type { Token } from "./tokens.js";
import { type Hit, isNegator } from "./weigh.js";

/** A word, or two in a row, of a text; token indexes [first, end). */
export interface Gram {
  /** 32-bit hash of the masked words. */
  readonly hash: number;
  readonly first: number;
  readonly end: number;
}

/** What the classifier sees of a text. */
export interface Features {
  /** One value per name of `DENSE`. */
  readonly dense: Float64Array;
  /** Distinct grams in order of first appearance. */
  readonly grams: readonly Gram[];
}

const NUMBER_GROUPS = ["signed percentages", "comparisons"];
const GROUPS: readonly string[] = [
  ...TERM_GROUPS.filter((group) => group.role === "polar" || group.role === "move").map(
    (group) => group.name,
  ),
  ...NUMBER_GROUPS,
];
const GROUP_INDEX: ReadonlyMap<string, number> = new Map(GROUPS.map((name, index) => [name, index]));
const SHAPE = [
  "lexicon score",
  "lexicon score above 0",
  "lexicon score below 0",
  "conflict",
  "hits",
  "question",
  "hedges",
  "negators",
  "length",
  "percentages",
  "tickers",
] as const;

/** Names of the dense features: summed weight of each lexicon group, then the shape of the whole. */
export const DENSE: readonly string[] = [...GROUPS, ...SHAPE];

/** Longest text, in tokens, whose grams are read. */
const MAX_TOKENS = 512;

/** Names, amounts and tickers become marks, so that grams tell of events and not of whom they befell. */
function mask(token: Token): string {
  if (token.kind === "ticker") return "$";
  if (token.kind !== "number") return token.norm;
  if (token.unit === "percent") return token.signed ? (token.value < 0 ? "-%" : "+%") : "%";
  return token.unit === "money" ? "#$" : "#";
}

export function gramsOf(tokens: readonly Token[]): Gram[] {
  const grams: Gram[] = [];
  const seen = new Set<number>();
  function add(text: string, first: number, end: number): void {
    const hash = hash32(text);
    if (seen.has(hash)) return;
    seen.add(hash);
    grams.push({ hash, first, end });
  }
  for (let i = 0; i < Math.min(tokens.length, MAX_TOKENS); i++) {
    const own = mask(tokens[i]);
    if (tokens[i].kind !== "stop" || own === "?") add(own, i, i + 1);
    if (i > 0) add(`${mask(tokens[i - 1])} ${own}`, i - 1, i + 1);
  }
  return grams;
}

export function featuresOf(tokens: readonly Token[], hits: readonly Hit[], lexiconScore: number): Features {
  const dense = new Float64Array(DENSE.length);
  let good = 0;
  let bad = 0;
  for (const hit of hits) {
    const index = GROUP_INDEX.get(hit.group);
    if (index !== undefined) dense[index] = Math.max(-3, Math.min(3, dense[index] + hit.weight));
    if (hit.weight > 0) good += hit.weight;
    else bad -= hit.weight;
  }
  const count = (test: (token: Token) => boolean) => Math.min(3, tokens.filter(test).length);
  const shape: Readonly<Record<(typeof SHAPE)[number], number>> = {
    "lexicon score": lexiconScore,
    "lexicon score above 0": lexiconScore > 0 ? lexiconScore * lexiconScore : 0,
    "lexicon score below 0": lexiconScore < 0 ? lexiconScore * lexiconScore : 0,
    conflict: Math.min(good, bad, 3),
    hits: Math.min(hits.length, 6) / 3,
    question: count((token) => token.kind === "stop" && token.norm === "?"),
    hedges: count((token) => LEXICON.hedge.has(token.norm)),
    negators: count(isNegator),
    length: Math.log1p(Math.min(tokens.length, MAX_TOKENS)) / 3,
    percentages: count((token) => token.kind === "number" && token.unit === "percent"),
    tickers: count((token) => token.kind === "ticker"),
  };
  for (const [offset, name] of SHAPE.entries()) dense[GROUPS.length + offset] = shape[name];
  return { dense, grams: gramsOf(tokens) };
}
