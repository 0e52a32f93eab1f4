import { LEXICON } from "./lexicon/index.js";
import type { Token } from "./tokens.js";

/** Token indexes [first, end). */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Words that begin a statement of its own about another subject. */
const CONJUNCTIONS = new Set("as while whereas after amid".split(" "));

const isEndOfSentence = (token: Token) => token.kind === "stop" && ".!?;".includes(token.norm);
const isBoundary = (token: Token) => token.kind === "stop" && token.norm === ",";
const begins = (token: Token) => CONJUNCTIONS.has(token.norm) || LEXICON.contrast.has(token.norm);

/**
 * Splits a text into the statements that its subjects share: pieces between commas and conjunctions, joined until
 * a piece with a subject of its own (`mentions`) follows one that has a subject and says something (`hits`; token
 * indexes both). Sentences are never joined.
 */
export function statementsOf(
  tokens: readonly Token[],
  mentions: ReadonlySet<number>,
  hits: ReadonlySet<number>,
): Span[] {
  const has = (set: ReadonlySet<number>, span: Span) => {
    for (let i = span.first; i < span.end; i++) if (set.has(i)) return true;
    return false;
  };
  const spans: Span[] = [];
  let open: { first: number; end: number; mention: boolean; hit: boolean } | null = null;
  for (const piece of piecesOf(tokens)) {
    const mention = has(mentions, piece);
    const hit = has(hits, piece);
    const sameSentence = open !== null && !isEndOfSentence(tokens[open.end - 1]);
    if (open !== null && sameSentence && !(open.mention && open.hit && mention)) {
      open.end = piece.end;
      open.mention ||= mention;
      open.hit ||= hit;
      continue;
    }
    if (open !== null) spans.push({ first: open.first, end: open.end });
    open = { ...piece, mention, hit };
  }
  if (open !== null) spans.push({ first: open.first, end: open.end });
  return spans;
}

function piecesOf(tokens: readonly Token[]): Span[] {
  const pieces: Span[] = [];
  let first = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (i > first && begins(tokens[i])) {
      pieces.push({ first, end: i });
      first = i;
    }
    if (isBoundary(tokens[i]) || isEndOfSentence(tokens[i])) {
      pieces.push({ first, end: i + 1 });
      first = i + 1;
    }
  }
  if (first < tokens.length) pieces.push({ first, end: tokens.length });
  return pieces;
}
