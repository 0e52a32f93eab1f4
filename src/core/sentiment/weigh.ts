import { LEXICON } from "./lexicon/index.js";
import { type Match, matchesOf } from "./match.js";
import type { Token } from "./tokens.js";

/** A term that counted, with all that changed its weight. */
export interface Hit {
  /** As it stands in the text. */
  readonly term: string;
  /** UTF-16 offsets into the text, [start, end). */
  readonly start: number;
  readonly end: number;
  /** What it adds to the sum: `base` after negation, scale, hedge, contrast and question. */
  readonly weight: number;
  readonly base: number;
  readonly negated: boolean;
  /** Group of the lexicon, "signed percentages" or "comparisons". */
  readonly group: string;
  /** What a move was taken to be about ("costs"), or null. */
  readonly metric: string | null;
}

/** How many tokens a negator reaches. */
const NEGATION_REACH = 4;
/** A negated term says less than its opposite: "not good" is not "bad". */
const NEGATION = -0.6;
const QUESTION = 0.6;
/** What is left of the words before "but". */
const OUTWEIGHED = 0.6;

export function isNegator(token: Token): boolean {
  return token.kind === "word" && (LEXICON.negator.has(token.norm) || token.norm.endsWith("n't"));
}

/** Per token: the clause it is in, numbered from 0; stops belong to the clause they end. */
export function clausesOf(tokens: readonly Token[]): Int32Array {
  const clauses = new Int32Array(tokens.length);
  let clause = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (i > 0 && LEXICON.contrast.has(token.norm) && clauses[i - 1] === clause) clause++;
    clauses[i] = clause;
    if (token.kind === "stop" && token.norm !== '"' && token.norm !== "-") clause++;
  }
  return clauses;
}

/** Per token: a factor for what its sentence, clause and their questions, hedges and contrasts leave of it. */
function factorsOf(tokens: readonly Token[], clauses: Int32Array): Float64Array {
  const factors = new Float64Array(tokens.length).fill(1);
  let sentence = 0;
  let side = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    const contrast = LEXICON.contrast.get(token.norm)?.weight;
    if (contrast !== undefined) {
      if (contrast > 1) scale(factors, side, i, OUTWEIGHED);
      scale(factors, i, clauseEnd(clauses, i), contrast);
      side = i;
    }
    if (token.kind !== "stop" || !".!?".includes(token.norm)) continue;
    if (token.norm === "?") scale(factors, sentence, i, QUESTION);
    sentence = i + 1;
    side = i + 1;
  }
  for (let i = 0; i < tokens.length; ) {
    const end = clauseEnd(clauses, i);
    let hedge = 1;
    for (let j = i; j < end; j++) hedge = Math.min(hedge, LEXICON.hedge.get(tokens[j].norm)?.weight ?? 1);
    if (hedge !== 1) scale(factors, i, end, hedge);
    i = end;
  }
  return factors;
}

function scale(factors: Float64Array, from: number, to: number, factor: number): void {
  for (let i = from; i < to; i++) factors[i] *= factor;
}

function clauseEnd(clauses: Int32Array, at: number): number {
  let end = at;
  while (end < clauses.length && clauses[end] === clauses[at]) end++;
  return end;
}

function isNegated(tokens: readonly Token[], clauses: Int32Array, first: number): boolean {
  for (let i = first - 1; i >= Math.max(0, first - NEGATION_REACH); i--) {
    if (clauses[i] !== clauses[first]) return false;
    if (isNegator(tokens[i])) return tokens[i + 1]?.norm !== "only";
  }
  return false;
}

/** Product of the intensifiers and diminishers just before a match and just behind it. */
function scaleOf(tokens: readonly Token[], match: Match): number {
  const factorAt = (i: number) => LEXICON.scale.get(tokens[i]?.norm ?? "")?.weight ?? 1;
  const before = factorAt(match.first - 1);
  return before * (before === 1 ? 1 : factorAt(match.first - 2)) * factorAt(match.end);
}

/** The terms of a text that count, in order, each with its final weight. */
export function hitsOf(text: string, tokens: readonly Token[]): Hit[] {
  const clauses = clausesOf(tokens);
  const factors = factorsOf(tokens, clauses);
  return matchesOf(tokens).map((match) => {
    const { start } = tokens[match.first];
    const { end } = tokens[match.end - 1];
    const negated = isNegated(tokens, clauses, match.first);
    return {
      term: text.slice(start, end),
      start,
      end,
      weight: match.weight * (negated ? NEGATION : 1) * scaleOf(tokens, match) * factors[match.first],
      base: match.weight,
      negated,
      group: match.group,
      metric: match.metric < 0 ? null : (tokens[match.metric]?.norm ?? null),
    };
  });
}
